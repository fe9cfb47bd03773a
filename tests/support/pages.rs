//! The Markdown pages of this repository: fenced blocks, headings, links and inline code.

use std::collections::BTreeSet;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::repository::{files_below, read, root};

/// A page.
#[derive(Debug, Default)]
pub struct Page {
    /// Path in the repository.
    pub path: String,
    /// Code blocks, in order.
    pub blocks: Vec<Block>,
    /// Names by which GitHub links to the headings.
    pub anchors: BTreeSet<String>,
    /// Targets of links and images.
    pub links: Vec<String>,
    /// Inline code.
    pub code: Vec<String>,
}

/// A code block.
#[derive(Clone, Debug)]
pub struct Block {
    /// Path of the page.
    pub page: String,
    /// Line of the opening fence.
    pub line: usize,
    /// Text after the opening fence; empty for an indented block.
    pub language: String,
    /// Content.
    pub text: String,
}

impl Block {
    /// Returns the page and line, for messages.
    pub fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }
}

/// Returns all pages, sorted by path.
pub fn pages() -> Vec<Page> {
    let files = files_below("").into_iter().filter(|file| file.extension() == Some("md".as_ref()));
    files.map(|file| Page::read(file.strip_prefix(root()).unwrap().to_str().unwrap())).collect()
}

/// Returns all blocks of a language.
pub fn blocks_of(language: &str) -> Vec<Block> {
    let blocks = pages().into_iter().flat_map(|page| page.blocks);
    blocks.filter(|block| block.language == language).collect()
}

impl Page {
    /// Reads a page by its path in the repository.
    pub fn read(path: &str) -> Self {
        let source = read(path);
        let mut page = Self { path: path.to_owned(), ..Self::default() };
        let (mut block, mut heading) = (None::<Block>, None::<String>);
        for (event, range) in Parser::new_ext(&source, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = match kind {
                        CodeBlockKind::Fenced(language) => language.into_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    let line = source[..range.start].matches('\n').count() + 1;
                    block = Some(Block { page: path.to_owned(), line, language, text: String::new() });
                }
                Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => page.anchors.extend(heading.take().map(|text| anchor(&text))),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Text(text) | Event::Code(text) if heading.is_some() => {
                    heading.as_mut().unwrap().push_str(&text);
                }
                Event::Text(text) => block.iter_mut().for_each(|block| block.text += &text),
                Event::Code(code) => page.code.push(code.into_string()),
                _ => {}
            }
        }
        page
    }
}

/// Returns the anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
}
