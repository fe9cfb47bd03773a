//! A white label.

use std::collections::BTreeMap;

use crate::api::Error;
use crate::api::fields::streamed;
use crate::api::stream::{JsonStream, Parts};
use crate::api::values::{Id, Number, Text};
use crate::model::{Facts, Whitelabel};

streamed!(
    /// `GetWhitelabelResponse`
    WhitelabelResponse { Whitelabel: WhitelabelObject = "whitelabel" }
);

streamed!(
    /// `Whitelabel`, of which most is about blocks, boards and the theme.
    WhitelabelObject {
        Id: Id = "id",
        Name: Text = "name",
        OrganizationsLimit: Number = "organizationsLimit",
    }
);

pub(super) async fn whitelabel<S: Parts>(json: &mut JsonStream<S>, owner: u64) -> Result<Option<Facts>, Error> {
    let mut facts = None;
    while let Some(WhitelabelResponse::Whitelabel(key)) = json.member().await? {
        if json.enter_object(key).await? {
            let mut whitelabel = Whitelabel::new(owner);
            while let Some(member) = json.member().await? {
                match member {
                    WhitelabelObject::Id(key) => whitelabel.id = json.read(key).await?,
                    WhitelabelObject::Name(key) => whitelabel.name = json.read(key).await?,
                    WhitelabelObject::OrganizationsLimit(key) => {
                        whitelabel.organizations_limit = json.read(key).await?;
                    }
                }
            }
            facts = Some(Facts { whitelabels: BTreeMap::from([(owner, whitelabel)]), ..Facts::default() });
        }
    }
    Ok(facts)
}
