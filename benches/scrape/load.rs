//! Cached scrapes at a fixed rate, which does not depend on how fast responses arrive.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::server::Link;
use crate::table::{head, number, row};
use crate::{Bench, CACHED, ONE};

/// Connections, which is also the maximum number of requests in flight.
const CONNECTIONS: usize = 16;

/// Requests a second.
const RATE: u32 = 1000;

const LENGTH: Duration = Duration::from_secs(8);

/// Measures a typical organization at 1,000 cached scrapes a second.
pub(crate) fn measure(bench: &Bench) {
    let exporter = bench.exporter(&bench.server.api(Link::Plain, "typical"), &[ONE, CACHED]);
    head([
        "cached scrapes at 1,000 a second",
        "median, ms",
        "p99, ms",
        "p99.9, ms",
        "maximum, ms",
        "CPU of one core",
    ]);
    for (name, headers) in [("without compression", ""), ("gzip", "Accept-Encoding: gzip\r\n")] {
        let cpu = exporter.cpu();
        let times = run(exporter.address, RATE, LENGTH, headers);
        let cpu = exporter.cpu().saturating_sub(cpu).as_secs_f64() / LENGTH.as_secs_f64();
        let at = |thousandths: usize| {
            let index = (times.len() * thousandths / 1000).min(times.len() - 1);
            number(times[index].as_secs_f64() * 1e3)
        };
        row([name, &at(500), &at(990), &at(999), &at(1000), &format!("{:.0} %", cpu * 100.0)]);
    }
}

/// Requests the metrics `rate` times a second; returns the sorted response times.
///
/// The time of a request counts from when it was due, not from when a connection was free for it (coordinated omission).
fn run(address: SocketAddr, rate: u32, length: Duration, headers: &str) -> Vec<Duration> {
    let request = format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    let count = rate * u32::try_from(length.as_secs()).unwrap();
    let next = AtomicU32::new(0);
    let begin = Instant::now() + Duration::from_millis(50);
    let connection = || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut buffer = vec![0; 1 << 16];
        let mut times = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return times;
            }
            let due = begin + Duration::from_secs(1) * number / rate;
            if let Some(early) = due.checked_duration_since(Instant::now()) {
                std::thread::sleep(early);
            }
            stream.write_all(request.as_bytes()).unwrap();
            read_response(&mut stream, &mut buffer);
            times.push(due.elapsed());
        }
    };
    let mut times = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(connection)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    times.sort_unstable();
    times
}

/// Reads one response, with `Content-Length` or chunked.
fn read_response(stream: &mut TcpStream, buffer: &mut Vec<u8>) {
    let mut filled = 0;
    let (mut head, mut end) = (None, None);
    loop {
        if filled == buffer.len() {
            buffer.resize(filled * 2, 0);
        }
        let length = stream.read(&mut buffer[filled..]).unwrap();
        assert!(length > 0, "the exporter closed the connection");
        filled += length;
        let read = &buffer[..filled];
        if head.is_none()
            && let Some(at) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n")
        {
            assert!(read.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&read[..at]));
            let text = String::from_utf8_lossy(&read[..at]).to_ascii_lowercase();
            let length =
                text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            end = length.map(|length| at + 4 + length);
            head = Some(at);
        }
        let is_over = match (head, end) {
            (Some(_), Some(end)) => filled >= end,
            (Some(_), None) => read.ends_with(b"\r\n0\r\n\r\n"),
            _ => false,
        };
        if is_over {
            return;
        }
    }
}
