//! The simulated API over HTTP: the endpoints that the exporter calls, according to the API's specification.

mod organization;
mod user;
mod whitelabel;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::entities::Organization;
use super::world::World;
use crate::model::Clock;

/// The media type of every response.
const MEDIA_TYPE: &str = "application/json; charset=utf-8";

/// The state of the routes.
#[derive(Clone, Debug)]
struct ApiState {
    world: World,
    clock: Clock,
}

/// The owner of the credential.
enum Caller {
    /// The demo's user, with the JWT.
    User,
    /// An organization, with its API key.
    Organization(u64),
}

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
    let api = Router::new().merge(organization::routes()).merge(user::routes()).merge(whitelabel::routes());
    Router::new()
        .nest("/v1/api", api)
        .fallback(async || ErrorResponse(StatusCode::NOT_FOUND, "Not found"))
        .with_state(ApiState { world, clock })
}

impl ApiState {
    /// Returns the owner of the credential in `headers`.
    fn caller(&self, headers: &HeaderMap) -> Result<Caller, ErrorResponse> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(jwt) = header("x-jwt-token") {
            return match jwt == self.world.jwt() {
                true => Ok(Caller::User),
                false => Err(ErrorResponse(StatusCode::UNAUTHORIZED, "Invalid JWT token")),
            };
        }
        let key = header("x-api-key");
        let owner = World::ids().find(|id| key.is_some_and(|key| key == World::api_key(*id)));
        owner.map(Caller::Organization).ok_or(ErrorResponse(StatusCode::UNAUTHORIZED, "Invalid API key"))
    }

    /// Returns an organization if the caller is permitted to read it.
    fn readable(&self, headers: &HeaderMap, id: u64) -> Result<Organization, ErrorResponse> {
        let caller = self.caller(headers)?;
        if matches!(caller, Caller::Organization(caller) if caller != id) {
            return Err(ErrorResponse(
                StatusCode::FORBIDDEN,
                "You do not have permission to access this organization",
            ));
        }
        if self.world.is_tenant(id) {
            // The user is an admin of its white label, but not a member.
            return Err(ErrorResponse(
                StatusCode::FORBIDDEN,
                "You do not have permission: you are not a member",
            ));
        }
        let organization = self.world.organization(id, self.clock.now());
        organization.ok_or(ErrorResponse(StatusCode::NOT_FOUND, "No organization with this ID"))
    }

    /// Returns an error unless the caller is the demo's user.
    fn user_only(&self, headers: &HeaderMap) -> Result<(), ErrorResponse> {
        match self.caller(headers)? {
            Caller::User => Ok(()),
            Caller::Organization(_) => {
                Err(ErrorResponse(StatusCode::FORBIDDEN, "You do not have permission: this needs a JWT token"))
            }
        }
    }

    /// Returns the organizations with the demo's user as a member.
    fn all(&self) -> impl Iterator<Item = Organization> {
        World::ids().filter_map(move |id| self.world.organization(id, self.clock.now()))
    }
}

fn success(mut json: Value) -> Response {
    json["success"] = true.into();
    respond(StatusCode::OK, &json)
}

fn respond(status: StatusCode, json: &Value) -> Response {
    (status, [("content-type", MEDIA_TYPE)], json.to_string()).into_response()
}
