//! Where a JSON value ends: found without building anything, and without missing that it is none.
//!
//! Values are checked while they are passed over, all of JSON's grammar and that their text is UTF-8, but never
//! converted: how large a number is and whether an escape stands for half a character is a question to whoever reads
//! them. Strings are looked at eight bytes at a time, nesting is a stack of bits: whatever the depth, there is no
//! recursion.

/// Why a value has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// There is more to come. A number that ends with the text may go on; inside a container something always follows.
    Incomplete,
    /// It is no JSON.
    Malformed,
}

type Scanned<T> = Result<T, Stop>;

/// Returns where the value that begins at `at` ends.
#[inline]
pub(super) fn value(text: &[u8], at: usize) -> Scanned<usize> {
    match byte(text, at)? {
        b'"' => string(text, at + 1).map(|string| string.end),
        b'{' => container(text, at + 1, true),
        b'[' => container(text, at + 1, false),
        first => scalar(text, at, first),
    }
}

/// Shows the members of the object that begins at `at` to `member`, their names as they are meant. Returns where it
/// ends.
#[inline]
pub(super) fn object<'a>(text: &'a [u8], at: usize, mut member: impl FnMut(&[u8], &'a [u8])) -> Scanned<usize> {
    let mut at = blanks(text, at + 1)?;
    if text[at] == b'}' {
        return Ok(at + 1);
    }
    loop {
        let name = name(text, at)?;
        let quoted = &text[at..name.end];
        at = blanks(text, after_colon(text, name.end)?)?;
        let begin = at;
        at = value(text, at)?;
        if name.is_escaped {
            member(unescaped(quoted)?.as_bytes(), &text[begin..at]);
        } else {
            member(&quoted[1..quoted.len() - 1], &text[begin..at]);
        }
        at = blanks(text, at)?;
        match text[at] {
            b',' => at = blanks(text, at + 1)?,
            b'}' => return Ok(at + 1),
            _ => return Err(Stop::Malformed),
        }
    }
}

/// Returns what a string is meant to say; one that holds half a character says nothing.
pub(super) fn unescaped(quoted: &[u8]) -> Scanned<String> {
    serde_json::from_slice(quoted).map_err(|_| Stop::Malformed)
}

/// Returns the number of elements of a whole list.
pub(super) fn length(text: &[u8]) -> Scanned<u64> {
    let mut at = blanks(text, 1)?;
    let mut length = 0;
    if text[at] == b']' {
        return Ok(length);
    }
    loop {
        at = blanks(text, value(text, at)?)?;
        length += 1;
        match text[at] {
            b',' => at = blanks(text, at + 1)?,
            b']' => return Ok(length),
            _ => return Err(Stop::Malformed),
        }
    }
}

/// Returns where the next byte is that is not white space.
#[inline]
pub(super) fn blanks(text: &[u8], mut at: usize) -> Scanned<usize> {
    while matches!(byte(text, at)?, b' ' | b'\n' | b'\r' | b'\t') {
        at += 1;
    }
    Ok(at)
}

#[inline]
fn byte(text: &[u8], at: usize) -> Scanned<u8> {
    text.get(at).copied().ok_or(Stop::Incomplete)
}

#[inline]
fn name(text: &[u8], at: usize) -> Scanned<Quoted> {
    if byte(text, at)? == b'"' { string(text, at + 1) } else { Err(Stop::Malformed) }
}

#[inline]
fn after_colon(text: &[u8], at: usize) -> Scanned<usize> {
    let at = blanks(text, at)?;
    if text[at] == b':' { Ok(at + 1) } else { Err(Stop::Malformed) }
}

/// The containers that a value is in: which are objects, the innermost in the lowest bit.
struct Nesting {
    innermost: u64,
    depth: usize,
    /// The outer ones, 64 each.
    outer: Vec<u64>,
}

impl Nesting {
    fn push(&mut self, is_object: bool) {
        if self.depth.is_multiple_of(64) && self.depth > 0 {
            self.outer.push(self.innermost);
        }
        self.innermost = self.innermost << 1 | u64::from(is_object);
        self.depth += 1;
    }

    /// Leaves the innermost; returns whether there is another around it.
    fn pop(&mut self) -> bool {
        self.depth -= 1;
        self.innermost >>= 1;
        if self.depth.is_multiple_of(64)
            && let Some(outer) = self.outer.pop()
        {
            self.innermost = outer;
        }
        self.depth > 0
    }

    fn is_object(&self) -> bool {
        self.innermost & 1 == 1
    }
}

