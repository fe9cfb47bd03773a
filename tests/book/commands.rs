//! Commands of the pages. bash runs each block as it stands, with a stand-in for every program, which writes down how it
//! was called; then each call is done or checked, by the program that it is for.
//!
//! What has no stand-in is not found by bash, and the block fails.

use std::path::{Path, PathBuf};

use clap::Parser;
use edgeimpulse_exporter::cli::arguments::{Command, CommandLine};
use edgeimpulse_exporter::demo::world::{WHITELABEL_OWNER, World};
use edgeimpulse_exporter::demo::{self, Demo};
use edgeimpulse_exporter::model::Clock;
use tokio::process;

use super::check_query;
use crate::support::markdown::{Block, root};
use crate::support::{Exposition, Program, client, data, file, get};

/// Programs that are stood in for, by their name or their path.
const PROGRAMS: &[&str] = &[
    "amtool",
    "apt",
    "cargo",
    "curl",
    "deploy/debian/assets",
    "docker",
    "edgeimpulse-exporter",
    "git",
    "grep",
    "helm",
    "install",
    "kill",
    "kubectl",
    "man",
    "mkdir",
    "mv",
    "node",
    "npm",
    "npx",
    "prometheus",
    "prometheus-alertmanager",
    "promtool",
    "rm",
    "sha256sum",
    "sudo",
    "systemctl",
    "target/dist/edgeimpulse-exporter",
    "target/release/edgeimpulse-exporter",
    ".ci/prometheusrule",
    ".ci/run",
];

