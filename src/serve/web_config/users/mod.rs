//! Basic authentication with bcrypt. Verified passwords are cached, and concurrent verifications are limited.

mod guesses;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bcrypt::HashParts;
use parking_lot::Mutex;
use ring::hmac;
use ring::rand::SystemRandom;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde_saphyr::Spanned;
use tokio::sync::{AcquireError, OnceCell, OwnedSemaphorePermit, Semaphore};

use self::guesses::{Guesses, Source};
use crate::config::yaml::LineError;
use crate::serve::connection::Origin;

/// The costs that bcrypt has.
const COSTS: std::ops::RangeInclusive<u32> = 4..=31;

/// With a higher cost, one verification occupies a core for many seconds.
const SLOW_COST: u32 = 16;

/// Maximum number of requests that wait for the check of a password, from addresses that have sent a wrong one and from
/// all others. Further ones are rejected. Less than half of the connections, so that new ones get a place.
const MAX_PENDING: usize = 200;

/// The users of `basic_auth_users`.
#[derive(Debug)]
pub(super) struct Users {
    by_name: HashMap<String, User>,
    /// The highest cost of the hashes. A wrong password takes as long as with this cost, so that the response time does
    /// not reveal which users exist.
    highest_cost: u32,
    /// Key of the cached digests, random for each instance.
    cache_key: hmac::Key,
    /// Limits concurrent verifications.
    hashing: Arc<Semaphore>,
    /// Addresses that have sent a wrong password.
    guesses: Arc<Guesses>,
    /// Lets one request at a time from those addresses wait for a verification. So a first login does not wait for the
    /// guesses of others.
    behind: Semaphore,
    /// Limits the requests from those addresses.
    guessing: Semaphore,
    /// Limits the requests from all others.
    pending: Semaphore,
    /// Running verifications by user and password, as a digest. Equal requests wait for the same one.
    running: Mutex<HashMap<Vec<u8>, Arc<OnceCell<bool>>>>,
    /// Number of verifications with bcrypt.
    hashed: AtomicU64,
}

#[derive(Debug)]
struct User {
    hash: SecretString,
    cost: u32,
    /// Digest of the password, once it is verified.
    verified: OnceLock<hmac::Tag>,
}

/// Result of authenticating a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Granted,
    /// User or password are missing or wrong.
    Denied,
    /// Too many verifications are pending.
    Busy,
}

impl Users {
    /// Validates the section, and returns `None` if it has no users.
    pub(super) fn new(section: &BTreeMap<String, Spanned<SecretString>>) -> Result<Option<Self>, LineError> {
        if section.is_empty() {
            return Ok(None);
        }
        let mut by_name = HashMap::new();
        let mut highest_cost = *COSTS.start();
        for (name, hash) in section {
            let cost = cost(hash)?;
            highest_cost = highest_cost.max(cost);
            by_name.insert(name.clone(), User { hash: hash.value.clone(), cost, verified: OnceLock::new() });
        }
        let no_random =
            |_| LineError::without_line("basic_auth_users: the random number generator of the system failed");
        let cache_key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(no_random)?;
        // Half of the cores, so that the other half stays available for scrapes, and less than the blocking threads.
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Some(Self {
            by_name,
            highest_cost,
            cache_key,
            hashing: Arc::new(Semaphore::new((cores / 2).clamp(1, 4))),
            guesses: Arc::default(),
            behind: Semaphore::new(1),
            guessing: Semaphore::new(MAX_PENDING),
            pending: Semaphore::new(MAX_PENDING),
            running: Mutex::default(),
            hashed: AtomicU64::new(0),
        }))
    }

    /// Authenticates a request with the value of its `Authorization` header. While it waits, it takes no place.
    pub(super) async fn authenticate(&self, authorization: Option<&HeaderValue>, origin: &Origin) -> Verdict {
        let Some((name, password)) = authorization.and_then(parse) else { return Verdict::Denied };
        let user = self.by_name.get(&name);
        // Compares in constant time.
        let is_same =
            |tag: &hmac::Tag| hmac::verify(&self.cache_key, password.expose_secret(), tag.as_ref()).is_ok();
        if user.and_then(|user| user.verified.get()).is_some_and(is_same) {
            return Verdict::Granted;
        }
        let source = Source::of(origin.address);
        let queue = if self.guesses.contain(source) { &self.guessing } else { &self.pending };
        let Ok(_pending) = queue.try_acquire() else {
            if let Some(place) = &origin.place {
                place.has_too_many_checks();
            }
            return Verdict::Busy;
        };
        let _check = origin.place.as_ref().map(|place| place.check());
        let verification = self.running(&name, password.expose_secret());
        if *verification.get_or_init(|| self.verify(user, password, source)).await {
            return Verdict::Granted;
        }
        self.guesses.add(source);
        Verdict::Denied
    }

    /// Returns the running verification of this user and password, or a new one.
    fn running(&self, name: &str, password: &[u8]) -> Arc<OnceCell<bool>> {
        let key = hmac::sign(&self.cache_key, &[name.as_bytes(), b":", password].concat());
        let mut running = self.running.lock();
        // Nobody waits for these any more.
        running.retain(|_, verification| Arc::strong_count(verification) > 1);
        Arc::clone(running.entry(key.as_ref().to_vec()).or_default())
    }

    /// Returns whether the password is that of the user.
    async fn verify(&self, user: Option<&User>, password: SecretSlice<u8>, source: Source) -> bool {
        let permit = self.turn(source).await;
        let (highest, cost) = (self.highest_cost, user.map_or(self.highest_cost, |user| user.cost));
        let hash = user.map_or_else(|| dummy_hash(cost), |user| user.hash.clone());
        let tag = hmac::sign(&self.cache_key, password.expose_secret());
        self.hashed.fetch_add(1, Ordering::Relaxed);
        let (guesses, is_known) = (Arc::clone(&self.guesses), user.is_some());
        let verification = tokio::task::spawn_blocking(move || {
            let (is_valid, _) = verify(password.expose_secret(), &hash, cost..highest);
            let is_valid = is_valid && is_known;
            // By the thread, which continues if the client disconnects, and before the next one has its turn.
            if !is_valid {
                guesses.add(source);
            }
            drop(permit);
            is_valid
        });
        let is_valid = verification.await.unwrap_or(false);
        if let Some(user) = user.filter(|_| is_valid) {
            user.verified.get_or_init(|| tag);
        }
        is_valid
    }

    /// Waits for the turn of a password: behind those of other addresses if a wrong one came from this address, also
    /// meanwhile. Waiting fails only if a semaphore is closed, which never happens.
    async fn turn(&self, source: Source) -> Result<OwnedSemaphorePermit, AcquireError> {
        loop {
            let is_guess = self.guesses.contain(source);
            let _behind = if is_guess { Some(self.behind.acquire().await?) } else { None };
            let permit = Arc::clone(&self.hashing).acquire_owned().await?;
            if is_guess || !self.guesses.contain(source) {
                return Ok(permit);
            }
        }
    }
}

