//! API keys of an organization, counted; those that expire are kept one by one.

use super::organization_users::Role;
use super::rows::{Row, Rows};
use super::{DecodeOptions, Response, is_within, only};
use crate::api::counts::Counts;
use crate::api::fields::{Convert, Each, Fold, fields, streamed};
use crate::api::limits::MAX_API_KEYS;
use crate::api::values::{Boolean, Date, DecodeErrors, Id, Value};
use crate::metrics::{Metric, catalogue};
use crate::model::{ApiKey, Call, Facts, Organization, ROLES, UNUSED_WINDOWS};

streamed!(
    /// `ListOrganizationApiKeysResponse`
    ApiKeysResponse { keys: Each<ApiKeys> = "apiKeys" }
);

fields!(
    /// `ListOrganizationApiKeysResponse.apiKeys[]`. Names and parts of the keys are not read.
    ApiKeyFields {
        id: Id = "id",
        role: Role = "role",
        created: Date = "created",
        of_transformation_job: Boolean = "isTransformationJobKey",
        // These two are not in the API's document.
        expires: Date = "expires",
        last_used: Date = "lastUsed",
    }
);

impl Convert for ApiKey {
    const MAX: usize = MAX_API_KEYS;

    type Fields<'a> = ApiKeyFields<'a>;

    /// The id is required. A key without an expiry date is not kept.
    fn convert(fields: &ApiKeyFields<'_>, errors: &mut DecodeErrors) -> Option<Self> {
        let (id, expiry) = (fields.id.require(errors), fields.expires.read(errors));
        Some(Self { organization_id: 0, id: id?, expiry: expiry? })
    }
}

impl Row for ApiKey {
    const METRICS: &'static [Metric<Self>] = catalogue::API_KEY;

    fn id(&self) -> &u64 {
        &self.id
    }

    fn set_organization(&mut self, id: u64) {
        self.organization_id = id;
    }
}

/// Counts of API keys, and those that expire.
#[derive(Debug, Default)]
struct ApiKeys {
    by_role: Counts<{ ROLES.len() }>,
    unused: Counts<{ UNUSED_WINDOWS.len() }>,
    /// Whether any key has the member `lastUsed`.
    tells_use: bool,
    expiring: Rows<ApiKey>,
}

impl Fold for ApiKeys {
    type Element<'a> = ApiKeyFields<'a>;

    fn add(&mut self, key: &ApiKeyFields<'_>, options: &DecodeOptions, errors: &mut DecodeErrors) -> u64 {
        let row = ApiKey::convert(key, errors);
        let role = key.role.get(errors);
        let (created, last_used) = (key.created.get(errors), key.last_used.get(errors));
        let of_transformation_job = key.of_transformation_job.get(errors);
        // The API makes these keys for its own jobs, and deletes them.
        if of_transformation_job == Value::Valid(true) {
            return 0;
        }
        let is_known = of_transformation_job != Value::Invalid;
        self.by_role.add(&role.given(is_known), |class, role| class == *role);
        self.tells_use |= key.last_used.json.is_some();
        // A key that was never used has been unused since it was created.
        let since = if last_used == Value::Missing { created } else { last_used };
        self.unused
            .add(&since.given(is_known), |window, at| !is_within(UNUSED_WINDOWS[window].1, *at, options.now));
        row.filter(|_| is_known).map_or(0, |row| self.expiring.insert(row))
    }
}

impl Response for ApiKeysResponse {
    /// The counts are unknown if an element is not an object.
    fn facts(self, call: &Call, _: &DecodeOptions, errors: &mut DecodeErrors) -> Option<Facts> {
        let id = call.organization_id?;
        let is_complete = !self.keys.has_invalid;
        let ApiKeys { by_role, unused, tells_use, expiring } = self.keys.fold?;
        Some(only(Organization {
            api_keys_by_role: by_role.finish().filter(|_| is_complete),
            api_keys_unused: unused.finish().filter(|_| is_complete && tells_use),
            expiring_api_keys: Some(expiring.finish("apiKeys", id, errors)),
            ..Organization::new(id)
        }))
    }
}
