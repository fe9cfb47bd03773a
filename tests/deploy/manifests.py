"""What tests/deploy/manifests.rs needs of YAML and of Helm, as JSON on standard output.

yaml FILE...          the documents of these files, in order
lint CHART            what Helm has to say of a chart, strictly
jsonnet CODE          the value of this code, with imports from the working directory
render CHART VALUES [RELEASE]
                      the documents of a chart with these values, and the notes, as Helm would install them
"""

import json
import sys

import yaml


class Strict(yaml.CSafeLoader):
    """Reads YAML, and refuses an object that names something twice."""

    def construct_mapping(self, node, deep=False):
        names = [self.construct_object(name, deep=True) for name, _ in node.value if name.tag != "tag:yaml.org,2002:merge"]
        if len(names) != len(set(names)):
            raise yaml.YAMLError(f"a name stands twice in {names} {node.start_mark}")
        return super().construct_mapping(node, deep)


def documents(text):
    return [document for document in yaml.load_all(text, Strict) if document is not None]


def main(command, *arguments):
    if command == "yaml":
        return [document for path in arguments for document in documents(open(path, encoding="utf-8").read())]
    if command == "jsonnet":
        import _jsonnet

        return json.loads(_jsonnet.evaluate_snippet("code", *arguments))
    import helm_python as helm

    if command == "lint":
        return helm.lint(arguments[0], strict=True)
    chart, values, *release = arguments
    with helm.Chart.load(chart) as chart:
        rendered = chart.render(json.loads(values), name=(release or ["release"])[0], namespace="monitoring")
    notes = [text for path, text in rendered.items() if path.endswith("NOTES.txt")]
    texts = [text for path, text in rendered.items() if path.endswith(".yaml")]
    return {"notes": "".join(notes), "documents": [document for text in texts for document in documents(text)]}


json.dump(main(*sys.argv[1:]), sys.stdout)
