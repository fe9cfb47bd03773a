//! Basic authentication with bcrypt. Verified passwords are cached, and concurrent verifications are limited.

mod credentials;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderValue;
use bcrypt::HashParts;
use ring::hmac;
use ring::rand::SystemRandom;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde_saphyr::Spanned;
use tokio::sync::Semaphore;

use self::credentials::Credentials;
use super::file::LineError;

/// Accepted bcrypt costs. With a higher cost, one verification occupies a core for many seconds.
const COSTS: std::ops::RangeInclusive<u32> = 4..=16;

/// Maximum number of passwords that are being verified or wait for it. Further requests are rejected.
const MAX_PENDING: usize = 64;

/// The users of `basic_auth_users`.
pub(super) struct Users {
    by_name: HashMap<String, User>,
    /// Verified for unknown users, so that the response time does not reveal which users exist.
    dummy_hash: SecretString,
    /// Key of the cached digests, random for each instance.
    cache_key: hmac::Key,
    /// Limits concurrent verifications.
    hashing: Arc<Semaphore>,
    /// Limits pending verifications.
    pending: Semaphore,
    /// Number of verifications with bcrypt.
    hashed: AtomicU64,
}

struct User {
    hash: SecretString,
    /// Digest of the last verified password.
    verified: Mutex<Option<hmac::Tag>>,
}

/// Result of authenticating a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// User and password are valid.
    Granted,
    /// User or password are missing or wrong.
    Denied,
    /// Too many verifications are pending.
    Busy,
}

impl std::fmt::Debug for Users {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Users").field("count", &self.by_name.len()).finish_non_exhaustive()
    }
}

impl Users {
    /// Validates the section, and returns `None` if it has no users.
    pub(super) fn new(
        section: Option<&BTreeMap<String, Spanned<SecretString>>>,
    ) -> Result<Option<Self>, LineError> {
        let Some(section) = section.filter(|section| !section.is_empty()) else { return Ok(None) };
        let mut by_name = HashMap::new();
        let mut highest_cost = *COSTS.start();
        for (name, hash) in section {
            if name.is_empty() || name.contains(':') {
                let text = "basic_auth_users: a user name is empty or contains a colon";
                return Err(LineError::at(hash, text));
            }
            let cost = cost(&hash.value).map_err(|text| LineError::at(hash, text))?;
            highest_cost = highest_cost.max(cost);
            by_name.insert(name.clone(), User { hash: hash.value.clone(), verified: Mutex::default() });
        }
        let no_random =
            |_| LineError::without_line("basic_auth_users: the random number generator of the system failed");
        let cache_key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(no_random)?;
        // Half of the cores, so that the other half stays available for scrapes.
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Some(Self {
            by_name,
            dummy_hash: format!("$2b${highest_cost:02}${}", ".".repeat(53)).into(),
            cache_key,
            hashing: Arc::new(Semaphore::new((cores / 2).max(1))),
            pending: Semaphore::new(MAX_PENDING),
            hashed: AtomicU64::new(0),
        }))
    }

    /// Authenticates a request with the value of its `Authorization` header.
    pub(super) async fn authenticate(&self, authorization: Option<&HeaderValue>) -> Verdict {
        let Some(Credentials { name, password }) = authorization.and_then(Credentials::parse) else {
            return Verdict::Denied;
        };
        let user = self.by_name.get(&name);
        let hash = user.map_or(&self.dummy_hash, |user| &user.hash);
        let message = message(&name, hash, &password);
        if user.is_some_and(|user| user.is_verified(&self.cache_key, &message)) {
            return Verdict::Granted;
        }
        let Ok(_pending) = self.pending.try_acquire() else { return Verdict::Busy };
        // Fails only if the semaphore is closed, which never happens.
        let permit = Arc::clone(&self.hashing).acquire_owned().await;
        let hash = hash.clone();
        self.hashed.fetch_add(1, Ordering::Relaxed);
        let verification = tokio::task::spawn_blocking(move || {
            let is_valid = bcrypt::verify(password.expose_secret(), hash.expose_secret());
            // Released by the thread, which continues if the client disconnects.
            drop(permit);
            is_valid.unwrap_or(false)
        });
        let is_valid = verification.await.unwrap_or(false);
        match user {
            Some(user) if is_valid => {
                user.set_verified(hmac::sign(&self.cache_key, message.expose_secret()));
                Verdict::Granted
            }
            _ => Verdict::Denied,
        }
    }
}

impl User {
    fn is_verified(&self, key: &hmac::Key, message: &SecretSlice<u8>) -> bool {
        // Critical sections cannot leave partial state, so poisoning is ignored.
        let verified = *self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        // Compares in constant time.
        verified.is_some_and(|tag| hmac::verify(key, message.expose_secret(), tag.as_ref()).is_ok())
    }

    fn set_verified(&self, tag: hmac::Tag) {
        *self.verified.lock().unwrap_or_else(PoisonError::into_inner) = Some(tag);
    }
}

/// Returns the cost of a bcrypt hash, or an error message without the hash.
fn cost(hash: &SecretString) -> Result<u32, String> {
    let parts = hash.expose_secret().parse::<HashParts>();
    let cost = parts
        .map_err(|_| "basic_auth_users: a password is not a bcrypt hash; create one with htpasswd -nB")?
        .get_cost();
    if COSTS.contains(&cost) {
        return Ok(cost);
    }
    let (min, max) = COSTS.into_inner();
    Err(format!(
        "basic_auth_users: a bcrypt hash has cost {cost}; expected {min} to {max}, recommended 10 to 12"
    ))
}

/// Returns the message of the cached digest. Lengths separate its parts, so that different credentials never have the
/// same message.
fn message(name: &str, hash: &SecretString, password: &SecretSlice<u8>) -> SecretSlice<u8> {
    let hash = hash.expose_secret();
    let (name_length, hash_length) = (name.len().to_be_bytes(), hash.len().to_be_bytes());
    [&name_length[..], name.as_bytes(), &hash_length, hash.as_bytes(), password.expose_secret()].concat().into()
}
