//! One organization per target: `/sd` lists the organizations for Prometheus, `/probe` returns the metrics of one.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::negotiation::{self, CollectorSelection, ErrorResponse, ScrapeRequest};
use crate::collect::{Account, Discovery, Exporter, Selection};
use crate::serve::reload::ReloadableExporter;

/// Returns the metrics of one organization.
pub(crate) async fn probe(
    State(live): State<Arc<ReloadableExporter>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ErrorResponse> {
    let exporter = live.exporter();
    let Target { organization, account, collectors } = Target::parse(&uri)?;
    let request = ScrapeRequest::new(&exporter, &method, &headers);
    let accounts = accounts(&exporter, account.as_deref())?;
    let accounts = seeing(&accounts, organization, request.deadline()).await?;
    let selection = Selection { collectors, organization: Some(organization) };
    Ok(request.run(&exporter, &accounts, &selection, false).await)
}

/// The parameters of a probe.
struct Target {
    organization: u64,
    account: Option<String>,
    collectors: Option<std::collections::BTreeSet<crate::model::Collector>>,
}

impl Target {
    fn parse(uri: &Uri) -> Result<Self, ErrorResponse> {
        let bad = |text: String| ErrorResponse(StatusCode::BAD_REQUEST, text);
        let mut target = None;
        let mut account = None;
        for (name, value) in negotiation::parameters(uri) {
            let before = match &*name {
                "target" => target.replace(value),
                "account" => account.replace(value),
                "collect[]" => None,
                _ => {
                    return Err(bad(format!("unknown parameter {name}: use target, account, collect[]\n")));
                }
            };
            if before.is_some() {
                return Err(bad(format!("parameter {name} is set more than once: set it once\n")));
            }
        }
        let target = target.ok_or_else(|| {
            bad("parameter target is missing: set it to an organization id, e.g. /probe?target=123\n"
                .to_owned())
        })?;
        let is_number = !target.is_empty() && target.bytes().all(|byte| byte.is_ascii_digit());
        let organization = target.parse().ok().filter(|_| is_number).ok_or_else(|| {
            bad(format!("invalid target {target:?}: expected an organization id, e.g. /probe?target=123\n"))
        })?;
        let selected = CollectorSelection::parse(uri)?;
        if selected.is_telemetry_only() {
            return Err(bad("collect[]=exporter alone is not possible for a probe: /metrics has the metrics of the exporter\n".to_owned()));
        }
        Ok(Self {
            organization,
            account: account.map(std::borrow::Cow::into_owned),
            collectors: selected.collectors,
        })
    }
}

/// Returns the account with this name, or all accounts without a name.
fn accounts(exporter: &Exporter, name: Option<&str>) -> Result<Vec<Arc<Account>>, ErrorResponse> {
    let is_asked_for = |account: &&Arc<Account>| name.is_none_or(|name| *account.name == *name);
    let accounts: Vec<_> = exporter.accounts.iter().filter(is_asked_for).cloned().collect();
    if accounts.is_empty() {
        let text =
            format!("unknown account {:?}: use a name from the configuration\n", name.unwrap_or_default());
        return Err(ErrorResponse(StatusCode::NOT_FOUND, text));
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
    let found = seeing(&known);
    if !found.is_empty() {
        return Ok(found);
    }
    let read = discover(accounts, deadline).await;
    let found = seeing(&read);
    if !found.is_empty() {
        Ok(found)
    } else if read.iter().all(|discovery| discovery.is_complete) {
        let text =
            format!("organization {organization} is not read by any account: /sd lists the organizations\n");
        Err(ErrorResponse(StatusCode::NOT_FOUND, text))
    } else {
        Err(not_discovered())
    }
}

fn not_discovered() -> ErrorResponse {
    let text = "organizations are not known yet: no list of organizations has been read; see the log and the status page at /\n";
    ErrorResponse(StatusCode::SERVICE_UNAVAILABLE, text.to_owned())
}

async fn discover(accounts: &[Arc<Account>], deadline: Instant) -> Vec<Discovery> {
    join_all(accounts.iter().map(async |account| {
        account.refresh_credential();
        // Running calls continue in the background.
        Discovery::read(account, deadline).await.0
    }))
    .await
}

/// Returns the organizations in the format of the HTTP service discovery of Prometheus.
pub(crate) async fn sd(
    State(live): State<Arc<ReloadableExporter>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ErrorResponse> {
    let exporter = live.exporter();
    let name = negotiation::parameters(&uri).find(|(name, _)| name == "account").map(|(_, value)| value);
    let accounts = accounts(&exporter, name.as_deref())?;
    let deadline = ScrapeRequest::new(&exporter, &method, &headers).deadline();
    let discoveries = discover(&accounts, deadline).await;
    // Prometheus would drop all targets for an empty list. One complete list suffices, so that a failing account does
    // not hide the others.
    if !discoveries.iter().any(|discovery| discovery.is_complete) {
        return Err(not_discovered());
    }
    let mut groups = BTreeMap::new();
    for (account, discovery) in accounts.iter().zip(&discoveries) {
        let organizations = discovery.organizations(account);
        if discovery.is_complete {
            account.store().retain(|call| {
                let of_organization = call.organization_id.filter(|_| call.collector.is_per_organization());
                of_organization.is_none_or(|id| organizations.contains(&id))
            });
        }
        for id in organizations {
            groups.entry(id).or_insert_with(|| group(id, account, discovery));
        }
    }
    let list = Value::Array(groups.into_values().collect());
    Ok(([(CONTENT_TYPE, "application/json")], list.to_string()).into_response())
}

/// Returns the target of one organization, with labels for relabeling.
fn group(id: u64, account: &Account, discovery: &Discovery) -> Value {
    let mut labels = Map::new();
    let mut label = |name: &str, value: Option<String>| {
        labels.extend(value.map(|value| (format!("__meta_edgeimpulse_{name}"), Value::String(value))));
    };
    let info = discovery.info(id);
    label("account", Some(account.name.to_string()));
    label("organization_id", Some(id.to_string()));
    label("organization_name", info.shown_name().map(str::to_owned));
    label("whitelabel_id", info.whitelabel_id.map(|id| id.to_string()));
    json!({ "targets": [id.to_string()], "labels": labels })
}