/// Returns where the container ends whose opening is before `at`.
fn container(text: &[u8], mut at: usize, is_object: bool) -> Scanned<usize> {
    let mut nesting = Nesting { innermost: u64::from(is_object), depth: 1, outer: Vec::new() };
    let mut is_object = is_object;
    at = blanks(text, at)?;
    let mut first = true;
    loop {
        // Here begins a member or an element, or the container ends.
        let closing = if is_object { b'}' } else { b']' };
        if !(first && text[at] == closing) {
            first = false;
            if is_object {
                at = after_colon(text, name(text, at)?.end)?;
                at = blanks(text, at)?;
            }
            match text[at] {
                b'"' => at = string(text, at + 1)?.end,
                opening @ (b'{' | b'[') => {
                    is_object = opening == b'{';
                    nesting.push(is_object);
                    at = blanks(text, at + 1)?;
                    first = true;
                    continue;
                }
                other => at = scalar(text, at, other)?,
            }
            at = blanks(text, at)?;
        }
        // Here ends a value, and maybe what is around it.
        loop {
            match text[at] {
                b',' if !first => {
                    at = blanks(text, at + 1)?;
                    break;
                }
                closing if closing == (if is_object { b'}' } else { b']' }) => {
                    at += 1;
                    if !nesting.pop() {
                        return Ok(at);
                    }
                    first = false;
                    is_object = nesting.is_object();
                    at = blanks(text, at)?;
                }
                _ => return Err(Stop::Malformed),
            }
        }
    }
}

/// Returns where a value ends that is neither a string nor a container.
#[inline]
fn scalar(text: &[u8], at: usize, first: u8) -> Scanned<usize> {
    match first {
        b't' => word(text, at, b"true"),
        b'f' => word(text, at, b"false"),
        b'n' => word(text, at, b"null"),
        b'-' | b'0'..=b'9' => number(text, at),
        _ => Err(Stop::Malformed),
    }
}

#[inline]
fn word(text: &[u8], at: usize, word: &[u8]) -> Scanned<usize> {
    let rest = &text[at..];
    if rest.starts_with(word) {
        Ok(at + word.len())
    } else if word.starts_with(rest) {
        Err(Stop::Incomplete)
    } else {
        Err(Stop::Malformed)
    }
}

fn number(text: &[u8], mut at: usize) -> Scanned<usize> {
    if text[at] == b'-' {
        at += 1;
    }
    if byte(text, at)? == b'0' {
        at += 1;
    } else {
        at = digits(text, at)?;
    }
    if byte(text, at)? == b'.' {
        at = digits(text, at + 1)?;
    }
    if matches!(byte(text, at)?, b'e' | b'E') {
        at += 1;
        if matches!(byte(text, at)?, b'+' | b'-') {
            at += 1;
        }
        at = digits(text, at)?;
    }
    Ok(at)
}

#[inline]
fn digits(text: &[u8], begin: usize) -> Scanned<usize> {
    let mut at = begin;
    while byte(text, at)?.is_ascii_digit() {
        at += 1;
    }
    if at > begin { Ok(at) } else { Err(Stop::Malformed) }
}

/// A string that was passed over.
struct Quoted {
    /// Where it ends, behind its quote.
    end: usize,
    is_escaped: bool,
}

/// Passes over the string whose content begins at `begin`.
#[inline]
fn string(text: &[u8], begin: usize) -> Scanned<Quoted> {
    let mut at = begin;
    while let Some(block) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let Marks { quotes, special, not_ascii } = Marks::of(*block);
        let marks = special | not_ascii;
        if marks == 0 {
            at += block.len();
            continue;
        }
        let first = marks & marks.wrapping_neg();
        if quotes & first == 0 {
            break;
        }
        return Ok(Quoted { end: at + first.trailing_zeros() as usize / 8 + 1, is_escaped: false });
    }
    odd_string(text, begin, at)
}

/// Passes over the string whose content begins at `begin`, and is ASCII without escapes up to `at`. Most strings end
/// without anything of what has to be looked for here.
#[inline(never)]
fn odd_string(text: &[u8], begin: usize, mut at: usize) -> Scanned<Quoted> {
    let mut is_ascii = true;
    let mut is_escaped = false;
    loop {
        while let Some(block) = text.get(at..).and_then(<[u8]>::first_chunk) {
            let Marks { special, not_ascii, .. } = Marks::of(*block);
            if special == 0 {
                is_ascii &= not_ascii == 0;
                at += block.len();
                continue;
            }
            // Of bytes that are not ASCII only those before it count.
            is_ascii &= not_ascii & (special - 1) & !special == 0;
            at += special.trailing_zeros() as usize / 8;
            break;
        }
        // The end of the text, byte by byte.
        loop {
            match byte(text, at)? {
                b'"' => {
                    let is_text = is_ascii || str::from_utf8(&text[begin..at]).is_ok();
                    return if is_text { Ok(Quoted { end: at + 1, is_escaped }) } else { Err(Stop::Malformed) };
                }
                b'\\' => {
                    at = escape(text, at + 1)?;
                    is_escaped = true;
                    break;
                }
                0..0x20 => return Err(Stop::Malformed),
                other => {
                    is_ascii &= other.is_ascii();
                    at += 1;
                }
            }
        }
    }
}

