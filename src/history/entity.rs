//! What has daily records: an organization or a user.

use std::fmt;

use crate::model::{DailyRecord, Facts};

/// An organization or a user of a white label. Entities are processed in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entity {
    /// An organization, by id.
    Organization(u64),
    /// A user, by id.
    User(u64),
}

impl Entity {
    pub(super) fn file_name(self) -> String {
        match self {
            Self::Organization(id) => format!("organization-{id}.om"),
            Self::User(id) => format!("user-{id}.om"),
        }
    }

    /// Returns the daily records among the facts of a response.
    pub(super) fn days(self, facts: &Facts) -> Option<&[DailyRecord]> {
        let days = match self {
            Self::Organization(id) => &facts.organizations.get(&id)?.days,
            Self::User(id) => &facts.users.get(&id)?.days,
        };
        days.as_ref().map(|days| days.as_slice())
    }

    /// Returns the facts at the end of the day of `record`.
    pub(super) fn facts(self, record: &DailyRecord) -> Facts {
        let mut facts = Facts::default();
        match self {
            Self::Organization(id) => {
                facts.organizations.insert(id, record.organization(id).into());
            }
            Self::User(id) => {
                facts.users.insert(id, record.user(id));
            }
        }
        facts
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(id) => write!(formatter, "organization {id}"),
            Self::User(id) => write!(formatter, "user {id}"),
        }
    }
}
