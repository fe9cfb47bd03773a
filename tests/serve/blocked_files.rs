//! Files that cannot be read in time, as on a network file system that is gone. A FIFO without a writer stands for them.
#![cfg(unix)]

use std::time::Duration;

use crate::support::secure::{Authority, Folder, TLS};
use crate::support::{FakeApi, Program, client, eventually, file};

/// Replaces a file by a FIFO.
fn block(path: &str) {
    let _ = std::fs::remove_file(path);
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A configuration with every file that is read while the exporter runs, as paths by their kind.
struct Files {
    paths: [(&'static str, String); 4],
    authority: Authority,
    configuration: String,
    web: String,
}

impl Files {
    fn of(api: &FakeApi) -> Self {
        let authority = Authority::new();
        let folder = Folder::new(&authority);
        folder.write("key", "ei_x");
        folder.write("web.yml", TLS);
        let [key, authorities, web] = ["key", "clients.crt", "web.yml"].map(|name| folder.path(name));
        let configuration = format!(
            "api: {{url: '{}', ca_file: '{authorities}'}}\naccounts: [{{name: a, key_file: '{key}'}}]\n\
             cache: {{ttl: 0s}}\nweb: {{config_file: '{web}', listen_addresses: ['127.0.0.1:0']}}\n",
            api.url()
        );
        let configuration = file("config.yaml", &configuration);
        let paths = [
            ("credential", key),
            ("certificate", folder.path("server.crt")),
            ("authority", authorities),
            ("configuration", configuration.clone()),
        ];
        Self { paths, authority, configuration, web }
    }

    fn paths(&self) -> impl Iterator<Item = (&str, &str)> {
        self.paths.iter().map(|(kind, path)| (*kind, path.as_str())).chain([("web", self.web.as_str())])
    }
}

#[tokio::test]
async fn a_file_that_blocks_keeps_the_last_good_value_and_nothing_waits_for_it() {
    let api = FakeApi::with_samples("typical").await;
    let block_one = async |kind: &str| {
        let files = Files::of(&api);
        let mut program = Program::start(&["--config.file", &files.configuration], &[]);
        let address = program.address().await;
        let get = async |path: &str| {
            let client = files.authority.client().build().unwrap();
            let request = client.get(format!("https://{address}{path}")).timeout(Duration::from_mins(1));
            request.send().await.unwrap().text().await.unwrap()
        };
        assert!(get("/metrics").await.contains("edgeimpulse_up{account=\"a\"} 1"), "{kind}");
        let (_, path) = files.paths().find(|(other, _)| *other == kind).unwrap();
        block(path);
        program.signal("HUP");
        let asking = async {
            loop {
                assert_eq!(get("/-/healthy").await, "Healthy.\n", "{kind}");
                assert!(get("/metrics").await.contains("edgeimpulse_up{account=\"a\"} 1"), "{kind}");
            }
        };
        let line = tokio::select! {
            line = program.says("no content within") => line,
            () = asking => unreachable!("it asks without end"),
        };
        assert!(line.contains(path) || kind == "credential", "{line}");
        for _ in 0..3 {
            assert_eq!(get("/-/healthy").await, "Healthy.\n", "{kind}");
            let metrics = get("/metrics").await;
            assert!(metrics.contains("edgeimpulse_up{account=\"a\"} 1"), "{kind}: {metrics}");
            let loaded = i32::from(kind != "credential");
            let loaded =
                format!("edgeimpulse_exporter_credential_last_load_successful{{account=\"a\"}} {loaded}");
            assert!(metrics.contains(&loaded), "{kind}: {metrics}");
        }
        program.stop().await
    };
    let [credential, certificate, authority, configuration, web] =
        ["credential", "certificate", "authority", "configuration", "web"];
    tokio::join!(
        block_one(credential),
        block_one(certificate),
        block_one(authority),
        block_one(configuration),
        block_one(web)
    );
}

#[tokio::test]
async fn a_start_with_a_file_that_blocks_ends_with_its_name() {
    let api = FakeApi::start().await;
    let start = async |kind: &str| {
        let files = Files::of(&api);
        let (_, path) = files.paths().find(|(other, _)| *other == kind).unwrap();
        block(path);
        let ended = Program::ends(&["--config.file", &files.configuration], &[], 2).await;
        let line = ended.stderr.lines().last().unwrap();
        assert!(line.contains(path) && line.contains("no content within 5s"), "{kind}: {line}");
    };
    tokio::join!(
        start("credential"),
        start("certificate"),
        start("authority"),
        start("configuration"),
        start("web")
    );
}

#[tokio::test]
async fn a_credential_can_come_from_a_fifo_and_a_slow_one_is_used_by_the_next_scrape() {
    let api = FakeApi::with_samples("typical").await;
    let (url, key) = (api.url(), file("key", ""));
    block(&key);
    let write = |text: &'static str| {
        let key = key.clone();
        tokio::task::spawn_blocking(move || std::fs::write(key, text).unwrap())
    };
    let arguments = ["--api.url", &url, "--api.key-file", &key, "--web.listen-address=127.0.0.1:0"];
    let mut program = Program::start(&[&arguments[..], &["--cache.ttl=0s"]].concat(), &[]);
    write("ei_first\n").await.unwrap();
    let address = program.address().await;
    let up = async || {
        let metrics = client().get(format!("http://{address}/metrics")).send().await.unwrap();
        metrics.text().await.unwrap().contains("edgeimpulse_up{account=\"default\"} 1")
    };
    api.accepts_only("x-api-key", "ei_second").await;
    assert!(!up().await, "it waits for the second key in vain");
    write("ei_second\n").await.unwrap();
    eventually(async || if up().await { Ok(()) } else { Err("the second key is not used".to_owned()) }).await;
    program.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_number_of_threads_does_not_depend_on_the_machine() {
    let environment = [("TOKIO_WORKER_THREADS", "64"), ("EDGEIMPULSE_API_KEY", "ei_x")];
    let mut program = Program::start(&["--web.listen-address=127.0.0.1:0"], &environment);
    let address = program.address().await;
    crate::support::get_text(format!("http://{address}/-/healthy")).await;
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")).unwrap();
    assert!(threads.trim().parse::<u32>().unwrap() <= 37, "{status}");
    program.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_start_without_the_threads_it_needs_is_one_line_and_exit_code_1() {
    // The limit does not apply to root, and counts all threads of a user.
    let program = env!("CARGO_BIN_EXE_edgeimpulse-exporter");
    let script = "if [ $(id -u) = 0 ]; then set -- setpriv --reuid=54321 --regid=54321 --clear-groups \"$@\"; fi; \
                  ulimit -u 1; exec \"$@\"";
    let mut command = tokio::process::Command::new("bash");
    command.args(["-c", script, "sh", program, "--api.key-file", "/dev/null"]);
    let ended = Program::run(command).end().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.starts_with("error: cannot start "), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
}
