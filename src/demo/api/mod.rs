//! The simulated API over HTTP: the endpoints that the exporter calls, according to the API's specification.

mod organization;
mod pipelines;
mod user;
mod whitelabel;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::scenarios::Scenario;
use super::world::World;
use crate::model::{Clock, UnixTime};

/// The media type of every response.
const MEDIA_TYPE: &str = "application/json; charset=utf-8";

/// The result of a call.
type ApiResult = Result<Response, ErrorResponse>;

/// A response with `success: false`.
struct ErrorResponse(StatusCode, &'static str);

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let Self(status, error) = self;
        respond(status, &json!({ "success": false, "error": error }))
    }
}

/// Returns the routes, below `/v1`.
pub fn app(world: World, clock: Clock) -> Router {
    let api = Router::new()
        .merge(organization::routes())
        .merge(pipelines::routes())
        .merge(user::routes())
        .merge(whitelabel::routes());
    Router::new()
        .nest("/v1/api", api)
        .fallback(async || ErrorResponse(StatusCode::NOT_FOUND, "Not found"))
        .with_state((world, clock))
}

/// A request with a valid credential.
struct ApiRequest {
    world: World,
    now: UnixTime,
    /// The organization that the API key belongs to; `None` for the JWT of the demo's user.
    key_owner: Option<u64>,
    /// The parameters of the query.
    query: BTreeMap<String, String>,
}

impl FromRequestParts<(World, Clock)> for ApiRequest {
    type Rejection = ErrorResponse;

    async fn from_request_parts(
        parts: &mut Parts,
        (world, clock): &(World, Clock),
    ) -> Result<Self, ErrorResponse> {
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let key_owner = match header("x-jwt-token") {
            Some(jwt) if jwt == world.jwt() => None,
            Some(_) => return Err(ErrorResponse(StatusCode::UNAUTHORIZED, "Invalid JWT token")),
            None => {
                let key = header("x-api-key");
                let owner = world.ids().find(|id| key.is_some_and(|key| key == World::api_key(*id)));
                Some(owner.ok_or(ErrorResponse(StatusCode::UNAUTHORIZED, "Invalid API key"))?)
            }
        };
        let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        Ok(Self { world: *world, now: clock.now(), key_owner, query: query.into_owned().collect() })
    }
}

impl ApiRequest {
    /// Returns the scenario of an organization if the caller is permitted to read it.
    fn readable(&self, id: u64) -> Result<&'static Scenario, ErrorResponse> {
        if self.key_owner.is_some_and(|owner| owner != id) {
            return Err(forbidden("You do not have permission to access this organization"));
        }
        if self.world.is_tenant(id) {
            // The user is an admin of its white label, but not a member.
            return Err(forbidden("You do not have permission: you are not a member"));
        }
        let scenario = self.world.scenarios().find(|scenario| scenario.id == id);
        scenario.ok_or(ErrorResponse(StatusCode::NOT_FOUND, "No organization with this ID"))
    }

    /// Returns an error unless the caller is the demo's user.
    fn user_only(&self) -> Result<(), ErrorResponse> {
        match self.key_owner {
            None => Ok(()),
            Some(_) => Err(forbidden("You do not have permission: this needs a JWT token")),
        }
    }
}

const fn forbidden(error: &'static str) -> ErrorResponse {
    ErrorResponse(StatusCode::FORBIDDEN, error)
}

fn success(mut json: Value) -> Response {
    json["success"] = true.into();
    respond(StatusCode::OK, &json)
}

fn respond(status: StatusCode, json: &Value) -> Response {
    (status, [("content-type", MEDIA_TYPE)], json.to_string()).into_response()
}

/// Returns the fields that every user object has. Names and e-mail addresses are included like in the real API, because
/// tests check that the exporter never exposes them.
fn person(id: u64, created: UnixTime) -> Value {
    json!({
        "id": id,
        "username": format!("demo.user.{id}"),
        "name": format!("Demo Person {id}"),
        "email": format!("person{id}@example.com"),
        "created": date(created),
        "staffInfo": { "isStaff": false, "hasSudoRights": false },
        "pending": false,
        "activated": true,
        "mfaConfigured": true,
        "idps": [],
    })
}

/// Returns the object with the fields of `other` added or replaced.
fn with(mut object: Value, other: Value) -> Value {
    if let (Value::Object(fields), Value::Object(other)) = (&mut object, other) {
        fields.extend(other);
    }
    object
}

fn date(at: UnixTime) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond((at * 1000.0) as i64);
    at.ok().map(|at| format!("{at:.3}"))
}
