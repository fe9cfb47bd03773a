//! Everything that one configuration describes, ready to be scraped.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::Scope;
use super::account::{Account, AccountState, Limits, Shared};
use crate::api::{self, Client, DecodeOptions, Settings, Tap};
use crate::collect::credential::CredentialSource;
use crate::collect::rate_limit::RateLimiter;
use crate::collect::scrape::{self, Selection};
use crate::config::{AccountOptions, ApiOptions, Configuration, FailScrape};
use crate::metrics::Format;
use crate::metrics::exposition::Writer;
use crate::metrics::telemetry::Telemetry;
use crate::model::Clock;
use crate::model::Snapshot;
use crate::{config, metrics};

/// Most time for a scrape, whoever asks for more: no call lasts that long, and no clock overflows.
pub(crate) const LONGEST_SCRAPE: Duration = Duration::from_hours(1);

/// Calls at one time unless `--api.concurrency` says otherwise, and unless there are more accounts.
const CONCURRENCY: usize = 8;

/// The accounts of one configuration, and how they are scraped.
#[derive(Debug)]
pub struct Exporter {
    /// What it was built from.
    pub configuration: Configuration,
    /// The accounts, in the order of configuration.
    pub accounts: Vec<Arc<Account>>,
    /// The exporter's counters.
    pub own: Arc<Telemetry>,
    /// The time of day.
    pub clock: Clock,
    /// Writes what all of it was found to be.
    pub(crate) writer: Writer,
    http: reqwest::Client,
}

/// What is kept of responses in addition to what a scrape shows; nothing by default.
#[derive(Clone, Default)]
pub struct Keep {
    /// Every daily record, which `history` needs.
    pub daily_records: bool,
    /// A function that is given a copy of each response.
    pub responses: Option<Tap>,
}

impl Exporter {
    /// Builds an exporter that keeps more than a scrape shows.
    ///
    /// # Errors
    /// See [`Self::build`].
    pub fn build_keeping(configuration: Configuration, keep: Keep, clock: Clock) -> Result<Arc<Self>, String> {
        Self::assemble(configuration, &keep, clock, None)
    }

    /// Builds the exporter that `configuration` describes. Of the `previous` one stay the counters, and all that the
    /// accounts know that did not change.
    ///
    /// # Errors
    /// If a credential cannot be loaded, there is nothing to read, or TLS cannot be set up. Nothing has changed then.
    pub fn build(
        configuration: Configuration,
        clock: Clock,
        previous: Option<&Self>,
    ) -> Result<Arc<Self>, String> {
        Self::assemble(configuration, &Keep::default(), clock, previous)
    }

    fn assemble(
        configuration: Configuration,
        keep: &Keep,
        clock: Clock,
        previous: Option<&Self>,
    ) -> Result<Arc<Self>, String> {
        let Configuration { api, accounts: options, common, .. } = &configuration;
        let same_api = previous.filter(|previous| previous.configuration.api == *api);
        let http = match same_api {
            // What is in that file may have changed.
            Some(previous) if api.ca_file.is_none() => previous.http.clone(),
            _ => api::transport(api)?,
        };
        let mut memories = Vec::new();
        for options in options {
            let known = same_api.and_then(|previous| previous.memory_of(options));
            memories.push(match known {
                Some(memory) => memory,
                None => Arc::new(AccountState::new(load(options, &clock)?)),
            });
        }
        // From here on nothing can fail.
        let own = previous
            .map_or_else(|| Arc::new(Telemetry::new(clock.now())), |previous| Arc::clone(&previous.own));
        own.forget_accounts(|name| options.iter().any(|options| options.name == name));
        let shared = Shared {
            own: Arc::clone(&own),
            clock: clock.clone(),
            max_age: common.cache.ttl,
            stale_for: common.cache.stale_for,
        };
        let count = options.len().max(1);
        let concurrency = api.concurrency.map_or(CONCURRENCY.max(count), usize::from);
        let a_minute = usize::try_from(api.calls_per_minute).unwrap_or(usize::MAX);
        let accounts = options.iter().zip(memories).enumerate().map(|(index, (options, memory))| {
            let client = Client::new(http.clone(), settings(api, options, keep), Arc::clone(&own));
            let share = Limits {
                permits: Arc::new(Semaphore::new(share(concurrency, index, count))),
                pace: Arc::new(RateLimiter::new(share(a_minute, index, count))),
            };
            let scope = scope(options);
            Arc::new(Account::new(&options.name, memory, scope, client, shared.clone(), share))
        });
        let accounts = accounts.collect();
        Ok(Arc::new(Self { configuration, accounts, own, clock, writer: Writer::default(), http }))
    }

