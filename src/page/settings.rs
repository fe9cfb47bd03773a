//! The configuration in effect. Nothing here is a secret: a credential is no setting, and URLs may hold none.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use crate::config::{
    ApiOptions, CacheOptions, CollectorOptions, CommonOptions, Configuration, LogOptions, ScopeOptions,
    ScrapeOptions, WebOptions,
};
use crate::model::Collector;

/// One setting.
#[derive(Debug)]
pub(super) struct Setting {
    /// Its flag, or where it stands in the file.
    pub(super) name: String,
    /// What is in effect.
    pub(super) value: String,
    /// What would be if nothing were said.
    pub(super) default: String,
}

impl Setting {
    pub(super) fn differs(&self) -> bool {
        self.value != self.default
    }
}

/// A flag, the place in the configuration file that says the same, and a value.
type Row = (&'static str, &'static str, String);

/// What stands for a setting that says nothing.
const NOTHING: &str = "not set";

/// Returns all settings that are not an account's own.
pub(super) fn of(configuration: &Configuration) -> Vec<Setting> {
    let Configuration { api, accounts: _, common, file, replay } = configuration;
    let CommonOptions { web, scrape, cache, collectors, log } = common;
    let pair = |rows: Vec<Row>, defaults: Vec<Row>| {
        let is_from_file = file.is_some();
        rows.into_iter().zip(defaults).map(move |((flag, key, value), (.., default))| {
            let name = if is_from_file { key.to_owned() } else { format!("--{flag}") };
            Setting { name, value, default }
        })
    };
    let replay =
        Setting { name: "--replay".to_owned(), value: path(replay.as_ref()), default: NOTHING.to_owned() };
    std::iter::once(replay)
        .chain(pair(of_api(api), of_api(&ApiOptions::default())))
        .chain(pair(of_collectors(collectors), of_collectors(&CollectorOptions::default())))
        .chain(pair(of_cache(cache), of_cache(&CacheOptions::default())))
        .chain(pair(of_scrape(scrape), of_scrape(&ScrapeOptions::default())))
        .chain(pair(of_web(web), of_web(&WebOptions::default())))
        .chain(pair(of_log(log), of_log(&LogOptions::default())))
        .collect()
}

/// Returns what an account reads otherwise than others.
pub(super) fn of_account(
    scope: &ScopeOptions,
    collectors: &CollectorOptions,
    common: &CollectorOptions,
) -> Vec<Setting> {
    let ScopeOptions { organization_ids, user_ids, whitelabel_organization_ids, whitelabel_user_ids } = scope;
    let ids = |name: &str, ids: &[u64]| Setting {
        name: name.to_owned(),
        value: list(ids, NOTHING),
        default: NOTHING.to_owned(),
    };
    let scope = [
        ids("organization ids", organization_ids),
        ids("user ids", user_ids),
        ids("white label's organization ids", whitelabel_organization_ids),
        ids("white label's user ids", whitelabel_user_ids),
    ];
    // Of the intervals, those that differ say enough.
    let (mut own, mut shared) = (collectors.clone(), common.clone());
    own.intervals.retain(|collector, every| common.intervals.get(collector) != Some(every));
    shared.intervals.clear();
    let own = of_collectors(&own).into_iter().zip(of_collectors(&shared));
    let own = own.map(|((_, key, value), (.., default))| Setting { name: key.to_owned(), value, default });
    scope.into_iter().chain(own).filter(Setting::differs).collect()
}

fn of_api(options: &ApiOptions) -> Vec<Row> {
    let ApiOptions {
        url,
        timeout,
        concurrency,
        calls_per_minute,
        max_response_size,
        ca_file,
        proxy_url,
        tls_server_name,
        compute_time_unit,
        memory_unit,
    } = options;
    vec![
        ("api.url", "api.url", url.to_string()),
        ("api.timeout", "api.timeout", duration(*timeout)),
        ("api.concurrency", "api.concurrency", optional(concurrency.as_ref())),
        ("api.calls-per-minute", "api.calls_per_minute", calls_per_minute.to_string()),
        ("api.max-response-size", "api.max_response_size", size(*max_response_size)),
        ("api.ca-file", "api.ca_file", path(ca_file.as_ref())),
        ("api.proxy-url", "api.proxy_url", optional(proxy_url.as_ref())),
        ("api.tls-server-name", "api.tls_server_name", optional(tls_server_name.as_ref())),
        ("api.compute-time-unit", "api.compute_time_unit", name(compute_time_unit)),
        ("api.memory-unit", "api.memory_unit", name(memory_unit)),
    ]
}

