//! Received bytes that are not read yet.

use bytes::{Buf, Bytes};

/// Smallest amount that is copied from a part, in bytes: more than most elements of a list have.
const MIN_COPIED: usize = 4096;

/// Bytes that arrive in parts and are read where they arrived. Only a value that spans two parts is copied, so that it
/// is contiguous.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// Unread bytes of the latest part.
    part: Bytes,
    /// Unread bytes of earlier parts, followed by a copy of the beginning of `part`. Empty where `part` itself is read.
    joined: Vec<u8>,
    /// Where the unread bytes begin in `joined`.
    at: usize,
    /// How many bytes of `part` are copied to the end of `joined`.
    copied: usize,
    /// How many bytes have been read.
    position: usize,
}

impl Buffer {
    /// Returns the contiguous bytes that are not read yet.
    pub(super) fn unread(&self) -> &[u8] {
        if self.joined.is_empty() { &self.part } else { &self.joined[self.at..] }
    }

    /// Returns how many bytes have been read.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Marks that many bytes as read.
    pub(super) fn advance(&mut self, length: usize) {
        self.position += length;
        if self.joined.is_empty() {
            self.part.advance(length);
            return;
        }
        self.at += length;
        let unread = self.joined.len() - self.at;
        if unread <= self.copied {
            self.part.advance(self.copied - unread);
            self.joined.clear();
        }
    }

    /// Appends more of the latest part to [`Self::unread`]. Returns false if all of it is there.
    pub(super) fn extend(&mut self) -> bool {
        if self.joined.is_empty() || self.copied == self.part.len() {
            return false;
        }
        // As much again as there is, so that a value in many small parts is not moved for each of them.
        let end = self.part.len().min(self.copied + MIN_COPIED.max(self.joined.len() - self.at));
        self.joined.extend_from_slice(&self.part[self.copied..end]);
        self.copied = end;
        true
    }

    /// Adds a part; call it when [`Self::extend`] returned false.
    pub(super) fn push(&mut self, part: Bytes) {
        if self.joined.is_empty() {
            self.joined.extend_from_slice(&self.part);
        } else {
            self.joined.drain(..self.at);
        }
        self.at = 0;
        self.copied = 0;
        self.part = part;
        self.extend();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_byte_is_read_once_whatever_the_parts(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9000), 0..6),
            steps in prop::collection::vec(1_usize..3000, 1..20),
        ) {
            let mut buffer = Buffer::default();
            let mut read = Vec::new();
            let mut steps = steps.into_iter().cycle();
            let mut rest = parts.iter().cloned();
            loop {
                let step = steps.next().unwrap();
                let is_over = loop {
                    let before = buffer.unread().to_vec();
                    if before.len() >= step {
                        break false;
                    }
                    if !buffer.extend() {
                        let Some(part) = rest.next() else { break true };
                        buffer.push(part.into());
                    }
                    prop_assert!(buffer.unread().starts_with(&before));
                };
                let length = step.min(buffer.unread().len());
                prop_assert_eq!(buffer.position(), read.len());
                read.extend_from_slice(&buffer.unread()[..length]);
                buffer.advance(length);
                if is_over {
                    break;
                }
            }
            prop_assert_eq!(read, parts.concat());
        }
    }

    #[test]
    fn a_part_is_not_copied_but_for_the_value_that_begins_before_it() {
        let mut buffer = Buffer::default();
        buffer.push(Bytes::from(vec![1; 5000]));
        buffer.advance(4990);
        let part = Bytes::from(vec![2; 50_000]);
        buffer.push(part.clone());
        assert_eq!(buffer.unread().len(), 10 + MIN_COPIED);
        buffer.advance(20);
        assert_eq!(buffer.unread().as_ptr(), part[10..].as_ptr());
        assert_eq!((buffer.unread().len(), buffer.position()), (49_990, 5010));
    }

    #[test]
    fn a_long_value_in_small_parts_is_not_moved_for_each_of_them() {
        let mut buffer = Buffer::default();
        let mut places = std::collections::BTreeSet::new();
        for _ in 0..100_000 {
            buffer.push(Bytes::from_static(b"0123456789"));
            while buffer.extend() {}
            places.insert(buffer.unread().as_ptr());
        }
        assert_eq!(buffer.unread().len(), 1_000_000);
        assert!(places.len() < 40, "moved {} times", places.len());
    }
}
