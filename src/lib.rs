//! Edge Impulse organizations as Prometheus metrics.
//!
//! How a scrape flows:
//!
//! ```text
//! HTTP scrape -> server -> scrape -> account -> cell -> api client -> JSON, folded into facts
//!                            |
//!                            v  merge
//!                        snapshot (plain rows, Option everywhere)
//!                            |
//!                            v
//!               metrics::catalogue (a table: one row per metric) -> text
//! ```
//!
//! [`snapshot`] in the middle knows neither JSON nor Prometheus: a change of the API touches [`api`], a new metric is
//! a row of [`metrics::catalogue`].

pub mod account;
pub mod api;
pub mod cell;
pub mod check;
pub mod clock;
pub mod collector;
pub mod commands;
pub mod config;
pub mod credential;
pub mod demo;
pub mod discovery;
pub mod drift;
pub mod exporter;
pub mod exposition;
pub mod health;
pub mod history;
pub mod listener;
pub mod manual;
pub mod metrics;
pub mod options;
pub mod own;
pub mod pace;
mod page;
pub mod process;
pub mod recording;
pub mod reference;
pub mod reload;
pub mod scrape;
pub mod server;
pub mod snapshot;
pub mod socket;
mod targets;
pub mod web;
