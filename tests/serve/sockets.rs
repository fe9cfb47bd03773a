//! Listening: multiple addresses, Unix sockets, systemd sockets, and a socket for probes.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use reqwest::Client;
use tokio::net::UnixStream;
use tokio::process::Command;

use crate::support::secure::{Authority, CLIENTS, Folder};
use crate::support::{Program, file, free_port, get};

/// Returns a client that connects to a Unix socket, whatever the URL.
fn at(path: &str) -> Client {
    drop(crate::support::client());
    Client::builder().unix_socket(path).build().unwrap()
}

/// Starts the exporter; nothing here needs an API that answers.
fn start(options: &[&str]) -> Program {
    Program::start(&[&["--api.url=http://127.0.0.1:9"], options].concat(), &[("EDGEIMPULSE_API_KEY", "ei_x")])
}

#[tokio::test]
async fn it_listens_at_every_address_that_is_given() {
    let path = file("socket", "") + ".s";
    let unix = format!("--web.listen-address=unix:{path}");
    let mut program = start(&["--web.listen-address=127.0.0.1:0,127.0.0.1:0", &unix]);
    let addresses = [program.address().await, program.address().await];
    assert_ne!(addresses[0], addresses[1]);
    for address in addresses {
        assert_eq!(get(format!("http://{address}/-/ready")).await.unwrap().status(), 200);
    }
    assert_eq!(program.address().await, format!("unix:{path}"));
    assert_eq!(
        at(&path).get("http://exporter/-/ready").send().await.unwrap().text().await.unwrap(),
        "Ready.\n"
    );
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    program.stop().await;
    assert!(!Path::new(&path).exists(), "it cleans up");
}

#[tokio::test]
#[ignore = "needs root, and unshare (Debian: util-linux) and ip (Debian: iproute2)"]
async fn every_address_includes_ipv4_whatever_the_system_prefers() {
    // A network of its own, in which IPv6 sockets leave IPv4 out by default.
    let script = r#"
        ip link set lo up && echo 1 > /proc/sys/net/ipv6/bindv6only || exit 9
        "$0" demo --web.listen-address=:10101 > /dev/null &
        for host in [::1] 127.0.0.1; do
            for _ in $(seq 300); do
                "$0" healthcheck --web.listen-address=$host:10101 && break
                sleep 0.1
            done
        done
        kill $!"#;
    let mut command = Command::new("unshare");
    command.args(["--net", "bash", "-c", script, env!("CARGO_BIN_EXE_edgeimpulse-exporter")]);
    let ended = Program::run(command).end().await;
    assert_eq!(ended.stdout, "healthy\nhealthy\n", "{ended:?}");
}

#[tokio::test]
async fn a_socket_that_was_left_behind_is_replaced_and_one_in_use_is_not() {
    let path = file("socket", "") + ".s";
    let unix = format!("--web.listen-address=unix:{path}");
    let mut killed = start(&[&unix]);
    killed.address().await;
    killed.signal("KILL");
    killed.end().await;
    assert!(UnixStream::connect(&path).await.is_err() && Path::new(&path).exists());
    let mut program = start(&[&unix]);
    program.address().await;
    let second = start(&[&unix]).end().await;
    assert_eq!(second.code, Some(2));
    assert_eq!(
        second.stderr,
        format!("error: --web.listen-address: cannot listen on unix:{path}: address in use\n")
    );
    assert!(at(&path).get("http://exporter/").send().await.is_ok(), "the first is not disturbed");

    let precious = file("precious", "something");
    let ended = start(&[&format!("--web.listen-address=unix:{precious}")]).end().await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("the file exists and is not a socket"), "{}", ended.stderr);
    assert_eq!(std::fs::read_to_string(precious).unwrap(), "something");
    for address in ["unix:", "unix", "10101", "example.com:80"] {
        let ended = start(&["--web.listen-address", address]).end().await;
        assert_eq!(ended.code, Some(2), "{address}");
        assert!(ended.stderr.contains("expected "), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn passwords_hold_at_unix_sockets_too() {
    let folder = Folder::empty();
    let hash = bcrypt::hash("right", 4).unwrap();
    folder.write("web.yml", &format!("basic_auth_users: {{ prometheus: '{hash}' }}\n"));
    let path = folder.path("s");
    let mut program =
        start(&["--web.config.file", &folder.path("web.yml"), &format!("--web.listen-address=unix:{path}")]);
    program.address().await;
    let request = || at(&path).get("http://exporter/");
    assert_eq!(request().send().await.unwrap().status(), 401);
    assert_eq!(request().basic_auth("prometheus", Some("right")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn probes_have_an_address_of_their_own_without_a_certificate() {
    let authority = Authority::new();
    let folder = Folder::new(&authority);
    folder.write("web.yml", CLIENTS);
    let mut program = start(&[
        "--web.config.file",
        &folder.path("web.yml"),
        "--web.listen-address=127.0.0.1:0",
        "--web.probe-listen-address=127.0.0.1:0",
    ]);
    let (address, probes) = (program.address().await, program.address().await);
    let status = async |path: &str| get(format!("http://{probes}{path}")).await.unwrap().status();
    assert_eq!(
        (status("/-/healthy").await, status("/-/ready").await),
        (200.try_into().unwrap(), 200.try_into().unwrap())
    );
    for path in ["/metrics", "/", "/-/reload", "/-/healthy/"] {
        assert_eq!(status(path).await, 404, "{path}");
    }
    let client = authority.client().build().unwrap();
    assert!(client.get(format!("https://{address}/-/healthy")).send().await.is_err());
}

/// Starts the exporter as systemd does, with those sockets opened for it.
fn activated(listen: &[&str]) -> Program {
    let mut command = Command::new("systemd-socket-activate");
    command.args(listen).arg("--setenv=EDGEIMPULSE_API_KEY=ei_x");
    command.args([
        env!("CARGO_BIN_EXE_edgeimpulse-exporter"),
        "--web.systemd-socket",
        "--api.url=http://127.0.0.1:9",
    ]);
    Program::run(command)
}

#[tokio::test]
#[ignore = "needs systemd-socket-activate (Debian: systemd)"]
async fn sockets_that_systemd_has_opened_are_taken() {
    let path = file("socket", "") + ".s";
    let tcp = format!("127.0.0.1:{}", free_port());
    let mut program = activated(&["-l", &tcp, "-l", &path]);
    program.says("Listening on").await;
    // The connection that starts it is answered, too.
    let first = tokio::spawn(get(format!("http://{tcp}/-/ready")));
    let addresses = [program.address().await, program.address().await];
    assert_eq!(addresses, [tcp.clone(), format!("unix:{path}")]);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!(at(&path).get("http://exporter/-/ready").send().await.unwrap().status(), 200);
    program.stop().await;
    assert!(Path::new(&path).exists(), "what systemd has made is systemd's");
}

#[tokio::test]
async fn without_a_socket_of_systemd_it_says_what_to_do() {
    let ended = start(&["--web.systemd-socket"]).end().await;
    assert_eq!(ended.code, Some(2));
    let text = "--web.systemd-socket: systemd passed no sockets; start the service through its .socket unit\n";
    assert_eq!(ended.stderr, format!("error: {text}"));
}
