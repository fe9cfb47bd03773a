//! Metrics of projects.

use crate::metrics::Label;
use crate::model::Project;

const LABELS: &[&str] = &["organization_id", "project_id"];
const COLLECTORS: &[&str] = &["organization", "user_organizations"];

fn labels(project: &Project) -> [Label<'_>; 2] {
    [project.organization_id.into(), project.id.into()]
}

catalogue! { pub static PROJECT: Project, |p, s|
    Gauge(&["organization_id", "project_id", "project_name"], COLLECTORS) edgeimpulse_project_info
        "Always 1; the labels show the name of the project." =>
        s.add([p.organization_id.into(), p.id.into(), (&p.name).into()], p.name.as_ref().map(|_| 1.0));
    Gauge(LABELS, COLLECTORS) edgeimpulse_project_created_timestamp_seconds
        "Creation time of the project." => s.add(labels(p), p.created);
    Gauge(LABELS, COLLECTORS) edgeimpulse_project_last_modified_timestamp_seconds
        "Time of the last modification of the project." => s.add(labels(p), p.last_modified);
    Gauge(LABELS, COLLECTORS) edgeimpulse_project_last_accessed_timestamp_seconds
        "Time of the last access to the project." => s.add(labels(p), p.last_accessed);
    Gauge(LABELS, COLLECTORS) edgeimpulse_project_scheduled_deletion_timestamp_seconds
        "Time at which the project is scheduled to be fully deleted; absent if no deletion is scheduled." =>
        s.add(labels(p), p.scheduled_deletion);
    Gauge(LABELS, COLLECTORS) edgeimpulse_project_collaborators
        "Number of collaborators of the project." => s.count(labels(p), p.collaborators);
}
