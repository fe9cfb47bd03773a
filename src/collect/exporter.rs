//! Everything that one configuration describes, ready to be scraped.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::account::{Account, AccountState, Shared, UNIT_MISMATCH};
use super::credential::CredentialSource;
use super::{Scope, Selection, scrape};
use crate::api::{self, Client, DecodeOptions, Settings, Tap};
use crate::config::{
    AccountOptions, ApiOptions, Configuration, CredentialKind, CredentialOrigin, FailScrape, OptionSources,
    WebOptions,
};
use crate::metrics::telemetry::Telemetry;
use crate::metrics::{self, Format};
use crate::model::{CallResult, Clock, Snapshot};

/// Maximum time of a scrape, whatever its timeout: no call lasts as long, and no clock overflows.
pub const MAX_SCRAPE_TIME: Duration = Duration::from_hours(1);

/// Concurrent calls if `--api.concurrency` is not set, unless there are more accounts.
const DEFAULT_CONCURRENCY: usize = 8;

/// The accounts of one configuration.
#[derive(Debug)]
pub struct Exporter {
    /// The configuration that it was built from.
    pub configuration: Configuration,
    /// The accounts, in the order of configuration.
    pub accounts: Vec<Arc<Account>>,
    /// The exporter's own metrics.
    pub telemetry: Arc<Telemetry>,
    /// The time of day.
    pub clock: Clock,
    http: api::Transport,
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
    /// Builds the exporter of `configuration`. Takes over the telemetry of the `previous` one, the state of accounts that
    /// have not changed, and what accounts of the same name have used of their limits.
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

    /// Builds an exporter that keeps more than a scrape shows.
    ///
    /// # Errors
    /// See [`Self::build`].
    pub fn build_keeping(configuration: Configuration, keep: &Keep, clock: Clock) -> Result<Arc<Self>, String> {
        Self::assemble(configuration, keep, clock, None)
    }

    /// Checks everything that [`Self::build`] checks, except the credentials.
    ///
    /// # Errors
    /// See [`Self::build`].
    pub fn check_without_credentials(configuration: &Configuration) -> Result<(), String> {
        let Configuration { api, accounts, sources, .. } = configuration;
        api::Transport::new(api).map_err(|error| sources.describe(error))?;
        accounts.iter().try_for_each(|options| check_scope(options, sources))?;
        for options in accounts {
            warn_about_scope(options, &scope(options), sources);
        }
        Ok(())
    }

    fn assemble(
        configuration: Configuration,
        keep: &Keep,
        clock: Clock,
        previous: Option<&Self>,
    ) -> Result<Arc<Self>, String> {
        let Configuration { api, accounts: options, sources, common, .. } = &configuration;
        let same_api = previous.filter(|previous| previous.configuration.api == *api);
        let same_url = previous.filter(|previous| previous.configuration.api.url == api.url);
        let http = match same_api {
            Some(previous) if api.ca_file.is_none() => previous.http.clone(),
            // The content of the CA file may have changed.
            _ => api::Transport::new(api).map_err(|error| sources.describe(error))?,
        };
        let mut states = Vec::new();
        for options in options {
            let known = same_api.and_then(|previous| previous.state_of(options));
            let before = same_url.and_then(|previous| previous.predecessor(options, &configuration.accounts));
            states.push(known.map_or_else(|| new_state(options, sources, &clock, before), Ok)?);
        }
        // Nothing can fail from here on.
        let telemetry = previous
            .map_or_else(|| Arc::new(Telemetry::new(clock.now())), |previous| Arc::clone(&previous.telemetry));
        telemetry.forget_accounts(|name| options.iter().any(|options| options.name == name));
        let shared = Shared {
            telemetry: Arc::clone(&telemetry),
            clock: clock.clone(),
            max_age: common.cache.ttl,
            stale_for: common.cache.stale_for,
            unit_mismatch: sources.named_in(UNIT_MISMATCH).into(),
        };
        let count = options.len().max(1);
        let concurrency = api.concurrency.map_or(DEFAULT_CONCURRENCY.max(count), usize::from);
        let calls_per_minute = usize::try_from(api.calls_per_minute).unwrap_or(usize::MAX);
        let accounts = options.iter().zip(states).enumerate().map(|(index, (options, state))| {
            let client = Client::new(http.clone(), settings(api, options, keep), Arc::clone(&telemetry));
            let known = previous.and_then(|previous| previous.predecessor(options, &configuration.accounts));
            let limits = known.map(|account| Arc::clone(&account.limits)).unwrap_or_default();
            limits.set(share(concurrency, index, count), share(calls_per_minute, index, count));
            let scope = scope(options);
            warn_about_scope(options, &scope, sources);
            let account = Account::new(&options.name, state, scope, client, shared.clone(), limits);
            account.report_expiry();
            Arc::new(account)
        });
        let accounts = accounts.collect();
        Ok(Arc::new(Self { configuration, accounts, telemetry, clock, http }))
    }

