//! Completion scripts and manual pages.

use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::arguments::CommandLine;
use super::help::{SECTIONS, Section};

/// Returns the completion script for a shell.
#[must_use]
pub fn completions(shell: Shell) -> Vec<u8> {
    let (mut command, mut script) = (CommandLine::command(), Vec::new());
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, &name, &mut script);
    match String::from_utf8(script) {
        // clap_complete uses two different names for a program with a hyphen, which breaks completion after a command.
        Ok(script) if shell == Shell::Bash => {
            script.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__")).into_bytes()
        }
        Ok(script) => script.into_bytes(),
        Err(script) => script.into_bytes(),
    }
}

/// Returns the manual page of the program.
///
/// # Errors
/// None: writing to memory does not fail.
pub fn page() -> io::Result<Vec<u8>> {
    render(CommandLine::documented())
}

/// Creates `directory` and writes the manual pages of the program and of every command into it.
///
/// # Errors
/// If a page cannot be written.
pub fn write_pages(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let mut command = CommandLine::documented().disable_help_subcommand(true);
    // Sets the full names of the commands.
    command.build();
    let commands = command.get_subcommands().cloned().collect::<Vec<_>>();
    for command in std::iter::once(CommandLine::documented()).chain(commands) {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        std::fs::write(directory.join(format!("{name}.1")), render(command)?)?;
    }
    Ok(())
}

/// Maximum number of options that the synopsis lists one by one.
const MAX_IN_SYNOPSIS: usize = 6;

/// Writes one page. `Man::render` is not used: it would join the lines of our sections to one paragraph.
fn render(command: Command) -> io::Result<Vec<u8>> {
    let is_program = command.get_name() == CommandLine::command().get_name();
    let has_commands = command.has_subcommands();
    let mut command = command.disable_help_subcommand(true);
    if !has_commands && command.get_arguments().count() > MAX_IN_SYNOPSIS {
        let name = command.get_bin_name().unwrap_or_default();
        let synopsis = format!("{name} [OPTIONS]");
        command = command.override_usage(synopsis);
    }
    let page = Man::new(command);
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    if has_commands {
        page.render_subcommands_section(&mut text)?;
    }
    let mut rest = Roff::new();
    for Section { title, text } in SECTIONS.iter().filter(|_| is_program) {
        rest.control("SH", [title.to_uppercase().as_str()]).control("nf", []);
        text.lines().for_each(|line| {
            rest.text([roman(line)]);
        });
        rest.control("fi", []);
    }
    if !is_program {
        rest.control("SH", ["SEE ALSO"]).text([roman("edgeimpulse-exporter(1)")]);
    }
    rest.to_writer(&mut text)?;
    Ok(text)
}
