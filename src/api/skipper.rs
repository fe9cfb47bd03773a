//! Finds where a JSON value ends, by its structure.

/// Finds the end of one JSON value in bytes that arrive piece by piece, in constant memory.
///
/// It follows strings, escapes and the nesting depth. It checks no grammar beyond that.
#[derive(Debug, Default)]
pub(super) struct Skipper {
    place: Place,
    /// Lists and objects that are open.
    depth: usize,
}

/// Where in the value the next byte is.
#[derive(Debug, Default)]
enum Place {
    #[default]
    Start,
    /// In a number, `true`, `false` or `null` that is not in a list or object.
    Scalar,
    /// In a list or object, outside of strings.
    Container,
    String,
    /// After a backslash in a string.
    Escape,
}

impl Skipper {
    /// Takes the next bytes. Returns how many of them belong to the value once its end is among them.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at += 1;
            match (&self.place, byte) {
                (Place::String, b'\\') => self.place = Place::Escape,
                (Place::String, b'"') if self.depth == 0 => return Some(at),
                (Place::String, b'"') => self.place = Place::Container,
                (Place::String, _) => {
                    let rest = &bytes[at..];
                    at += rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(rest.len());
                }
                (Place::Escape, _) | (Place::Start | Place::Container, b'"') => self.place = Place::String,
                (Place::Scalar, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t') => return Some(at - 1),
                (Place::Scalar, _) => {}
                (_, b'{' | b'[') => {
                    self.place = Place::Container;
                    self.depth += 1;
                }
                (Place::Start, _) => self.place = Place::Scalar,
                (Place::Container, b'}' | b']') => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at);
                    }
                }
                (Place::Container, _) => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str, size: usize) -> Option<usize> {
        let mut skipper = Skipper::default();
        let mut before = 0;
        for part in text.as_bytes().chunks(size) {
            if let Some(end) = skipper.feed(part) {
                return Some(before + end);
            }
            before += part.len();
        }
        None
    }

    #[test]
    fn the_end_is_found_in_parts_of_any_size() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for value in [
            "{}",
            "[]",
            "\"\"",
            "12.5e3",
            "null",
            r#""a\"b\\""#,
            r#"{"a":[1,{"b":"]}"},"\\"],"c":"\"}"}"#,
            &deep,
        ] {
            for rest in [",\"b\":1}", "]", "}}", " ]"] {
                let text = format!("{value}{rest}");
                for size in [1, 2, 3, 7, text.len()] {
                    assert_eq!(end(&text, size), Some(value.len()), "{value:.40} by {size}");
                }
            }
        }
    }

    #[test]
    fn a_beginning_has_no_end() {
        for beginning in ["", "{", "[1,2", "\"a", "\"a\\\"", "12", "tru", "{\"a\":\"}", "[[]"] {
            assert_eq!(end(beginning, 2), None, "{beginning}");
        }
    }
}
