//! The part of an answer that is being read.

use bytes::Bytes;

/// How much of the next part is copied behind the rest of the one before, at least.
const LEAST_JOINED: usize = 1024;

/// Text that arrives in parts, and is read where it arrived: only what goes on from one part into the next is copied,
/// until there is nothing left to read before the part that it ends in.
#[derive(Debug, Default)]
pub(super) struct Window {
    text: Bytes,
    /// Where in the text the unread begins.
    at: usize,
    joined: Option<Joined>,
    /// How many bytes came before the text.
    dropped: usize,
}

/// A part of which the text has the beginning only.
#[derive(Debug)]
struct Joined {
    part: Bytes,
    /// Where in the text it begins.
    begin: usize,
}

impl Window {
    /// Returns what is at hand and not read.
    pub(super) fn unread(&self) -> &[u8] {
        &self.text[self.at..]
    }

    /// Goes on by so many bytes.
    pub(super) fn advance(&mut self, length: usize) {
        self.at += length;
    }

    /// Returns how many bytes of the answer have been read.
    pub(super) fn position(&self) -> usize {
        self.dropped + self.at
    }

    /// Puts more of the last part at hand; returns whether there was more.
    pub(super) fn widen(&mut self) -> bool {
        let Some(Joined { part, begin }) = self.joined.take() else { return false };
        if self.at < begin {
            self.join(part, begin);
        } else {
            self.dropped += begin;
            self.at -= begin;
            self.text = part;
        }
        true
    }

    /// Puts at hand the part that follows, where [`Self::widen`] has no more.
    pub(super) fn push(&mut self, part: Bytes) {
        if self.unread().is_empty() {
            self.dropped += std::mem::take(&mut self.at);
            self.text = part;
        } else {
            self.join(part, self.text.len());
        }
    }

    /// Makes the text what is unread of it, and of `part`, which begins at `begin` in it or behind it, so much more that
    /// there is twice as much.
    fn join(&mut self, part: Bytes, begin: usize) {
        let rest = &self.text[self.at..begin];
        let wanted = LEAST_JOINED.max(2 * self.unread().len()) - rest.len();
        let copied = part.len().min(wanted);
        let begin = rest.len();
        self.text = [rest, &part[..copied]].concat().into();
        self.dropped += std::mem::take(&mut self.at);
        self.joined = (copied < part.len()).then_some(Joined { part, begin });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_is_read_once_in_whatever_parts_it_comes(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9000), 0..6),
            steps in prop::collection::vec(1_usize..3000, 1..20),
        ) {
            let mut window = Window::default();
            let mut read = Vec::new();
            let mut steps = steps.into_iter().cycle();
            let mut rest = parts.iter().cloned();
            loop {
                // A value of this length, taken when all of it is at hand.
                let step = steps.next().unwrap();
                let is_over = loop {
                    let before = window.unread().to_vec();
                    if before.len() >= step {
                        break false;
                    }
                    if !window.widen() {
                        let Some(part) = rest.next() else { break true };
                        window.push(part.into());
                    }
                    prop_assert!(window.unread().starts_with(&before), "nothing is lost");
                };
                let length = step.min(window.unread().len());
                prop_assert_eq!(window.position(), read.len());
                read.extend_from_slice(&window.unread()[..length]);
                window.advance(length);
                if is_over {
                    break;
                }
            }
            prop_assert_eq!(read, parts.concat());
        }
    }

    #[test]
    fn a_part_is_read_where_it_arrived() {
        let mut window = Window::default();
        window.push(Bytes::from(vec![1; 5000]));
        window.advance(4990);
        let part = Bytes::from(vec![2; 50_000]);
        window.push(part.clone());
        assert_eq!(window.unread().len(), LEAST_JOINED, "no more is copied than a value is likely to take");
        window.advance(20);
        assert!(window.widen());
        assert_eq!(window.unread().as_ptr(), part[10..].as_ptr());
        assert!(!window.widen());
        assert_eq!(window.position(), 5010);
    }
}
