//! The API's JSON objects.

use serde_json::{Map, Value, json};

use super::entities::{DailyRecord, Dataset, Member, Organization, Project};
use super::portfolio::Tenant;
use super::scenarios::Limits;
use super::world::WHITELABEL;
use crate::model::UnixTime;

pub(super) fn limits(limits: &Limits) -> Value {
    let Limits { storage, compute, gpu_compute, projects, users } = *limits;
    let mut json = Map::new();
    let mut put = |name: &str, limit: Option<Value>| json.extend(limit.map(|limit| (name.to_owned(), limit)));
    put("totalStorage", storage.map(Into::into));
    put("computeTimePerYear", compute.map(Into::into));
    put("gpuComputeTimePerYear", gpu_compute.map(Into::into));
    put("numberOfProjects", projects.map(Into::into));
    put("numberOfUsers", users.map(Into::into));
    json.into()
}

/// Returns the fields that every user object has. Names and e-mail addresses are included like in the real API, because
/// tests check that the exporter never exposes them.
pub(super) fn person(id: u64, created: UnixTime) -> Map<String, Value> {
    object(json!({
        "id": id,
        "username": format!("demo.user.{id}"),
        "name": format!("Demo Person {id}"),
        "email": format!("person{id}@example.com"),
        "created": date(created),
        "staffInfo": { "isStaff": false, "hasSudoRights": false },
        "pending": false,
        "activated": true,
        "mfaConfigured": true,
        "idps": [],
    }))
}

pub(super) fn member(member: &Member) -> Value {
    let mut json = person(member.id, member.added);
    json.extend(object(json!({
        "pending": member.pending,
        "activated": !member.pending,
        "mfaConfigured": member.mfa,
        "idps": if member.sso { json!(["Google"]) } else { json!([]) },
        "added": date(member.added),
        "role": member.role,
        "projectCount": member.id % 7,
        "datasets": [],
    })));
    if let Some(at) = member.last_access {
        json.insert("lastAccessToOrganization".to_owned(), date(at));
    }
    json.into()
}

pub(super) fn project(organization: &Organization, project: &Project) -> Value {
    let collaborators: Vec<_> = (0..project.collaborators)
        .map(|index| {
            let mut json = person(project.id * 10 + index, organization.created);
            json.insert("isOwner".to_owned(), (index == 0).into());
            json
        })
        .collect();
    let mut json = object(json!({
        "id": project.id,
        "name": format!("Project {}", project.id),
        "description": "",
        "created": date(project.created),
        "owner": organization.name,
        "lastAccessed": date(project.modified),
        "lastModified": date(project.modified),
        "ownerOrganizationId": organization.id,
        "ownerIsDeveloperProfile": organization.developer_profile,
        "collaborators": collaborators,
        "labelingMethod": "single_label",
        "metadata": {},
        "isEnterpriseProject": true,
        "whitelabelId": organization.whitelabel.then_some(WHITELABEL),
        "tier": "enterprise",
        "hasPublicVersion": project.public,
        "isPublic": false,
        "allowsLivePublicAccess": project.public,
        "indPauseProcessingSamples": false,
        "publicProjectListed": project.public,
    }));
    if let Some(at) = project.deletion {
        json.insert("scheduledFullDeletionDate".to_owned(), date(at));
    }
    json.into()
}

pub(super) fn dataset(dataset: &Dataset) -> Value {
    json!({
        "dataset": dataset.name,
        "lastFileCreated": date(dataset.newest),
        "totalFileSize": integer(dataset.size),
        "totalFileCount": dataset.files,
        "totalItemCount": dataset.items,
        "totalItemCountChecklistOK": dataset.items - dataset.failed,
        "totalItemCountChecklistFailed": dataset.failed,
        "tags": [],
        "category": "training",
        "bucket": {
            "id": 1,
            "bucket": "demo-bucket",
            "path": "/",
            "fullBucketPathDescription": "s3://demo-bucket/",
            "dataItemNamingLevelsDeep": 1,
        },
        "type": dataset.kind,
    })
}

pub(super) fn daily_record(record: &DailyRecord) -> Value {
    let DailyRecord { date: day, cpu, gpu, storage, projects } = *record;
    // The API sends 0 for a user.
    let (users, staff) = (0, 0);
    totals(&Totals { date: day, since: day, users, staff, projects, cpu, gpu, storage })
}

/// Returns the record of one day of an organization of the white label.
pub(super) fn tenant_record(tenant: &Tenant, day: UnixTime, now: UnixTime) -> Value {
    let (cpu, gpu, storage) = tenant.on(day, now);
    let Tenant { users, staff, private_projects, compute_since: since, .. } = *tenant;
    totals(&Totals { date: day, since, users, staff, projects: private_projects, cpu, gpu, storage })
}

/// Totals at the end of a day.
struct Totals {
    date: UnixTime,
    since: UnixTime,
    users: u64,
    staff: u64,
    projects: u64,
    cpu: f64,
    gpu: f64,
    storage: f64,
}

fn totals(totals: &Totals) -> Value {
    let Totals { date: day, since, users, staff, projects, cpu, gpu, storage } = *totals;
    json!({
        "date": date(day),
        "totalUsers": users,
        "totalStaffUsers": staff,
        "totalProjects": projects,
        "totalCurrentContractCpuComputeTimeSeconds": integer(cpu),
        "totalCurrentContractGpuComputeTimeSeconds": integer(gpu),
        "totalCurrentContractComputeTimeSeconds": integer(3.0f64.mul_add(gpu, cpu)),
        "computeTimeCalculatedSince": date(since),
        "totalStorageSizeBytes": integer(storage),
        "usersAdded": 0,
        "usersDeleted": 0,
        "projectsAdded": 0,
        "projectsDeleted": 0,
        "cpuComputeTimeSeconds": 600,
        "gpuComputeTimeSeconds": 150,
        "computeTimeSeconds": 1050,
        "storageBytesAdded": 50_000_000,
        "storageBytesDeleted": 0,
    })
}

pub(super) fn object(json: Value) -> Map<String, Value> {
    match json {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

pub(super) fn integer(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "sizes and times, far below 2^63")]
    let whole = value as i64;
    whole.into()
}

pub(super) fn date(at: UnixTime) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "dates of this century, in milliseconds")]
    let milliseconds = (at * 1000.0) as i64;
    jiff::Timestamp::from_millisecond(milliseconds).map_or(Value::Null, |at| format!("{at:.3}").into())
}
