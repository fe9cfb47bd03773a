//! Failed calls in the log: one event for all failures of a scrape, so that an API that is down does not fill the log.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Account;
use crate::api::Error;
use crate::model::Call;

/// Maximum calls that an event names.
const MAX_NAMED: usize = 5;

/// Failed calls that have not been logged yet.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// Number of [`Reporting`]s.
    reporting: usize,
    failed: Group,
    /// Calls that are not permitted.
    refused: Group,
}

/// Failed calls that are logged together.
#[derive(Debug, Default)]
struct Group {
    count: usize,
    reasons: BTreeMap<&'static str, usize>,
    first: Vec<(Call, Error, Duration)>,
}

/// Delays the log of an account's failures while it exists.
#[derive(Debug)]
pub(in crate::collect) struct Reporting<'a> {
    account: &'a Account,
    at_end: bool,
}

impl Account {
    /// Logs the failures until then when it is dropped, at the end of a scrape.
    pub(in crate::collect) fn report_at_end(&self) -> Reporting<'_> {
        self.report(true)
    }

    /// Logs the failures when it is dropped as the last one: those of calls that ended after their scrape.
    pub(super) fn report_if_last(&self) -> Reporting<'_> {
        self.report(false)
    }

    fn report(&self, at_end: bool) -> Reporting<'_> {
        self.state.failures.lock().reporting += 1;
        Reporting { account: self, at_end }
    }

    /// Adds a failure to the next event.
    pub(super) fn add_failure(&self, call: Call, error: &Error, duration: Duration) {
        let mut failures = self.state.failures.lock();
        // A refusal is normal for members who are not admins, and shown as supported 0.
        let is_refusal = matches!(error, Error::Forbidden(_));
        let group = if is_refusal { &mut failures.refused } else { &mut failures.failed };
        group.count += 1;
        *group.reasons.entry(error.reason()).or_default() += 1;
        if group.first.len() < MAX_NAMED {
            group.first.push((call, error.clone(), duration));
        }
    }
}

impl Drop for Reporting<'_> {
    fn drop(&mut self) {
        let mut failures = self.account.state.failures.lock();
        failures.reporting -= 1;
        if self.at_end || failures.reporting == 0 {
            let (failed, refused) =
                (std::mem::take(&mut failures.failed), std::mem::take(&mut failures.refused));
            drop(failures);
            failed.log(&self.account.name, false);
            refused.log(&self.account.name, true);
        }
    }
}

impl Group {
    fn log(&self, account: &str, is_refusal: bool) {
        macro_rules! event {
            ($($event:tt)*) => {
                if is_refusal { tracing::info!($($event)*) } else { tracing::warn!($($event)*) }
            };
        }
        match &self.first[..] {
            [] => {}
            [(call, error, duration)] => event!(
                account,
                endpoint = call.collector.endpoint(),
                reason = error.reason(),
                status = error.status(),
                organization_id = call.organization_id,
                user_id = call.user_id,
                duration_seconds = duration.as_secs_f64(),
                "{error}"
            ),
            [(_, error, _), ..] => {
                let reasons = self.reasons.iter().map(|(reason, count)| format!("{reason} {count}"));
                let calls: Vec<_> = self.first.iter().map(|(call, ..)| call.to_string()).collect();
                let more = match self.count - calls.len() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                event!(
                    account,
                    failed = self.count,
                    reasons = reasons.collect::<Vec<_>>().join(", "),
                    "{} calls failed: {}{more}; the first: {error}",
                    self.count,
                    calls.join(", "),
                );
            }
        }
    }
}