    /// Returns the account that had this name, else the one of the same credential whose name is gone: a new name brings
    /// no new limits.
    fn predecessor(&self, new: &AccountOptions, all: &[AccountOptions]) -> Option<&Account> {
        let is_gone = |old: &AccountOptions| !all.iter().any(|new| new.name == old.name);
        let old = &self.configuration.accounts;
        let same_name = old.iter().position(|old| old.name == new.name);
        let at = same_name.or_else(|| old.iter().position(|old| old.origin == new.origin && is_gone(old)))?;
        self.accounts.get(at).map(|account| &**account)
    }

    /// Returns the state of an account, if there is one with the same options.
    fn state_of(&self, options: &AccountOptions) -> Option<Arc<AccountState>> {
        let known = self.configuration.accounts.iter().position(|known| known.is_read_as(options))?;
        Some(Arc::clone(&self.accounts.get(known)?.state))
    }

    /// Scrapes the accounts within `budget`, and returns the metrics as text with the snapshot. The exporter's own metrics
    /// are included if `with_telemetry` is true.
    pub async fn collect(
        &self,
        accounts: &[Arc<Account>],
        selection: &Selection,
        with_telemetry: bool,
        budget: Duration,
        format: Format,
    ) -> (String, Arc<Snapshot>) {
        let snapshot = self.scrape(accounts, selection, budget).await;
        let telemetry = self.telemetry_if(with_telemetry);
        (metrics::write(format, Arc::clone(&snapshot), telemetry), snapshot)
    }

    /// Scrapes the accounts within `budget`.
    pub async fn scrape(
        &self,
        accounts: &[Arc<Account>],
        selection: &Selection,
        budget: Duration,
    ) -> Arc<Snapshot> {
        let began = Instant::now();
        let deadline = began + budget.min(MAX_SCRAPE_TIME);
        let snapshot = scrape::collect(accounts, selection, deadline, &self.clock).await;
        let count = |is: fn(&CallResult) -> bool| snapshot.call_results.iter().filter(|call| is(call)).count();
        tracing::debug!(
            organization_id = selection.organization,
            organizations = snapshot.facts.organizations.len(),
            calls = count(|call| call.supported),
            failed = count(|call| call.supported && !call.success),
            stale = count(|call| call.stale),
            budget_seconds = budget.as_secs_f64(),
            duration_seconds = began.elapsed().as_secs_f64(),
            "scrape"
        );
        Arc::new(snapshot)
    }

    /// Returns the exporter's own metrics if `is_wanted` and not `--web.disable-exporter-metrics`.
    #[must_use]
    pub fn telemetry_if(&self, is_wanted: bool) -> Option<Arc<Telemetry>> {
        (is_wanted && !self.web().disable_exporter_metrics).then(|| Arc::clone(&self.telemetry))
    }

    /// Returns true if `--web.fail-scrape` turns a scrape with this result into a failure. For a selection, only the calls
    /// count that were asked for.
    #[must_use]
    pub fn fails(&self, snapshot: &Snapshot, selection: &Selection) -> bool {
        let mut supported = snapshot.call_results.iter().filter(|call| call.supported).peekable();
        match self.web().fail_scrape {
            FailScrape::Never => false,
            FailScrape::All if selection.is_everything() => {
                !snapshot.accounts.iter().any(|account| account.up == Some(true))
            }
            FailScrape::All => supported.peek().is_some() && !supported.any(|call| call.success),
            FailScrape::Any => supported.any(|call| !call.success),
        }
    }

