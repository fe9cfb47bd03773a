//! One organization per target: `/sd` lists the organizations for Prometheus, `/probe` returns the metrics of one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::sync::Arc;

use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::negotiation::{ErrorResponse, ScrapeRequest, in_parts, parameters};
use crate::collect::{Account, Discovery, Exporter, Selection};

/// Number of organizations in a part of the list, about 64 KiB.
const GROUPS_PER_PART: usize = 256;

/// Returns the metrics of one organization.
pub(super) async fn probe(request: ScrapeRequest) -> Result<Response, ErrorResponse> {
    let (organization, account) = target(&request.uri)?;
    let (collectors, _) = request.collectors()?;
    if collectors.as_ref().is_some_and(BTreeSet::is_empty) {
        return Err(bad_request(
            "collect[]=exporter alone is not possible for a probe: /metrics has the metrics of the exporter\n",
        ));
    }
    let accounts = accounts(&request.exporter, account.as_deref())?;
    let accounts = seeing(&accounts, organization, request.deadline).await?;
    let selection = Selection { collectors, organization: Some(organization) };
    Ok(request.run(&accounts, &selection, false).await)
}

/// Returns the organization of a probe, and the name of the account if it is set.
fn target(uri: &Uri) -> Result<(u64, Option<Cow<'_, str>>), ErrorResponse> {
    let (mut target, mut account) = (None, None);
    for (name, value) in parameters(uri) {
        let before = match &*name {
            "target" => target.replace(value),
            "account" => account.replace(value),
            "collect[]" | "name[]" => None,
            _ => {
                return Err(bad_request(format!(
                    "unknown parameter {name}: use target, account, collect[], name[]\n"
                )));
            }
        };
        if before.is_some() {
            return Err(bad_request(format!("parameter {name} is set more than once: set it once\n")));
        }
    }
    let example = "an organization id, e.g. /probe?target=123\n";
    let target =
        target.ok_or_else(|| bad_request(format!("parameter target is missing: set it to {example}")))?;
    // Parsing alone would allow a sign.
    let is_number = target.bytes().all(|byte| byte.is_ascii_digit());
    let organization = target.parse().ok().filter(|_| is_number);
    let invalid = || bad_request(format!("invalid target {target:?}: expected {example}"));
    Ok((organization.ok_or_else(invalid)?, account))
}

fn bad_request(text: impl Into<String>) -> ErrorResponse {
    (StatusCode::BAD_REQUEST, text.into())
}

/// Returns the account with this name, or all accounts without a name.
fn accounts(exporter: &Exporter, name: Option<&str>) -> Result<Vec<Arc<Account>>, ErrorResponse> {
    let is_asked_for = |account: &&Arc<Account>| name.is_none_or(|name| *account.name == *name);
    let accounts: Vec<_> = exporter.accounts.iter().filter(is_asked_for).cloned().collect();
    if accounts.is_empty() {
        let text =
            format!("unknown account {:?}: use a name from the configuration\n", name.unwrap_or_default());
        return Err((StatusCode::NOT_FOUND, text));
    }
    Ok(accounts)
}

/// Returns the accounts that read the organization. Requests their lists only if no account is known to read it.
async fn seeing(
    accounts: &[Arc<Account>],
    organization: u64,
    deadline: Instant,
) -> Result<Vec<Arc<Account>>, ErrorResponse> {
    let seeing = |discoveries: &[Discovery]| -> Vec<_> {
        let sees = |(account, discovery): &(&Arc<Account>, &Discovery)| discovery.sees(account, organization);
        accounts.iter().zip(discoveries).filter(sees).map(|(account, _)| Arc::clone(account)).collect()
    };
    let known: Vec<_> = accounts.iter().map(|account| Discovery::latest(account)).collect();
    let mut found = seeing(&known);
    if found.is_empty() {
        let read = discover(accounts, deadline).await;
        found = seeing(&read);
        let incomplete = accounts.iter().zip(&read).find(|(_, discovery)| !discovery.is_complete);
        if let Some((account, _)) = incomplete.filter(|_| found.is_empty()) {
            return Err(not_discovered(&account.name));
        }
    }
    if found.is_empty() {
        let text =
            format!("organization {organization} is not read by any account: /sd lists the organizations\n");
        return Err((StatusCode::NOT_FOUND, text));
    }
    Ok(found)
}

fn not_discovered(account: &str) -> ErrorResponse {
    let text = format!(
        "organizations of account {account} are not known yet: its list was never read; see the log and the status page at /; \
         /sd?account=NAME lists the organizations of one account\n"
    );
    (StatusCode::SERVICE_UNAVAILABLE, text)
}

async fn discover(accounts: &[Arc<Account>], deadline: Instant) -> Vec<Discovery> {
    join_all(accounts.iter().map(async |account| {
        let _ = timeout_at(deadline, account.refresh_credential()).await;
        // Running calls continue in the background.
        Discovery::read(account, deadline).await.0
    }))
    .await
}

/// Returns the organizations in the format of the HTTP service discovery of Prometheus.
pub(super) async fn sd(request: ScrapeRequest) -> Result<Response, ErrorResponse> {
    let name = parameters(&request.uri).find(|(name, _)| name == "account").map(|(_, value)| value);
    let accounts = accounts(&request.exporter, name.as_deref())?;
    let discoveries = discover(&accounts, request.deadline).await;
    // Prometheus drops targets that are not listed, and keeps all of them after an error.
    if let Some((account, _)) = accounts.iter().zip(&discoveries).find(|(_, discovery)| !discovery.is_complete)
    {
        return Err(not_discovered(&account.name));
    }
    let mut groups = BTreeMap::new();
    for (index, (account, discovery)) in accounts.iter().zip(&discoveries).enumerate() {
        let organizations = discovery.organizations(account);
        account.store().retain(|call| {
            let of_organization = call.organization_id.filter(|_| call.collector.is_per_organization());
            of_organization.is_none_or(|id| organizations.contains(&id))
        });
        for id in organizations {
            groups.entry(id).or_insert(index);
        }
    }
    let groups = groups.into_iter().enumerate().map(move |(number, (id, index))| {
        let group = accounts.get(index).zip(discoveries.get(index));
        let group = group.map(|(account, discovery)| group_of(id, account, discovery).to_string());
        format!("{}{}", if number == 0 { "" } else { "," }, group.unwrap_or_default())
    });
    let mut list = iter::once("[".to_owned()).chain(groups).chain(iter::once("]".to_owned()));
    let parts = iter::from_fn(move || {
        let part: String = list.by_ref().take(GROUPS_PER_PART).collect();
        (!part.is_empty()).then_some(part)
    });
    Ok(([(CONTENT_TYPE, "application/json")], in_parts(parts)).into_response())
}

/// Returns the target of one organization, with labels for relabeling.
fn group_of(id: u64, account: &Account, discovery: &Discovery) -> Value {
    let info = discovery.info(account, id);
    let labels = [
        ("account", Some(account.name.to_string())),
        ("organization_id", Some(id.to_string())),
        ("organization_name", info.shown_name().map(str::to_owned)),
        ("whitelabel_id", info.whitelabel_id.map(|id| id.to_string())),
    ];
    let labels =
        labels.into_iter().filter_map(|(name, value)| Some((format!("__meta_edgeimpulse_{name}"), value?)));
    json!({ "targets": [id.to_string()], "labels": labels.collect::<BTreeMap<_, _>>() })
}
