//! Reads a recording, and answers with it as the API would.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpListener;
use url::Url;

use super::MANIFEST;
use super::manifest::{Manifest, VERSION};
use crate::config::{
    AccountOptions, ApiOptions, CollectorOptions, Configuration, ONLY_ACCOUNT, Options, ScopeOptions,
};
use crate::config::{CredentialKind, CredentialOrigin};
use crate::model::UnixTime;
use crate::serve::listener::{self, ConnectionLimits};

/// A recording that was read.
#[derive(Clone, Debug)]
pub struct Replay {
    directory: PathBuf,
    manifest: Arc<Manifest>,
    answers: Arc<Answers>,
}

/// What each account was answered, by the request.
type Answers = BTreeMap<String, BTreeMap<String, Kept>>;

/// A file of the recording.
#[derive(Debug, Deserialize)]
struct Kept {
    request: String,
    status: u16,
    /// Absent if it was no JSON document.
    answer: Option<Box<RawValue>>,
}

impl Replay {
    /// Reads the recording in `directory`.
    ///
    /// # Errors
    /// If it is none, or cannot be read.
    pub fn open(directory: &Path) -> Result<Self, String> {
        let read = |path: &Path| {
            let text = std::fs::read_to_string(path);
            text.map_err(|error| format!("--replay: {}: {error}", path.display()))
        };
        let path = directory.join(MANIFEST);
        let unreadable =
            |path: &Path, error| format!("--replay: {}: not of a recording: {error}", path.display());
        let manifest: Manifest =
            serde_json::from_str(&read(&path)?).map_err(|error| unreadable(&path, error))?;
        if manifest.version != VERSION {
            return Err(format!(
                "--replay: {}: version {}, expected {VERSION}",
                path.display(),
                manifest.version
            ));
        }
        let mut answers = Answers::new();
        for account in &manifest.accounts {
            let folder = directory.join(&account.name);
            let fail = |error: std::io::Error| format!("--replay: {}: {error}", folder.display());
            let known = answers.entry(account.name.clone()).or_default();
            for entry in std::fs::read_dir(&folder).map_err(fail)? {
                let path = entry.map_err(fail)?.path();
                let answer: Kept =
                    serde_json::from_str(&read(&path)?).map_err(|error| unreadable(&path, error))?;
                known.insert(answer.request.clone(), answer);
            }
        }
        Ok(Self { directory: directory.to_owned(), manifest: Arc::new(manifest), answers: Arc::new(answers) })
    }

    /// Returns when it was recorded.
    #[must_use]
    pub fn at(&self) -> UnixTime {
        self.manifest.at
    }

    /// Returns the configuration that reads the recording with these options.
    #[must_use]
    pub fn configuration(&self, options: Options) -> Configuration {
        let Options { api, scope, common, .. } = options;
        let accounts = self.accounts(&scope, &common.collectors);
        // The recording is served on loopback, without TLS or a proxy.
        let api = ApiOptions { ca_file: None, proxy_url: None, tls_server_name: None, ..api };
        let replay = Some(self.directory.clone());
        Configuration { accounts, replay, ..Configuration::new(api, common) }
    }

    /// Returns the accounts that were recorded: with their own scope unless another one is asked for, and with those
    /// of the `collectors` that were on.
    fn accounts(&self, scope: &ScopeOptions, collectors: &CollectorOptions) -> Vec<AccountOptions> {
        let is_single = self.manifest.accounts.len() == 1;
        let accounts = self.manifest.accounts.iter().map(|recorded| {
            let mut collectors = collectors.clone();
            collectors.enabled.retain(|collector| recorded.has(*collector));
            let scope = if *scope == ScopeOptions::default() { recorded.scope() } else { scope.clone() };
            AccountOptions {
                name: if is_single { ONLY_ACCOUNT.to_owned() } else { recorded.name.clone() },
                kind: recorded.kind(),
                // Tells the answers of one account from those of another.
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

    /// Answers requests on a loopback port of the system's choice as long as the process runs; returns the base URL.
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn serve(&self) -> Result<Url, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(|error| format!("--replay: {error}"))?;
        let address = listener.local_addr().map_err(|error| format!("--replay: {error}"))?;
        let app = Router::new().fallback(answer).with_state(Arc::clone(&self.answers));
        // Its one client scrapes at any interval: a connection must not end at the moment when it is used again.
        let limits =
            ConnectionLimits { header_timeout: Duration::from_hours(1), ..ConnectionLimits::default() };
        tokio::spawn(listener::serve(vec![listener], app, std::future::pending(), limits));
        Url::parse(&format!("http://{address}")).map_err(|error| format!("--replay: {error}"))
    }
}

async fn answer(State(answers): State<Arc<Answers>>, headers: HeaderMap, uri: Uri) -> Response {
    let account = [CredentialKind::ApiKey, CredentialKind::Jwt]
        .iter()
        .find_map(|kind| headers.get(kind.header())?.to_str().ok());
    let found = account.and_then(|account| find(answers.get(account)?, &uri));
    let (status, body) = match found {
        Some(Kept { status, answer, .. }) => {
            let body = answer.as_ref().map(|answer| answer.get().to_owned()).unwrap_or_default();
            (StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY), body)
        }
        None => (StatusCode::NOT_FOUND, r#"{"success":false,"error":"It was not recorded"}"#.to_owned()),
    };
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// Finds the answer to a request, or else the only one that there is with its path: a query may follow from options
/// that were others then.
fn find<'a>(answers: &'a BTreeMap<String, Kept>, uri: &Uri) -> Option<&'a Kept> {
    let request = uri.path_and_query().map_or(uri.path(), |request| request.as_str());
    answers.get(request).or_else(|| {
        let path = |request: &str| request.split('?').next().unwrap_or_default().to_owned();
        let mut similar = answers.values().filter(|answer| path(&answer.request) == uri.path());
        similar.next().filter(|_| similar.next().is_none())
    })
}
