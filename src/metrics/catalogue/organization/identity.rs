//! Name and dates of an organization.

use super::{LABELS, OBJECT};
use crate::metrics::Label;
use crate::metrics::catalogue::metric::{Metric, gauge};
use crate::model::{Organization, OrganizationInfo};

pub(super) static IDENTITY: &[Metric<Organization>] = &[
    gauge(
        "edgeimpulse_organization_info",
        "Always 1; the labels show name, white label and kind of the organization. A developer profile has no name label: it would be the name of its user.",
        &["organization_id", "organization_name", "whitelabel_id", "whitelabel_name", "developer_profile"],
        &[
            "organization",
            "user",
            "user_organizations",
            "whitelabel_organizations",
            "whitelabel_user",
            "organizations",
        ],
        |o, s| {
            let info = &o.info;
            if *info == OrganizationInfo::default() {
                return;
            }
            let developer_profile = info.developer_profile.map(|yes| if yes { "true" } else { "false" });
            let labels = [
                o.id.into(),
                info.shown_name().map_or(Label::Absent, Label::Text),
                info.whitelabel_id.into(),
                (&info.whitelabel_name).into(),
                developer_profile.map_or(Label::Absent, Label::Text),
            ];
            s.add(labels, 1.0);
        },
    ),
    gauge(
        "edgeimpulse_organization_created_timestamp_seconds",
        "Creation time of the organization.",
        LABELS,
        &["organization", "user", "user_organizations", "whitelabel_organizations", "whitelabel_user"],
        |o, s| s.add([o.id.into()], o.created),
    ),
    gauge(
        "edgeimpulse_organization_contract_start_timestamp_seconds",
        "Start time of the current contract.",
        LABELS,
        OBJECT,
        |o, s| s.add([o.id.into()], o.contract_start),
    ),
    gauge(
        "edgeimpulse_organization_deleted_timestamp_seconds",
        "Deletion time of the organization; absent if it was not deleted.",
        LABELS,
        OBJECT,
        |o, s| s.add([o.id.into()], o.deleted),
    ),
];
