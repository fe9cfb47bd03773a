//! curl and Prometheus as clients, with TLS, client certificates and passwords.

use std::process::Output;

use tokio::process::Command;

use super::web_config::users;
use crate::deploy::prometheus::Prometheus;
use crate::support::peers::{PROMETHEUS, Release};
use crate::support::secure::{Authority, CLIENTS, Folder, Served};
use crate::support::{FakeApi, file};

/// Returns an exporter that requires a certificate with a name and a password, in a folder with right and wrong ones.
pub async fn strict() -> (FakeApi, Folder, Served) {
    let (api, authority) = (FakeApi::with_samples("typical").await, Authority::new());
    let folder = Folder::new(&authority);
    let dns = |name: &str| [rcgen::SanType::DnsName(name.try_into().unwrap())];
    for (name, signed) in [
        ("client", authority.sign(dns("prometheus"))),
        ("unnamed", authority.sign(dns("somebody"))),
        ("stranger", Authority::new().sign(dns("prometheus"))),
    ] {
        folder.write(&format!("{name}.crt"), &signed.certificate);
        folder.write(&format!("{name}.key"), &signed.key);
    }
    folder.write("password", "canary-password");
    folder.write("guess", "guess");
    let configuration = format!("{CLIENTS}  client_allowed_sans: [prometheus]\n{}", users());
    let served = folder.serve(&api, &configuration, &[]).await;
    (api, folder, served)
}

async fn curl(arguments: &[&str]) -> Output {
    let fixed =
        ["--silent", "--show-error", "--noproxy", "*", "--max-time", "20", "--write-out", "%{http_code}"];
    Command::new("curl").args(fixed).args(arguments).output().await.unwrap()
}

#[tokio::test]
#[ignore = "needs curl (Debian: curl)"]
async fn curl_is_served_only_with_the_right_certificate_and_password() {
    let (_api, folder, served) = strict().await;
    let ask = async |certificate: &str, more: &[&str]| {
        let (authority, url) = (folder.path("clients.crt"), served.https("/metrics"));
        let (crt, key) =
            (folder.path(&format!("{certificate}.crt")), folder.path(&format!("{certificate}.key")));
        let shown = ["--cert", &crt, "--key", &key];
        let shown = if certificate.is_empty() { &[][..] } else { &shown[..] };
        let output = curl(&[&["--cacert", &authority], shown, more, &[&url]].concat()).await;
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let right = ["--user", "prometheus:canary-password"];
    for version in ["--http1.1", "--http2", "--tlsv1.3", "--tls-max=1.2"] {
        let version: Vec<_> = version.split('=').collect();
        let (code, text) = ask("client", &[&right[..], &version].concat()).await;
        assert!(
            code == Some(0) && text.ends_with("200") && text.contains("edgeimpulse_up"),
            "{version:?}: {text}"
        );
    }
    for wrong in [&["--user", "prometheus:guess"][..], &["--user", "alice:canary-password"], &[]] {
        let (code, text) = ask("client", wrong).await;
        assert!(
            code == Some(0) && text.ends_with("401") && !text.contains("edgeimpulse_up"),
            "{wrong:?}: {text}"
        );
    }
    for certificate in ["", "unnamed", "stranger"] {
        let (code, text) = ask(certificate, &right).await;
        assert!(code != Some(0) && text == "000", "{certificate}: {code:?} {text}");
    }
    // A version that is too old, and a server that is not trusted.
    assert_eq!(ask("client", &["--tls-max", "1.1"]).await.1, "000");
    let output = curl(&[&served.https("/-/healthy")]).await;
    assert_eq!(output.status.code(), Some(60), "{output:?}");
    let output = curl(&[&served.http("/metrics")]).await;
    assert!(
        output.stdout.ends_with(b"\n400") && output.stdout.starts_with(b"this address requires TLS"),
        "{output:?}"
    );
}

#[tokio::test]
#[ignore = "needs prometheus (Debian: prometheus)"]
async fn prometheus_is_served_only_with_the_right_certificate_and_password() {
    for release in PROMETHEUS.releases() {
        let _tested =
            release.tested("TLS with client certificates and passwords, before and after their rotation");
        check_certificates_and_passwords(&release).await;
    }
}

async fn check_certificates_and_passwords(release: &Release) {
    let (_api, folder, served) = strict().await;
    let (authority, address) = (folder.path("clients.crt"), &served.address);
    let job = |name: &str, certificate: &str, user: &str, password: &str| {
        let (crt, key) =
            (folder.path(&format!("{certificate}.crt")), folder.path(&format!("{certificate}.key")));
        let shown =
            if certificate.is_empty() { String::new() } else { format!(", cert_file: {crt}, key_file: {key}") };
        let password = folder.path(password);
        format!(
            "- job_name: {name}\n  scheme: https\n  tls_config: {{ca_file: {authority}{shown}}}\n  \
             basic_auth: {{username: {user}, password_file: {password}}}\n  \
             static_configs: [{{targets: ['{address}']}}]\n"
        )
    };
    let jobs = [
        job("right", "client", "prometheus", "password"),
        job("no-certificate", "", "prometheus", "password"),
        job("certificate-of-another-name", "unnamed", "prometheus", "password"),
        job("certificate-of-a-stranger", "stranger", "prometheus", "password"),
        job("wrong-password", "client", "prometheus", "guess"),
        job("wrong-user", "client", "alice", "password"),
        format!("- job_name: in-the-clear\n  static_configs: [{{targets: ['{address}']}}]\n"),
    ];
    let configuration =
        format!("global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n{}", jobs.concat());
    let data = file("prometheus", "") + ".data";
    let prometheus = Prometheus::start_release(release, &configuration, &data).await;
    prometheus
        .sees("min_over_time(up{job=\"right\"}[3s]) == 1 and count_over_time(up{job=\"right\"}[3s]) > 1")
        .await;
    prometheus.sees("count(up == 0) == 6").await;
    assert_eq!(prometheus.query("up == 1").await.len(), 1);
    assert_eq!(prometheus.query("count by (job) (edgeimpulse_up)").await[0].0["job"], "right");

    // A new certificate by a new authority: Prometheus reads the changed files.
    let new = Authority::new();
    let signed = new.sign_server();
    folder.write("server.crt", &signed.certificate);
    folder.write("server.key", &signed.key);
    folder.write("clients.crt", &new.certificate());
    let client = new.sign([rcgen::SanType::DnsName("prometheus".try_into().unwrap())]);
    folder.write("client.crt", &client.certificate);
    folder.write("client.key", &client.key);
    served.lets_in(new.client().identity(client.identity())).await;
    prometheus
        .sees("min_over_time(up{job=\"right\"}[3s]) == 1 and count_over_time(up{job=\"right\"}[3s]) > 1")
        .await;
    prometheus.stop().await;
}
