//! Servers of files that stay the same: nginx where it is installed, else one of our own; and one behind a slow link.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The bodies of a server, by the first part of the path and the name of the file.
pub(crate) type Files = Arc<BTreeMap<(&'static str, &'static str), Vec<u8>>>;

/// A running server, ended when it is dropped.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    address: SocketAddr,
    nginx: Option<Child>,
}

impl Server {
    /// Starts nginx, or a server of our own where there is none; `folder` is for its files.
    pub(crate) fn start(files: &Files, folder: &Path) -> Self {
        Self::nginx(files, folder).unwrap_or_else(|| Self::own(files, None))
    }

    /// Starts a server that sends `bytes_per_second`, whatever the number of its connections.
    pub(crate) fn throttled(files: &Files, bytes_per_second: u32) -> Self {
        Self::own(files, Some(bytes_per_second))
    }

    /// Returns the base URL of the API that serves the answers called `name`.
    pub(crate) fn api(&self, name: &str) -> String {
        format!("http://{}/{name}/v1", self.address)
    }

    fn nginx(files: &Files, folder: &Path) -> Option<Self> {
        for ((name, file), body) in files.iter() {
            std::fs::create_dir_all(folder.join(name)).unwrap();
            std::fs::write(folder.join(name).join(file), body).unwrap();
        }
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let root = folder.display();
        // Started as root it would serve as nobody, who may not look into this folder.
        let is_root =
            std::fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("Uid:\t0"));
        let user = if is_root { "user root;" } else { "" };
        // One process, so that ending it ends all of it.
        let configuration = format!(
            "daemon off; master_process off; {user} pid {root}/nginx.pid; error_log stderr error;
            events {{ worker_connections 1024; }}
            http {{
                access_log off; sendfile on; default_type application/json;
                keepalive_requests 1000000000; keepalive_timeout 1h; open_file_cache max=100;
                client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
                uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
                server {{
                    listen {address} backlog=1024; root {root};
                    location ~ ^/(\\w+)/v1/api/organizations/\\d+/metrics$ {{ try_files /$1/usage /any/usage =404; }}
                    location ~ ^/(\\w+)/v1/api/organizations/\\d+$ {{ try_files /$1/organization /any/organization =404; }}
                    location ~ ^/(\\w+)/v1/api/organizations$ {{ try_files /$1/list =404; }}
                }}
            }}"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let nginx = ["nginx", "/usr/sbin/nginx"].into_iter().find_map(|program| {
            let mut command = Command::new(program);
            command.arg("-e").arg("stderr").arg("-c").arg(&file).stdout(Stdio::null()).spawn().ok()
        })?;
        let server = Self { name: "nginx", address, nginx: Some(nginx) };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if began.elapsed() > Duration::from_secs(10) {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Some(server)
    }

    fn own(files: &Files, bytes_per_second: Option<u32>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let files = Arc::clone(files);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let files = Arc::clone(&files);
                std::thread::spawn(move || {
                    // The client may leave at any moment.
                    let _ = converse(stream, &files, bytes_per_second);
                });
            }
        });
        Self { name: "a server of our own", address, nginx: None }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(nginx) = &mut self.nginx {
            let _ = nginx.kill();
            let _ = nginx.wait();
        }
    }
}

fn converse(mut stream: TcpStream, files: &Files, bytes_per_second: Option<u32>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut requests = BufReader::new(stream.try_clone()?);
    loop {
        let mut first = String::new();
        requests.read_line(&mut first)?;
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if requests.read_line(&mut line)? == 0 {
                return Ok(());
            }
        }
        let path: Vec<_> = first.split(' ').nth(1).unwrap_or_default().split(['/', '?']).collect();
        let file = match path.get(4..) {
            Some(["organizations"]) => "list",
            Some(["organizations", _]) => "organization",
            _ => "usage",
        };
        let of = |name: &str| files.iter().find(|((of, what), _)| *of == name && *what == file);
        let Some((_, body)) = of(path[1]).or_else(|| of("any")) else { return Ok(()) };
        stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes())?;
        match bytes_per_second {
            None => stream.write_all(body)?,
            Some(rate) => drip(&mut stream, body, rate)?,
        }
    }
}

/// Sends at a steady pace: as a link does, not faster for having been slow.
fn drip(stream: &mut TcpStream, body: &[u8], rate: u32) -> std::io::Result<()> {
    /// A jumbo frame or six ordinary ones.
    const PART: usize = 9000;
    let pause = Duration::from_secs(1) * u32::try_from(PART).unwrap_or_default() / rate;
    let mut due = Instant::now();
    for part in body.chunks(PART) {
        due += pause;
        // It takes a moment to wake up: sleep less, and the rest is caught up with by the next part.
        if let Some(early) = due.checked_duration_since(Instant::now()) {
            std::thread::sleep(early);
        }
        stream.write_all(part)?;
    }
    Ok(())
}
