//! `demo`: serves a simulated API and an exporter that reads it.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::output::{init_log, print};
use super::{Failure, serve};
use crate::config::{CommonOptions, ListenAddress, OptionSources, number, positive_duration};
use crate::demo::{self, World};
use crate::model::Clock;
use crate::serve::Server;

/// Options of `demo`. The API and the credential are part of the demo and cannot be configured.
#[derive(Args, Debug)]
pub struct DemoOptions {
    /// Where the others were set. Comes first, because reading an option removes it from the matches.
    #[command(flatten)]
    pub sources: OptionSources,
    /// Number of organizations; those above the first 11 are visible only through their white label
    #[arg(long, value_name = "N", default_value_t = demo::ORGANIZATIONS, value_parser = organizations)]
    pub organizations: u64,
    /// Write this much history as OpenMetrics with timestamps to standard output and exit
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub history: Option<Duration>,
    /// Interval between samples of --history
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = positive_duration)]
    pub history_step: Duration,
    /// Options that are the same as without a command.
    #[command(flatten)]
    pub common: CommonOptions,
}

fn organizations(text: &str) -> Result<u64, String> {
    number(text, 1..=100_000)
}

/// Serves the metrics of a simulated API, or writes their history.
pub(super) async fn demo(options: &DemoOptions) -> Result<ExitCode, Failure> {
    init_log(&options.common.log, &[]);
    let now = Clock::System.now();
    let world = World::starting(now).with_organizations(options.organizations);
    if let Some(length) = options.history {
        let port = options.common.web.listen_addresses.iter().find_map(ListenAddress::port).unwrap_or_default();
        let (instance, step) = (format!("localhost:{port}"), options.history_step);
        let history = demo::history::write(options.common.clone(), world, &instance, now, length, step).await;
        return print(history.map_err(Failure::Running)?);
    }
    let server = Server::open(&options.common.web).await;
    let server = server.map_err(|error| Failure::Configuration(options.sources.describe(error)))?;
    let api = demo::start_in(world, Clock::System).await;
    let api = api.map_err(|error| Failure::Running(format!("cannot start the simulated API: {error}")))?;
    let exporter = api.exporter(options.common.clone()).map_err(Failure::Running)?;
    let (scheme, port, path) = (server.scheme(), server.port(), &exporter.web().telemetry_path);
    let program = std::env::args().next().unwrap_or_default();
    let mut keys = api.world.ids().map(World::api_key);
    let key = keys.next().unwrap_or_default();
    let several = keys.next().map(|key| {
        format!(
            "For several accounts, set api.url in a configuration file, not the variable; another API key: {key}\n"
        )
    });
    print(format!(
        "Simulated Edge Impulse API: {url}\n\
         Exporter that reads it:\n\
         \x20 {scheme}://localhost:{port}{path}  metrics\n\
         \x20 {scheme}://localhost:{port}/         status page\n\
         Try other commands in a second terminal, with an API key or the JWT of this simulated API:\n\
         \x20 export EDGEIMPULSE_API_URL={url}\n\
         \x20 EDGEIMPULSE_API_KEY={key} {program} check\n\
         \x20 EDGEIMPULSE_JWT={jwt} {program} scrape\n\
         {several}\
         Nothing outside this machine is contacted. Press Ctrl-C to stop.\n",
        url = api.url(),
        jwt = api.world.jwt(),
        several = several.unwrap_or_default(),
    ))?;
    Ok(serve::run(exporter, server).await)
}
