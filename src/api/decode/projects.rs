//! Projects of an organization, counted, and one by one if they are kept.

use std::sync::Arc;

use super::{DecodeOptions, is_within};
use crate::api::counts::Counts;
use crate::api::fields::{Each, Fold, fields};
use crate::api::limits::{MAX_PROJECTS, MAX_SHORT_TEXT};
use crate::api::values::{Boolean, Date, DecodeErrors, Id, Length, Text, Value};
use crate::metrics::{catalogue, series};
use crate::model::{Organization, Project, Unique, VISIBILITIES, WINDOWS};

fields!(
    /// `Project`
    ProjectFields {
        id: Id = "id",
        name: Text = "name",
        created: Date = "created",
        last_modified: Date = "lastModified",
        last_accessed: Date = "lastAccessed",
        deleted: Date = "deletedDate",
        fully_deleted: Date = "fullDeletionDate",
        scheduled_deletion: Date = "scheduledFullDeletionDate",
        has_public_version: Boolean = "hasPublicVersion",
        is_public: Boolean = "isPublic",
        live: Boolean = "allowsLivePublicAccess",
        collaborators: Length = "collaborators",
    }
);

/// Counts of projects, and the projects.
#[derive(Debug, Default)]
pub(super) struct Projects {
    by_visibility: Counts<{ VISIBILITIES.len() }>,
    published: Counts<1>,
    pending_deletion: Counts<1>,
    modified: Counts<{ WINDOWS.len() }>,
    rows: Unique<Project>,
}

impl Fold for Projects {
    type Element<'a> = ProjectFields<'a>;

    /// Counts a project, and keeps it if the options say so.
    fn add(&mut self, project: &ProjectFields<'_>, options: &DecodeOptions, errors: &mut DecodeErrors) -> u64 {
        let Self { by_visibility, published, pending_deletion, modified, rows } = self;
        let visibility = match (project.is_public.get(errors), project.live.get(errors)) {
            (Value::Invalid, _) | (_, Value::Invalid) => Value::Invalid,
            (Value::Missing, Value::Missing) => Value::Missing,
            (Value::Valid(true), _) | (_, Value::Valid(true)) => Value::Valid("public"),
            _ => Value::Valid("private"),
        };
        let has_public_version = project.has_public_version.get(errors);
        let last_modified = project.last_modified.get(errors);
        let scheduled_deletion = project.scheduled_deletion.get(errors);
        let deletions = [project.deleted.get(errors), project.fully_deleted.get(errors), scheduled_deletion];
        let deletion = deletions.into_iter().find(|date| *date != Value::Missing).unwrap_or_default();
        let deletion = deletion.given(!deletions.contains(&Value::Invalid));
        pending_deletion.add(&deletion, |_, _| true);
        // A deleted project is in no other count.
        if !matches!(deletion, Value::Valid(_)) {
            let is_known = deletion == Value::Missing;
            let visibility = visibility.given(is_known);
            by_visibility.add(&visibility, |class, visibility| VISIBILITIES[class] == *visibility);
            published.add(&has_public_version.given(is_known), |_, is_published| *is_published);
            let is_in = |window: usize, at: &_| is_within(WINDOWS[window].1, *at, options.now);
            modified.add(&last_modified.given(is_known), is_in);
        }
        if !options.projects {
            return 0;
        }
        let Some(id) = project.id.require(errors) else { return 0 };
        let row = Project {
            organization_id: 0,
            id,
            name: project.name.read(errors),
            created: project.created.read(errors),
            last_modified: last_modified.valid(),
            last_accessed: project.last_accessed.read(errors),
            scheduled_deletion: scheduled_deletion.valid(),
            collaborators: project.collaborators.read(errors),
        };
        rows.add(row, MAX_PROJECTS, id_of, series_of)
    }
}

impl Each<Projects> {
    /// Sets the projects, and the counts unless an element is not an object.
    pub(super) fn finish(
        self,
        organization: &mut Organization,
        options: &DecodeOptions,
        errors: &mut DecodeErrors,
    ) {
        let Some(mut projects) = self.fold else { return };
        if !self.has_invalid {
            organization.projects_by_visibility = projects.by_visibility.finish();
            organization.projects_published = projects.published.finish().map(|[count]| count);
            organization.projects_pending_deletion = projects.pending_deletion.finish().map(|[count]| count);
            organization.projects_modified = projects.modified.finish();
        }
        if options.projects {
            let left_out = projects.rows.limit(MAX_PROJECTS, id_of, series_of);
            let fitting = errors.fitting(projects.rows.rows.len(), size_of::<Project>() + MAX_SHORT_TEXT);
            errors.left_out("projects", left_out + projects.rows.limit(fitting, id_of, series_of));
            for project in &mut projects.rows.rows {
                project.organization_id = organization.id;
            }
            organization.projects = Some(Arc::new(projects.rows));
        }
    }
}

const fn id_of(project: &Project) -> &u64 {
    &project.id
}

fn series_of(project: &Project) -> u64 {
    series(catalogue::PROJECT, project)
}
