//! Members of an organization, counted.

use super::{DecodeOptions, is_within};
use crate::api::counts::Counts;
use crate::api::fields::{Each, Fold, fields};
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
        staff: StaffFields<'static> = "staffInfo",
    }
);

fields!(
    /// `StaffInfo`
    StaffFields { is_staff: Boolean = "isStaff" }
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
#[derive(Debug, Default)]
pub(super) struct OrganizationUsers {
    by_role: Counts<{ ROLES.len() }>,
    pending: Counts<1>,
    not_activated: Counts<1>,
    staff: Counts<1>,
    by_sign_in: Counts<{ SIGN_IN_METHODS.len() }>,
    active: Counts<{ WINDOWS.len() }>,
    last_access: Option<UnixTime>,
}

impl Fold for OrganizationUsers {
    type Element<'a> = OrganizationUserFields<'a>;

    fn add(
        &mut self,
        user: &OrganizationUserFields<'_>,
        options: &DecodeOptions,
        errors: &mut DecodeErrors,
    ) -> u64 {
        let Self { by_role, pending, not_activated, staff, by_sign_in, active, last_access } = self;
        by_role.add(&user.role.get(errors), |class, role| class == *role);
        let is_pending = user.pending.get(errors);
        pending.add(&is_pending, |_, pending| *pending);
        let is_activated = user.activated.get(errors);
        not_activated.add(&is_activated, |_, activated| !activated);
        let is_staff = match user.staff.get(errors) {
            Value::Valid(info) => info.is_staff.get(errors),
            Value::Missing => Value::Missing,
            Value::Invalid => Value::Invalid,
        };
        staff.add(&is_staff, |_, staff| *staff);
        // Read whoever it is, so that an invalid value is counted.
        let (mfa, accessed) = (user.mfa.get(errors), user.last_access.get(errors));
        let identity_providers = user.identity_providers.get(errors);
        // Nobody signs in by an open invitation, and the vendor's own people are not the organization's concern.
        let cannot_sign_in = is_pending == Value::Valid(true) || is_activated == Value::Valid(false);
        if cannot_sign_in || is_staff == Value::Valid(true) {
            return 0;
        }
        let is_known = ![is_pending, is_activated, is_staff].contains(&Value::Invalid);
        let sign_in = match (mfa, identity_providers) {
            (Value::Invalid, _) | (_, Value::Invalid) => Value::Invalid,
            (Value::Missing, _) => Value::Missing,
            (Value::Valid(true), _) => Value::Valid("mfa"),
            (Value::Valid(false), Value::Valid(1..)) => Value::Valid("sso"),
            (Value::Valid(false), _) => Value::Valid("password"),
        };
        by_sign_in.add(&sign_in.given(is_known), |class, method| SIGN_IN_METHODS[class] == *method);
        // A member without a date never came.
        let access = match accessed {
            Value::Invalid => Value::Invalid,
            Value::Missing => Value::Valid(None),
            Value::Valid(at) => Value::Valid(Some(at)),
        };
        active.add(&access.given(is_known), |window, at| {
            at.is_some_and(|at| is_within(WINDOWS[window].1, at, options.now))
        });
        if let Value::Valid(Some(accessed)) = access {
            *last_access = Some(last_access.map_or(accessed, |latest| latest.max(accessed)));
        }
        0
    }
}

impl Each<OrganizationUsers> {
    /// Sets the counts that are known: none if an element is not an object.
    pub(super) fn finish(self, organization: &mut Organization) {
        let Some(users) = self.fold.filter(|_| !self.has_invalid) else { return };
        organization.users_by_role = users.by_role.finish();
        organization.users_pending = users.pending.finish().map(|[count]| count);
        organization.users_not_activated = users.not_activated.finish().map(|[count]| count);
        organization.users_staff = users.staff.finish().map(|[count]| count);
        organization.users_by_sign_in = users.by_sign_in.finish();
        organization.users_active = users.active.finish();
        organization.last_access = organization.users_active.and(users.last_access);
    }
}
