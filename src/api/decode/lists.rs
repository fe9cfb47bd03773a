//! The long lists of an organization, folded into counts: its members and its projects.

use std::sync::Arc;

use super::{DecodeOptions, date, is_within, unix};
use crate::api::counts::Counts;
use crate::api::values::{Convert, Date, Found, Length, Unusable, fields};
use crate::model::{Organization, Project, ROLES, SIGN_IN_METHODS, Unique, UnixTime, VISIBILITIES, WINDOWS};

fields!(
    /// `OrganizationUser`
    MemberFields {
        role: "role",
        pending: "pending",
        activated: "activated",
        mfa: "mfaConfigured",
        identity_providers: "idps",
        last_access: "lastAccessToOrganization",
    }
);

/// `role`, as an index into [`ROLES`].
struct Role(usize);

impl Convert<'_> for Role {
    fn convert(json: &[u8]) -> Option<Self> {
        const OTHER: usize = ROLES.len() - 1;
        let role = json.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        Some(Self(ROLES[..OTHER].iter().position(|known| known.as_bytes() == role).unwrap_or(OTHER)))
    }
}

#[derive(Default)]
pub(super) struct Members {
    by_role: Counts<{ ROLES.len() }>,
    pending: Counts<1>,
    not_activated: Counts<1>,
    by_sign_in: Counts<{ SIGN_IN_METHODS.len() }>,
    active: Counts<{ WINDOWS.len() }>,
    last_access: Option<UnixTime>,
}

impl Members {
    pub(super) fn add(&mut self, member: Option<MemberFields<'_>>, now: UnixTime, unusable: &mut Unusable) {
        let Self { by_role, pending, not_activated, by_sign_in, active, last_access } = self;
        let Some(member) = member else {
            by_role.spoil();
            pending.spoil();
            not_activated.spoil();
            by_sign_in.spoil();
            active.spoil();
            return;
        };
        by_role.add(&member.role.find::<Role>(unusable), |role, found| role == found.0);
        pending.add(&member.pending.find::<bool>(unusable), |_, pending| *pending);
        not_activated.add(&member.activated.find::<bool>(unusable), |_, activated| !activated);
        let sign_in = match (member.mfa.find(unusable), member.identity_providers.find(unusable)) {
            (Found::Odd, _) | (_, Found::Odd) => Found::Odd,
            (Found::Nothing, _) => Found::Nothing,
            (Found::Value(true), _) => Found::Value("mfa"),
            (Found::Value(false), Found::Value(Length(1..))) => Found::Value("sso"),
            (Found::Value(false), _) => Found::Value("password"),
        };
        by_sign_in.add(&sign_in, |method, found| SIGN_IN_METHODS[method] == *found);
        let accessed = member.last_access.find::<Date>(unusable);
        active.add(&accessed, |window, accessed| is_within(WINDOWS[window].1, *accessed, now));
        if let Found::Value(Date(accessed)) = accessed {
            *last_access = Some(last_access.map_or(accessed, |latest| latest.max(accessed)));
        }
    }

    pub(super) fn finish(self, facts: &mut Organization) {
        facts.users_by_role = self.by_role.finish();
        facts.users_pending = self.pending.finish().map(|[count]| count);
        facts.users_not_activated = self.not_activated.finish().map(|[count]| count);
        facts.users_by_sign_in = self.by_sign_in.finish();
        facts.users_active = self.active.finish();
        facts.last_access = facts.users_active.and(self.last_access);
    }
}

fields!(
    /// `Project`
    ProjectFields {
        id: "id",
        name: "name",
        created: "created",
        last_modified: "lastModified",
        last_accessed: "lastAccessed",
        scheduled_deletion: "scheduledFullDeletionDate",
        is_public: "isPublic",
        live: "allowsLivePublicAccess",
        collaborators: "collaborators",
    }
);

#[derive(Default)]
pub(super) struct Projects {
    by_visibility: Counts<{ VISIBILITIES.len() }>,
    pending_deletion: Counts<1>,
    modified: Counts<{ WINDOWS.len() }>,
    one_by_one: Vec<Project>,
}

impl Projects {
    pub(super) fn add(
        &mut self,
        project: Option<ProjectFields<'_>>,
        terms: DecodeOptions,
        unusable: &mut Unusable,
    ) {
        let Self { by_visibility, pending_deletion, modified, one_by_one } = self;
        let Some(project) = project else {
            by_visibility.spoil();
            pending_deletion.spoil();
            modified.spoil();
            return;
        };
        let visibility = match (project.is_public.find(unusable), project.live.find(unusable)) {
            (Found::Odd, _) | (_, Found::Odd) => Found::Odd,
            (Found::Nothing, Found::Nothing) => Found::Nothing,
            (Found::Value(true), _) | (_, Found::Value(true)) => Found::Value("public"),
            _ => Found::Value("private"),
        };
        by_visibility.add(&visibility, |class, found| VISIBILITIES[class] == *found);
        let deletion = project.scheduled_deletion.find::<Date>(unusable);
        pending_deletion.add(&deletion, |_, _| true);
        let last_modified = project.last_modified.find::<Date>(unusable);
        modified.add(&last_modified, |window, at| is_within(WINDOWS[window].1, *at, terms.now));
        if !terms.projects {
            return;
        }
        let Some(id) = project.id.require(unusable) else { return };
        let value = |found: Found<Date>| found.value().map(unix);
        one_by_one.push(Project {
            organization_id: 0,
            id,
            name: project.name.read(unusable),
            created: date(project.created, unusable),
            last_modified: value(last_modified),
            last_accessed: date(project.last_accessed, unusable),
            scheduled_deletion: value(deletion),
            collaborators: project.collaborators.read(unusable).map(|Length(length)| length),
        });
    }

    pub(super) fn finish(self, facts: &mut Organization, terms: DecodeOptions) {
        facts.projects_by_visibility = self.by_visibility.finish();
        facts.projects_pending_deletion = self.pending_deletion.finish().map(|[count]| count);
        facts.projects_modified = self.modified.finish();
        if terms.projects {
            facts.projects = Some(Arc::new(Unique::by(self.one_by_one, |project| &project.id)));
        }
    }
}
