//! One organization at a time: `/sd` tells Prometheus which there are, `/probe` reads one.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::negotiation::{self, Refusal, Scrape};
use crate::collect::Account;
use crate::collect::Discovery;
use crate::collect::Exporter;
use crate::collect::Selection;
use crate::serve::reload::ReloadableExporter;

/// Reads one organization.
pub(crate) async fn probe(
    State(live): State<Arc<ReloadableExporter>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let exporter = live.exporter();
    let Target { organization, account, collectors } = Target::parse(&uri)?;
    let scrape = Scrape::of(&exporter, &method, &headers);
    let accounts = accounts(&exporter, account.as_deref())?;
    let accounts = seeing(&accounts, organization, scrape.deadline()).await?;
    let selection = Selection { collectors, organization: Some(organization) };
    Ok(scrape.run(&exporter, &accounts, &selection, false).await)
}

/// What a probe asks for.
struct Target {
    organization: u64,
    account: Option<String>,
    collectors: Option<std::collections::BTreeSet<crate::model::Collector>>,
}

impl Target {
    fn parse(uri: &Uri) -> Result<Self, Refusal> {
        let bad = |text: String| Refusal(StatusCode::BAD_REQUEST, text);
        let mut target = None;
        let mut account = None;
        for (name, value) in negotiation::parameters(uri) {
            let before = match &*name {
                "target" => target.replace(value),
                "account" => account.replace(value),
                "collect[]" => None,
                _ => {
                    return Err(bad(format!(
                        "There is no parameter {name}: expected target, account, collect[].\n"
                    )));
                }
            };
            if before.is_some() {
                return Err(bad(format!("There is more than one {name}: expected one.\n")));
            }
        }
        let target = target.ok_or_else(|| {
            bad("There is no target: expected an organization's id, as in /probe?target=123.\n".to_owned())
        })?;
        let is_number = !target.is_empty() && target.bytes().all(|byte| byte.is_ascii_digit());
        let organization = target.parse().ok().filter(|_| is_number).ok_or_else(|| {
            bad("The target is no organization's id: expected a number, as in /probe?target=123.\n".to_owned())
        })?;
        let selected = negotiation::Collect::parse(uri)?;
        if selected.with_exporter_alone() {
            return Err(bad("A probe has no metrics of the exporter: they are at /metrics.\n".to_owned()));
        }
        Ok(Self {
            organization,
            account: account.map(std::borrow::Cow::into_owned),
            collectors: selected.collectors,
        })
    }
}

/// Returns the account of that name, or all of them.
fn accounts(exporter: &Exporter, name: Option<&str>) -> Result<Vec<Arc<Account>>, Refusal> {
    let is_asked_for = |account: &&Arc<Account>| name.is_none_or(|name| *account.name == *name);
    let accounts: Vec<_> = exporter.accounts.iter().filter(is_asked_for).cloned().collect();
    if accounts.is_empty() {
        return Err(Refusal(StatusCode::NOT_FOUND, "There is no account of that name.\n".to_owned()));
    }
    Ok(accounts)
}

/// Returns those accounts that read the organization; their lists are asked only if it is not known yet.
async fn seeing(
    accounts: &[Arc<Account>],
    organization: u64,
    deadline: Instant,
) -> Result<Vec<Arc<Account>>, Refusal> {
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
        let text = format!("No account reads an organization {organization}: /sd lists those that are read.\n");
        Err(Refusal(StatusCode::NOT_FOUND, text))
    } else {
        Err(not_discovered())
    }
}

fn not_discovered() -> Refusal {
    let text = "The organizations are not known yet: their list could not be read so far; see the log and the page at /.\n";
    Refusal(StatusCode::SERVICE_UNAVAILABLE, text.to_owned())
}

async fn discover(accounts: &[Arc<Account>], deadline: Instant) -> Vec<Discovery> {
    join_all(accounts.iter().map(async |account| {
        account.refresh_credential();
        Discovery::read(account, deadline).await.0
    }))
    .await
}

/// Lists the organizations for Prometheus' HTTP service discovery.
pub(crate) async fn sd(
    State(live): State<Arc<ReloadableExporter>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let exporter = live.exporter();
    let name = negotiation::parameters(&uri).find(|(name, _)| name == "account").map(|(_, value)| value);
    let accounts = accounts(&exporter, name.as_deref())?;
    let deadline = Scrape::of(&exporter, &method, &headers).deadline();
    let discoveries = discover(&accounts, deadline).await;
    // An empty list would make Prometheus drop what it has. An account that has never answered does not keep the
    // others from being listed.
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

/// Returns the target of one organization, with what relabelling may want to know.
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
