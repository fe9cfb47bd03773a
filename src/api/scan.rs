//! Where a JSON value ends: found without building anything, and without missing that it is none.
//!
//! Values are checked while they are passed over, all of JSON's grammar and that their text is UTF-8, but never
//! converted: how large a number is and whether an escape stands for half a character is a question to whoever reads
//! them. Nesting is a stack of bits: whatever the depth, there is no recursion.

use super::marks::Marks;

/// Why a value has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// There is more to come. A number that ends with the text may go on; inside a container something always follows.
    Incomplete,
    /// It is no JSON.
    Malformed,
}

type Scanned<T> = Result<T, Stop>;

/// Returns where the value ends that the text begins with.
#[inline]
pub(super) fn value(text: &[u8]) -> Scanned<usize> {
    let first = byte(text, 0)?;
    Scan::of(text).value(0, first)
}

/// Shows the members of the object that the text begins with to `member`, their names as they are meant. Returns where
/// it ends.
#[inline]
pub(super) fn object<'a>(text: &'a [u8], mut member: impl FnMut(&[u8], &'a [u8])) -> Scanned<usize> {
    let mut scan = Scan::of(text);
    let (mut at, mut byte) = next(text, 1)?;
    if byte == b'}' {
        return Ok(at + 1);
    }
    loop {
        let begin = at;
        let name = scan.name(at, byte)?;
        let quoted = &text[begin..name.end];
        (at, byte) = after_colon(text, name.end)?;
        let begin = at;
        at = scan.value(at, byte)?;
        if name.is_escaped {
            member(unescaped(quoted)?.as_bytes(), &text[begin..at]);
        } else {
            member(&quoted[1..quoted.len() - 1], &text[begin..at]);
        }
        (at, byte) = next(text, at)?;
        match byte {
            b',' => (at, byte) = next(text, at + 1)?,
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
    let mut scan = Scan::of(text);
    let (mut at, mut byte) = next(text, 1)?;
    let mut length = 0;
    if byte == b']' {
        return Ok(length);
    }
    loop {
        (at, byte) = next(text, scan.value(at, byte)?)?;
        length += 1;
        match byte {
            b',' => (at, byte) = next(text, at + 1)?,
            b']' => return Ok(length),
            _ => return Err(Stop::Malformed),
        }
    }
}

#[inline]
fn byte(text: &[u8], at: usize) -> Scanned<u8> {
    text.get(at).copied().ok_or(Stop::Incomplete)
}

/// Returns where the next byte is that is not white space, and which.
#[inline]
fn next(text: &[u8], at: usize) -> Scanned<(usize, u8)> {
    let found = byte(text, at)?;
    if found > b' ' { Ok((at, found)) } else { after_blanks(text, at) }
}

#[cold]
fn after_blanks(text: &[u8], mut at: usize) -> Scanned<(usize, u8)> {
    loop {
        match byte(text, at)? {
            b' ' | b'\n' | b'\r' | b'\t' => at += 1,
            found => return Ok((at, found)),
        }
    }
}

/// Returns where the value of the member begins whose name ends before `at`, and with which byte.
#[inline]
fn after_colon(text: &[u8], at: usize) -> Scanned<(usize, u8)> {
    let (at, found) = next(text, at)?;
    if found == b':' { next(text, at + 1) } else { Err(Stop::Malformed) }
}

/// The containers that a value is in: which are objects, the innermost in the lowest bit.
struct Nesting {
    innermost: u64,
    depth: usize,
    /// The outer ones, 64 each.
    outer: Vec<u64>,
}

impl Nesting {
    // These are rare in long answers. Inside of the loop that calls them they would take its registers.
    #[inline(never)]
    fn push(&mut self, is_object: bool) {
        if self.depth.is_multiple_of(64) && self.depth > 0 {
            self.outer.push(self.innermost);
        }
        self.innermost = self.innermost << 1 | u64::from(is_object);
        self.depth += 1;
    }

    /// Leaves the innermost; returns whether there is another around it.
    #[inline(never)]
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

/// A look at a text, from one end of a value to the next.
struct Scan<'a> {
    text: &'a [u8],
    marks: Marks<'a>,
}

impl<'a> Scan<'a> {
    #[inline]
    fn of(text: &'a [u8]) -> Self {
        Self { text, marks: Marks::new(text) }
    }

    /// Returns where the value ends that begins at `at` with the byte `first`.
    #[inline]
    fn value(&mut self, at: usize, first: u8) -> Scanned<usize> {
        match first {
            b'"' => self.string(at + 1).map(|string| string.end),
            b'{' => self.container(at + 1, true),
            b'[' => self.container(at + 1, false),
            _ => scalar(self.text, at, first),
        }
    }

    /// Returns where the container ends whose opening is before `at`.
    fn container(&mut self, at: usize, is_object: bool) -> Scanned<usize> {
        let text = self.text;
        let (mut at, mut byte) = next(text, at)?;
        if byte == closing(is_object) {
            return Ok(at + 1);
        }
        let mut nesting = Nesting { innermost: u64::from(is_object), depth: 1, outer: Vec::new() };
        let mut is_object = is_object;
        loop {
            // Here begins a member or an element.
            if is_object {
                (at, byte) = after_colon(text, self.name(at, byte)?.end)?;
            }
            match byte {
                b'"' => at = self.string(at + 1)?.end,
                b'{' | b'[' => {
                    let opens_object = byte == b'{';
                    (at, byte) = next(text, at + 1)?;
                    if byte != closing(opens_object) {
                        is_object = opens_object;
                        nesting.push(is_object);
                        continue;
                    }
                    at += 1;
                }
                _ => at = scalar(text, at, byte)?,
            }
            // Here ends a value, and maybe what is around it.
            (at, byte) = next(text, at)?;
            while byte != b',' {
                if byte != closing(is_object) {
                    return Err(Stop::Malformed);
                }
                at += 1;
                if !nesting.pop() {
                    return Ok(at);
                }
                is_object = nesting.is_object();
                (at, byte) = next(text, at)?;
            }
            (at, byte) = next(text, at + 1)?;
        }
    }

    /// Passes over the name that begins at `at` with the byte `first`.
    #[inline]
    fn name(&mut self, at: usize, first: u8) -> Scanned<Quoted> {
        if first == b'"' { self.string(at + 1) } else { Err(Stop::Malformed) }
    }

    /// Passes over the string whose content begins at `begin`.
    #[inline]
    fn string(&mut self, begin: usize) -> Scanned<Quoted> {
        let at = self.marks.first(begin);
        match byte(self.text, at)? {
            b'"' => Ok(Quoted { end: at + 1, is_escaped: false }),
            _ => self.odd_string(at),
        }
    }

    /// Passes over a string whose content is ASCII without escapes up to `at`. Most strings end without anything of what
    /// has to be looked for here.
    #[inline(never)]
    fn odd_string(&mut self, mut at: usize) -> Scanned<Quoted> {
        // Where the first character is that is not ASCII.
        let mut other = None;
        let mut is_escaped = false;
        loop {
            match byte(self.text, at)? {
                b'"' => {
                    let is_text = other.is_none_or(|other| str::from_utf8(&self.text[other..at]).is_ok());
                    return if is_text { Ok(Quoted { end: at + 1, is_escaped }) } else { Err(Stop::Malformed) };
                }
                b'\\' => {
                    at = escape(self.text, at + 1)?;
                    is_escaped = true;
                }
                0..0x20 => return Err(Stop::Malformed),
                _ => {
                    other = other.or(Some(at));
                    at += 1;
                }
            }
            at = self.marks.first(at);
        }
    }
}

/// A string that was passed over.
struct Quoted {
    /// Where it ends, behind its quote.
    end: usize,
    is_escaped: bool,
}

fn closing(is_object: bool) -> u8 {
    if is_object { b'}' } else { b']' }
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
        let found = value(&followed);
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
                prop_assert_eq!(value(&text[..length]), Err(Stop::Incomplete), "{:?}", &text[..length]);
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
            assert_eq!(value(&nested), Ok(nested.len()), "{depth}");
            let mixed_up = [b"[{\"a\":".repeat(depth), b"1".to_vec(), b"]}".repeat(depth)].concat();
            assert_eq!(value(&mixed_up), Err(Stop::Malformed), "{depth}");
        }
    }

    #[test]
    fn elements_are_counted() {
        for (list, count) in [("[]", 0), ("[ ]", 0), ("[1]", 1), ("[ [1,2] , {\"a\":3} ]", 2)] {
            assert_eq!(length(list.as_bytes()), Ok(count), "{list}");
        }
    }
}