/// Returns whether the password has this hash, and the rounds of bcrypt that were needed. After a wrong password, hashes
/// of the costs `up_to` follow: as each takes twice the time of the one before, together they make up the difference to
/// the cost at the end.
fn verify(password: &[u8], hash: &SecretString, up_to: Range<u32>) -> (bool, u64) {
    let rounds = 1 << up_to.start;
    let is_valid = |hash: &SecretString| bcrypt::verify(password, hash.expose_secret()).unwrap_or(false);
    if is_valid(hash) {
        return (true, rounds);
    }
    let others = up_to.map(|cost| {
        is_valid(&dummy_hash(cost));
        1 << cost
    });
    (false, rounds + others.sum::<u64>())
}

/// Returns a hash of no password.
fn dummy_hash(cost: u32) -> SecretString {
    format!("$2b${cost:02}${}", ".".repeat(53)).into()
}

/// Returns user name and password of an `Authorization` header with the scheme `Basic`. A password need not be UTF-8.
fn parse(authorization: &HeaderValue) -> Option<(String, SecretSlice<u8>)> {
    let (scheme, encoded) = authorization.as_bytes().split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let decoded = SecretSlice::from(STANDARD.decode(encoded.trim_ascii()).ok()?);
    let decoded = decoded.expose_secret();
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    Some((str::from_utf8(&decoded[..colon]).ok()?.to_owned(), decoded[colon + 1..].to_vec().into()))
}

/// Returns the cost of a bcrypt hash. Errors do not contain the hash.
fn cost(hash: &Spanned<SecretString>) -> Result<u32, LineError> {
    let error = |text: String| LineError::at(hash, format!("basic_auth_users: {text}"));
    let parts = hash.value.expose_secret().parse::<HashParts>();
    let parts =
        parts.map_err(|_| error("a password is not a bcrypt hash; create one with htpasswd -nB".to_owned()))?;
    let (cost, min, max) = (parts.get_cost(), COSTS.start(), COSTS.end());
    if !COSTS.contains(&cost) {
        return Err(error(format!(
            "a bcrypt hash has cost {cost}; expected {min} to {max}, recommended 10 to 12"
        )));
    }
    if cost > SLOW_COST {
        let text = "a bcrypt hash has a high cost: each check of a password takes seconds or longer; recommended 10 to 12";
        tracing::warn!(cost, "basic_auth_users: {text}");
    }
    Ok(cost)
}
