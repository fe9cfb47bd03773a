#![no_main]

/// What the tests use too.
#[path = "../../tests/support"]
mod support {
    #![allow(dead_code, reason = "the tests use more of it")]

    pub mod exposition;
    pub mod properties;
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| support::properties::every_refusal_is_in_the_words_of_the_api(input));
