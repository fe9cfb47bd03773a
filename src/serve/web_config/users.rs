//! Users and their passwords: bcrypt, made cheap for those who come back and bounded for those who guess.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bcrypt::HashParts;
use ring::hmac;
use ring::rand::SystemRandom;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde_saphyr::Spanned;
use tokio::sync::Semaphore;

use super::file::{Problem, Secret};

/// The costs that are accepted. Above, one password takes many seconds, and whoever guesses holds a core for as long.
const COSTS: std::ops::RangeInclusive<u32> = 4..=16;

/// Most passwords that may wait to be hashed; who comes later is told so.
const WAITING: usize = 64;

/// The users who may come in.
pub(super) struct Users {
    known: HashMap<String, User>,
    /// Hash for users that do not exist, so that they take as long as those who do.
    stranger: SecretString,
    /// Key of the digests, never the same twice.
    key: hmac::Key,
    hashing: Arc<Semaphore>,
    waiting: Semaphore,
    hashed: AtomicU64,
}

struct User {
    hash: SecretString,
    /// Digest of the password that was right last.
    passed: Mutex<Option<hmac::Tag>>,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It comes with a user and the right password.
    Welcome,
    /// It does not.
    Unknown,
    /// Too many others wait to be hashed.
    Busy,
}

impl std::fmt::Debug for Users {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Users").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

impl Users {
    /// Takes the users of a file, or nothing if there are none.
    pub(super) fn new(section: Option<&BTreeMap<String, Spanned<Secret>>>) -> Result<Option<Self>, Problem> {
        let Some(section) = section.filter(|section| !section.is_empty()) else { return Ok(None) };
        let mut known = HashMap::new();
        let mut highest = *COSTS.start();
        for (name, hash) in section {
            if name.is_empty() || name.contains(':') {
                let text = "a user's name in basic_auth_users is empty or has a colon, which cannot be sent";
                return Err(Problem::at(hash, text));
            }
            let secret = &hash.value.0;
            let parts = secret.expose_secret().parse::<HashParts>().map_err(|_| {
                let text = "the value of a user in basic_auth_users is no bcrypt hash; expected what htpasswd -nB prints";
                Problem::at(hash, text)
            })?;
            if !COSTS.contains(&parts.get_cost()) {
                let text = format!(
                    "the bcrypt cost of a user in basic_auth_users is {}; expected {} to {}, best 10 to 12",
                    parts.get_cost(),
                    COSTS.start(),
                    COSTS.end()
                );
                return Err(Problem::at(hash, text));
            }
            highest = highest.max(parts.get_cost());
            known.insert(name.clone(), User { hash: secret.clone(), passed: Mutex::default() });
        }
        let random = |_| Problem::of_file("the system has no random numbers for basic_auth_users");
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(random)?;
        // Half of the cores, so that guessing leaves the other half to scrapes.
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Some(Self {
            known,
            stranger: format!("$2b${highest:02}${}", ".".repeat(53)).into(),
            key,
            hashing: Arc::new(Semaphore::new((cores / 2).max(1))),
            waiting: Semaphore::new(WAITING),
            hashed: AtomicU64::new(0),
        }))
    }

    /// Decides on a request with that `Authorization`.
    pub(super) async fn verdict(&self, authorization: Option<&HeaderValue>) -> Verdict {
        let Some((name, password)) = authorization.and_then(credentials) else { return Verdict::Unknown };
        let user = self.known.get(&name);
        let hash = user.map_or(&self.stranger, |user| &user.hash);
        let message = message(&name, hash, &password);
        if user.is_some_and(|user| user.has_passed(&self.key, &message)) {
            return Verdict::Welcome;
        }
        let Ok(_waiting) = self.waiting.try_acquire() else { return Verdict::Busy };
        // Only a closed semaphore gives no place, and this one is never closed.
        let place = Arc::clone(&self.hashing).acquire_owned().await;
        let hash = hash.clone();
        self.hashed.fetch_add(1, Ordering::Relaxed);
        let hashing = tokio::task::spawn_blocking(move || {
            let is_right = bcrypt::verify(password.expose_secret(), hash.expose_secret());
            // Given back by the one who hashes: a client that leaves does not end it.
            drop(place);
            is_right.unwrap_or(false)
        });
        let is_right = hashing.await.unwrap_or(false);
        match user {
            Some(user) if is_right => {
                user.passes(hmac::sign(&self.key, message.expose_secret()));
                Verdict::Welcome
            }
            _ => Verdict::Unknown,
        }
    }
}

impl User {
    fn has_passed(&self, key: &hmac::Key, message: &SecretSlice<u8>) -> bool {
        let passed = *self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        // In constant time.
        passed.is_some_and(|tag| hmac::verify(key, message.expose_secret(), tag.as_ref()).is_ok())
    }

    fn passes(&self, tag: hmac::Tag) {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) = Some(tag);
    }
}

/// Returns what is digested: everything that the verdict depends on, and where each part ends.
fn message(name: &str, hash: &SecretString, password: &SecretSlice<u8>) -> SecretSlice<u8> {
    let hash = hash.expose_secret();
    let (name_length, hash_length) = (name.len().to_be_bytes(), hash.len().to_be_bytes());
    [&name_length[..], name.as_bytes(), &hash_length, hash.as_bytes(), password.expose_secret()].concat().into()
}

