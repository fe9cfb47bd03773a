//! The exporter as its users meet it: over HTTP, against an Edge Impulse API that is a server of its own.

#![expect(unreachable_pub, reason = "a test program has no users")]
#![expect(
    clippy::float_cmp,
    clippy::cast_precision_loss,
    reason = "values are to be exactly those that were sent"
)]

mod answers;
mod catalogue;
mod command_line;
mod credentials;
mod demo;
mod failures;
mod merging;
mod names;
mod serving;
mod support;
