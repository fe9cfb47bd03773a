//! A fake Edge Impulse API with configurable responses.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use wiremock::matchers::{header, method, path, path_regex};
use wiremock::{Mock, MockBuilder, MockServer, Request, Respond, ResponseTemplate};

use super::data;

/// Paths of the API, and the samples that answer them.
pub const SAMPLES: [(&str, &str); 19] = [
    ("/api/organizations", "list-organizations"),
    ("/api/user", "current-user"),
    ("/api/user/subscription/metrics", "subscription-metrics"),
    ("/api/organizations/1", "organization-1"),
    ("/api/organizations/2", "organization-2"),
    ("/api/organizations/1/metrics", "organization-1-metrics"),
    ("/api/organizations/2/metrics", "organization-2-metrics"),
    ("/api/organizations/1/buckets", "buckets-of-organization-1"),
    ("/api/organizations/1/pipelines", "pipelines-of-organization-1"),
    ("/api/organizations/1/apikeys", "api-keys-of-organization-1"),
    ("/api/users/1/organizations", "list-organizations"),
    ("/api/users/2/organizations", "list-organizations"),
    ("/api/users/1/trials", "trials-of-user-1"),
    ("/api/organizations/1/whitelabel", "white-label"),
    ("/api/organizations/1/whitelabel/organizations", "white-label-organizations"),
    ("/api/organizations/1/whitelabel/organizations/31", "white-label-organization"),
    ("/api/organizations/1/whitelabel/projects", "white-label-projects"),
    ("/api/organizations/1/whitelabel/users", "white-label-users"),
    ("/api/organizations/1/whitelabel/users/2", "white-label-user"),
];

/// Lists of every organization that are empty unless a test says otherwise: the last part of the path is their name in
/// lower case.
const EMPTY_LISTS: [&str; 3] = ["buckets", "pipelines", "apiKeys"];

/// A server whose calls stand in `/v1` like the real one's.
pub struct FakeApi {
    server: MockServer,
    mounted: AtomicU8,
}

impl FakeApi {
    /// Starts a server that answers 404 to everything but the lists that are empty.
    pub async fn start() -> Self {
        let api = Self { server: MockServer::start().await, mounted: AtomicU8::new(0) };
        let unknown = json!({ "success": false, "error": "Not found" });
        api.mount(Mock::given(method("GET")), ResponseTemplate::new(404).set_body_json(unknown)).await;
        for name in EMPTY_LISTS {
            let path = format!("^/v1/api/organizations/[0-9]+/{}$", name.to_lowercase());
            let list = Mock::given(method("GET")).and(path_regex(path));
            let empty = json!({ "success": true, name: [] });
            api.mount(list, ResponseTemplate::new(200).set_body_json(empty)).await;
        }
        api
    }

    /// Starts a server with the sample answers of that name: the vendor's, and typical ones of a white label.
    pub async fn with_samples(name: &str) -> Self {
        let api = Self::start().await;
        for (path, file) in SAMPLES {
            let file = format!("{name}/{file}.json");
            if std::path::Path::new(&format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"))).exists() {
                api.answers(path, &serde_json::from_str(&data(&file)).unwrap()).await;
            }
        }
        api
    }

    /// Starts a server with one organization, known to the API key's list, that has `answer` as its information.
    pub async fn with_organization(answer: &Value) -> Self {
        let api = Self::start().await;
        api.lists(&[1]).await;
        api.answers("/api/organizations/1", answer).await;
        api
    }

    /// Returns the base URL.
    pub fn url(&self) -> String {
        format!("{}/v1", self.server.uri())
    }

    /// Lists these organizations to an API key.
    pub async fn lists(&self, ids: &[u64]) {
        self.responds("/api/organizations", list(ids)).await;
    }

    /// Lists these organizations to whoever has that API key.
    pub async fn lists_to(&self, key: &str, ids: &[u64]) {
        self.responds_to_at("x-api-key", key, "/api/organizations", list(ids)).await;
    }