/// Writes down its name, its folder, its arguments, and what the environment says to the exporter.
const STAND_IN: &str = r#"#!/bin/bash
name=${0##*/}
[ "$name" = sudo ] && exec "$@"
printf -v call '%s\x1f' "$name" "$PWD" "${!EDGEIMPULSE_@}" --- "$@"
for variable in "${!EDGEIMPULSE_@}"; do call+=$variable=${!variable}$'\x1f'; done
printf '%s\x1e' "$call" >> "$CALLS"
exit 0
"#;

/// What was called.
#[derive(Debug)]
struct Call {
    program: String,
    folder: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Call {
    fn read(text: &str) -> Self {
        let mut parts = text.strip_suffix('\x1f').unwrap_or(text).split('\x1f').map(str::to_owned);
        let (program, folder) = (parts.next().unwrap(), parts.next().unwrap().into());
        let variables = parts.by_ref().take_while(|part| part != "---").count();
        let mut arguments: Vec<_> = parts.collect();
        let environment = arguments.split_off(arguments.len() - variables);
        let pair = |text: String| text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { program, folder, arguments, environment: environment.into_iter().filter_map(pair).collect() }
    }

    /// Returns the values of an option, `--name value` or `--name=value`.
    fn values<'a>(&'a self, names: &'a [&str]) -> Vec<&'a str> {
        let mut values = Vec::new();
        for (number, argument) in self.arguments.iter().enumerate() {
            let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
            if names.contains(&name) {
                let next = || self.arguments.get(number + 1).map_or("", String::as_str);
                values.push(if argument.contains('=') { value } else { next() });
            }
        }
        values
    }

    fn has_files(&self, names: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<(), String> {
        for name in names {
            if !self.folder.join(&name).exists() {
                return Err(format!("there is no {}", name.as_ref().display()));
            }
        }
        Ok(())
    }
}

/// Fails with a text unless that is so.
fn ensure(is_so: bool, text: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(text()) }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Copies a folder of the repository without what no page needs.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let name = from.file_name().unwrap();
        if from.is_symlink() || ["node_modules", "images", "dist"].iter().any(|foreign| name == *foreign) {
            continue;
        }
        if from.is_dir() {
            copy(&from, &to.join(name));
        } else {
            std::fs::copy(&from, to.join(name)).unwrap();
        }
    }
}

/// A copy of the repository with the files that commands read, a simulated API, and an exporter of it.
pub struct Workshop {
    folder: PathBuf,
    api: Demo,
    /// Ends when it is dropped.
    _exporter: Program,
    address: String,
}

impl Workshop {
    pub async fn open() -> Self {
        let folder = PathBuf::from(file("book", "") + ".d");
        for name in [".ci", "dashboards", "deploy", "docs", "tools"] {
            copy(&root().join(name), &folder.join(name));
        }
        for name in ["bin", "target/dist", "target/release", "target/tutorial", "history"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        for program in PROGRAMS {
            use std::os::unix::fs::PermissionsExt as _;
            let path =
                if program.contains('/') { folder.join(program) } else { folder.join("bin").join(program) };
            std::fs::write(&path, STAND_IN).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let api = demo::start(Clock::System).await.unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        let key = World::api_key(WHITELABEL_OWNER);
        write("jwt.txt", &api.world.jwt());
        write("openapi.yml", &data("openapi.json"));
        for name in ["key.txt", "api-key.txt", "research.txt", "production.txt"] {
            write(name, &key);
        }
        // As the pages have it, of an API that is there.
        let configuration = |account: &str| {
            format!(
                "accounts: [{account}]\napi: {{url: {}}}\n\
                 web: {{listen_addresses: ['127.0.0.1:0'], enable_lifecycle: true}}\n",
                api.url()
            )
        };
        write("edgeimpulse.yaml", &configuration("{name: research, key_file: key.txt}"));
        write("values.yaml", "");
        write("kustomization.yaml", "");
        write("history/organization-1.om", "# EOF\n");
        write("served.yaml", &configuration("{name: default, jwt_file: jwt.txt}"));
        let path = folder.join("served.yaml");
        let mut exporter = Program::start(&["--config.file", path.to_str().unwrap()], &[]);
        let address = exporter.address().await;
        Self { folder, api, _exporter: exporter, address }
    }

    /// Runs a block, and returns what was done with each of its commands.
    pub async fn run(&self, block: &Block) -> Result<Vec<&'static str>, String> {
        let calls = self.folder.join("calls");
        std::fs::write(&calls, "").unwrap();
        // Pages of tools are about commands in their folder.
        let page = Path::new(&block.page);
        let folder = if page.starts_with("tools") {
            self.folder.join(page.parent().unwrap())
        } else {
            self.folder.clone()
        };
        let script = self.folder.join("block.sh");
        std::fs::write(&script, &block.text).unwrap();
        let output = process::Command::new("/bin/bash")
            .args(["--norc", "-c", "set -e; enable -n kill; source \"$0\"; wait"])
            .arg(&script)
            .current_dir(&folder)
            .env_clear()
            .env("PATH", self.folder.join("bin"))
            .env("CALLS", &calls)
            .kill_on_drop(true)
            .output()
            .await
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).replace(&*self.folder.to_string_lossy(), "");
        ensure(output.status.success() && stderr.is_empty(), || format!("bash: {} {stderr}", output.status))?;
        let mut done = Vec::new();
        for call in std::fs::read_to_string(&calls).unwrap().split_terminator('\x1e').map(Call::read) {
            let way = self
                .judge(&call)
                .await
                .map_err(|error| format!("{} {:?}: {error}", call.program, call.arguments))?;
            done.push(way);
        }
        Ok(done)
    }

    /// Does or checks a call, and says which.
    async fn judge(&self, call: &Call) -> Result<&'static str, String> {
        let all = call.arguments.iter().map(String::as_str).collect::<Vec<_>>();
        match call.program.as_str() {
            "edgeimpulse-exporter" => self.exporter(call, &all).await,
            "cargo" => self.cargo(call, &all).await,
            "curl" => self.curl(&all).await,
            "docker" => docker(call, &all),
            "helm" => helm(call, &all),
            "kubectl" => kubectl(call, &all),
            "systemctl" => systemctl(&all),
            "promtool" => promtool(&all),
            "apt" => apt(&all),
            // Run with these files by tests of their own.
            "prometheus" | "prometheus-alertmanager" => {
                let files = call.values(&["--config.file"]);
                ensure(files.len() == 1, || "no --config.file".to_owned())?;
                call.has_files(files).map(|()| "prometheus and alertmanager: files found, run by the tutorial")
            }
            "npx" => {
                let package = std::fs::read_to_string(call.folder.join("package.json"))
                    .map_err(|error| error.to_string())?;
                ensure(package.contains(&format!("\"{}\"", all[0])), || {
                    format!("package.json has no {}", all[0])
                })?;
                Ok("node: files found, run by the tutorial")
            }
            "npm" => call.has_files(["package.json"]).map(|()| "node: files found, run by the tutorial"),
            "node" => {
                let files =
                    all.iter().filter(|name| [".mjs", ".json"].iter().any(|ending| name.ends_with(ending)));
                call.has_files(files).map(|()| "node: files found, run by the tutorial")
            }
            "install" => {
                let sources = all.iter().rev().skip(1).filter(|word| {
                    let is_mode = word.len() == 4 && word.chars().all(|c| c.is_ascii_digit());
                    !word.starts_with('-') && !is_mode && **word != "65532" && **word != "/dev/stdin"
                });
                call.has_files(sources).map(|()| "files: found")
            }
            // Tested by tests/packages.rs and tests/manifests.rs, or by what they are: themselves.
            "assets" => call.has_files(&call.arguments).map(|()| "script: exists"),
            "prometheusrule" | "run" => Ok("script: exists"),
            // They do what they always do.
            "amtool" | "git" | "grep" | "kill" | "man" | "mkdir" | "mv" | "rm" | "sha256sum" => {
                Ok("tool: only named")
            }
            other => Err(format!("nobody has decided how {other} is checked")),
        }
    }

    /// Runs the exporter: to its end, or until it has answered a scrape.
    async fn exporter(&self, call: &Call, arguments: &[&str]) -> Result<&'static str, String> {
        if ["-h", "--help", "--version"].iter().any(|asked| arguments.contains(asked)) {
            let ended = Program::start(arguments, &[]).end().await;
            return ensure(ended.code == Some(0), || format!("{ended:?}")).map(|()| "exporter: run");
        }
        let words = std::iter::once("edgeimpulse-exporter").chain(arguments.iter().copied());
        let parsed = CommandLine::try_parse_from(words).map_err(|error| error.to_string())?;
        let serves = match &parsed.command {
            None => true,
            Some(Command::Demo(options)) => options.history.is_none(),
            Some(_) => false,
        };
        let mut command = process::Command::new(env!("CARGO_BIN_EXE_edgeimpulse-exporter"));
        command.current_dir(&call.folder).env_clear();
        for (name, value) in &call.environment {
            command.env(name, value.replace("ei_...", &World::api_key(WHITELABEL_OWNER)));
        }
        let has_file = arguments.iter().any(|argument| argument.starts_with("--config.file"));
        if !has_file {
            command.env("EDGEIMPULSE_API_URL", self.api.url());
            command.env("EDGEIMPULSE_WEB_LISTEN_ADDRESS", "127.0.0.1:0");
        }
        let mut listens = false;
        for argument in arguments {
            // A port of its own; and what is elsewhere on other machines is here.
            let argument = match *argument {
                "127.0.0.1:10101" if listens => "127.0.0.1:0".to_owned(),
                path if path.starts_with('/') => file("key", &World::api_key(WHITELABEL_OWNER)),
                // The past of a day says as much.
                "30d" => "1d".to_owned(),
                other => other.to_owned(),
            };
            listens = argument == "--web.listen-address";
            command.arg(argument);
        }
        let mut program = Program::run(command);
        if !serves {
            let ended = program.end().await;
            return ensure(ended.code == Some(0), || format!("{ended:?}")).map(|()| "exporter: run");
        }
        let metrics = if parsed.command.is_some() {
            let line = program.prints("/metrics").await;
            line.split_whitespace().next().unwrap().replace("localhost", "127.0.0.1")
        } else {
            format!("http://{}/metrics", program.address().await)
        };
        let text = get(metrics).await.unwrap().text().await.unwrap();
        let metrics = Exposition::of_prometheus_text(&text);
        let up = metrics.series("edgeimpulse_up", &[]);
        let all_up = !up.is_empty() && up.iter().all(|account| account.value == 1.0);
        ensure(all_up, || format!("it could not read: {up:?}"))?;
        program.signal("TERM");
        let ended = program.end().await;
        ensure(ended.code == Some(0), || format!("{ended:?}")).map(|()| "exporter: run")
    }

    async fn cargo(&self, call: &Call, words: &[&str]) -> Result<&'static str, String> {
        let manifest = read("Cargo.toml");
        let words = match words.first().and_then(|word| word.strip_prefix('+')) {
            Some(toolchain) => {
                let is_ours = toolchain.starts_with(env!("CARGO_PKG_RUST_VERSION"));
                ensure(is_ours, || format!("{toolchain} is not the Rust of Cargo.toml"))?;
                &words[1..]
            }
            None => words,
        };
        let split = words.iter().position(|word| *word == "--").unwrap_or(words.len());
        let (words, rest) = (&words[..split], words.get(split + 1..).unwrap_or_default());
        let (verb, options) = words.split_first().ok_or("no command")?;
        match (*verb, options) {
            ("run", [] | ["--release"]) => return self.exporter(call, rest).await,
            ("build", options) => {
                let known = [
                    "--release",
                    "--profile",
                    "dist",
                    "--locked",
                    "--bins",
                    "--target",
                    "x86_64-unknown-linux-musl",
                ];
                ensure(options.iter().all(|option| known.contains(option)), || format!("{options:?}"))?;
            }
            // The package is made by tests/packages.rs.
            ("install", ["--path", "."] | ["cargo-fuzz"] | ["--locked", "cargo-deb"])
            | ("deb", ["--no-build", "--output", _])
            | ("test", []) => {}
            ("test", [name]) => {
                call_file(&format!("tests/{name}.rs"))?;
            }
            ("bench", ["--bench", name]) => {
                let target = format!("[[bench]]\nname = \"{name}\"\n");
                ensure(manifest.contains(&target), || format!("no benchmark {name}"))?;
                let source =
                    if rest.is_empty() { String::new() } else { read(&format!("benches/{name}/main.rs")) };
                let unknown = rest.iter().find(|part| !source.contains(&format!("(\"{part}\", ")));
                ensure(unknown.is_none(), || format!("no part {unknown:?}"))?;
            }
            ("fuzz", ["run", "--sanitizer", "none", name]) => {
                call_file(&format!("fuzz/fuzz_targets/{name}.rs"))?;
            }
            _ => return Err("nobody has decided how this is checked".to_owned()),
        }
        Ok("cargo: names checked")
    }

    /// Asks the exporter what a page asks.
    async fn curl(&self, words: &[&str]) -> Result<&'static str, String> {
        let mut method = reqwest::Method::GET;
        let mut url = None;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "-X" => method = words.next().ok_or("no method")?.parse().map_err(|_| "no method")?,
                "-s" | "--globoff" => {}
                word => url = Some(word.strip_prefix("http://localhost:10101/").ok_or("not the exporter")?),
            }
        }
        let url = format!("http://{}/{}", self.address, url.ok_or("no URL")?);
        let answer = client().request(method, url).send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        ensure(status.is_success() && !text.is_empty(), || format!("{status}: {text}")).map(|()| "curl: asked")
    }
}

