"""Writes random answers of the API, valid by its document: generate.py NOW SEED...

A line for each seed: the seed, the kind of the answers, options of the exporter, and the body of each answer by path.
`null` stands for an answer with status 404. A query after a path is part of the query of the request.
"""

import datetime
import json
import random
import sys

DAY = 86_400
DOCUMENT = json.load(open("tests/data/openapi.json", encoding="utf-8"))
# Which members an answer has: the required ones, all, a random choice, or a random choice even of the required ones.
KINDS = ["random", "ragged", "complete", "bare"]
# Members without which an object is nothing.
KEPT = {"id", "success", "dataset", "organizationId", "ownerOrganizationId", "date"}
# Members that the API sends and its document does not have.
UNDOCUMENTED = {
    "apiKeys[]": {
        "expires": {"type": "string", "format": "date-time", "nullable": True},
        "lastUsed": {"type": "string", "format": "date-time", "nullable": True},
    },
    "total+organizations[]": {"isDeveloperProfile": {"type": "boolean"}},
}
TEXTS = [
    "one",
    "two",
    "three",
    "Größe \u200b☃ 😀",
    'a "quoted\\" name',
    "two\nlines",
    " ",
    "",
    "a" * 60,
    "clinical",
    "failed",
]
OWN_USER, OTHER_USER, WHITELABEL_USER = 9, 2, 3
# The white label that each of these organizations owns.
WHITELABELS = {1: 70, 2: 80, 6: 90}
ORGANIZATION = "/api/organizations/{organizationId}"
# Organizations of the credential, and those of the white labels, by owner.
MEMBERSHIPS, PORTFOLIOS = [1, 2, 3, 4, 6], {1: [2, 31, 32, 33], 2: [3, 34, 35], 6: [36]}


def schema_of(template):
    return DOCUMENT["paths"][template]["get"]["responses"]["200"]["content"]["application/json"]["schema"]


def name_of(whitelabel):
    return f"White label {whitelabel}"


