//! A simulated Edge Impulse API, and the ordinary exporter pointed at it.
//!
//! [`world`] says what there is at a moment, [`api`] says it as the vendor's document does. Both share nothing with
//! [`crate::api`]: if they did, an error in one would be hidden by the same error in the other.

pub mod api;
pub mod history;
mod json;
mod stories;
pub mod world;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches};
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::commands::{self, Failure};
use crate::config::{CommandLine, CommonOptions, Options};
use crate::credential::{Held, Kind, Origin};
use crate::listener::{self, Limits};
use crate::server::Exporter;
use world::World;

/// A running simulated API.
#[derive(Debug)]
pub struct Demo {
    address: SocketAddr,
    clock: Clock,
    /// What it tells.
    pub world: World,
}

/// Starts the simulated API on a loopback port of the system's choice; it runs as long as the process.
///
/// # Errors
/// If no port can be had.
pub async fn start(clock: Clock) -> std::io::Result<Demo> {
    let world = World::starting(clock.now());
    start_in(world, clock).await
}

/// Starts the simulated API of that world.
///
/// # Errors
/// If no port can be had.
pub async fn start_in(world: World, clock: Clock) -> std::io::Result<Demo> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let app = api::app(world, clock.clone());
    // Its one client scrapes at any interval: a connection must not end at the moment when it is used again.
    let limits = Limits { header_timeout: Duration::from_hours(1), ..Limits::default() };
    tokio::spawn(listener::serve(vec![listener], app, std::future::pending(), limits));
    Ok(Demo { address, clock, world })
}

impl Demo {
    /// Returns the base URL of the API.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Builds the exporter that reads it with the JWT of its user, as any other with these options.
    ///
    /// # Errors
    /// If the options leave nothing to read.
    pub fn exporter(&self, common: CommonOptions) -> Result<Arc<Exporter>, Failure> {
        let colleague = world::COLLEAGUE.to_string();
        let whitelabel_user = world::WHITELABEL_USER.to_string();
        let url = self.url();
        // Organizations are discovered; the other collectors are to have something to say too.
        let arguments =
            ["demo", "--api.url", &url, "--user-id", &colleague, "--whitelabel.user-id", &whitelabel_user];
        // What the environment says of the real API is not meant for this one.
        let command = CommandLine::command().mut_args(|argument| argument.env(None::<&str>));
        let matches =
            command.try_get_matches_from(arguments).map_err(|error| Failure::Running(error.to_string()))?;
        let options =
            Options::from_arg_matches(&matches).map_err(|error| Failure::Running(error.to_string()))?;
        let jwt = Origin::Environment("of the demo", self.world.jwt().into());
        let credential = Held::load(Kind::Jwt, jwt, self.clock.now())
            .map_err(|error| Failure::Running(error.to_string()))?;
        commands::build_with(&Options { common, ..options }, credential, self.clock.clone())
    }
}