/// Checks that a file is in the repository.
fn call_file(path: &str) -> Result<(), String> {
    ensure(root().join(path).exists(), || format!("there is no {path}"))
}

/// There is no engine here: files, build arguments, the version, and what the exporter is told.
fn docker(call: &Call, words: &[&str]) -> Result<&'static str, String> {
    const IMAGE: &str = concat!("registry.example.org/edgeimpulse-exporter:", env!("CARGO_PKG_VERSION"));
    match words {
        ["compose", .., "up"] => call.has_files(call.values(&["-f"]))?,
        ["build", .., "."] => {
            let [dockerfile] = call.values(&["--file"])[..] else { return Err("no --file".to_owned()) };
            call.has_files([dockerfile])?;
            for argument in call.values(&["--build-arg"]) {
                let name = argument.split('=').next().unwrap_or_default();
                ensure(read(dockerfile).contains(&format!("ARG {name}")), || {
                    format!("no build argument {name}")
                })?;
            }
            ensure(call.values(&["--tag"]) == [IMAGE], || format!("expected the tag {IMAGE}"))?;
        }
        ["run", options @ ..] => {
            let at =
                options.iter().position(|word| *word == IMAGE).ok_or(format!("expected the image {IMAGE}"))?;
            let words = std::iter::once("edgeimpulse-exporter").chain(options[at + 1..].iter().copied());
            CommandLine::try_parse_from(words).map_err(|error| error.to_string())?;
        }
        _ => return Err("nobody has decided how this is checked".to_owned()),
    }
    Ok("docker: files, arguments and image checked; no engine here")
}

