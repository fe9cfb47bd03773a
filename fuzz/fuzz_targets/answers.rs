#![no_main]

mod support {
    #![allow(dead_code, reason = "the tests use more of it")]

    #[path = "../../../tests/support/exposition.rs"]
    pub mod exposition;
    #[path = "../../../tests/support/properties.rs"]
    pub mod properties;
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| support::properties::every_answer_is_read_or_refused(input));