    /// Serves an organization to each of these API keys, with ids from 1.
    pub async fn with_keys(keys: &[&str]) -> Self {
        let api = Self::start().await;
        for (key, id) in keys.iter().zip(1..) {
            api.lists_to(key, &[id]).await;
            let usage = json!({ "success": true, "metrics": {} });
            api.answers(&format!("/api/organizations/{id}/metrics"), &usage).await;
        }
        api
    }

    /// Answers calls to `path` with that JSON from now on.
    pub async fn answers(&self, path: &str, answer: &Value) {
        self.responds(path, ResponseTemplate::new(200).set_body_json(answer)).await;
    }

    /// Answers calls to `path` with that body from now on.
    pub async fn answers_text(&self, path: &str, body: &str) {
        self.responds(path, ResponseTemplate::new(200).set_body_raw(body, "application/json")).await;
    }

    /// Answers calls to `path` with that status and error text from now on.
    pub async fn refuses(&self, path: &str, status: u16, error: &str) {
        let body = json!({ "success": false, "error": error });
        self.responds(path, ResponseTemplate::new(status).set_body_json(body)).await;
    }

    /// Answers calls to `path` with that JSON, but only after `delay`.
    pub async fn dawdles(&self, path: &str, delay: Duration, answer: &Value) {
        self.responds(path, ResponseTemplate::new(200).set_delay(delay).set_body_json(answer)).await;
    }

    /// Responds to calls to `path` in that way from now on; a function sees each request.
    pub async fn responds(&self, path: &str, response: impl Respond + 'static) {
        self.mount(call(path), response).await;
    }

    /// Responds in this way to all requests with that value of that header.
    pub async fn responds_to(&self, name: &'static str, value: &str, response: ResponseTemplate) {
        Mock::given(header(name, value)).respond_with(response).with_priority(1).mount(&self.server).await;
    }

    /// Answers calls to `path` with that value of that header in this way.
    pub async fn responds_to_at(
        &self,
        name: &'static str,
        value: &str,
        path: &str,
        response: ResponseTemplate,
    ) {
        self.mount(call(path).and(header(name, value)), response).await;
    }

    /// Refuses every call without that value of that header.
    pub async fn accepts_only(&self, name: &'static str, value: &str) {
        let refusal = json!({ "success": false, "error": "Invalid API key" });
        let refused = ResponseTemplate::new(401).set_body_json(refusal);
        let value = value.to_owned();
        let is_wrong = move |request: &Request| {
            request.headers.get(name).is_none_or(|found| found.as_bytes() != value.as_bytes())
        };
        Mock::given(is_wrong).respond_with(refused).with_priority(1).mount(&self.server).await;
    }

    /// Of mocks with equal priority, the oldest responds; here the newest must respond.
    async fn mount(&self, call: MockBuilder, response: impl Respond + 'static) {
        let older = self.mounted.fetch_add(1, Ordering::Relaxed);
        call.respond_with(response).with_priority(u8::MAX - older).mount(&self.server).await;
    }

    /// Returns the requests that came for `path`.
    pub async fn requests(&self, path: &str) -> Vec<Request> {
        let path = format!("/v1{path}");
        let requests = self.server.received_requests().await.unwrap();
        requests.into_iter().filter(|request| request.url.path() == path).collect()
    }

    /// Returns how many calls came.
    pub async fn calls(&self) -> usize {
        self.server.received_requests().await.unwrap().len()
    }
}

/// Returns a list of these organizations.
pub fn list(ids: &[u64]) -> ResponseTemplate {
    let organizations: Vec<_> = ids.iter().map(|id| json!({ "id": id, "name": format!("Org {id}") })).collect();
    ResponseTemplate::new(200).set_body_json(json!({ "success": true, "organizations": organizations }))
}

fn call(at: &str) -> MockBuilder {
    Mock::given(method("GET")).and(path(format!("/v1{at}")))
}
