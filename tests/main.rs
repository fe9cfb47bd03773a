//! The exporter as its users meet it: over HTTP, against an Edge Impulse API that is a server of its own.

#![expect(unreachable_pub, reason = "a test program has no users")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so")]
#![expect(clippy::float_cmp, reason = "values are to be exactly those that were sent")]
#![expect(clippy::cast_precision_loss, reason = "counts of tests are small")]

mod answers;
mod architecture;
mod book;
mod bounds;
mod catalogue;
mod check;
mod command_line;
mod config_file;
mod courtesy;
mod credentials;
mod dashboards;
mod demo;
mod drift;
mod failures;
mod freshness;
mod history;
mod manifests;
mod manual;
mod merging;
mod names;
mod packages;
mod page;
mod prometheus;
mod properties;
mod recording;
mod reload;
mod rotation;
mod rules;
mod secrets;
mod serving;
mod sharding;
mod sockets;
mod spread;
mod support;
mod targets;
mod tls;
mod transport;
mod tutorial;
mod web_clients;
mod web_config;
mod web_tls;
mod whitelabel;
mod wire;
