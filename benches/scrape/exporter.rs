//! The exporter as a process, and what the operating system says of it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A running exporter, ended when it is dropped.
pub(crate) struct Exporter {
    pub(crate) address: SocketAddr,
    /// From the start of the process to the first answer at `/-/ready`.
    pub(crate) start: Duration,
    child: Child,
}

/// Returns the program as it ships: the one that a benchmark is built with has features in it that tests need.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(path) = std::env::var_os("EXPORTER") {
            return path.into();
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--release", "--locked", "--quiet", "--bin", "edgeimpulse-exporter"]);
        let built = command.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
        assert!(built.success(), "the exporter has to be built");
        // Cargo puts it where the other one was.
        env!("CARGO_BIN_EXE_edgeimpulse-exporter").into()
    })
}

impl Exporter {
    pub(crate) fn start(api: &str, arguments: &[&str]) -> Self {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let mut command = Command::new(program());
        command
            .args(["--api.url", api, "--web.listen-address", &address.to_string(), "--log.level=error"])
            .args(arguments)
            .env_clear()
            .env("EDGEIMPULSE_API_KEY", "ei_benchmark")
            .stdout(Stdio::null());
        let began = Instant::now();
        let child = command.spawn().unwrap();
        let mut exporter = Self { address, start: Duration::ZERO, child };
        while !exporter.is_ready() {
            assert!(began.elapsed() < Duration::from_secs(30), "the exporter has to start");
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

    pub(crate) fn metrics(&self) -> String {
        format!("http://{}/metrics", self.address)
    }

    /// Returns the CPU time of all threads up to now, user and system: to the nanosecond, where ticks would be too long.
    pub(crate) fn cpu(&self) -> Duration {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let of = |thread: std::fs::DirEntry| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or(0)
        };
        Duration::from_nanos(threads.flatten().map(of).sum())
    }

    /// Returns a line of the process' status, such as `VmHWM`, in MiB.
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
