//! nginx with the responses as files.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::server::{Files, gzip};

/// A running nginx, killed when it is dropped.
pub(crate) struct Nginx {
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
    child: Child,
}

impl Nginx {
    /// Starts nginx; returns `None` if it is not installed.
    pub(crate) fn start(files: &Files, folder: &Path) -> Option<Self> {
        for ((name, file), body) in files.iter() {
            std::fs::create_dir_all(folder.join(name)).unwrap();
            std::fs::write(folder.join(name).join(file), body).unwrap();
            std::fs::write(folder.join(name).join(format!("{file}.gz")), gzip(body)).unwrap();
        }
        let [plain, tls] = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let [plain, tls] = [plain, tls].map(|listener| listener.local_addr().unwrap());
        let root = folder.display();
        // As root, nginx would switch to nobody, which cannot read this directory.
        let is_root =
            std::fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("Uid:\t0"));
        let user = if is_root { "user root;" } else { "" };
        let locations = "
            location ~ ^/\\w+/v1/api/organizations/\\d+/metrics$ { try_files /any/usage =404; }
            location ~ ^/\\w+/v1/api/organizations/\\d+/(jobs|buckets|pipelines)$ { try_files /any/$1 =404; }
            location ~ ^/(\\w+)/v1/api/organizations/\\d+$ { try_files /$1/organization /any/organization =404; }
            location ~ ^/(\\w+)/v1/api/organizations$ { try_files /$1/list =404; }";
        // One process, so that killing it ends all of nginx. Bodies are compressed beforehand: compressing 19 MB takes
        // longer than reading it, and would hide the cost of the exporter.
        let configuration = format!(
            "daemon off; master_process off; {user} pid {root}/nginx.pid; error_log stderr error;
            events {{ worker_connections 1024; }}
            http {{
                access_log off; sendfile on; default_type application/json;
                keepalive_requests 1000000000; keepalive_timeout 1h; open_file_cache max=100;
                client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
                uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
                server {{ listen {plain} backlog=1024; root {root}; {locations} }}
                server {{
                    listen {tls} ssl http2 backlog=1024; root {root}; gzip_static on;
                    ssl_certificate {root}/certificate.pem; ssl_certificate_key {root}/key.pem;
                    {locations}
                }}
            }}"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let child = ["nginx", "/usr/sbin/nginx"].into_iter().find_map(|program| {
            let mut command = Command::new(program);
            command.arg("-e").arg("stderr").arg("-c").arg(&file).stdout(Stdio::null()).spawn().ok()
        })?;
        let nginx = Self { plain, tls, child };
        let began = Instant::now();
        while TcpStream::connect(tls).is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "nginx did not start within 10 s");
            std::thread::sleep(Duration::from_millis(5));
        }
        Some(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
