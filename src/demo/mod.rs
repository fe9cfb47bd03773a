//! A simulated Edge Impulse API, and an exporter that reads it.
//!
//! [`world`] computes the state of all organizations at a given time; [`api`] writes it as JSON according to the API's
//! specification. Neither uses the exporter's API client or its types: an error there is not hidden by the same error
//! here.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the numbers of the demo are small and positive"
)]

pub mod api;
pub mod history;
mod portfolio;
mod scenarios;
pub mod world;

use std::net::SocketAddr;
use std::sync::Arc;

use crate::collect::Exporter;
use crate::config::{AccountOptions, ApiOptions, CommonOptions, Configuration, ScopeOptions};
use crate::config::{CredentialKind, CredentialOrigin};
use crate::model::Clock;
use crate::serve::Server;
pub use world::{ORGANIZATIONS, World};

/// A running simulated API.
#[derive(Debug)]
pub struct Demo {
    address: SocketAddr,
    clock: Clock,
    /// Its state.
    pub world: World,
}

/// Starts the simulated API on a free loopback port; it runs until the process ends.
///
/// # Errors
/// If it cannot listen on a port.
pub async fn start(clock: Clock) -> std::io::Result<Demo> {
    let world = World::starting(clock.now());
    start_in(world, clock).await
}

/// Starts the simulated API with the given state.
///
/// # Errors
/// If it cannot listen on a port.
pub async fn start_in(world: World, clock: Clock) -> std::io::Result<Demo> {
    let address = Server::spawn_on_loopback(api::app(world, clock.clone())).await?;
    Ok(Demo { address, clock, world })
}

impl Demo {
    /// Returns the base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Builds an exporter that reads this API with the JWT of the demo's user.
    ///
    /// # Errors
    /// If the options leave nothing to collect.
    pub fn exporter(&self, common: CommonOptions) -> Result<Arc<Exporter>, String> {
        let jwt = CredentialOrigin::Environment("EDGEIMPULSE_JWT".to_owned(), self.world.jwt().into());
        let url = self.url().parse().map_err(|error| format!("{}: {error}", self.url()))?;
        let account = AccountOptions {
            name: "default".to_owned(),
            kind: CredentialKind::Jwt,
            origin: jwt,
            // Organizations are discovered; these ids are for collectors that need one.
            scope: ScopeOptions {
                user_ids: vec![world::OTHER_USER],
                whitelabel_user_ids: self
                    .world
                    .has_whitelabel()
                    .then_some(world::WHITELABEL_USER)
                    .into_iter()
                    .collect(),
                ..ScopeOptions::default()
            },
            collectors: common.collectors.clone(),
            place: None,
        };
        let api = ApiOptions { url, ..ApiOptions::default() };
        let configuration = Configuration { api, accounts: vec![account], common, ..Configuration::default() };
        Exporter::build(configuration, self.clock.clone(), None)
    }
}
