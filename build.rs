//! Sets the revision of the source and the version of the compiler, for `edgeimpulse_exporter_build_info`.

use std::process::Command;

fn main() {
    let first_line = |command: &mut Command| {
        let output = command.output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()?.lines().next().map(str::to_owned)
    };
    // Images are built from an archive without a repository: there the variable has the revision.
    let revision = std::env::var("EDGEIMPULSE_EXPORTER_REVISION").ok().filter(|revision| !revision.is_empty());
    let revision = revision
        .or_else(|| first_line(Command::new("git").args(["rev-parse", "--short=12", "HEAD"])))
        .unwrap_or_else(|| "unknown".to_owned());
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let rustc_version =
        first_line(Command::new(rustc).arg("--version")).unwrap_or_else(|| "unknown".to_owned());
    let rustc_version = rustc_version.split(' ').nth(1).unwrap_or(&rustc_version);
    println!("cargo::rustc-env=BUILD_REVISION={revision}");
    println!("cargo::rustc-env=BUILD_RUSTC_VERSION={rustc_version}");
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "musl") {
        // A static position-independent program has 10,000 relocations, which take less space in this format.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    println!("cargo::rerun-if-env-changed=EDGEIMPULSE_EXPORTER_REVISION");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-changed=.git/logs/HEAD");
}
