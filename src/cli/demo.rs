//! `demo`: the exporter against a simulated API.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::output::print;
use super::{Failure, logging, serve};
use crate::config::{CommonOptions, ListenAddress, positive_duration};
use crate::demo::{self, World};
use crate::model::Clock;

/// What can be set about the demo, whose API and credential are its own.
#[derive(Args, Debug)]
pub struct DemoOptions {
    /// Organizations in all; those without a story of their own are seen by their white label only
    #[arg(long, value_name = "N", default_value_t = demo::ORGANIZATIONS, value_parser = clap::value_parser!(u64).range(..=100_000))]
    pub organizations: u64,
    /// Write the demo's past of this length as OpenMetrics with timestamps, and end
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub history: Option<Duration>,
    /// Time between two moments of the past
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = positive_duration)]
    pub history_step: Duration,
    /// What serving can be told too.
    #[command(flatten)]
    pub common: CommonOptions,
}

/// Serves the metrics of a simulated API.
///
/// # Errors
/// If an address cannot be listened on.
pub(super) async fn demo(options: &DemoOptions) -> Result<ExitCode, Failure> {
    logging::init(&options.common.log);
    let now = Clock::System.now();
    let world = World::starting(now).with_organizations(options.organizations);
    if let Some(length) = options.history {
        let port = options.common.web.listen_addresses.iter().find_map(ListenAddress::port).unwrap_or_default();
        let (instance, step) = (format!("localhost:{port}"), options.history_step);
        print(
            &demo::history::write(options.common.clone(), world, &instance, now, length, step)
                .await
                .map_err(Failure::Running)?,
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let server = serve::open(&options.common).await?;
    let api =
        demo::start_in(world, Clock::System).await.map_err(|error| Failure::Running(error.to_string()))?;
    let exporter = api.exporter(options.common.clone()).map_err(Failure::Running)?;
    let (scheme, port, path) = (server.scheme(), server.port(), &exporter.web().telemetry_path);
    print(&format!(
        "A simulated Edge Impulse API answers at {}\n\
         The exporter reads it as it would read the real one:\n\
         \x20 {scheme}://localhost:{port}{path}  the metrics\n\
         \x20 {scheme}://localhost:{port}/         a page for people\n\
         Nothing outside this machine is contacted. Ctrl-C ends it.\n",
        api.url()
    ))?;
    Ok(serve::run(exporter, server).await)
}
