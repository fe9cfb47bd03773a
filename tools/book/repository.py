"""A preprocessor of mdBook: links from a page to files outside docs/ lead to the repository of Cargo.toml."""
import json
import re
import sys

if sys.argv[1:2] == ["supports"]:
    sys.exit(0)
with open("Cargo.toml", encoding="utf-8") as file:
    repository = re.search(r'^repository = "(.+)"$', file.read(), re.MULTILINE)[1]


def rewrite(items):
    for item in items:
        chapter = item.get("Chapter")
        if chapter:
            chapter["content"] = re.sub(r"\]\(\.\./", f"]({repository}/blob/main/", chapter["content"])
            rewrite(chapter["sub_items"])


_, book = json.load(sys.stdin)
rewrite(book.get("items", book.get("sections", [])))
json.dump(book, sys.stdout)