/// The chart is rendered by tests of its own; here its path, and values as its schema has them.
fn helm(call: &Call, words: &[&str]) -> Result<&'static str, String> {
    let ["install", "edgeimpulse-exporter", chart, ..] = words else {
        return Err("nobody has decided how this is checked".to_owned());
    };
    call.has_files([format!("{chart}/Chart.yaml")])?;
    call.has_files(call.values(&["--values"]))?;
    Ok("helm: chart and values found; no cluster here")
}

fn kubectl(call: &Call, words: &[&str]) -> Result<&'static str, String> {
    let words: Vec<_> =
        words.iter().copied().filter(|word| !["--namespace", "monitoring"].contains(word)).collect();
    let deployment = read("deploy/kubernetes/base/deployment.yaml");
    match words[..] {
        ["create", "namespace"] => {}
        ["create", "secret", "generic", name, ..] => {
            ensure(deployment.contains(&format!("secretName: {name}\n")), || {
                format!("nothing reads the Secret {name}")
            })?;
            for source in call.values(&["--from-file"]) {
                // `--from-file=NAME=FILE` or `--from-file=FILE`
                call.has_files([source.rsplit('=').next().unwrap()])?;
            }
        }
        ["apply", "-k", folder] => call.has_files([format!("{folder}/kustomization.yaml")])?,
        ["get", "pods", "--selector", selector] => {
            let (name, value) = selector.split_once('=').ok_or("expected a label")?;
            let labels = read("deploy/kubernetes/base/kustomization.yaml");
            ensure(labels.contains(&format!("{name}: {value}\n")), || {
                format!("nothing has the label {selector}")
            })?;
        }
        ["port-forward", target, ports] => {
            let (_, name) = target.split_once('/').ok_or("expected service/NAME")?;
            let service = read("deploy/kubernetes/base/service.yaml");
            let port = ports.split(':').next_back().unwrap();
            ensure(service.contains(&format!("name: {name}\n")), || format!("no service {name}"))?;
            ensure(service.contains(&format!("port: {port}\n")), || format!("no port {port}"))?;
        }
        _ => return Err("nobody has decided how this is checked".to_owned()),
    }
    Ok("kubectl: names and files checked; no cluster here")
}

