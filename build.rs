//! Sets the revision of the source and the version of the compiler, for `--version` and
//! `edgeimpulse_exporter_build_info`.

use std::path::Path;
use std::process::Command;

/// `git archive` replaces this with the commit, by `.gitattributes`.
const ARCHIVED: &str = "$Format:%H$";

/// Length of a revision.
const LENGTH: usize = 12;

fn main() {
    // Images are built from a context without a repository: there the variable has the revision.
    let given = std::env::var("EDGEIMPULSE_EXPORTER_REVISION").ok().filter(|revision| !revision.is_empty());
    let revision = given.or_else(of_repository).or_else(of_package).or_else(of_archive);
    let revision = revision.unwrap_or_else(|| "unknown".to_owned());
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let rustc_version = first_line(&rustc, &["--version"]).unwrap_or_else(|| "unknown".to_owned());
    let rustc_version = rustc_version.split(' ').nth(1).unwrap_or(&rustc_version);
    println!("cargo::rustc-env=BUILD_REVISION={revision}");
    println!("cargo::rustc-env=BUILD_RUSTC_VERSION={rustc_version}");
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "musl") {
        // A static position-independent program has 10,000 relocations, which take less space in this format.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    println!("cargo::rerun-if-env-changed=EDGEIMPULSE_EXPORTER_REVISION");
    println!("cargo::rerun-if-changed=build.rs");
}

/// Returns the commit of this repository. Without one, git would report that of a repository around the source.
fn of_repository() -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    for file in ["HEAD", "logs/HEAD"] {
        let path = first_line("git", &["rev-parse", "--git-path", file])?;
        println!("cargo::rerun-if-changed={path}");
    }
    first_line("git", &["rev-parse", "HEAD"])?.get(..LENGTH).map(str::to_owned)
}

/// Returns the commit that `cargo package` has written into the package.
fn of_package() -> Option<String> {
    let info = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, commit) = info.split_once("\"sha1\": \"")?;
    commit.get(..LENGTH).map(str::to_owned)
}

fn of_archive() -> Option<String> {
    ARCHIVED.get(..LENGTH).filter(|commit| !commit.starts_with('$')).map(str::to_owned)
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()?.lines().next().map(str::to_owned)
}
