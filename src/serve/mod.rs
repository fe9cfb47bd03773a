//! The HTTP server: sockets, connections, authentication and routes.

mod clients;
mod connection;
pub mod negotiation;
pub mod reload;
mod routes;
mod server;
mod socket;
mod targets;
mod web_config;

pub use connection::ConnectionLimits;
pub use reload::ReloadableExporter;
pub use routes::app;
pub use server::Server;
pub use web_config::WebConfigWatcher;
