//! The number of a white label's users that match a filter.

use super::PageInfo;
use crate::api::Error;
use crate::api::fields::streamed;
use crate::api::stream::{JsonStream, Parts};
use crate::api::values::Id;
use crate::model::Facts;

streamed!(
    /// `AdminGetUsersResponse`. The users themselves are not read.
    UsersResponse { Total: Id = "total" }
);

pub(super) async fn users<S: Parts>(
    json: &mut JsonStream<S>,
    page: &mut PageInfo,
) -> Result<Option<Facts>, Error> {
    while let Some(UsersResponse::Total(key)) = json.member().await? {
        page.total = json.get(key).await?.require(key.name, &mut json.errors);
    }
    Ok(Some(Facts::default()))
}
