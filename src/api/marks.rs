//! Where in a text the bytes are that mean something inside of a JSON string.

use wide::{i8x64, u8x64};

/// Bytes that are looked at together.
const BLOCK: usize = u64::BITS as usize;

/// The marks of a text: a bit for each byte that may be more than a character of a string, which are quotes,
/// backslashes, control characters and what is not ASCII.
///
/// Most strings are shorter than what a processor does while it waits for the end of one. So blocks are looked at
/// wherever strings begin in them, and one ahead: what has to be waited for is a shift and a count of zeros.
#[derive(Debug)]
pub(super) struct Marks<'a> {
    text: &'a [u8],
    /// The block that was looked at last; a number that no block has before the first is.
    block: usize,
    /// The marks of that block, the one of its first byte in the lowest bit.
    here: u64,
    /// Those of the block that follows.
    ahead: u64,
}

impl<'a> Marks<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, block: usize::MAX, here: 0, ahead: 0 }
    }

    /// Returns where the first marked byte is, from `at` on; behind the text where there is none.
    #[inline]
    pub(super) fn first(&mut self, mut at: usize) -> usize {
        loop {
            let block = at / BLOCK;
            if block != self.block {
                self.go_to(block);
            }
            let marks = self.here >> (at % BLOCK);
            if marks != 0 {
                return at + marks.trailing_zeros() as usize;
            }
            at = (block + 1) * BLOCK;
        }
    }

    #[inline(never)]
    fn go_to(&mut self, block: usize) {
        let is_next = self.block.checked_add(1) == Some(block);
        self.here = if is_next { self.ahead } else { of_block(self.text, block) };
        self.ahead = of_block(self.text, block + 1);
        self.block = block;
    }
}

/// Returns the marks of a block; what is behind the text is marked.
#[inline]
fn of_block(text: &[u8], block: usize) -> u64 {
    let rest = text.get(block * BLOCK..).unwrap_or_default();
    rest.first_chunk().map_or_else(|| of_last(rest), of_bytes)
}

// Apart, so that the way of nearly all blocks is straight: where the two meet, the compiler takes marks apart bit by bit.
#[cold]
#[inline(never)]
fn of_last(rest: &[u8]) -> u64 {
    let mut bytes = [0; BLOCK];
    bytes[..rest.len()].copy_from_slice(rest);
    of_bytes(&bytes)
}

#[inline]
fn of_bytes(bytes: &[u8; BLOCK]) -> u64 {
    let bytes = u8x64::new(*bytes);
    let quotes = bytes.simd_eq(u8x64::splat(b'"'));
    let backslashes = bytes.simd_eq(u8x64::splat(b'\\'));
    // With a sign, what is not ASCII is below zero.
    let others = bytes.cast_signed().simd_lt(i8x64::splat(0x20)).cast_unsigned();
    (quotes | backslashes | others).to_bitmask()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes of which most are plain, and the rest next to where it changes what a byte is.
    fn bytes() -> impl Strategy<Value = u8> {
        prop_oneof![30 => Just(b'a'), 1 => prop::sample::select(b"\x00\x1f !\"#[\\]\x7e\x7f\x80\xff".to_vec())]
    }

    proptest! {
        #[test]
        fn they_are_what_is_found_byte_by_byte(
            text in prop::collection::vec(bytes(), 0..500),
            places in prop::collection::vec(0_usize..500, 1..20),
        ) {
            let mut marks = Marks::new(&text);
            for place in places {
                let is_marked = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20 | 0x80..);
                let expected = text.iter().skip(place).position(is_marked).map(|offset| place + offset);
                let found = marks.first(place);
                prop_assert_eq!(Some(found).filter(|found| *found < text.len()), expected, "from {}", place);
                prop_assert!(found >= place);
            }
        }
    }
}