/// Reads user and password from `Authorization`.
fn credentials(authorization: &HeaderValue) -> Option<(String, SecretSlice<u8>)> {
    let (scheme, encoded) = authorization.as_bytes().split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let decoded = SecretSlice::from(STANDARD.decode(encoded.trim_ascii()).ok()?);
    let decoded = decoded.expose_secret();
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let name = str::from_utf8(&decoded[..colon]).ok()?.to_owned();
    Some((name, decoded[colon + 1..].to_vec().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(text: &str) -> Users {
        let content = super::super::file::parse(text).unwrap();
        Users::new(content.basic_auth_users.as_ref()).unwrap().unwrap()
    }

    fn of(name: &str, password: &str) -> HeaderValue {
        format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))).parse().unwrap()
    }

    fn with(password: &str) -> Users {
        let hash = bcrypt::hash(password, 4).unwrap();
        users(&format!("basic_auth_users: {{ prometheus: '{hash}' }}"))
    }

    #[tokio::test]
    async fn a_right_password_is_hashed_once_and_a_wrong_one_each_time() {
        let users = with("canary");
        let hashed = || users.hashed.load(Ordering::Relaxed);
        for _ in 0..3 {
            assert_eq!(users.verdict(Some(&of("prometheus", "canary"))).await, Verdict::Welcome);
        }
        assert_eq!(hashed(), 1);
        for wrong in ["", "canar", "canary ", "canary2"] {
            assert_eq!(users.verdict(Some(&of("prometheus", wrong))).await, Verdict::Unknown, "{wrong}");
        }
        assert_eq!(hashed(), 5);
        assert_eq!(users.verdict(Some(&of("prometheus", "canary"))).await, Verdict::Welcome);
        assert_eq!(hashed(), 5, "wrong ones do not put the right one out of mind");
        assert!(!format!("{users:?}").contains("canary") && !format!("{users:?}").contains("$2"));
    }

    #[tokio::test]
    async fn a_user_that_does_not_exist_costs_as_much_as_one_who_does() {
        let users = with("canary");
        for name in ["alice", "", "Prometheus"] {
            assert_eq!(users.verdict(Some(&of(name, "canary"))).await, Verdict::Unknown, "{name}");
        }
        assert_eq!(users.hashed.load(Ordering::Relaxed), 3);
        let cost = |hash: &SecretString| hash.expose_secret().parse::<HashParts>().unwrap().get_cost();
        assert_eq!(cost(&users.stranger), 4);
    }

    #[tokio::test]
    async fn what_is_no_basic_authentication_is_not_hashed() {
        let users = with("canary");
        assert_eq!(users.verdict(None).await, Verdict::Unknown);
        let no_colon = STANDARD.encode("canary");
        for header in
            ["", "Basic", "Basic ", "Basic !", "Bearer canary", &format!("Basic {no_colon}"), "Ünïcode"]
        {
            let header = HeaderValue::from_bytes(header.as_bytes()).unwrap();
            assert_eq!(users.verdict(Some(&header)).await, Verdict::Unknown, "{header:?}");
        }
        assert_eq!(users.hashed.load(Ordering::Relaxed), 0);
        let lower_case = of("prometheus", "canary").to_str().unwrap().replace("Basic", "basic");
        assert_eq!(users.verdict(Some(&lower_case.parse().unwrap())).await, Verdict::Welcome);
    }

    #[tokio::test]
    async fn a_flood_of_guesses_does_not_keep_a_known_password_out() {
        let users = with("canary");
        assert_eq!(users.verdict(Some(&of("prometheus", "canary"))).await, Verdict::Welcome);
        // Every core that may hash is busy.
        let all = u32::try_from(users.hashing.available_permits()).unwrap();
        let busy = users.hashing.acquire_many(all).await.unwrap();
        let wrong = of("prometheus", "guess");
        let guesses = futures_util::future::join_all((0..100).map(|_| users.verdict(Some(&wrong))));
        tokio::pin!(guesses);
        assert!(futures_util::poll!(&mut guesses).is_pending());
        assert_eq!(users.verdict(Some(&of("prometheus", "canary"))).await, Verdict::Welcome);
        assert_eq!(users.verdict(Some(&wrong)).await, Verdict::Busy);
        drop(busy);
        let verdicts = guesses.await;
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Unknown).count(), WAITING);
    }

    #[test]
    fn hashes_that_cannot_be_verified_are_refused_without_showing_them() {
        let hash = bcrypt::hash("canary", 4).unwrap();
        for (user, expected) in [
            ("prometheus: plaincanary".to_owned(), "is no bcrypt hash"),
            (format!("prometheus: '{}'", &hash[..59]), "is no bcrypt hash"),
            (
                format!("prometheus: '{}'", hash.replace("$04$", "$17$")),
                "cost of a user in basic_auth_users is 17",
            ),
            (format!("'a:b': '{hash}'"), "has a colon"),
        ] {
            let content = super::super::file::parse(&format!("basic_auth_users:\n  {user}")).unwrap();
            let problem = Users::new(content.basic_auth_users.as_ref()).unwrap_err();
            let text = problem.in_file("web.yml".as_ref()).to_string();
            assert!(text.starts_with("web.yml:2:") && text.contains(expected), "{text}");
            assert!(!text.contains("canary") && !text.contains("$2"), "{text}");
        }
    }
}
