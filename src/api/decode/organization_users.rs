//! Members of an organization, counted.

use super::is_within;
use crate::api::counts::Counts;
use crate::api::fields::fields;
use crate::api::values::{Boolean, Date, DecodeErrors, Length, Value, text, value};
use crate::model::{Organization, ROLES, SIGN_IN_METHODS, UnixTime, WINDOWS};

fields!(
    /// `OrganizationUser`
    OrganizationUserFields {
        role: Role = "role",
        pending: Boolean = "pending",
        activated: Boolean = "activated",
        mfa: Boolean = "mfaConfigured",
        identity_providers: Length = "idps",
        last_access: Date = "lastAccessToOrganization",
    }
);

value!(
    /// A role, as an index into [`ROLES`].
    Role: Text, |json| -> usize {
        const OTHER: usize = ROLES.len() - 1;
        let role = text(json)?;
        Some(ROLES[..OTHER].iter().position(|known| *known == role).unwrap_or(OTHER))
    }
);

/// Counts of members.
#[derive(Default)]
pub(super) struct OrganizationUsers {
    by_role: Counts<{ ROLES.len() }>,
    pending: Counts<1>,
    not_activated: Counts<1>,
    by_sign_in: Counts<{ SIGN_IN_METHODS.len() }>,
    active: Counts<{ WINDOWS.len() }>,
    last_access: Option<UnixTime>,
}

impl OrganizationUsers {
    /// Counts a member; `None` makes all counts unknown.
    pub(super) fn add(
        &mut self,
        user: Option<&OrganizationUserFields<'_>>,
        now: UnixTime,
        errors: &mut DecodeErrors,
    ) {
        let Self { by_role, pending, not_activated, by_sign_in, active, last_access } = self;
        let Some(user) = user else {
            by_role.set_unknown();
            pending.set_unknown();
            not_activated.set_unknown();
            by_sign_in.set_unknown();
            active.set_unknown();
            return;
        };
        by_role.add(&user.role.get(errors), |class, role| class == *role);
        pending.add(&user.pending.get(errors), |_, pending| *pending);
        not_activated.add(&user.activated.get(errors), |_, activated| !activated);
        let sign_in = match (user.mfa.get(errors), user.identity_providers.get(errors)) {
            (Value::Invalid, _) | (_, Value::Invalid) => Value::Invalid,
            (Value::Missing, _) => Value::Missing,
            (Value::Valid(true), _) => Value::Valid("mfa"),
            (Value::Valid(false), Value::Valid(1..)) => Value::Valid("sso"),
            (Value::Valid(false), _) => Value::Valid("password"),
        };
        by_sign_in.add(&sign_in, |class, method| SIGN_IN_METHODS[class] == *method);
        let accessed = user.last_access.get(errors);
        active.add(&accessed, |window, accessed| is_within(WINDOWS[window].1, *accessed, now));
        if let Value::Valid(accessed) = accessed {
            *last_access = Some(last_access.map_or(accessed, |latest| latest.max(accessed)));
        }
    }

    /// Sets the counts that are known.
    pub(super) fn finish(self, organization: &mut Organization) {
        organization.users_by_role = self.by_role.finish();
        organization.users_pending = self.pending.finish().map(|[count]| count);
        organization.users_not_activated = self.not_activated.finish().map(|[count]| count);
        organization.users_by_sign_in = self.by_sign_in.finish();
        organization.users_active = self.active.finish();
        organization.last_access = organization.users_active.and(self.last_access);
    }
}
