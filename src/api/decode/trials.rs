//! Enterprise trials of a user.

use std::collections::BTreeMap;

use crate::api::Error;
use crate::api::fields::{fields, streamed};
use crate::api::schema::List;
use crate::api::stream::{JsonStream, Parts};
use crate::api::values::{Date, DecodeErrors, Id};
use crate::model::{Facts, Trial};

streamed!(
    /// `GetUserTrialsResponse`
    TrialsResponse { Trials: List<TrialFields<'static>> = "trials" }
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

impl TrialFields<'_> {
    /// Converts a trial; both ids are required, as its identity.
    pub(super) fn convert(&self, errors: &mut DecodeErrors) -> Option<Trial> {
        Some(Trial {
            organization_id: self.organization_id.require(errors)?,
            id: self.id.require(errors)?,
            scheduled_expiration: self.expiration.read(errors),
            created: self.created.read(errors),
            expired: self.expired.read(errors),
            upgraded: self.upgraded.read(errors),
            deleted: self.deleted.read(errors),
        })
    }
}

pub(super) async fn trials<S: Parts>(json: &mut JsonStream<S>) -> Result<Option<Facts>, Error> {
    let mut facts = None;
    while let Some(TrialsResponse::Trials(key)) = json.member().await? {
        let mut trials = Vec::new();
        let is_list = json.each(key, |fields, errors| {
            trials.extend(fields.and_then(|fields| fields.convert(errors)));
        });
        if is_list.await? {
            facts = Some(Facts { trials: by_identity(trials), ..Facts::default() });
        }
    }
    Ok(facts)
}

/// Merges trials that have the same ids: the first one counts, completed by the others.
pub(super) fn by_identity(trials: Vec<Trial>) -> BTreeMap<(u64, u64), Trial> {
    let mut unique = BTreeMap::new();
    for trial in trials {
        unique
            .entry((trial.organization_id, trial.id))
            .and_modify(|known: &mut Trial| *known = known.or(trial))
            .or_insert(trial);
    }
    unique
}
