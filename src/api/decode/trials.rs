//! Enterprise trials of a user.

use std::collections::BTreeMap;

use super::{DecodeOptions, Response};
use crate::api::fields::{Convert, Each, fields, streamed};
use crate::api::limits::MAX_TRIALS;
use crate::api::values::{Date, DecodeErrors, Id};
use crate::model::{Call, Facts, Trial};

streamed!(
    /// `GetUserTrialsResponse`
    TrialsResponse { trials: Each<Vec<Trial>> = "trials" }
);

fields!(
    /// `EnterpriseTrial`
    TrialFields {
        id: Id = "id",
        organization_id: Id = "organizationId",
        created: Date = "created",
        expiration: Date = "expirationDate",
        expired: Date = "expiredDate",
        deleted: Date = "deletedDate",
        upgraded: Date = "upgradedDate",
    }
);

impl Convert for Trial {
    const MAX: usize = MAX_TRIALS;

    type Fields<'a> = TrialFields<'a>;

    /// Both ids are required, as the trial's identity.
    fn convert(fields: &TrialFields<'_>, errors: &mut DecodeErrors) -> Option<Self> {
        Some(Self {
            organization_id: fields.organization_id.require(errors)?,
            id: fields.id.require(errors)?,
            scheduled_expiration: fields.expiration.read(errors),
            created: fields.created.read(errors),
            expired: fields.expired.read(errors),
            upgraded: fields.upgraded.read(errors),
            deleted: fields.deleted.read(errors),
        })
    }
}

impl Response for TrialsResponse {
    fn facts(self, _: &Call, _: &DecodeOptions, errors: &mut DecodeErrors) -> Option<Facts> {
        Some(Facts { trials: by_identity(None, self.trials.fold?, errors), ..Facts::default() })
    }
}

/// Merges trials that have the same ids: the first one counts, completed by the others.
pub(super) fn by_identity(
    active: Option<Trial>,
    mut trials: Vec<Trial>,
    errors: &mut DecodeErrors,
) -> BTreeMap<(u64, u64), Trial> {
    errors.fit("trials", &mut trials, size_of::<Trial>());
    let mut unique = BTreeMap::new();
    for trial in active.into_iter().chain(trials) {
        unique
            .entry((trial.organization_id, trial.id))
            .and_modify(|known: &mut Trial| *known = known.or(trial))
            .or_insert(trial);
    }
    unique
}
