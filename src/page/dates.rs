//! What is to happen when: trials, contracts, credentials.

use maud::{Markup, html};

use super::organizations;
use super::state::PageState;
use super::words;
use crate::model::{Organization, Trial, UnixTime};

/// Dates nearer than this, in seconds, are shown; of others the nearest few.
const SOON: f64 = 30.0 * 86_400.0;

/// Least and most dates that are shown, if there are so many.
const SHOWN: (usize, usize) = (5, 20);

/// After an expired trial Edge Impulse keeps the organization for so long, in seconds.
const GRACE: f64 = 30.0 * 86_400.0;

/// The first year of a contract, in seconds. The API tells when a contract started, not when it ends.
const CONTRACT_YEAR: f64 = 365.0 * 86_400.0;

/// What happens at a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    TrialEnds,
    /// The days of grace after a trial are over.
    Deletion,
    ContractYearEnds,
    CredentialExpires,
}

impl Event {
    const fn words(self) -> &'static str {
        match self {
            Self::TrialEnds => "The trial ends",
            Self::Deletion => "The grace after the trial is over: the organization is deleted",
            Self::ContractYearEnds => "The first year of the contract ends",
            Self::CredentialExpires => "The credential expires",
        }
    }

    /// Tells whether the date is still of interest when it has passed.
    const fn outlives_its_date(self) -> bool {
        matches!(self, Self::Deletion | Self::CredentialExpires)
    }
}

/// Whom a date is about.
#[derive(Clone, Copy, Debug)]
enum Whose<'a> {
    Organization(u64),
    Account(&'a str),
}

struct Date<'a> {
    at: UnixTime,
    event: Event,
    whose: Whose<'a>,
}

/// Returns the dates of one organization, of its trials first.
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
    // The organization's own word counts where no trial is seen, never beside it.
    let is_told_by_a_trial = trials.into_iter().any(|trial| trial.expired.is_some());
    if let (Some(expired), None, false) =
        (organization.trial_expired, organization.trial_upgraded, is_told_by_a_trial)
    {
        dates.push((expired + GRACE, Event::Deletion));
    }
    dates.extend(organization.contract_start.map(|start| (start + CONTRACT_YEAR, Event::ContractYearEnds)));
    // Long after its end a grace says nothing any more; the alert of it ends then, too.
    dates.retain(|(at, event)| *at > now || (event.outlives_its_date() && *at > now - GRACE));
    dates
}

/// Returns the next date of one organization.
pub(super) fn next_of(known: &PageState<'_>, organization: &Organization) -> Option<(UnixTime, Event)> {
    let trials =
        known.facts.trials.range((organization.id, 0)..=(organization.id, u64::MAX)).map(|(_, trial)| trial);
    dates_of(organization, trials, known.now).into_iter().min_by(|(one, _), (other, _)| one.total_cmp(other))
}

/// Writes a date in a few words.
pub(super) fn render_short((at, event): (UnixTime, Event), now: UnixTime) -> Markup {
    let words = match event {
        Event::TrialEnds => "trial ends",
        Event::Deletion => "deletion after the trial",
        Event::ContractYearEnds => "first contract year ends",
        Event::CredentialExpires => "credential expires",
    };
    html! { (words) " " (words::far(at, now)) }
}

/// Writes the next dates, the nearest first.
pub(super) fn render(known: &PageState<'_>) -> Markup {
    let mut dates: Vec<Date<'_>> = Vec::new();
    for known_account in &known.accounts {
        let expiry = known_account.state.credential_expiry;
        let whose = Whose::Account(&known_account.state.name);
        dates.extend(expiry.map(|at| Date { at, event: Event::CredentialExpires, whose }));
    }
    for organization in known.facts.organizations.values() {
        let trials = known.facts.trials.range((organization.id, 0)..=(organization.id, u64::MAX));
        for (at, event) in dates_of(organization, trials.map(|(_, trial)| trial), known.now) {
            dates.push(Date { at, event, whose: Whose::Organization(organization.id) });
        }
    }
    dates.sort_by(|one, other| one.at.total_cmp(&other.at));
    let soon = dates.iter().filter(|date| date.at - known.now < SOON).count();
    let shown = soon.clamp(SHOWN.0, SHOWN.1);
    let later = dates.len().saturating_sub(shown);
    dates.truncate(shown);
    html! {
        section aria-labelledby="dates" {
            h2 #dates tabindex="-1" { "Next dates" }
            @if dates.is_empty() {
                p { "No date is known." }
            } @else {
                table role="table" {
                    caption { "Ends of trials, of first contract years and of credentials, the nearest first" }
                    thead role="rowgroup" {
                        tr role="row" {
                            th role="columnheader" scope="col" { "When" }
                            th role="columnheader" scope="col" { "What" }
                            th role="columnheader" scope="col" { "Whose" }
                        }
                    }
                    tbody role="rowgroup" {
                        @for date in &dates {
                            @let class = if date.at - known.now < 14.0 * 86_400.0 { "soon" } else { "later" };
                            tr role="row" {
                                td.when.(class) role="cell" { (words::when(date.at, known.now)) }
                                td role="cell" { (date.event.words()) }
                                td.name role="cell" { (render_whose(date.whose, known)) }
                            }
                        }
                    }
                }
                @if later > 0 {
                    p.dim { (words::quantity(later, "later date is", "later dates are")) " left out here; the metrics have all of them." }
                }
            }
            @if known.accounts.iter().any(|known| known.account.kind() == crate::config::CredentialKind::ApiKey) {
                p.dim { "An API key never sees when a trial will expire, only that it did. A JWT sees both." }
            }
        }
    }
}

fn render_whose(whose: Whose<'_>, known: &PageState<'_>) -> Markup {
    html! {
        @match whose {
            Whose::Account(name) => { "Account " (name) }
            Whose::Organization(id) => (organizations::render_name(id, known)),
        }
    }
}
