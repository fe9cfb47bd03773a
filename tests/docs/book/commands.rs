//! Runs the `sh` blocks of the pages with bash, where `stub.sh` stands in for every program.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use edgeimpulse_exporter::demo::world::{WHITELABEL_OWNER, World};
use edgeimpulse_exporter::demo::{self, Demo};
use edgeimpulse_exporter::model::Clock;
use tokio::process::Command;

use crate::support::pages::Block;
use crate::support::repository::{path, succeed};
use crate::support::secure::{Authority, Folder};
use crate::support::{Program, data, free_port};

/// Programs that pages call. bash finds no others.
const PROGRAMS: &str = "apt cargo cat curl dnf docker edgeimpulse-exporter gh git helm helm-docs install kubectl mv nfpm \
                        node npm npx promtool rm sed sha256sum sudo systemctl";

/// Programs that pages call by their path in the repository.
const SCRIPTS: &str = ".ci/prometheusrule .ci/run deploy/build deploy/debian/assets target/dist/edgeimpulse-exporter \
                       target/release/edgeimpulse-exporter tools/pictures";

/// A folder in which commands find the files that the pages mention, and a simulated API.
pub struct Workspace {
    folder: PathBuf,
    api: Demo,
    key: String,
    /// Where exporters listen that blocks start.
    address: String,
    /// Where an exporter listens that is already running.
    running: String,
    _running: Program,
}

impl Workspace {
    pub async fn open() -> Self {
        let files = Folder::new(&Authority::new());
        let folder = PathBuf::from(files.path(""));
        let to = folder.to_str().unwrap();
        // Blocks write into `docs` and `deploy`.
        succeed("cp", &["-r", "docs", "deploy", to]);
        succeed("ln", &["-s", &path("dashboards"), to]);
        for name in ["bin", ".ci", "target/dist", "target/release", "tools"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        // Links to the parts, because a stub replaces one of them.
        for tool in std::fs::read_dir(path("tools")).unwrap() {
            let tool = tool.unwrap();
            symlink(tool.path(), folder.join("tools").join(tool.file_name())).unwrap();
        }
        let programs = PROGRAMS.split(' ').map(|program| format!("bin/{program}"));
        for program in programs.chain(SCRIPTS.split(' ').map(str::to_owned)) {
            let _ = std::fs::remove_file(folder.join(&program));
            symlink(path("tests/docs/book/stub.sh"), folder.join(&program)).unwrap();
        }

        let api = demo::start(Clock::System).await.unwrap();
        let key = World::api_key(WHITELABEL_OWNER);
        let keys = "key.txt api-key.txt deploy/api-key research research.txt production production.txt medical \
                            partners training";
        for name in keys.split(' ') {
            files.write(name, &key);
        }
        files.write("gateway.pem", &Authority::new().certificate());
        files.write("jwt.txt", &api.world.jwt());
        files.write("partners-jwt", &api.world.jwt());
        files.write("kustomization.yaml", "");
        files.write("openapi.yml", &data("openapi.json"));
        files.write("values.yaml", "");
        let address = format!("127.0.0.1:{}", free_port());
        let configuration = |account: &str, address: &str| {
            format!(
                "accounts: [{account}]\napi: {{url: {}}}\n\
                 web: {{listen_addresses: ['{address}'], enable_lifecycle: true}}\n",
                api.url()
            )
        };
        files.write("edgeimpulse.yaml", &configuration("{name: research, key_file: key.txt}", &address));
        files.write("running.yaml", &configuration("{name: default, jwt_file: jwt.txt}", "127.0.0.1:0"));
        let mut program = Program::start(&["--config.file", &files.path("running.yaml")], &[]);
        let running = program.address().await;
        Self { folder, api, key, address, running, _running: program }
    }

    /// Runs a block of commands.
    pub async fn run(&self, block: &Block) -> Result<(), String> {
        // Pages of tools describe commands in their folder.
        let folder = block.page.strip_suffix("/README.md").filter(|folder| folder.starts_with("tools/"));
        self.bash(&block.text, folder.unwrap_or_default()).await
    }

    /// Checks a block of configuration with `check-config`.
    pub async fn check_config(&self, options: &str, block: &Block) -> Result<(), String> {
        let folders = [
            "/var/run/secrets/edgeimpulse/",
            "/run/secrets/edgeimpulse/",
            "/run/credentials/edgeimpulse-exporter.service/",
        ];
        let text = folders.iter().fold(block.text.clone(), |text, folder| text.replace(folder, ""));
        std::fs::write(self.folder.join("page.yaml"), text).unwrap();
        self.bash(&format!("edgeimpulse-exporter check-config {options} page.yaml"), "").await
    }

    /// Runs a script in a folder of the workspace. Every command must succeed.
    async fn bash(&self, script: &str, folder: &str) -> Result<(), String> {
        let script = script
            .replace("ei_...", &self.key)
            .replace("/run/secrets/edgeimpulse", "key.txt")
            .replace("127.0.0.1:10101", &self.address)
            .replace("localhost:10101", &self.running);
        let bin = self.folder.join("bin");
        let environment = [
            ("ADDRESS", &*self.address),
            ("API", &self.api.url()),
            ("BIN", bin.to_str().unwrap()),
            ("EXPORTER", env!("CARGO_BIN_EXE_edgeimpulse-exporter")),
            ("KEY", &self.key),
            ("NEW_KEY", &self.key),
            ("PATH", bin.to_str().unwrap()),
            ("ROOT", env!("CARGO_MANIFEST_DIR")),
            ("VERSION", env!("CARGO_PKG_VERSION")),
        ];
        let mut bash = Command::new("/bin/bash");
        bash.args(["-eo", "pipefail", "-c", &script]).current_dir(self.folder.join(folder));
        bash.env_clear().envs(environment).kill_on_drop(true);
        let output = bash.output().await.unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        if output.status.success() && !stderr.contains("command not found") {
            Ok(())
        } else {
            Err(format!("{}\n{}{stderr}", output.status, String::from_utf8_lossy(&output.stdout)))
        }
    }
}