    /// Returns what is known of an account, if it was read by the same options.
    fn memory_of(&self, options: &AccountOptions) -> Option<Arc<AccountState>> {
        let known = self.configuration.accounts.iter().position(|known| known.is_read_as(options))?;
        Some(Arc::clone(&self.accounts.get(known)?.memory))
    }

    /// Reads the accounts within `budget` and returns the metrics as text, with the telemetry if it is
    /// requested.
    ///
    /// # Errors
    /// See [`metrics::write`].
    pub async fn collect(
        &self,
        accounts: &[Arc<Account>],
        selection: &Selection,
        with_own: bool,
        budget: Duration,
        format: Format,
    ) -> Result<(String, Arc<Snapshot>), std::fmt::Error> {
        let snapshot = self.read(accounts, selection, budget).await;
        Ok((metrics::write(format, Arc::clone(&snapshot), self.own_if(with_own))?, snapshot))
    }

    /// Reads the accounts within `budget`.
    pub(crate) async fn read(
        &self,
        accounts: &[Arc<Account>],
        selection: &Selection,
        budget: Duration,
    ) -> Arc<Snapshot> {
        let deadline = Instant::now() + budget.min(LONGEST_SCRAPE);
        Arc::new(scrape::collect(accounts, selection, deadline, self.clock.now()).await)
    }

    /// Returns the exporter's counters if they are asked for and not switched off.
    pub(crate) fn own_if(&self, with_own: bool) -> Option<Arc<Telemetry>> {
        (with_own && !self.web().disable_exporter_metrics).then(|| Arc::clone(&self.own))
    }

    /// Tells whether a scrape with this result is to be answered with a failure.
    #[must_use]
    pub fn fails(&self, snapshot: &Snapshot) -> bool {
        match self.web().fail_scrape {
            FailScrape::Never => false,
            FailScrape::All => !snapshot.accounts.iter().any(|account| account.up == Some(true)),
            FailScrape::Any => snapshot.call_results.iter().any(|call| call.supported && !call.success),
        }
    }

    /// Returns how the exporter is reached.
    #[must_use]
    pub const fn web(&self) -> &config::WebOptions {
        &self.configuration.common.web
    }
}

/// Returns what one of `count` accounts has of `total`: all of them together have no more.
fn share(total: usize, index: usize, count: usize) -> usize {
    total / count + usize::from(index < total % count)
}

fn load(options: &AccountOptions, clock: &Clock) -> Result<CredentialSource, String> {
    let AccountOptions { kind, origin, place, .. } = options;
    let scope = scope(options);
    let place = place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    if !scope.is_readable(*kind) {
        return Err(format!(
            "{place}nothing to read: the {} collector, which finds organizations, is off; name them with {}",
            Scope::discovery(*kind).name(),
            if place.is_empty() { "--organization-id" } else { "organization_ids" }
        ));
    }
    CredentialSource::load(*kind, origin.clone(), clock.now())
        .map_err(|error| format!("{place}the {} in {origin} {error}", kind.name()))
}

fn scope(options: &AccountOptions) -> Scope {
    let AccountOptions { scope: ids, collectors, .. } = options;
    let set = |ids: &[u64]| ids.iter().copied().collect::<BTreeSet<_>>();
    Scope {
        collectors: collectors.enabled.clone(),
        intervals: collectors.intervals.clone(),
        organizations: set(&ids.organization_ids),
        users: set(&ids.user_ids),
        whitelabel_organizations: set(&ids.whitelabel_organization_ids),
        whitelabel_users: set(&ids.whitelabel_user_ids),
    }
}

fn settings(api: &ApiOptions, options: &AccountOptions, keep: &Keep) -> Settings {
    let collectors = &options.collectors;
    Settings {
        url: api.url.clone(),
        tls_server_name: api.tls_server_name.clone(),
        timeout: api.timeout,
        max_response_size: api.max_response_size,
        usage_query: collectors.usage_query(),
        terms: DecodeOptions {
            now: 0.0,
            compute_time_unit: api.compute_time_unit.seconds(),
            memory_unit: api.memory_unit.bytes(),
            projects: collectors.projects,
            most_datasets: collectors.most_datasets,
            days: keep.daily_records,
        },
        tap: keep.responses.clone(),
    }
}
