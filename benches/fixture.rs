//! Responses of the API for organizations of several sizes: the same bytes on every machine.

use std::fmt::Write as _;

/// Users, projects and datasets of an organization.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) users: usize,
    pub(crate) projects: usize,
    pub(crate) datasets: usize,
}

/// 25 KB: a typical organization.
pub(crate) const TYPICAL: Size = Size { users: 7, projects: 6, datasets: 5 };
/// 52 KB: one of a fleet.
pub(crate) const FLEET: Size = Size { users: 14, projects: 13, datasets: 9 };
/// 1.4 MB: a large organization.
pub(crate) const LARGE: Size = Size { users: 390, projects: 370, datasets: 40 };
/// 18.7 MB: a very large organization.
pub(crate) const HUGE: Size = Size { users: 5000, projects: 5000, datasets: 500 };

/// Collaborators of each project.
const COLLABORATORS: usize = 5;

/// Pseudo-random numbers with a fixed seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        // The constants are Knuth's, for MMIX.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap_or_default()]
    }

    fn date(&mut self) -> String {
        let (year, month, day) = (2021 + self.below(6), 1 + self.below(12), 1 + self.below(28));
        let (hour, minute, second) = (self.below(24), self.below(60), self.below(60));
        format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
    }
}

/// Returns the response of the organization call, without white space, as the API sends it.
pub(crate) fn organization(size: Size) -> String {
    let mut numbers = Numbers(1);
    let mut json = String::with_capacity(size.projects * 4000 + 65_536);
    json += r#"{"success":true,"organization":{"id":1,"name":"Org 1 \"quoted\"","logo":"https://cdn.example.com/1.jpg","#;
    json += r#""showHeaderImgMask":false,"users":["#;
    list(&mut json, size.users, |json, _| {
        json.push('{');
        person(json, &mut numbers);
        let (added, role) = (numbers.date(), numbers.of(&["admin", "member", "guest"]));
        let (projects, last) = (numbers.below(30), numbers.below(1000));
        let _ = write!(
            json,
            r#","added":"{added}","role":"{role}","projectCount":{projects},"datasets":[],"lastOrganizationProjectAccessed":{last}"#
        );
        if numbers.below(5) > 0 {
            let _ = write!(json, r#","lastAccessToOrganization":"{}""#, numbers.date());
        }
        json.push('}');
    });
    json += r#"],"isDeveloperProfile":false,"whitelabelId":7,"projects":["#;
    list(&mut json, size.projects, |json, index| project(json, index, &mut numbers));
    json += r#"],"trialId":null,"trialExpiredDate":null,"created":"2023-06-04T00:16:07.000Z","contractStartDate":null},"#;
    json += r#""datasets":["#;
    list(&mut json, size.datasets, |json, index| dataset(json, index, &mut numbers));
    json += r#"],"defaultComputeLimits":{"requestsCpu":1,"requestsMemory":2147483648,"limitsCpu":4.5,"limitsMemory":8589934592},"#;
    json += r#""entitlementLimits":{"totalStorage":10000000000000,"computeTimePerYear":360000,"numberOfProjects":9000,"numberOfUsers":9000},"#;
    json += r#""experiments":[{"type":"synthetic-data","title":"Synthetic data","enabled":true,"showToUser":true}],"#;
    json += r#""performance":{"jobLimitM":1440},"whitelabelId":7}"#;
    json
}

/// Returns the response of the usage call.
pub(crate) fn usage() -> String {
    concat!(
        r#"{"success":true,"metrics":{"totalJobsComputeTime":152918.3452937015,"jobsComputeTimeCurrentYear":76459.2,"#,
        r#""jobsComputeTimeCurrentYearSince":"2026-10-07T01:20:37.000Z","cpuComputeTimeCurrentContract":69394.9,"#,
        r#""gpuComputeTimeCurrentContract":7064.1,"totalStorage":2057363731916,"projectCount":6,"userCount":6}}"#
    )
    .to_owned()
}

/// Returns the response of the call that lists organizations, with `count` of them.
pub(crate) fn organizations(count: usize) -> String {
    let mut json = r#"{"success":true,"organizations":["#.to_owned();
    list(&mut json, count, |json, index| {
        let _ = write!(
            json,
            r#"{{"id":{},"name":"Org {index}","isDeveloperProfile":false,"users":[],"projects":[]}}"#,
            index + 1
        );
    });
    json + "]}"
}

fn list(json: &mut String, length: usize, mut element: impl FnMut(&mut String, usize)) {
    for index in 0..length {
        if index > 0 {
            json.push(',');
        }
        element(json, index);
    }
}

/// The members that users and collaborators have in common.
fn person(json: &mut String, numbers: &mut Numbers) {
    let id = 10_000 + numbers.below(90_000);
    let (created, seen) = (numbers.date(), numbers.date());
    let (pending, mfa) = (numbers.of(&["false", "false", "true"]), numbers.of(&["true", "false"]));
    let tier = numbers.of(&["free", "professional", "enterprise"]);
    let providers = numbers.of(&["", "\"Google\""]);
    let _ = write!(
        json,
        r#""id":{id},"username":"user{id}","name":"User \"{id}\" Ünal","email":"user{id}@example.com","photo":"https://usercdn.example.com/photos/{id}.jpg","created":"{created}","lastSeen":"{seen}","staffInfo":{{"isStaff":false,"hasSudoRights":false}},"pending":{pending},"jobTitle":"Engineer","permissions":[],"companyName":"Example","activated":true,"mfaConfigured":{mfa},"hasPendingPayments":false,"tier":"{tier}","idps":[{providers}]"#
    );
}

fn project(json: &mut String, index: usize, numbers: &mut Numbers) {
    let id = 100_000 + index;
    let [created, accessed, modified] = [numbers.date(), numbers.date(), numbers.date()];
    let text = numbers.of(&["water hammer detection ", "keyword spotting ", "faults of a bearing "]).repeat(6);
    let _ = write!(
        json,
        r#"{{"id":{id},"name":"Project {id}","description":"{text}","created":"{created}","owner":"Org 1","lastAccessed":"{accessed}","lastModified":"{modified}","lastModificationDetails":"Data sample added","ownerOrganizationId":1,"ownerIsDeveloperProfile":false,"collaborators":["#
    );
    list(json, COLLABORATORS, |json, _| {
        json.push('{');
        person(json, numbers);
        let _ = write!(json, r#","isOwner":{}}}"#, numbers.of(&["true", "false"]));
    });
    let (public, tier) =
        (numbers.of(&["false", "false", "true"]), numbers.of(&["free", "professional", "enterprise"]));
    let _ = write!(
        json,
        r#"],"labelingMethod":"single_label","metadata":{{}},"isEnterpriseProject":true,"whitelabelId":null,"tags":["FOMO","beers"],"category":"Other","tier":"{tier}","hasPublicVersion":false,"isPublic":{public},"allowsLivePublicAccess":false,"indPauseProcessingSamples":false,"publicProjectListed":false}}"#
    );
}

fn dataset(json: &mut String, index: usize, numbers: &mut Numbers) {
    let (created, size, files) = (numbers.date(), numbers.below(1 << 31) * 400, numbers.below(900_000));
    let (kind, items) = (numbers.of(&["files", "clinical"]), numbers.below(500));
    let _ = write!(
        json,
        r#"{{"dataset":"dataset-{index}","lastFileCreated":"{created}","totalFileSize":{size},"totalFileCount":{files},"totalItemCount":{items},"totalItemCountChecklistOK":168,"totalItemCountChecklistFailed":24,"tags":["a","b"],"category":"cat","type":"{kind}","bucketPath":"path/{index}","bucket":{{"id":1,"bucket":"acme-data","path":"/","fullBucketPathDescription":"s3://acme-data/","dataItemNamingLevelsDeep":1}}}}"#
    );
}
