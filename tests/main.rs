//! Tests of the real application over HTTP, against a fake Edge Impulse API. The groups are those of `src/`.

#![expect(unreachable_pub, reason = "a test program has no users")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first failure"
)]
#![expect(clippy::float_cmp, reason = "samples have exactly the values of the responses")]
#![expect(clippy::cast_precision_loss, reason = "counts of tests are small")]

mod architecture;
mod config;
mod demo;
mod history;
mod metrics;
mod page;
mod recording;
mod support;

mod api {
    mod broken_responses;
    mod buckets;
    mod connections;
    mod hostile_names;
    mod independent;
    mod jobs;
    mod metamorphic;
    mod pipelines;
    mod properties;
    mod responses;
    pub mod tls;
    mod transport;
}

mod cli {
    mod check;
    mod check_api;
    mod clock;
    mod command_line;
    mod manual;
    mod secrets;
}

mod collect {
    mod api_keys;
    mod credentials;
    mod failures;
    mod freshness;
    mod intervals;
    mod pauses;
    mod plan;
    mod precedence;
    mod rotation;
    mod whitelabel;
}

mod deploy {
    mod bad_days;
    pub mod dashboards;
    pub mod manifests;
    mod packages;
    pub mod prometheus;
    pub mod rules;
    mod sharding;
    mod systemd;
}

mod docs {
    pub mod book;
    pub mod tutorial;
}

mod peers {
    mod collector;
    mod compatibility;
    mod kubernetes;
    mod prometheus;
    mod victoria_metrics;
}

mod serve {
    mod blocked_files;
    pub mod bounds;
    mod exporter_toolkit;
    mod memory;
    mod metrics_endpoint;
    mod open_metrics;
    mod reload;
    mod secrets;
    mod soak;
    mod sockets;
    mod targets;
    pub mod web_clients;
    mod web_config;
    mod web_tls;
}
