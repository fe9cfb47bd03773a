//! The front: where the exporter listens, and who may come in.
//!
//! [`WebConfig`] is what a file in the format of Prometheus' exporter-toolkit says; [`Live`] reads it again when it
//! changes; [`Front`] holds the sockets and lets every connection and request pass by both.

mod config;
mod file;
mod front;
mod guard;
mod live;
mod names;
mod rate;
mod sources;
mod tls;
mod users;

pub use config::WebConfig;
pub use file::Error;
pub use front::Front;
pub use live::Live;
