//! A list of 100,000 organizations, of which 20,000 are read, whose calls get no response: the deadline of the scrape has to
//! hold.

use std::fmt::Write as _;

use crate::Bench;
use crate::UNCACHED;
use crate::exporter::Exporter;
use crate::own::{self, Service};
use crate::server::Api;
use crate::table::{head, number, row};

/// Organizations of the list.
const ORGANIZATIONS: u32 = 100_000;

/// Organizations that are read, the maximum of a list.
const READ: u32 = 20_000;

/// Seconds until the deadline, which is the scrape timeout here.
const DEADLINE: f64 = 10.0;

pub(crate) fn measure(bench: &Bench) {
    let list = list();
    head([
        &format!(
            "{ORGANIZATIONS} organizations in a list of {} KB, {READ} are read, all calls hang, deadline 10 s",
            list.len() / 1000
        ),
        "answered after, s",
        "over the deadline",
        "CPU, s",
        "peak memory, MiB",
    ]);
    let address = own::start(Service::Hanging(list.into()), None);
    let api = Api { url: format!("http://{address}/hanging/v1"), certificate: None };
    let exporter = Exporter::start(&api, &[UNCACHED, "--scrape.timeout-offset=0s"]);
    // In the second scrape, calls of the first one are still in flight.
    for name in ["first scrape", "second scrape"] {
        let scrape = bench.clients.scrape(&exporter, DEADLINE);
        let time = scrape.time.as_secs_f64();
        let over = (time / DEADLINE - 1.0) * 100.0;
        let peak = number(exporter.memory("VmHWM"));
        row([name, &format!("{time:.2}"), &format!("{over:.1} %"), &number(scrape.cpu.as_secs_f64()), &peak]);
        bench.goals.add(&format!("hanging calls, {name}: seconds"), DEADLINE * 1.05, time);
    }
}

/// Returns a list with nothing but IDs.
fn list() -> String {
    let mut json = r#"{"success":true,"organizations":["#.to_owned();
    for id in 1..=ORGANIZATIONS {
        let comma = if id > 1 { "," } else { "" };
        let _ = write!(json, r#"{comma}{{"id":{id}}}"#);
    }
    json + "]}"
}
