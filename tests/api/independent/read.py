"""Reads answers of the API as docs/values.md describes it, independently of the exporter.

read.py CASES: reads a case of generate.py from each line, and writes a list of samples for each: name, labels, value.
"""

import json
import sys

from facts import MINUTE, TIERS, WINDOWS, flag, moment, number, plus, times
from organizations import Organizations


class Reading(Organizations):
    """Reads all answers."""

    def trials(self, trials):
        for it in trials:
            if it is not None:
                offer = lambda fact, member: self.facts.offer(
                    ("trial", it["organizationId"], it["id"]), fact, moment(it.get(member))
                )
                offer("scheduled_expiration_timestamp_seconds", "expirationDate")
                offer("created_timestamp_seconds", "created")
                offer("expired_timestamp_seconds", "expiredDate")
                offer("upgraded_timestamp_seconds", "upgradedDate")
                offer("deleted_timestamp_seconds", "deletedDate")

    def user(self, id, it):
        """Reads what the answers about the credential's user and a user of a white label have in common."""
        offer = lambda fact, value: self.facts.offer(("user", id), fact, value)
        offer("tier", None if it.get("tier") is None else it["tier"] if it["tier"] in TIERS else "other")
        offer("suspended", flag(it.get("suspended")))
        offer("mfa_configured", flag(it.get("mfaConfigured")))
        offer("pending_payments", flag(it.get("hasPendingPayments")))
        for member in it.get("organizations") or []:
            organization = ("organization", member["id"])
            self.info(member["id"], member)
            self.trial_of(member["id"], member)
            self.limits(member["id"], member.get("entitlementLimits"))
            self.facts.offer(organization, "created_timestamp_seconds", moment(member.get("created")))
            self.facts.offer(organization, "users_used", number(member.get("userCount")))
            self.facts.offer(organization, "admins", number(member.get("adminCount")))
            self.facts.offer(organization, "private_projects", number(member.get("privateProjectCount")))

    def newest(self, records):
        """Returns the daily record with the latest date, and the users that it counts, without staff."""
        dated = [it for it in records or [] if moment(it["date"]) is not None]
        if not dated:
            return {}, None
        # The last one of several.
        newest = max(reversed(dated), key=lambda it: moment(it["date"]))
        users = plus(number(newest.get("totalUsers")), times(number(newest.get("totalStaffUsers")), -1))
        return newest, users if newest.get("totalUsers") and users is not None and users >= 0 else None

    def own_user(self, it):
        self.begin("user")
        self.user(it["id"], it)
        offer = lambda fact, value: self.facts.offer(("user", it["id"]), fact, value)
        offer("organizations", len(it["organizations"]))
        offer("private_projects", number(it.get("privatePersonalProjectsUsed")))
        offer("subscription_downgrade_timestamp_seconds", moment(it.get("subscriptionDowngradeDate")))
        offer("subscription_termination_timestamp_seconds", moment(it.get("subscriptionTerminationDate")))
        self.trials([it.get("activeEnterpriseTrial")])
        for whitelabel in it.get("whitelabels") or []:
            if whitelabel.get("isAdmin"):
                self.facts.offer(("whitelabel", whitelabel["ownerOrganizationId"]), "id", whitelabel["id"])
                self.facts.offer(("whitelabel", whitelabel["ownerOrganizationId"]), "name", whitelabel.get("name"))
                self.name_whitelabel(whitelabel["id"], whitelabel.get("name"))
        self.begin("plan", it["id"])
        plan = self.get("/api/user/subscription/metrics").get("metrics") or {}
        offer("plan_compute_time_used_seconds", times(number(plan.get("computeMinutesTotal")), MINUTE))
        offer("plan_compute_time_limit_seconds", times(number(plan.get("computeMinutesLimit")), MINUTE))
        offer("plan_reset_timestamp_seconds", moment(plan.get("computeResetDate")))

    def whitelabel_user(self, owner, id):
        self.begin("whitelabel_user", owner, id)
        it = self.get(f"/api/organizations/{owner}/whitelabel/users/{id}").get("user")
        if it is None:
            return
        self.user(id, it)
        # The list of another user's organizations is always empty.
        self.facts.offer(("user", id), "organizations", len(it.get("organizations") or []) or None)
        self.trials(it.get("trials") or [])
        record, _ = self.newest(it.get("dailyMetrics"))
        if record:
            cpu, gpu = (
                number(record.get(f"totalCurrentContract{kind}ComputeTimeSeconds")) for kind in ("Cpu", "Gpu")
            )
            values = {
                "compute_time_used_seconds": plus(cpu, gpu),
                "cpu_compute_time_used_seconds": cpu,
                "gpu_compute_time_used_seconds": gpu,
                "storage_used_bytes": number(record.get("totalStorageSizeBytes")),
                "projects": number(record.get("totalProjects")),
                "daily_record_timestamp_seconds": moment(record["date"]),
            }
            rows = [(f"user_{name}", {"user_id": id}, value) for name, value in values.items()]
            self.facts.offer(("user", id), "rows of the newest record", rows)

    def whitelabel(self, owner):
        subject, path = ("whitelabel", owner), f"/api/organizations/{owner}/whitelabel"
        self.begin("whitelabel", owner)
        it = self.get(path).get("whitelabel") or {}
        self.facts.offer(subject, "id", it.get("id"))
        self.facts.offer(subject, "name", it.get("name"))
        self.name_whitelabel(it.get("id"), it.get("name"))
        self.facts.offer(subject, "organizations_limit", number(it.get("organizationsLimit")))
        policies = {"password_auth": flag(it.get("allowPasswordAuth")), "signup": flag(it.get("allowSignup"))}
        self.facts.classes(subject, "policy_enabled", "policy", policies)
        totals = lambda end, queries: {
            name: self.get(f"{path}/{end}?{query}")["total"] for name, query in queries.items()
        }
        active = {window: f"active={days}" for window, days in WINDOWS.items()}
        self.begin("whitelabel_users", owner)
        self.facts.classes(subject, "users", "tier", totals("users", {tier: f"tier={tier}" for tier in TIERS}))
        self.facts.classes(subject, "users_active", "window", totals("users", active))
        self.begin("whitelabel_activity", owner)
        if projects := self.get(f"{path}/projects"):
            self.facts.classes(subject, "organizations_active", "window", totals("organizations", active))
            self.facts.offer(subject, "projects", projects["total"])
            self.facts.classes(subject, "projects_active", "window", totals("projects", active))

    def portfolio(self, owner):
        """Reads the list of a white label's organizations, and returns their ids."""
        self.begin("whitelabel_organizations", owner)
        listed, total = self.pages(f"/api/organizations/{owner}/whitelabel/organizations", "organizations", "total")
        self.facts.offer(("whitelabel", owner), "organizations", total)
        for it in listed:
            id = it["id"]
            self.facts.offer(("whitelabel", owner), "id", it.get("whitelabelId"))
            offer = lambda fact, value: self.facts.offer(("organization", id), fact, value)
            self.info(id, it)
            self.limits(id, it.get("entitlementLimits"))
            offer("created_timestamp_seconds", moment(it.get("created")))
            offer("billable", flag(it.get("billable")))
            for fact in ("private_projects", "projects_used"):
                offer(fact, number(it.get("privateProjectCount")))
        return {it["id"]: it.get("isDeveloperProfile") for it in listed}

    def whitelabel_organization(self, owner, id):
        self.begin("whitelabel_organization", owner, id)
        it = self.get(f"/api/organizations/{owner}/whitelabel/organizations/{id}")
        offer = lambda fact, value: self.facts.offer(("organization", id), fact, value)
        if set(it) <= {"success", "error", "totalComputeTime"}:
            # Until its records are read, its name may be that of a person.
            offer("name is withheld", True)
            return
        record, users = self.newest(it.get("dailyMetrics"))
        offer("billable", flag(it.get("billable")))
        self.limits(id, it.get("entitlementLimits"))
        stored = [number(it.get("totalStorage")), number(record.get("totalStorageSizeBytes"))]
        offer("storage_used_bytes", stored[0] if stored[0] is not None else stored[1])
        cpu, gpu, since = (
            number(it.get("cpuComputeTime")),
            number(it.get("gpuComputeTime")),
            moment(it.get("computeTimeCurrentContractSince")),
        )
        if since is None or cpu is None and gpu is None:
            cpu, gpu = (
                number(record.get(f"totalCurrentContract{kind}ComputeTimeSeconds")) for kind in ("Cpu", "Gpu")
            )
            since = moment(record.get("computeTimeCalculatedSince"))
        offer("compute_time_used_seconds", plus(cpu, gpu))
        offer("cpu_compute_time_used_seconds", cpu)
        offer("gpu_compute_time_used_seconds", gpu)
        offer("compute_period_start_timestamp_seconds", since)
        offer("users_used", users)
        offer("daily_record_timestamp_seconds", moment(record.get("date")))
        offer("kind", True if record.get("totalUsers") == 0 else None)

    # Which calls are made, by docs/calls.md.

    def calls(self):
        own, whitelabels, user = {}, self.configured_owners, None
        if self.is_jwt:
            user = self.get("/api/user")
            own = {it["id"]: it.get("isDeveloperProfile") for it in user["organizations"]}
            self.own_user(user)
            administered = [it["ownerOrganizationId"] for it in user.get("whitelabels") or [] if it.get("isAdmin")]
            whitelabels = [owner for owner in administered if not self.configured or owner in self.configured]
        elif not self.configured:
            listed = self.get("/api/organizations")["organizations"]
            own = {it["id"]: it.get("isDeveloperProfile") for it in listed}
            self.begin("organizations")
            for it in listed:
                self.info(it["id"], it)
        whitelabels = sorted(whitelabels)
        portfolios = {owner: self.portfolio(owner) for owner in whitelabels}
        ids = self.configured or {*own, *(id for listed in portfolios.values() for id in listed)}
        for id in sorted(ids):
            owner = next((owner for owner in whitelabels if id in portfolios[owner]), None)
            if owner is not None and id not in own and id not in whitelabels:
                self.whitelabel_organization(owner, id)
                continue
            kinds = [own.get(id), *(portfolios[owner].get(id) for owner in whitelabels)]
            is_developer_profile = next((kind for kind in kinds if kind is not None), False)
            self.organization(id)
            self.pipelines(id)
            self.jobs(id)
            self.finished_jobs(id)
            self.transformation_jobs(id)
            if not is_developer_profile:
                self.usage(id)
                self.buckets(id)
            if self.is_jwt:
                self.api_keys(id)
        if self.is_jwt:
            for id in sorted({*self.users, user["id"]}):
                self.begin("trials", id)
                self.trials(self.get(f"/api/users/{id}/trials").get("trials") or [])
            for id in self.users:
                self.begin("user_organizations", id)
                listed = self.get(f"/api/users/{id}/organizations").get("organizations")
                self.facts.offer(("user", id), "organizations", None if listed is None else len(listed))
                for it in listed or []:
                    self.organization_object(it["id"], it)
        for owner in whitelabels:
            self.whitelabel(owner)
        # The owner may be the organization of the API key.
        for owner in whitelabels or ([] if self.is_jwt else sorted(ids)):
            for id in self.whitelabel_users:
                self.whitelabel_user(owner, id)
        if self.configured:
            kept = {("organization", id) for id in self.configured} | {("whitelabel", owner) for owner in whitelabels}
            is_kept = (
                lambda subject: subject[0] == "user"
                or subject in kept
                or subject[0] == "trial"
                and subject[1] in self.configured
            )
            self.facts.offered = {subject: facts for subject, facts in self.facts.offered.items() if is_kept(subject)}

    # The samples.

    def samples(self):
        self.calls()
        # The id of a white label may be in any answer; without it there are no samples.
        owners = [id for kind, id, *_ in self.facts.offered if kind == "whitelabel"]
        whitelabels = {owner: id for owner in owners for id in self.facts.offers(("whitelabel", owner), "id")[:1]}
        mismatches = []
        for subject, facts in self.facts.offered.items():
            first = {fact: self.facts.offers(subject, fact)[0] for fact in facts}
            kind, id, *rest = subject
            labels = {f"{kind}_id": id}
            match kind:
                case "trial":
                    labels = {"organization_id": id, "trial_id": rest[0]}
                case "user":
                    tier = first.pop("tier", None)
                    yield "user_info", labels | {"tier": tier}, tier and 1
                case "whitelabel":
                    if id not in whitelabels:
                        continue
                    labels = {"whitelabel_id": whitelabels[id]}
                    name = first.pop("name", None)
                    first.pop("id")
                    yield "whitelabel_info", labels | {"whitelabel_name": name, "organization_id": id}, name and 1
                case "organization":
                    yield from self.organization_samples(subject, labels, first)
                    mismatches += [first.pop("mismatch")] if "mismatch" in first else []
            for fact, value in first.items():
                if fact.startswith("rows of "):
                    yield from value
                elif isinstance(value, dict):
                    yield from ((f"{kind}_{fact}", labels | dict(more), one) for more, one in value.items())
                else:
                    yield f"{kind}_{fact}", labels, value
        if mismatches:
            yield "exporter_compute_time_unit_mismatch", {"account": "default"}, float(any(mismatches))

    def organization_samples(self, subject, labels, first):
        limits = self.facts.offers(subject, "limits")
        first.pop("limits", None)
        for entitlement, member, metric in (
            ("storage", "totalStorage", "storage_limit_bytes"),
            ("compute", "computeTimePerYear", "compute_time_limit_seconds"),
            ("gpu_compute", "gpuComputeTimePerYear", "gpu_compute_time_limit_seconds"),
            ("projects", "numberOfProjects", "projects_limit"),
            ("users", "numberOfUsers", "users_limit"),
        ):
            # A number of any answer counts before no limit of another one.
            limit = next((number(it[member]) for it in limits if it.get(member) is not None), None)
            yield f"organization_{metric}", labels, limit
            yield "organization_entitlement_limited", labels | {"entitlement": entitlement}, (
                float(limit is not None) if limits else None
            )
        name, whitelabel, of_whitelabel, kind = (
            first.pop(fact, None) for fact in ("name", "whitelabel", "whitelabel name", "kind")
        )
        if first.pop("name is withheld", False) and kind is None or kind:
            name = None
        more = {
            "organization_name": name,
            "whitelabel_id": whitelabel,
            "whitelabel_name": of_whitelabel if of_whitelabel is not None else self.whitelabel_names.get(whitelabel),
            "developer_profile": None if kind is None else str(kind).lower(),
        }
        is_known = any(value is not None for value in more.values())
        yield "organization_info", labels | more, 1 if is_known else None


def main():
    for line in open(sys.argv[1], encoding="utf-8"):
        samples = []
        for name, labels, value in Reading(json.loads(line)).samples():
            if value is not None:
                # An empty label is no label.
                labels = {label: str(text) for label, text in labels.items() if text not in (None, "")}
                samples.append([f"edgeimpulse_{name}", labels, float(value)])
        print(json.dumps(samples))


main()
