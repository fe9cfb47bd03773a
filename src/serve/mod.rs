//! The HTTP server: sockets, connections, authentication and routes.

mod connection;
pub mod listener;
pub mod negotiation;
pub mod reload;
mod routes;
mod server;
pub mod socket;
mod targets;
pub mod web_config;

pub use listener::{ConnectionLimits, Encrypted, Endpoint, serve, serve_endpoints};
pub use reload::ReloadableExporter;
pub use routes::app;
pub use server::Server;
pub use web_config::WebConfig;