/// Returns where the escape ends whose backslash is before `at`.
fn escape(text: &[u8], at: usize) -> Scanned<usize> {
    match byte(text, at)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 1),
        b'u' => {
            for digit in at + 1..at + 5 {
                if !byte(text, digit)?.is_ascii_hexdigit() {
                    return Err(Stop::Malformed);
                }
            }
            Ok(at + 5)
        }
        _ => Err(Stop::Malformed),
    }
}

/// The highest bit of each of eight bytes.
struct Marks {
    /// Of quotes; what follows the first of them may be marked or not.
    quotes: u64,
    /// Of quotes, backslashes and control characters, up to the first of them; what follows it may be marked or not.
    special: u64,
    /// Of bytes of characters that are not ASCII.
    not_ascii: u64,
}

impl Marks {
    #[inline]
    fn of(block: [u8; 8]) -> Self {
        const ONES: u64 = u64::MAX / 255;
        const HIGHEST: u64 = ONES << 7;
        let bytes = u64::from_le_bytes(block);
        // A byte that is less than another borrows from its highest bit; so may its neighbours above it.
        let less = |bytes: u64, than: u8| bytes.wrapping_sub(ONES * u64::from(than)) & !bytes;
        let quotes = less(bytes ^ (ONES * u64::from(b'"')), 1);
        let backslashes = less(bytes ^ (ONES * u64::from(b'\\')), 1);
        let special = (quotes | backslashes | less(bytes, 0x20)) & HIGHEST;
        Self { quotes, special, not_ascii: bytes & HIGHEST }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    /// Pieces of JSON, and of what is none.
    const PIECES: [&[u8]; 40] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"\\",
        b" ",
        b"\n",
        b"0",
        b"12",
        b"-",
        b".",
        b"5e",
        b"E+",
        b"true",
        b"fals",
        b"null",
        b"\"a\"",
        b"\"a\":",
        b"\"a long name that takes several looks\":",
        b"\\u00e9",
        b"\\ud800",
        b"\\u12g4",
        b"\\n",
        b"\\x",
        b"\xc3\xa9",
        b"\xc3",
        b"\xff",
        b"\t",
        b"\x7f",
        b"\x1f",
        b"[]",
        b"{}",
        b"[1,\"\\\"\"]",
        b"{\"a\":{\"b\":[null]}}",
        b"x",
        b"1.5e3",
        b"\"\"",
    ];

    /// Whether it is one JSON value, as serde_json sees it, and all of its text is UTF-8.
    fn is_json(text: &[u8]) -> bool {
        serde_json::from_slice::<IgnoredAny>(text).is_ok() && str::from_utf8(text).is_ok()
    }

    fn check(text: &[u8]) -> Result<(), TestCaseError> {
        // A value has to begin at once and to be followed by something, as it always is in an answer.
        let text = text.trim_ascii();
        let followed = [text, b",0123456789abcdef"].concat();
        let found = value(&followed, 0);
        prop_assert_eq!(
            found == Ok(text.len()),
            is_json(text),
            "{:?} of {:?}",
            found,
            String::from_utf8_lossy(text)
        );
        // Whatever is cut off a good value, it stays a beginning.
        if found == Ok(text.len()) {
            for length in 0..text.len() {
                prop_assert_eq!(value(&text[..length], 0), Err(Stop::Incomplete), "{:?}", &text[..length]);
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn exactly_json_has_an_end(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..14)) {
            check(&pieces.concat())?;
        }

        #[test]
        fn exactly_json_strings_have_an_end(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..14)) {
            check(&[b"\"", &*pieces.concat(), b"\""].concat())?;
            check(&[b"{\"a\":[\"", &*pieces.concat(), b"\"]}"].concat())?;
        }
    }

    #[test]
    fn depth_is_counted_whatever_it_is() {
        for depth in [1, 2, 63, 64, 65, 127, 128, 129, 1000, 100_000] {
            let nested = [b"[{\"a\":".repeat(depth), b"1".to_vec(), b"}]".repeat(depth)].concat();
            assert_eq!(value(&nested, 0), Ok(nested.len()), "{depth}");
            let mixed_up = [b"[{\"a\":".repeat(depth), b"1".to_vec(), b"]}".repeat(depth)].concat();
            assert_eq!(value(&mixed_up, 0), Err(Stop::Malformed), "{depth}");
        }
    }

    #[test]
    fn elements_are_counted() {
        for (list, count) in [("[]", 0), ("[ ]", 0), ("[1]", 1), ("[ [1,2] , {\"a\":3} ]", 2)] {
            assert_eq!(length(list.as_bytes()), Ok(count), "{list}");
        }
    }
}
