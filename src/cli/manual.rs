//! `completions` and `man`: completion scripts and manual pages.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::arguments::CommandLine;
use super::help::SECTIONS;
use super::output::print;
use super::{Failure, option_reference};
use crate::config::shown_path;

/// Writes the completion script for a shell to standard output.
pub(super) fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    let (mut command, mut script) = (CommandLine::command(), Vec::new());
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, &name, &mut script);
    let script = String::from_utf8_lossy(&script);
    match shell {
        // clap_complete uses two different names for a program with a hyphen, which breaks completion after a command.
        Shell::Bash => print(script.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"))),
        _ => print(&*script),
    }
}

/// Writes the manual page or, with `markdown`, the options reference to standard output; with `directory`, writes the
/// manual pages of the program and all commands into it.
pub(super) fn man(directory: Option<&Path>, markdown: bool) -> Result<ExitCode, Failure> {
    let Some(directory) = directory else {
        if markdown {
            return print(option_reference::markdown());
        }
        return print(render(CommandLine::documented()).map_err(|error| Failure::Running(error.to_string()))?);
    };
    write_pages(directory).map_err(|error| {
        Failure::Running(format!("cannot write manual pages into {}: {error}", shown_path(directory)))
    })?;
    Ok(ExitCode::SUCCESS)
}

fn write_pages(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let mut command = CommandLine::documented().disable_help_subcommand(true);
    // Sets the full names of the commands.
    command.build();
    for command in std::iter::once(CommandLine::documented()).chain(command.get_subcommands().cloned()) {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        std::fs::write(directory.join(format!("{name}.1")), render(command)?)?;
    }
    Ok(())
}

/// Maximum number of options that the synopsis lists one by one.
const MAX_IN_SYNOPSIS: usize = 6;

/// Renders one page. `Man::render` is not used: it would join the lines of our sections to one paragraph.
fn render(command: Command) -> io::Result<Vec<u8>> {
    let is_program = command.has_subcommands();
    let mut command = command.disable_help_subcommand(true);
    if !is_program && command.get_arguments().count() > MAX_IN_SYNOPSIS {
        let synopsis = format!("{} [OPTIONS]", command.get_bin_name().unwrap_or_default());
        command = command.override_usage(synopsis);
    }
    let page = Man::new(command);
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    let mut rest = Roff::new();
    if is_program {
        page.render_subcommands_section(&mut text)?;
        for (title, lines) in SECTIONS {
            rest.control("SH", [title.to_uppercase().as_str()]).control("nf", []);
            rest.text(lines.split_inclusive('\n').map(roman).collect::<Vec<_>>()).control("fi", []);
        }
    } else {
        rest.control("SH", ["SEE ALSO"]).text([roman("edgeimpulse-exporter(1)")]);
    }
    rest.to_writer(&mut text)?;
    Ok(text)
}
