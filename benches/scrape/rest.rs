//! The process before the first request, and the size of the program.

use std::time::Duration;

use crate::exporter::{Exporter, program};
use crate::server::Link;
use crate::table::{Series, head, number, row};
use crate::{Bench, ONE};

pub(crate) fn measure(bench: &Bench) {
    let api = bench.server.api(Link::Tls, "typical");
    let [mut start, mut memory] = <[Series; 2]>::default();
    for _ in 0..20 {
        let exporter = Exporter::start(&api, &[ONE]);
        start.push_time(exporter.start);
        std::thread::sleep(Duration::from_millis(50));
        memory.push(exporter.memory("VmRSS"));
    }
    #[expect(clippy::cast_precision_loss, reason = "a program is smaller than 2^52 bytes")]
    let size = std::fs::metadata(program()).unwrap().len() as f64 / f64::from(1 << 20);
    head(["at rest", "minimum / median / maximum"]);
    row(["resident memory, MiB", &memory.spread()]);
    row(["start to `/-/ready`, ms", &start.spread()]);
    row(["program, MiB", &number(size)]);
    bench.goals.add("at rest: resident memory, MiB", 12.0, memory.median());
    bench.goals.add("at rest: start, ms", 50.0, start.median());
    bench.goals.add("at rest: program, MiB", 9.0, size);
}