fn of_collectors(options: &CollectorOptions) -> Vec<Row> {
    let CollectorOptions {
        enabled,
        projects,
        most_datasets,
        exclude_edge_impulse_users,
        project_visibility,
        intervals,
    } = options;
    let off: Vec<_> =
        Collector::ALL.into_iter().filter(|one| !enabled.contains(one)).map(Collector::name).collect();
    let intervals: Vec<_> = intervals
        .iter()
        .map(|(collector, every)| format!("{}={}", collector.name(), duration(*every)))
        .collect();
    vec![
        ("no-collector", "collectors.disabled", list(&off, "none")),
        ("collector.interval", "collectors.intervals", list(&intervals, "none")),
        ("collector.projects", "collectors.projects", projects.to_string()),
        ("collector.organization.most-datasets", "collectors.most_datasets", most_datasets.to_string()),
        (
            "usage.exclude-edge-impulse-users",
            "collectors.exclude_edge_impulse_users",
            exclude_edge_impulse_users.to_string(),
        ),
        ("usage.project-visibility", "collectors.project_visibility", name(project_visibility)),
    ]
}

fn of_cache(options: &CacheOptions) -> Vec<Row> {
    let CacheOptions { ttl, stale_for } = options;
    vec![
        ("cache.ttl", "cache.ttl", duration(*ttl)),
        ("cache.stale-for", "cache.stale_for", duration(*stale_for)),
    ]
}

fn of_scrape(options: &ScrapeOptions) -> Vec<Row> {
    let ScrapeOptions { timeout_default, timeout_max, timeout_offset } = options;
    vec![
        ("scrape.timeout-default", "scrape.timeout_default", duration(*timeout_default)),
        ("scrape.timeout-max", "scrape.timeout_max", optional(timeout_max.map(duration).as_ref())),
        ("scrape.timeout-offset", "scrape.timeout_offset", duration(*timeout_offset)),
    ]
}

fn of_web(options: &WebOptions) -> Vec<Row> {
    let WebOptions {
        listen_addresses,
        web_config_file,
        systemd_socket,
        probe_listen_address,
        telemetry_path,
        disable_exporter_metrics,
        enable_lifecycle,
        fail_scrape,
    } = options;
    vec![
        ("web.listen-address", "web.listen_addresses", list(listen_addresses, NOTHING)),
        ("web.config.file", "web.config_file", path(web_config_file.as_ref())),
        ("web.systemd-socket", "web.systemd_socket", systemd_socket.to_string()),
        ("web.probe-listen-address", "web.probe_listen_address", optional(probe_listen_address.as_ref())),
        ("web.telemetry-path", "web.telemetry_path", telemetry_path.clone()),
        ("web.disable-exporter-metrics", "web.disable_exporter_metrics", disable_exporter_metrics.to_string()),
        ("web.enable-lifecycle", "web.enable_lifecycle", enable_lifecycle.to_string()),
        ("web.fail-scrape", "web.fail_scrape", name(fail_scrape)),
    ]
}

fn of_log(options: &LogOptions) -> Vec<Row> {
    let LogOptions { level, format } = options;
    vec![("log.level", "log.level", name(level)), ("log.format", "log.format", name(format))]
}

fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn duration(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

/// Writes a size as it may be configured.
fn size(bytes: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
    let fits = units.into_iter().find(|(_, unit)| bytes.is_multiple_of(*unit));
    fits.map(|(name, unit)| format!("{}{name}", bytes / unit)).unwrap_or_default()
}

fn path(path: Option<&PathBuf>) -> String {
    optional(path.map(|path| path.display()).as_ref())
}

fn optional(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), ToString::to_string)
}

fn list<T: ToString>(values: &[T], none: &str) -> String {
    if values.is_empty() {
        return none.to_owned();
    }
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
