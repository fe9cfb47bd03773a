//! Reads a recording and serves it like the API.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use url::Url;

use super::{MANIFEST, Manifest, VERSION};
use crate::api::START_DATE;
use crate::config::{
    AccountOptions, ApiOptions, CollectorOptions, Configuration, ONLY_ACCOUNT, Options, ScopeOptions,
};
use crate::config::{CredentialKind, CredentialOrigin, shown_path};
use crate::model::{Collector, UnixTime};
use crate::serve::Server;

/// A recording.
#[derive(Clone, Debug)]
pub struct Replay {
    directory: PathBuf,
    manifest: Arc<Manifest>,
    responses: Arc<Responses>,
}

/// The responses of an account, by path and query of the request.
type AccountResponses = BTreeMap<String, RecordedResponse>;

/// The responses of each account, by name.
type Responses = BTreeMap<String, AccountResponses>;

/// A file of the recording.
#[derive(Debug, Deserialize)]
struct RecordedResponse {
    request: String,
    status: u16,
    /// `None` if the response was not JSON.
    #[serde(rename = "answer")]
    body: Option<Box<RawValue>>,
}

impl Replay {
    /// Reads the recording in `directory`.
    ///
    /// # Errors
    /// If it cannot be read, or is not a recording of this version.
    pub fn open(directory: &Path) -> Result<Self, String> {
        if !directory.is_dir() {
            return Err(format!("--replay: {}: no such directory", shown_path(directory)));
        }
        let path = directory.join(MANIFEST);
        let manifest: Manifest = read(&path)?;
        if manifest.version != VERSION {
            return Err(format!(
                "--replay: {}: the recording has version {}, but only version {VERSION} can be read",
                shown_path(&path),
                manifest.version
            ));
        }
        let mut responses = Responses::new();
        for account in &manifest.accounts {
            let folder = directory.join(&account.name);
            let fail = |error: std::io::Error| format!("--replay: {}: {error}", shown_path(&folder));
            let of_account = responses.entry(account.name.clone()).or_default();
            for entry in std::fs::read_dir(&folder).map_err(fail)? {
                let response: RecordedResponse = read(&entry.map_err(fail)?.path())?;
                of_account.insert(response.request.clone(), response);
            }
        }
        Ok(Self {
            directory: directory.to_owned(),
            manifest: Arc::new(manifest),
            responses: Arc::new(responses),
        })
    }

    /// Returns the time of the recording.
    #[must_use]
    pub fn at(&self) -> UnixTime {
        self.manifest.at
    }

    /// Returns the configuration for a replay with these options.
    #[must_use]
    pub fn configuration(&self, options: Options) -> Configuration {
        let Options { sources, api, scope, common, .. } = options;
        let accounts = self.accounts(&scope, &common.collectors);
        // The replay is served on loopback, without TLS and without a proxy.
        let api = ApiOptions { ca_file: None, proxy_url: None, tls_server_name: None, ..api };
        Configuration { api, accounts, sources, common, file: None, replay: Some(self.directory.clone()) }
    }

    /// Returns the recorded accounts. `scope` replaces the recorded scope unless it is empty; of `collectors`, those are
    /// enabled that were enabled for the recording, and those that are off by default if the recording has them.
    fn accounts(&self, scope: &ScopeOptions, collectors: &CollectorOptions) -> Vec<AccountOptions> {
        let is_single = self.manifest.accounts.len() == 1;
        let accounts = self.manifest.accounts.iter().map(|recorded| {
            let (mut collectors, restriction) = (collectors.clone(), &collectors.enabled);
            collectors.enabled = Collector::ALL.into_iter().filter(|it| recorded.has(*it)).collect();
            collectors.enabled.retain(|it| !it.is_on_by_default() || restriction.contains(it));
            let scope = if *scope == ScopeOptions::default() { recorded.scope.clone() } else { scope.clone() };
            AccountOptions {
                name: if is_single { ONLY_ACCOUNT.to_owned() } else { recorded.name.clone() },
                kind: recorded.kind(),
                // The name of the directory, which the server of the replay finds in the header of the credential.
                origin: CredentialOrigin::Environment(
                    "of the recording".to_owned(),
                    recorded.name.clone().into(),
                ),
                scope,
                collectors,
                place: None,
            }
        });
        accounts.collect()
    }

    /// Serves the recording on a free loopback port until the process ends, and returns the base URL.
    ///
    /// # Errors
    /// If it cannot listen on a port.
    pub async fn serve(&self) -> Result<Url, String> {
        let app = Router::new().fallback(respond).with_state(Arc::clone(&self.responses));
        let address = Server::spawn_on_loopback(app).await.map_err(|error| format!("--replay: {error}"))?;
        Url::parse(&format!("http://{address}")).map_err(|error| format!("--replay: {error}"))
    }
}

/// Reads a file of the recording.
fn read<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("--replay: {}: {error}", shown_path(path)))?;
    let json = serde_json::from_str(&text);
    json.map_err(|error| format!("--replay: {}: not a file of a recording: {error}", shown_path(path)))
}

async fn respond(State(responses): State<Arc<Responses>>, headers: HeaderMap, uri: Uri) -> Response {
    let account = [CredentialKind::ApiKey, CredentialKind::Jwt]
        .iter()
        .find_map(|kind| headers.get(kind.header())?.to_str().ok());
    let found = account.and_then(|account| find(responses.get(account)?, &uri));
    let (status, body) = match found {
        Some(RecordedResponse { status, body, .. }) => {
            let body = body.as_ref().map(|body| body.get().to_owned()).unwrap_or_default();
            (StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY), body)
        }
        None => (StatusCode::NOT_FOUND, r#"{"success":false,"error":"Not in the recording"}"#.to_owned()),
    };
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// Returns a request without the parameter that changes with time.
fn without_date(request: &str) -> Vec<&str> {
    let is_date = |part: &&str| part.split('=').next() == Some(START_DATE);
    request.split(['?', '&']).filter(|part| !is_date(part)).collect()
}

/// Finds the response to a request. If there is none, the only response with the same path is returned: the query depends
/// on options that may have been different for the recording.
fn find<'a>(responses: &'a AccountResponses, uri: &Uri) -> Option<&'a RecordedResponse> {
    let request = uri.path_and_query().map_or(uri.path(), |request| request.as_str());
    let similar = || responses.iter().find(|(known, _)| without_date(known) == without_date(request));
    responses.get(request).or_else(|| similar().map(|(_, response)| response)).or_else(|| {
        let path = |request: &str| request.split('?').next().unwrap_or_default().to_owned();
        let mut similar = responses.values().filter(|response| path(&response.request) == uri.path());
        similar.next().filter(|_| similar.next().is_none())
    })
}
