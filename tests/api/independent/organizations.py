"""What answers about an organization mean, as docs/values.md describes it."""

import json

from facts import (
    COLLECTORS,
    DAY,
    MEBIBYTE,
    MINUTE,
    WINDOWS,
    Facts,
    count,
    first_of_each,
    flag,
    moment,
    number,
    one_of,
)
from facts import plus, times


class Organizations:
    """Reads the answers about single organizations."""

    def __init__(self, case):
        self.answers, self.now, self.is_jwt = case["answers"], case["now"], case["is_jwt"]
        options = dict(option.removeprefix("--").partition("=")[::2] for option in case["options"])
        ids = lambda name: [int(id) for id in options.get(name, "").split(",") if id]
        self.configured, self.users = ids("organization-id"), ids("user-id")
        self.configured_owners, self.whitelabel_users = ids("whitelabel.organization-id"), ids("whitelabel.user-id")
        self.unit = {"minutes": MINUTE}.get(options.get("api.compute-time-unit"), 1)
        self.total_unit = {"minutes": MINUTE}.get(options.get("api.compute-time-total-unit"), self.unit)
        self.memory_unit = {"mebibytes": MEBIBYTE}.get(options.get("api.memory-unit"), 1)
        self.is_on = lambda name: f"collector.{name}" in options
        self.facts, self.whitelabel_names = Facts(), {}

    def get(self, path):
        body = self.answers.get(path)
        return json.loads(body) if body is not None else {}

    def begin(self, collector, *ids):
        """What is offered from here on is of this call."""
        self.facts.call = (COLLECTORS.index(collector), *ids)

    def within(self, days, at):
        return self.now - at <= days * DAY

    def windows(self, at):
        """Returns the windows, as classes of dates."""
        return {window: (lambda value, days=days: self.within(days, at(value))) for window, days in WINDOWS.items()}

    def pages(self, path, member, total):
        """Returns the elements of a list in pages: the first one of each id; and how many the API counts."""
        elements, offset, all = {}, 0, None
        while True:
            page = self.get(f"{path}?offset={offset}")
            before, offset = len(elements), offset + len(page[member])
            for element in page[member]:
                elements.setdefault(element["id"], element)
            all = page.get(total) if page.get(total) is not None else all
            if len(elements) == before or all is not None and offset >= all:
                return list(elements.values()), all

    # What an answer says.

    def info(self, id, it):
        for fact, member in (("name", "name"), ("whitelabel", "whitelabelId"), ("whitelabel name", "whitelabelName")):
            self.facts.offer(("organization", id), fact, it.get(member))
        self.facts.offer(("organization", id), "kind", it.get("isDeveloperProfile"))
        self.name_whitelabel(it.get("whitelabelId"), it.get("whitelabelName"))

    def name_whitelabel(self, id, name):
        """Keeps the name of a white label, which counts for all of its organizations."""
        if None not in (id, name):
            self.whitelabel_names[id] = name

    def limits(self, id, limits):
        if limits is not None:
            self.facts.offer(("organization", id), "limits", limits)

    def trial_of(self, id, it):
        subject = ("organization", id)
        expired, upgraded = moment(it.get("trialExpiredDate")), moment(it.get("trialUpgradedDate"))
        self.facts.offer(subject, "trial_expired_timestamp_seconds", expired)
        self.facts.offer(subject, "trial_upgraded_timestamp_seconds", upgraded)
        if "trialId" in it:
            is_running = it["trialId"] is not None and expired is None and upgraded is None
            self.facts.offer(subject, "trial", float(is_running))

    def organization_object(self, id, it):
        offer = lambda fact, value: self.facts.offer(("organization", id), fact, value)
        self.info(id, it)
        self.trial_of(id, it)
        offer("created_timestamp_seconds", moment(it.get("created")))
        offer("contract_start_timestamp_seconds", moment(it.get("contractStartDate")))
        offer("deleted_timestamp_seconds", moment(it.get("deletedDate")))
        if it.get("users") is not None:
            self.members(id, it["users"])
        if it.get("projects") is not None:
            self.projects(id, it["projects"])

    def members(self, id, users):
        subject, facts = ("organization", id), self.facts
        is_staff = lambda user: (user.get("staffInfo") or {}).get("isStaff")
        yes = {"yes": lambda value: value}
        single = lambda value, is_in=yes: (count(users, value, is_in) or {}).get("yes")
        facts.classes(
            subject,
            "users",
            "role",
            count(users, lambda user: user.get("role"), one_of(["admin", "member", "guest"], "other")),
        )
        facts.offer(subject, "users_staff", single(is_staff))
        facts.offer(subject, "users_pending", single(lambda user: user.get("pending")))
        facts.offer(
            subject,
            "users_not_activated",
            single(lambda user: user.get("activated"), {"yes": lambda value: not value}),
        )
        people = [
            user
            for user in users
            if not is_staff(user) and not user.get("pending") and user.get("activated") is not False
        ]

        def method(user):
            if user.get("mfaConfigured") is None:
                return None
            return "mfa" if user["mfaConfigured"] else "sso" if user.get("idps") else "password"

        facts.classes(subject, "users_sign_in", "method", count(people, method, one_of(["mfa", "sso", "password"])))
        came = [at for at in (moment(user.get("lastAccessToOrganization")) for user in people) if at is not None]
        facts.classes(subject, "users_active", "window", count(came, lambda at: at, self.windows(lambda at: at)))
        facts.offer(subject, "last_access_timestamp_seconds", max(came, default=None))

    def projects(self, id, projects):
        subject, facts = ("organization", id), self.facts
        deletion = lambda it: any(
            moment(it.get(name)) is not None
            for name in ("deletedDate", "fullDeletionDate", "scheduledFullDeletionDate")
        )
        deleted = [it for it in projects if deletion(it)]
        facts.offer(subject, "projects_pending_deletion", len(deleted) if deleted or not projects else None)
        rest = [it for it in projects if not deletion(it)]

        def visibility(it):
            ways = [it.get("isPublic"), it.get("allowsLivePublicAccess")]
            return "public" if True in ways else None if ways == [None, None] else "private"

        facts.classes(subject, "projects", "visibility", count(rest, visibility, one_of(["private", "public"])))
        published = count(rest, lambda it: it.get("hasPublicVersion"), {"yes": lambda value: value})
        facts.offer(subject, "projects_published", published and published["yes"])
        modified = lambda it: moment(it.get("lastModified"))
        facts.classes(subject, "projects_modified", "window", count(rest, modified, self.windows(lambda at: at)))
        if self.is_on("projects"):
            rows = []
            for project, it in first_of_each(projects, "id").items():
                labels = {"organization_id": id, "project_id": project}
                name = it.get("name")
                rows.append(("project_info", labels | {"project_name": name}, None if name is None else 1))
                for fact, member in (
                    ("created", "created"),
                    ("last_modified", "lastModified"),
                    ("last_accessed", "lastAccessed"),
                    ("scheduled_deletion", "scheduledFullDeletionDate"),
                ):
                    rows.append((f"project_{fact}_timestamp_seconds", labels, moment(it.get(member))))
                collaborators = it.get("collaborators")
                rows.append(("project_collaborators", labels, None if collaborators is None else len(collaborators)))
            facts.offer(subject, "rows of projects", rows)

    def organization(self, id):
        self.begin("organization", id)
        answer, subject = self.get(f"/api/organizations/{id}"), ("organization", id)
        if answer.get("organization") is None:
            return
        self.organization_object(id, answer["organization"])
        self.limits(id, answer.get("entitlementLimits"))
        offer = lambda fact, value: self.facts.offer(subject, fact, value)
        defaults = answer.get("defaultComputeLimits") or {}
        offer("default_job_cpu_request_cores", number(defaults.get("requestsCpu")))
        offer("default_job_cpu_limit_cores", number(defaults.get("limitsCpu")))
        offer("default_job_memory_request_bytes", times(number(defaults.get("requestsMemory")), self.memory_unit))
        offer("default_job_memory_limit_bytes", times(number(defaults.get("limitsMemory")), self.memory_unit))
        offer("job_time_limit_seconds", times(number((answer.get("performance") or {}).get("jobLimitM")), MINUTE))
        experiments = [it for it in answer.get("experiments") or [] if it.get("enabled") is not None]
        enabled = {name: it["enabled"] for name, it in first_of_each(experiments, "type").items()}
        self.facts.classes(
            subject, "experiment_enabled", "experiment", {name: flag(value) for name, value in enabled.items()}
        )
        rows = []
        for name, it in first_of_each(answer.get("datasets") or [], "dataset").items():
            labels = {"organization_id": id, "dataset": name}
            bucket = (it.get("bucket") or {}).get("bucket")
            kinds = {"dataset_type": it.get("type"), "category": it.get("category"), "bucket": bucket}
            rows.append(("dataset_info", labels | kinds, 1))
            rows.append(("dataset_size_bytes", labels, number(it.get("totalFileSize"))))
            rows.append(("dataset_files", labels, number(it.get("totalFileCount"))))
            if it.get("totalFileCount") != 0:
                rows.append(
                    ("dataset_last_file_created_timestamp_seconds", labels, moment(it.get("lastFileCreated")))
                )
            if it.get("type") == "clinical":
                items, ok, failed = (
                    number(it.get(f"totalItemCount{end}")) for end in ("", "ChecklistOK", "ChecklistFailed")
                )
                rest = None if None in (items, ok, failed) or items - ok - failed < 0 else items - ok - failed
                rows.append(("dataset_items", labels, items))
                for result, value in (("ok", ok), ("failed", failed), ("unchecked", rest)):
                    rows.append(("dataset_checklist_items", labels | {"result": result}, value))
        offer("rows of datasets", rows)

    def usage(self, id):
        self.begin("usage", id)
        it = self.get(f"/api/organizations/{id}/metrics").get("metrics") or {}
        offer = lambda fact, value: self.facts.offer(("organization", id), fact, value)
        cpu, gpu = (times(number(it.get(f"{kind}ComputeTimeCurrentContract")), self.unit) for kind in ("cpu", "gpu"))
        total = times(number(it.get("jobsComputeTimeCurrentYear")), self.total_unit)
        parts = plus(cpu, gpu)
        offer("cpu_compute_time_used_seconds", cpu)
        offer("gpu_compute_time_used_seconds", gpu)
        offer("compute_time_used_seconds", total if parts is None else parts)
        offer("compute_time_lifetime_seconds", times(number(it.get("totalJobsComputeTime")), self.total_unit))
        offer("compute_period_start_timestamp_seconds", moment(it.get("jobsComputeTimeCurrentYearSince")))
        offer("storage_used_bytes", number(it.get("totalStorage")))
        offer("projects_used", number(it.get("projectCount")))
        offer("users_used", number(it.get("userCount")))
        if parts and total:
            # Nearer to 60 times the other than to it: both by their ratios.
            ratio = max(parts / total, total / parts)
            offer("mismatch", ratio > MINUTE / ratio)

    def rows(self, collector, id, member, row):
        """Reads a list of an organization whose elements have series of their own."""
        self.begin(collector, id)
        elements = self.get(f"/api/organizations/{id}/{member}").get(member)
        if elements is not None:
            rows = [samples for key, it in first_of_each(elements, "id").items() for samples in row(key, it)]
            self.facts.offer(("organization", id), f"rows of {member}", rows)

    def buckets(self, id):
        labels = lambda key, it: {"organization_id": id, "bucket_id": key, "bucket": it.get("bucket")}
        self.rows(
            "buckets",
            id,
            "buckets",
            lambda key, it: [("bucket_connected", labels(key, it), flag(it.get("connected")))],
        )

    def pipelines(self, id):
        def row(key, it):
            labels, current, last = (
                {"organization_id": id, "pipeline_id": key},
                it.get("currentRun") or {},
                it.get("lastRun") or {},
            )
            jobs = [step.get("transformationJob") or {} for step in last.get("steps") or []]
            failed = any(
                "failed" in (job.get("status"), job.get("transformJobStatus"), job.get("uploadJobStatus"))
                for job in jobs
            )
            name = it.get("name")
            yield "info", labels | {"pipeline": name}, None if name is None else 1
            yield "next_run_timestamp_seconds", labels, moment(it.get("nextRun"))
            yield "current_run_created_timestamp_seconds", labels, moment(current.get("created"))
            yield "last_run_created_timestamp_seconds", labels, moment(last.get("created"))
            yield "last_run_finished_timestamp_seconds", labels, moment(last.get("finished"))
            yield "last_run_failed", labels, None if last.get("steps") is None else float(failed)
            yield "last_run_items_import_failed", labels, number(last.get("itemCountImportIntoProjectFailed"))
            yield "start_failed", labels, float(bool(it.get("lastRunStartError")))

        self.rows(
            "pipelines",
            id,
            "pipelines",
            lambda key, it: [(f"pipeline_{name}", *rest) for name, *rest in row(key, it)],
        )

    def jobs(self, id):
        self.begin("jobs", id)
        jobs = self.get(f"/api/organizations/{id}/jobs").get("jobs")
        if jobs is None:
            return
        subject = ("organization", id)
        active = [it for it in jobs if moment(it.get("finished")) is None]
        state = lambda it: "queued" if moment(it.get("started")) is None else "running"
        self.facts.classes(subject, "jobs", "state", count(active, state, one_of(["queued", "running"])))
        queued = [moment(it.get("created")) for it in active if state(it) == "queued"]
        running = [moment(it.get("started")) for it in active if state(it) == "running"]
        queued = [at for at in queued if at is not None]
        self.facts.offer(subject, "oldest_queued_job_created_timestamp_seconds", min(queued, default=None))
        self.facts.offer(subject, "oldest_running_job_started_timestamp_seconds", min(running, default=None))

    def finished_jobs(self, id):
        self.begin("finished_jobs", id)
        jobs, _ = self.pages(f"/api/organizations/{id}/jobs/all", "jobs", "totalJobCount")
        recent = [
            it for it in jobs if moment(it.get("finished")) is not None and self.within(1, moment(it["finished"]))
        ]
        numbers, compute = {}, {}
        for category in {it["categoryKey"] for it in recent if it.get("categoryKey") is not None}:
            of_category = [it for it in recent if it.get("categoryKey") == category]
            results = {"successful": lambda value: value, "failed": lambda value: not value}
            for result, value in (count(of_category, lambda it: it.get("finishedSuccessful"), results) or {}).items():
                numbers[("category", category), ("result", result)] = value
            spent = [it["computeTime"] for it in of_category if it.get("computeTime") is not None]
            if spent:
                compute[(("category", category),)] = float(sum(spent))
        self.facts.offer(("organization", id), "finished_jobs", numbers)
        self.facts.offer(("organization", id), "finished_jobs_compute_time_seconds", compute)

    def transformation_jobs(self, id):
        self.begin("transformation_jobs", id)
        jobs = self.get(f"/api/organizations/{id}/create-project").get("jobs")
        if jobs is not None:
            statuses = one_of(["waiting", "created", "started", "finished", "failed"], "other")
            counts = count(jobs[:100], lambda it: it.get("transformJobStatus"), statuses)
            self.facts.classes(("organization", id), "transformation_jobs", "status", counts)

    def api_keys(self, id):
        self.begin("api_keys", id)
        keys = self.get(f"/api/organizations/{id}/apikeys").get("apiKeys")
        if keys is None:
            return
        subject = ("organization", id)
        keys = [it for it in keys if not it.get("isTransformationJobKey")]
        self.facts.classes(
            subject,
            "api_keys",
            "role",
            count(keys, lambda it: it.get("role"), one_of(["admin", "member", "guest"], "other")),
        )
        if any("lastUsed" in it for it in keys):
            used = lambda it: (
                moment(it.get("lastUsed")) if moment(it.get("lastUsed")) is not None else moment(it.get("created"))
            )
            unused = {
                window: (lambda at, days=WINDOWS[window]: not self.within(days, at)) for window in ("30d", "90d")
            }
            self.facts.classes(subject, "api_keys_unused", "window", count(keys, used, unused))
        expiring = first_of_each([it for it in keys if moment(it.get("expires")) is not None], "id")
        rows = [({"organization_id": id, "key_id": key}, moment(it["expires"])) for key, it in expiring.items()]
        self.facts.offer(subject, "rows of keys", [("api_key_expiry_timestamp_seconds", *row) for row in rows])
