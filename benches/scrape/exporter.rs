//! The exporter as a process, with the CPU time and memory that the kernel reports.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::server::Api;

/// A running exporter, killed when it is dropped.
pub(crate) struct Exporter {
    pub(crate) address: SocketAddr,
    /// Time from the start of the process to the first success of `/-/ready`.
    pub(crate) start: Duration,
    child: Child,
}

/// Returns the program of the profile `dist`, or the one that `EXPORTER` names.
///
/// The program that cargo builds for a benchmark has features of dependencies that only tests need.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(path) = std::env::var_os("EXPORTER") {
            return path.into();
        }
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--profile", "dist", "--locked", "--quiet", "--bin", "edgeimpulse-exporter"]);
        command.arg("--target-dir").arg(target);
        let built = command.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
        assert!(built.success(), "cargo build --profile dist failed");
        target.join("dist/edgeimpulse-exporter")
    })
}

/// Returns the CPU time of all threads of a process, user and system. It has the resolution of the scheduler: the ticks
/// of `/proc/PID/stat` are longer than a scrape.
pub(crate) fn cpu_of(process: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let of = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or(0)
    };
    Duration::from_nanos(threads.flatten().map(of).sum())
}

impl Exporter {
    pub(crate) fn start(api: &Api, arguments: &[&str]) -> Self {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let mut command = Command::new(program());
        command
            .args(["--api.url", &api.url, "--web.listen-address", &address.to_string(), "--log.level=error"])
            // Of collectors that make a call per organization, the tables compare the two with the largest responses.
            .arg("--no-collector.jobs")
            .args(arguments)
            .env_clear()
            .env("EDGEIMPULSE_API_KEY", "ei_benchmark")
            .stdout(Stdio::null());
        if let Some(certificate) = &api.certificate {
            command.arg("--api.ca-file").arg(certificate);
        }
        let began = Instant::now();
        let child = command.spawn().unwrap();
        let mut exporter = Self { address, start: Duration::ZERO, child };
        while !exporter.is_ready() {
            assert!(began.elapsed() < Duration::from_secs(30), "the exporter did not start within 30 s");
            std::thread::sleep(Duration::from_micros(200));
        }
        exporter.start = began.elapsed();
        exporter
    }

    fn is_ready(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.address) else { return false };
        let mut answer = [0; 12];
        stream.write_all(b"GET /-/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").is_ok()
            && stream.read_exact(&mut answer).is_ok()
            && answer.ends_with(b"200")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn cpu(&self) -> Duration {
        cpu_of(self.child.id())
    }

    /// Returns a value of `/proc/PID/status`, such as `VmHWM`, in MiB.
    pub(crate) fn memory(&self, what: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':')).unwrap();
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kibibytes / 1024.0
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