class Answers:
    """Random answers of one API."""

    def __init__(self, seed, kind, now):
        self.random, self.kind, self.now = random.Random(seed), kind, now

    def chance(self, probability):
        return self.random.random() < probability

    def resolve(self, schema):
        """Returns a schema without references, and with the members of all its parts."""
        if "$ref" in schema:
            schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        if "allOf" in schema:
            parts = [self.resolve(part) for part in schema["allOf"]]
            properties = {name: value for part in parts for name, value in part.get("properties", {}).items()}
            required = [name for part in parts for name in part.get("required", [])]
            return {"type": "object", "properties": properties, "required": required}
        return schema

    def value(self, schema, name="", depth=0):
        schema = self.resolve(schema)
        match schema["type"]:
            case "object":
                return self.object(schema, name, depth)
            case "array":
                return self.list(schema["items"], name, depth)
            case "boolean":
                return self.chance(0.5)
            case "integer" | "number":
                return self.number(name, schema["type"])
        if schema.get("format") == "date-time":
            return self.date()
        if "enum" in schema:
            is_unknown = self.kind != "bare" and self.chance(0.1)
            return "unknown-yet" if is_unknown else self.random.choice(schema["enum"])
        return self.random.choice(TEXTS)

    def object(self, schema, name, depth):
        answer, required = {}, set(schema.get("required", []))
        members = {**schema.get("properties", {}), **UNDOCUMENTED.get(name, {})}
        # The order of members means nothing.
        for member in self.random.sample(sorted(members), len(members)):
            is_required, is_nullable = member in required, members[member].get("nullable", False)
            is_there = {"bare": is_required, "complete": True}.get(self.kind, is_required or self.chance(0.7))
            is_null = is_nullable and self.kind != "complete" and (self.kind == "bare" or self.chance(0.4))
            if self.kind == "ragged" and member not in KEPT:
                is_there, is_null = is_there and self.chance(0.93), is_null or self.chance(0.07)
            if is_there:
                # Two lists of organizations differ in what stands beside them.
                inner = f"total+{member}" if "total" in members else member
                answer[member] = None if is_null else self.value(members[member], inner, depth + 1)
        return self.settled(answer)

    def settled(self, answer):
        """Returns an organization that says the same about its white label in every answer."""
        owners = [owner for owner, ids in PORTFOLIOS.items() if answer.get("id") in ids]
        whitelabel = WHITELABELS[owners[0] if owners else 1]
        if answer.get("whitelabelId") is not None:
            answer["whitelabelId"] = whitelabel
            if answer.get("whitelabelName") is not None:
                answer["whitelabelName"] = name_of(whitelabel)
        else:
            answer.pop("whitelabelName", None)
        return answer

    def list(self, items, name, depth):
        lengths = [0, 1, 2, 3, 5, 8] if depth < 4 else [0, 1, 2]
        length = self.random.choice(lengths)
        if depth == 1 and self.chance(0.1):
            # More than some lists have room for, where elements are small.
            length = 130 if name in ("jobs", "apiKeys") else 40
        return [self.value(items, f"{name}[]", depth + 1) for _ in range(length)]

    def number(self, name, kind):
        match name:
            case "organizationId":
                return self.random.choice(MEMBERSHIPS)
            case "ownerOrganizationId":
                return self.random.choice(sorted(WHITELABELS))
            case "id" | "trialId":
                # Some elements of a list have the same id.
                return self.random.choice([self.random.randint(1, 9), self.random.randint(1, 2**53)])
        whole = [0, 1, self.random.randint(2, 100), 10 ** self.random.randint(2, 15), self.random.randint(0, 2**53)]
        if kind == "integer":
            return self.random.choice(whole)
        broken = [
            self.random.uniform(0, 1e6),
            10.0 ** self.random.randint(-9, 200),
            7.0,
            round(self.random.uniform(0, 10), 2),
        ]
        return self.random.choice(whole + broken)

    def date(self):
        """Returns a date in any form, often at the border of a window."""
        if self.chance(0.04):
            return self.random.choice(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"])
        days = self.random.choice(
            [0, 1, 1, 7, 30, 90, self.random.uniform(-30, 500), self.random.uniform(-9000, 20000)]
        )
        at = self.now - days * DAY + self.random.choice([0, 0, -0.001, 0.001, self.random.uniform(-3600, 3600)])
        hours = self.random.choice([0, 0, 0, -11, -5.5, 2, 14])
        zone = datetime.timezone(datetime.timedelta(hours=hours))
        text = datetime.datetime.fromtimestamp(at, zone).isoformat(
            timespec=self.random.choice(["seconds", "milliseconds", "milliseconds", "microseconds"])
        )
        return text.replace("+00:00", "Z") if self.chance(0.8) else text

    def at(self, template):
        """Returns an answer of an endpoint."""
        return self.value(schema_of(template)) | {"success": True}

    def organizations(self, template, ids):
        """Returns an answer with a list of these organizations."""
        answer = self.at(template)
        schema = self.resolve(schema_of(template))
        items = schema["properties"]["organizations"]["items"]
        name = "total+organizations[]" if "total" in schema["properties"] else "organizations[]"
        answer["organizations"] = [self.settled(self.value(items, name, 2) | {"id": id}) for id in ids]
        return answer

    def some(self, ids, least=0):
        return self.random.sample(ids, self.random.randint(least, len(ids)))

    def pages(self, path, answer, member, total):
        """Returns the answers to the requests for a list in pages, which may overlap."""
        pages, elements, offset, length = {}, answer[member], 0, len(answer[member])
        while elements:
            size = self.random.randint(1, len(elements))
            page, elements = elements[:size], elements[size:]
            pages[f"{path}?offset={offset}"] = {**answer, member: page}
            offset += size
            if elements and self.chance(0.3):
                elements, length = [page[-1], *elements], length + 1
        pages[f"{path}?offset={offset}"] = {**answer, member: []}
        for page in pages.values():
            if page.get(total) is not None:
                page[total] = length
        return pages


def organization_answers(it, id):
    path, answers = f"/api/organizations/{id}", {}
    for end in ("", "/metrics", "/buckets", "/pipelines", "/jobs", "/apikeys", "/create-project"):
        answers[path + end] = it.at(ORGANIZATION + end)
    if answers[path].get("organization") is not None:
        answers[path]["organization"] = it.settled(answers[path]["organization"] | {"id": id})
    jobs = it.at(ORGANIZATION + "/jobs/all")
    jobs["jobs"] = jobs.get("jobs") or []
    return answers | it.pages(f"{path}/jobs/all", jobs, "jobs", "totalJobCount")


def whitelabel_answers(it, owner, whitelabel):
    path, template = f"/api/organizations/{owner}/whitelabel", ORGANIZATION + "/whitelabel"
    answers = {path: it.at(template)}
    if answers[path].get("whitelabel"):
        answers[path]["whitelabel"] |= {"id": whitelabel, "name": name_of(whitelabel)}
    template += "/organizations"
    listed = it.organizations(template, it.some(PORTFOLIOS[owner]))
    answers |= it.pages(f"{path}/organizations", listed, "organizations", "total")
    for id in PORTFOLIOS[owner]:
        answers[f"{path}/organizations/{id}"] = it.at(template + "/{innerOrganizationId}")
    # The numbers are totals of lists with a filter.
    active = [f"?active={days}" for days in (1, 7, 30, 90)]
    tiers = [f"?tier={tier}" for tier in DOCUMENT["components"]["schemas"]["UserTierEnum"]["enum"]]
    for list, queries in (("organizations", active), ("projects", ["", *active]), ("users", active + tiers)):
        for query in queries:
            answers[f"{path}/{list}{query}"] = {"success": True, "total": it.number("total", "integer"), list: []}
    return answers


def case(seed, now):
    kind = KINDS[seed % len(KINDS)]
    it = Answers(seed, kind, now)
    is_jwt = it.chance(0.7)
    own = it.some(MEMBERSHIPS, 1) if is_jwt else [it.random.choice(MEMBERSHIPS)]
    options = [f"--user-id={OTHER_USER}", f"--whitelabel.user-id={WHITELABEL_USER}"]
    options += ["--collector.projects", "--collector.finished_jobs", "--collector.transformation_jobs"]
    for option, chance in (
        ("--api.compute-time-unit=minutes", 0.2),
        ("--api.compute-time-total-unit=minutes", 0.2),
        ("--api.memory-unit=mebibytes", 0.2),
        ("--organization-id=1,3", 0.1),
    ):
        options += [option] * it.chance(chance)
    answers = {}
    owners = it.some(sorted(WHITELABELS)) if is_jwt else it.some(own) if own[0] in WHITELABELS else []
    if is_jwt:
        user = it.organizations("/api/user", own) | {"id": OWN_USER}
        schema = it.resolve({"$ref": "#/components/schemas/GetUserResponse"})["properties"]["whitelabels"]["items"]
        user["whitelabels"] = [
            it.value(schema)
            | {"id": id, "ownerOrganizationId": owner, "name": name_of(id), "isAdmin": owner in owners}
            for owner, id in WHITELABELS.items()
        ]
        answers["/api/user"] = user
        answers["/api/user/subscription/metrics"] = it.at("/api/user/subscription/metrics")
        for id in (OWN_USER, OTHER_USER):
            answers[f"/api/users/{id}/trials"] = it.at("/api/users/{userId}/trials")
        path = "/api/users/{userId}/organizations"
        answers[path.format(userId=OTHER_USER)] = it.organizations(path, it.some([1, 2, 5]))
    else:
        answers["/api/organizations"] = it.organizations("/api/organizations", own)
        options += [f"--whitelabel.organization-id={','.join(map(str, owners))}"] if owners else []
    for id in MEMBERSHIPS:
        answers |= organization_answers(it, id)
    for owner, whitelabel in WHITELABELS.items():
        answers |= whitelabel_answers(it, owner, whitelabel)
    for id in {*MEMBERSHIPS, *WHITELABELS}:
        user = it.at(ORGANIZATION + "/whitelabel/users/{userId}")
        answers[f"/api/organizations/{id}/whitelabel/users/{WHITELABEL_USER}"] = user
    lists = ("/api/user", "/api/organizations")
    for path in answers:
        if path not in lists and "?" not in path and it.chance(0.06):
            answers[path] = None
    bodies = {path: answer and json.dumps(answer, ensure_ascii=it.chance(0.5)) for path, answer in answers.items()}
    return {"seed": seed, "kind": kind, "now": now, "is_jwt": is_jwt, "options": options, "answers": bodies}


def main():
    now, *seeds = sys.argv[1:]
    for seed in seeds:
        print(json.dumps(case(int(seed), float(now))))


main()