    /// Returns the options of the HTTP server.
    #[must_use]
    pub const fn web(&self) -> &WebOptions {
        &self.configuration.common.web
    }
}

/// Returns the part of `total` that one of `count` accounts gets. The parts add up to the total, unless there are more
/// accounts: each gets at least 1, because an account without a part would wait for ever.
fn share(total: usize, index: usize, count: usize) -> usize {
    (total / count + usize::from(index < total % count)).max(1)
}

/// Returns the state of an account that is new or changed. The pause of the same account `before` goes on.
fn new_state(
    options: &AccountOptions,
    sources: &OptionSources,
    clock: &Clock,
    before: Option<&Account>,
) -> Result<Arc<AccountState>, String> {
    let state = AccountState::new(load_credential(options, sources, clock)?);
    if let Some(before) = before {
        state.take_over_pause(&before.state);
    }
    Ok(Arc::new(state))
}

fn load_credential(
    options: &AccountOptions,
    sources: &OptionSources,
    clock: &Clock,
) -> Result<CredentialSource, String> {
    let AccountOptions { kind, origin, .. } = options;
    check_scope(options, sources)?;
    CredentialSource::load(*kind, origin.clone(), clock.now()).map_err(|error| {
        let (place, origin) = (credential_place(options, sources), sources.describe_origin(origin));
        format!("{place}the {} in {origin} {error}", kind.name())
    })
}

/// Returns what an error about the credential begins with: what named its file or variable.
fn credential_place(options: &AccountOptions, sources: &OptionSources) -> String {
    let AccountOptions { kind, origin, place, .. } = options;
    let (field, flag) = match (kind, origin) {
        (CredentialKind::ApiKey, CredentialOrigin::File(_)) => ("key_file", Some("api.key-file")),
        (CredentialKind::Jwt, CredentialOrigin::File(_)) => ("jwt_file", Some("api.jwt-file")),
        (CredentialKind::ApiKey, CredentialOrigin::Environment(..)) => ("key_env", None),
        (CredentialKind::Jwt, CredentialOrigin::Environment(..)) => ("jwt_env", None),
    };
    match place {
        Some(place) => format!("{place}: {field}: "),
        None => flag.map(|flag| format!("{}: ", sources.name(flag))).unwrap_or_default(),
    }
}

/// Checks that there is something to read.
fn check_scope(options: &AccountOptions, sources: &OptionSources) -> Result<(), String> {
    if scope(options).is_readable(options.kind) {
        return Ok(());
    }
    let place = options.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    Err(format!("{place}nothing to read: {}", discovery_is_off(options, sources)))
}

/// Logs what an account does not read.
fn warn_about_scope(options: &AccountOptions, scope: &Scope, sources: &OptionSources) {
    let account = &options.name;
    if !scope.finds_organizations(options.kind) {
        tracing::warn!(account, "no organization is read: {}", discovery_is_off(options, sources));
    }
    if options.kind == CredentialKind::ApiKey && !scope.users.is_empty() {
        tracing::warn!(account, "{} has no effect with an API key: it requires a JWT", sources.name("user-id"));
    }
}

/// Says why an account finds no organization, and what to do.
fn discovery_is_off(options: &AccountOptions, sources: &OptionSources) -> String {
    format!(
        "the {} collector, which finds organizations, is off; name them with {}",
        Scope::discovery(options.kind).name(),
        sources.name("organization-id")
    )
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
        timeout: api.timeout,
        max_response_size: api.max_response_size,
        usage_query: collectors.usage_query(),
        decode: DecodeOptions {
            now: 0.0,
            compute_time_unit: api.compute_time_unit.seconds(),
            compute_time_total_unit: api.compute_time_total_unit.unwrap_or(api.compute_time_unit).seconds(),
            memory_unit: api.memory_unit.bytes(),
            projects: collectors.projects,
            most_datasets: collectors.most_datasets,
            days: keep.daily_records,
        },
        tap: keep.responses.clone(),
    }
}