fn systemctl(words: &[&str]) -> Result<&'static str, String> {
    match words {
        ["daemon-reload"] => {}
        ["enable", "--now", unit] | ["restart" | "reload", unit] => {
            let unit = read(&format!("deploy/systemd/{unit}.service"));
            let can = words[0] != "reload" || unit.contains("\nExecReload=");
            ensure(can, || "the unit cannot be reloaded".to_owned())?;
        }
        _ => return Err("nobody has decided how this is checked".to_owned()),
    }
    Ok("systemctl: units found; nothing is installed here")
}

fn promtool(words: &[&str]) -> Result<&'static str, String> {
    match words {
        ["tsdb", "create-blocks-from", "openmetrics", ..] | ["check", "rules", _] => {}
        ["query", "instant", "http://localhost:9190", query] => check_query(query)?,
        _ => return Err("nobody has decided how this is checked".to_owned()),
    }
    Ok("promtool: names checked, run by tests of their own")
}

/// Packages that `.ci/run` installs, or that a machine that builds has.
fn apt(words: &[&str]) -> Result<&'static str, String> {
    let installed = read(".ci/run") + " gcc fonts-inter ./target/edgeimpulse-exporter.deb ";
    let packages = words.iter().filter(|word| !["install", "--no-install-recommends"].contains(word));
    for package in packages {
        ensure(installed.split_whitespace().any(|word| word == *package), || format!("no package {package}"))?;
    }
    Ok("apt: packages known")
}
