//! The part of an answer that is being read.

use bytes::Bytes;

/// How much of the next part is copied behind the rest of the one before, at least.
const LEAST_JOINED: usize = 1024;

/// Text that arrives in parts, and is read where it arrived: only what goes on from one part into the next is copied,
/// until there is nothing left to read before the part that it ends in.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// The last part.
    part: Bytes,
    /// What was left before it, and as much of it as was needed; empty where the part itself is read.
    joint: Vec<u8>,
    /// Where in the joint the part begins.
    begin: usize,
    /// Where the unread begins, in the joint or the part.
    at: usize,
    /// How many bytes came before these.
    dropped: usize,
}

impl Window {
    /// Returns what is at hand and not read.
    pub(super) fn unread(&self) -> &[u8] {
        let text: &[u8] = if self.joint.is_empty() { &self.part } else { &self.joint };
        &text[self.at..]
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
        if self.joint.len() == self.begin + self.part.len() || self.joint.is_empty() {
            return false;
        }
        if self.at < self.begin {
            self.join();
        } else {
            self.joint.clear();
            self.at -= self.begin;
            self.dropped += self.begin;
        }
        true
    }

    /// Puts at hand the part that follows, where [`Self::widen`] has no more.
    pub(super) fn push(&mut self, part: Bytes) {
        let read = std::mem::take(&mut self.at);
        self.dropped += read;
        if self.joint.is_empty() {
            self.joint.extend_from_slice(&self.part[read..]);
        } else {
            self.joint.drain(..read);
        }
        self.begin = self.joint.len();
        self.part = part;
        if !self.joint.is_empty() {
            self.join();
        }
    }

    /// Copies so much more of the part that there is twice as much at hand. What is there already stays where it is:
    /// a long value in many small parts is copied once, and not once for each of them.
    fn join(&mut self) {
        let copied = self.joint.len() - self.begin;
        let wanted = LEAST_JOINED.max(self.joint.len() - self.at);
        let end = self.part.len().min(copied + wanted);
        self.joint.extend_from_slice(&self.part[copied..end]);
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
        assert_eq!(
            window.unread().len(),
            10 + LEAST_JOINED,
            "no more is copied than a value is likely to take"
        );
        window.advance(20);
        assert!(window.widen());
        assert_eq!(window.unread().as_ptr(), part[10..].as_ptr());
        assert!(!window.widen());
        assert_eq!(window.position(), 5010);
    }

    #[test]
    fn a_long_value_in_small_parts_is_not_copied_for_each_of_them() {
        let mut window = Window::default();
        let mut places = std::collections::BTreeSet::new();
        for _ in 0..100_000 {
            window.push(Bytes::from_static(b"0123456789"));
            while window.widen() {}
            places.insert(window.unread().as_ptr());
        }
        assert_eq!(window.unread().len(), 1_000_000);
        assert!(places.len() < 40, "it was moved {} times", places.len());
    }
}
