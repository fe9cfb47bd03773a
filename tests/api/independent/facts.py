"""Values of answers, and the facts that they are."""

import datetime

DAY, MINUTE, MEBIBYTE = 86_400, 60, 1_048_576
WINDOWS = {"1d": 1, "7d": 7, "30d": 30, "90d": 90}
TIERS = ["free", "community-plus", "professional", "enterprise"]
# In order of precedence.
COLLECTORS = (
    "usage organization buckets pipelines jobs finished_jobs transformation_jobs user trials user_organizations "
    "whitelabel_organization whitelabel_organizations whitelabel_user whitelabel_users whitelabel organizations plan "
    "whitelabel_activity api_keys"
).split()


def moment(text):
    """Returns seconds since 1970, to the millisecond."""
    if text is None or text.startswith(("0001-01-01", "9999-12-31")):
        return None
    since = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - datetime.datetime.fromtimestamp(
        0, datetime.timezone.utc
    )
    return since // datetime.timedelta(milliseconds=1) / 1000


def number(value):
    return None if value is None else float(value)


def flag(value):
    return None if value is None else float(value)


def plus(one, other):
    return None if one is None or other is None else one + other


def times(value, unit):
    return None if value is None else value * unit


def count(elements, value, classes):
    """Counts the elements with each value. Those that have none are not counted; all is unknown if none has one."""
    values = [value(element) for element in elements]
    if values and all(value is None for value in values):
        return None
    return {name: sum(value is not None and is_in(value) for value in values) for name, is_in in classes.items()}


def one_of(names, other=None):
    classes = {name: (lambda value, name=name: value == name) for name in names}
    return classes | ({other: lambda value: value not in names} if other else {})


def first_of_each(elements, name):
    """Returns the elements by id or name: the first one of each."""
    rows = {}
    for element in elements:
        if element.get(name) is not None:
            rows.setdefault(element[name], element)
    return rows


class Facts:
    """What the calls report. The first collector that has a fact counts."""

    def __init__(self):
        self.offered, self.call = {}, None

    def offer(self, subject, fact, value):
        if value is not None:
            known = self.offered.setdefault(subject, {}).setdefault(fact, {})
            known.setdefault(self.call, []).append(value)

    def offers(self, subject, fact):
        """Returns all values of a fact, the first of which counts."""
        calls = self.offered.get(subject, {}).get(fact, {})
        return [value for call in sorted(calls) for value in calls[call]]

    def classes(self, subject, fact, label, counts):
        if counts is not None:
            self.offer(subject, fact, {((label, name),): value for name, value in counts.items()})
