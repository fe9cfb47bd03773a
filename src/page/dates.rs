//! Upcoming dates of trials, contracts and credentials.

use maud::{Markup, html};

use super::format;
use super::organizations;
use super::state::PageState;
use crate::model::{Organization, Trial, UnixTime};

/// Dates within this time, in seconds, are shown; of later ones only the first few.
const SOON: f64 = 30.0 * 86_400.0;

/// Minimum and maximum number of dates that are shown.
const SHOWN: (usize, usize) = (5, 20);

/// Edge Impulse deletes the organization of a trial this long after it expired, in seconds.
const GRACE: f64 = 30.0 * 86_400.0;

/// The first year of a contract, in seconds. The API reports when a contract started, not when it ends.
const CONTRACT_YEAR: f64 = 365.0 * 86_400.0;

/// The event of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    TrialEnds,
    /// Deletion of the organization of an expired trial.
    Deletion,
    ContractYearEnds,
    CredentialExpires,
}

impl Event {
    const fn text(self, is_past: bool) -> &'static str {
        match (self, is_past) {
            (Self::TrialEnds, _) => "The trial ends",
            (Self::Deletion, false) => "The organization is deleted (its trial expired)",
            (Self::Deletion, true) => "The organization was due for deletion (its trial expired)",
            (Self::ContractYearEnds, _) => "The first year of the contract ends",
            (Self::CredentialExpires, false) => "The credential expires",
            (Self::CredentialExpires, true) => "The credential expired",
        }
    }

    /// Returns true if the date is still shown when it has passed.
    const fn is_shown_when_past(self) -> bool {
        matches!(self, Self::Deletion | Self::CredentialExpires)
    }
}

/// The subject of a date.
#[derive(Clone, Copy, Debug)]
enum Subject<'a> {
    Organization(u64),
    Account(&'a str),
}

struct Date<'a> {
    at: UnixTime,
    event: Event,
    subject: Subject<'a>,
}

/// Returns the dates of one organization.
fn dates_of<'a>(
    organization: &Organization,
    trials: impl Iterator<Item = &'a Trial> + Clone,
    now: UnixTime,
) -> Vec<(UnixTime, Event)> {
    if organization.deleted.is_some() {
        return Vec::new();
    }
    let mut dates = Vec::new();
    for trial in trials.clone().filter(|trial| trial.upgraded.is_none() && trial.deleted.is_none()) {
        dates.extend(match (trial.expired, trial.scheduled_expiration) {
            (Some(expired), _) => Some((expired + GRACE, Event::Deletion)),
            (None, Some(end)) => Some((end, Event::TrialEnds)),
            (None, None) => None,
        });
    }
    // The organization's own field is used only if no trial has it.
    let has_expired_trial = trials.into_iter().any(|trial| trial.expired.is_some());
    if let (Some(expired), None, false) =
        (organization.trial_expired, organization.trial_upgraded, has_expired_trial)
    {
        dates.push((expired + GRACE, Event::Deletion));
    }
    dates.extend(organization.contract_start.map(|start| (start + CONTRACT_YEAR, Event::ContractYearEnds)));
    // The alert of a deletion ends at the same time.
    dates.retain(|(at, event)| *at > now || (event.is_shown_when_past() && *at > now - GRACE));
    dates
}

/// Returns the dates of one organization that the page knows.
fn known_dates_of(state: &PageState<'_>, organization: &Organization) -> Vec<(UnixTime, Event)> {
    let trials = state.facts.trials.range((organization.id, 0)..=(organization.id, u64::MAX));
    dates_of(organization, trials.map(|(_, trial)| trial), state.now)
}

/// Returns the next date of one organization.
pub(super) fn next_of(state: &PageState<'_>, organization: &Organization) -> Option<(UnixTime, Event)> {
    known_dates_of(state, organization).into_iter().min_by(|(one, _), (other, _)| one.total_cmp(other))
}

/// Returns the ends of running trials and the deletions after expired ones, the earliest first, with the organizations.
pub(super) fn trials(state: &PageState<'_>) -> [Vec<(UnixTime, u64)>; 2] {
    let [mut running, mut expired] = [Vec::new(), Vec::new()];
    for organization in state.facts.organizations.values() {
        for (at, event) in known_dates_of(state, organization) {
            match event {
                Event::TrialEnds => running.push((at, organization.id)),
                Event::Deletion => expired.push((at, organization.id)),
                Event::ContractYearEnds | Event::CredentialExpires => {}
            }
        }
    }
    for dates in [&mut running, &mut expired] {
        dates.sort_by(|one, other| one.0.total_cmp(&other.0));
    }
    [running, expired]
}

/// Renders a date in a few words.
pub(super) fn render_short((at, event): (UnixTime, Event), now: UnixTime) -> Markup {
    let text = match event {
        Event::TrialEnds => "trial ends",
        Event::Deletion => "deletion after trial",
        Event::ContractYearEnds => "first contract year ends",
        Event::CredentialExpires => "credential expires",
    };
    html! { (text) " " (format::distance(at, now)) }
}

/// Renders the next dates, the earliest first.
pub(super) fn render(state: &PageState<'_>) -> Markup {
    let mut dates: Vec<Date<'_>> = Vec::new();
    for account in &state.accounts {
        let expiry = account.status.credential_expiry;
        let subject = Subject::Account(&account.status.name);
        dates.extend(expiry.map(|at| Date { at, event: Event::CredentialExpires, subject }));
    }
    for organization in state.facts.organizations.values() {
        for (at, event) in known_dates_of(state, organization) {
            dates.push(Date { at, event, subject: Subject::Organization(organization.id) });
        }
    }
    dates.sort_by(|one, other| one.at.total_cmp(&other.at));
    let soon = dates.iter().filter(|date| date.at - state.now < SOON).count();
    let shown = soon.clamp(SHOWN.0, SHOWN.1);
    let later = dates.len().saturating_sub(shown);
    dates.truncate(shown);
    html! {
        section aria-labelledby="dates" {
            h2 #dates tabindex="-1" { "Next dates" }
            @if dates.is_empty() {
                p { "No dates known." }
            } @else {
                table role="table" {
                    caption { "Ends of trials, first contract years and credentials, earliest first" }
                    (super::table_head(&["When", "Event", "Organization or account"]))
                    tbody role="rowgroup" {
                        @for date in &dates {
                            @let class = if date.at - state.now < 14.0 * 86_400.0 { "soon" } else { "later" };
                            tr role="row" {
                                td.when.(class) role="cell" { (format::when(date.at, state.now)) }
                                td role="cell" { (date.event.text(date.at <= state.now)) }
                                td.name role="cell" { (render_subject(date.subject, state)) }
                            }
                        }
                    }
                }
                @if later > 0 {
                    p.dim { (format::quantity(later, "later date is", "later dates are")) " not shown; the metrics contain all dates." }
                }
            }
            @if state.accounts.iter().any(|account| account.account.kind() == crate::config::CredentialKind::ApiKey) {
                p.dim { "With an API key, the API reports when a trial expired, but not when a trial will expire. With a JWT, it reports both." }
            }
        }
    }
}

fn render_subject(subject: Subject<'_>, state: &PageState<'_>) -> Markup {
    html! {
        @match subject {
            Subject::Account(name) => { "Account " (name) }
            Subject::Organization(id) => (organizations::render_name(id, state)),
        }
    }
}
