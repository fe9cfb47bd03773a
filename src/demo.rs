//! A simulated Edge Impulse API, and the ordinary exporter pointed at it.
//!
//! [`world`] says what there is at a moment, [`api`] says it as the vendor's document does. Both share nothing with
//! [`crate::api`]: if they did, an error in one would be hidden by the same error in the other.

pub mod api;
mod json;
mod stories;
pub mod world;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpListener;
use url::Url;

use crate::account::Scope;
use crate::api::{Settings, Terms};
use crate::clock::Clock;
use crate::collector::Collector;
use crate::commands;
use crate::config::CommonOptions;
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
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let world = World::starting(clock.now());
    let app = api::app(world, clock);
    tokio::spawn(listener::serve(vec![listener], app, std::future::pending(), Limits::default()));
    Ok(Demo { address, clock, world })
}

impl Demo {
    /// Returns the base URL of the API.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Builds the exporter that reads it with the JWT of its user.
    ///
    /// # Errors
    /// If the HTTP client cannot be set up.
    pub fn exporter(&self, common: &CommonOptions) -> Result<Exporter, String> {
        let settings = Settings {
            url: Url::parse(&self.url()).map_err(|error| error.to_string())?,
            timeout: Duration::from_secs(30),
            max_response_size: 1 << 28,
            usage_query: vec![("excludeEdgeImpulseUsers", "true"), ("projectVisibility", "private")],
            terms: Terms {
                now: 0.0,
                compute_time_unit: 1.0,
                memory_unit: 1.0,
                projects: common.collectors.projects,
                most_datasets: common.collectors.most_datasets,
            },
        };
        let jwt = Origin::Environment("of the demo", self.world.jwt().into());
        let credential = Held::load(Kind::Jwt, jwt, self.clock.now()).map_err(|error| error.to_string())?;
        // The credential discovers its organizations by itself; the other collectors have something to say too.
        let scope = Scope {
            collectors: common.collectors.enabled.iter().copied().collect::<BTreeSet<Collector>>(),
            users: BTreeSet::from([world::COLLEAGUE]),
            whitelabel_users: BTreeSet::from([world::WHITELABEL_USER]),
            ..Scope::default()
        };
        commands::assemble(common, settings, 8, credential, scope, self.clock)
    }
}
