//! What is handed out to be installed: the crate, and the Debian package.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::file;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Runs a command in the repository that is to succeed, and returns what it printed.
fn succeed(command: &mut Command) -> String {
    let output = command.current_dir(ROOT).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{stdout}{stderr}", output.status);
    stdout.into_owned()
}

/// Returns the files below a directory, by their path from there.
fn files_below(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

#[test]
fn the_crate_holds_what_it_is_built_from_and_nothing_odd() {
    let arguments = ["package", "--list", "--allow-dirty", "--offline", "--locked"];
    let listed = succeed(Command::new(env!("CARGO")).args(arguments));
    let listed: BTreeSet<_> = listed.lines().map(|line| line.replace('\\', "/")).collect();
    let mut expected: BTreeSet<_> =
        files_below(&Path::new(ROOT).join("src")).into_iter().map(|file| format!("src/{file}")).collect();
    let others =
        ["build.rs", "Cargo.lock", "Cargo.toml", "Cargo.toml.orig", "CHANGELOG.md", "LICENSE", "README.md"];
    expected.extend(others.map(str::to_owned));
    // Which commit it is of; not where there is no repository.
    let listed: BTreeSet<_> = listed.into_iter().filter(|name| name != ".cargo_vcs_info.json").collect();
    assert_eq!(listed, expected);
}

/// A Debian system that has nothing but the package, in a directory of its own.
struct Scratch {
    root: String,
}

impl Scratch {
    fn new() -> Self {
        let root = file("debian", "") + ".d";
        for directory in ["info", "updates"] {
            std::fs::create_dir_all(format!("{root}/var/lib/dpkg/{directory}")).unwrap();
        }
        std::fs::write(format!("{root}/var/lib/dpkg/status"), "").unwrap();
        Self { root }
    }

    fn dpkg(&self, action: &str, what: &str) -> String {
        let root = format!("--root={}", self.root);
        // There is no system inside whose libraries and shell could be used.
        let alone = ["--force-script-chrootless", "--force-depends", "--no-triggers", "--log=/dev/null"];
        succeed(Command::new("dpkg").arg(root).args(alone).args([action, what]))
    }

    /// Returns the files that are there beside dpkg's own.
    fn files(&self) -> BTreeSet<String> {
        let files = files_below(Path::new(&self.root));
        files.into_iter().filter(|file| !file.starts_with("var/lib/dpkg/")).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

#[test]
#[ignore = "needs root, cargo-deb, dpkg-shlibdeps and systemd-analyze (Debian: dpkg-dev, systemd)"]
fn the_debian_package_is_installed_runs_and_goes_without_a_trace() {
    const PROGRAM: &str = env!("CARGO_BIN_EXE_edgeimpulse-exporter");
    succeed(Command::new("deploy/debian/assets").arg(PROGRAM));
    // The program that is tested, which is none of a release.
    let package = file("deb", "") + ".deb";
    let arguments =
        ["deb", "--no-build", "--profile=dev", "--no-dbgsym", "--offline", "--locked", "-o", &package];
    succeed(Command::new(env!("CARGO")).args(arguments));
    let package = package.as_str();
    let field =
        |name: &str| succeed(Command::new("dpkg-deb").args(["--field", package, name])).trim_end().to_owned();
    assert_eq!(field("Version"), concat!(env!("CARGO_PKG_VERSION"), "-1"));
    let depends = field("Depends");
    assert!(depends.contains("libc6") && depends.contains("ca-certificates"), "{depends}");
    let owners = succeed(Command::new("dpkg-deb").args(["--contents", package]));
    assert!(owners.lines().all(|line| line.split_whitespace().nth(1) == Some("0/0")), "{owners}");

    let scratch = Scratch::new();
    scratch.dpkg("--install", package);
    let files = scratch.files();
    for name in [
        "usr/bin/edgeimpulse-exporter",
        "usr/lib/systemd/system/edgeimpulse-exporter.service",
        "usr/lib/systemd/system/edgeimpulse-exporter.socket",
        "etc/edgeimpulse-exporter/environment",
        "usr/share/man/man1/edgeimpulse-exporter.1.gz",
        "usr/share/man/man1/edgeimpulse-exporter-demo.1.gz",
        "usr/share/bash-completion/completions/edgeimpulse-exporter",
        "usr/share/zsh/vendor-completions/_edgeimpulse-exporter",
        "usr/share/fish/vendor_completions.d/edgeimpulse-exporter.fish",
        "usr/share/doc/edgeimpulse-exporter/copyright",
        "usr/share/doc/edgeimpulse-exporter/docs/deploy.md",
        "usr/share/edgeimpulse-exporter/rules.yaml",
        "usr/share/edgeimpulse-exporter/dashboards/overview.json",
    ] {
        assert!(files.contains(name), "{name}: {files:#?}");
    }
    let inside = |name: &str| format!("{}/{name}", scratch.root);
    let version = succeed(Command::new(inside("usr/bin/edgeimpulse-exporter")).arg("--version"));
    assert_eq!(version, concat!("edgeimpulse-exporter ", env!("CARGO_PKG_VERSION"), "\n"));
    // It finds the program by its name alone where the package has put it. What every system has is not in this one.
    let system = inside("run/systemd/system");
    std::fs::create_dir_all(&system).unwrap();
    for target in ["sysinit", "basic", "network-online", "shutdown"] {
        std::fs::write(format!("{system}/{target}.target"), "[Unit]\n").unwrap();
    }
    std::fs::create_dir(inside("bin")).unwrap();
    std::fs::copy("/bin/kill", inside("bin/kill")).unwrap();
    let units = ["edgeimpulse-exporter.service", "edgeimpulse-exporter.socket"];
    let root = format!("--root={}", scratch.root);
    succeed(Command::new("systemd-analyze").args(["verify", "--man=no", &root]).args(units));
    for directory in ["run", "bin"] {
        std::fs::remove_dir_all(inside(directory)).unwrap();
    }
    assert_eq!(scratch.dpkg("--verify", "edgeimpulse-exporter"), "", "all files are as they were packed");

    let key = inside("etc/edgeimpulse-exporter/api-key");
    std::fs::write(&key, "ei_x").unwrap();
    let settings = inside("etc/edgeimpulse-exporter/environment");
    std::fs::write(&settings, "EDGEIMPULSE_CACHE_TTL=1m\n").unwrap();
    scratch.dpkg("--install", package);
    assert_eq!(
        std::fs::read_to_string(&settings).unwrap(),
        "EDGEIMPULSE_CACHE_TTL=1m\n",
        "settings outlive an update"
    );
    scratch.dpkg("--remove", "edgeimpulse-exporter");
    let left = ["etc/edgeimpulse-exporter/api-key", "etc/edgeimpulse-exporter/environment"];
    assert_eq!(scratch.files(), BTreeSet::from(left.map(str::to_owned)), "what is the administrator's stays");
    std::fs::remove_file(&key).unwrap();
    scratch.dpkg("--purge", "edgeimpulse-exporter");
    assert_eq!(scratch.files(), BTreeSet::new());
    assert!(!Path::new(&inside("usr/share")).exists() && !Path::new(&inside("etc")).exists());
}
