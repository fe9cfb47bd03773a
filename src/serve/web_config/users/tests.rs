//! Tests of users and passwords.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::config::Content;
use super::*;
use crate::config::yaml::{Booleans, parse as parse_yaml};

fn users(text: &str) -> Users {
    let content = parse_yaml::<Content>(text, Booleans::Lenient).unwrap();
    Users::new(&content.basic_auth_users.unwrap()).unwrap().unwrap()
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
        assert_eq!(users.authenticate(Some(&of("prometheus", "canary"))).await, Verdict::Granted);
    }
    assert_eq!(hashed(), 1);
    for wrong in ["", "canar", "canary ", "canary2"] {
        assert_eq!(users.authenticate(Some(&of("prometheus", wrong))).await, Verdict::Denied, "{wrong}");
    }
    assert_eq!(hashed(), 5);
    assert_eq!(users.authenticate(Some(&of("prometheus", "canary"))).await, Verdict::Granted);
    assert_eq!(hashed(), 5, "a wrong password does not evict the right one from the cache");
    assert!(!format!("{users:?}").contains("canary") && !format!("{users:?}").contains("$2"));
}

#[tokio::test]
async fn an_unknown_user_costs_as_much_time_as_a_known_one() {
    let users = with("canary");
    for name in ["alice", "", "Prometheus"] {
        assert_eq!(users.authenticate(Some(&of(name, "canary"))).await, Verdict::Denied, "{name}");
    }
    assert_eq!(users.hashed.load(Ordering::Relaxed), 3);
    let cost = |hash: &SecretString| hash.expose_secret().parse::<HashParts>().unwrap().get_cost();
    assert_eq!(cost(&users.dummy_hash), 4);
}

#[tokio::test]
async fn requests_without_basic_authentication_are_not_hashed() {
    let users = with("canary");
    assert_eq!(users.authenticate(None).await, Verdict::Denied);
    let no_colon = STANDARD.encode("canary");
    for header in ["", "Basic", "Basic ", "Basic !", "Bearer canary", &format!("Basic {no_colon}"), "Ünïcode"]
    {
        let header = HeaderValue::from_bytes(header.as_bytes()).unwrap();
        assert_eq!(users.authenticate(Some(&header)).await, Verdict::Denied, "{header:?}");
    }
    assert_eq!(users.hashed.load(Ordering::Relaxed), 0);
    let lower_case = of("prometheus", "canary").to_str().unwrap().replace("Basic", "basic");
    assert_eq!(users.authenticate(Some(&lower_case.parse().unwrap())).await, Verdict::Granted);
}

#[tokio::test]
async fn a_flood_of_guesses_does_not_keep_a_known_password_out() {
    let users = with("canary");
    assert_eq!(users.authenticate(Some(&of("prometheus", "canary"))).await, Verdict::Granted);
    // No permit is left for hashing.
    let all = u32::try_from(users.hashing.available_permits()).unwrap();
    let busy = users.hashing.acquire_many(all).await.unwrap();
    let wrong = of("prometheus", "guess");
    let guesses: Vec<_> = (0..100).map(|number| of("prometheus", &format!("guess {number}"))).collect();
    let guesses = futures_util::future::join_all(guesses.iter().map(|guess| users.authenticate(Some(guess))));
    tokio::pin!(guesses);
    assert!(futures_util::poll!(&mut guesses).is_pending());
    assert_eq!(users.authenticate(Some(&of("prometheus", "canary"))).await, Verdict::Granted);
    assert_eq!(users.authenticate(Some(&wrong)).await, Verdict::Busy);
    drop(busy);
    let verdicts = guesses.await;
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Denied).count(), MAX_PENDING);
}

#[tokio::test]
async fn equal_wrong_passwords_at_once_are_all_denied_after_one_verification() {
    let users = with("canary");
    let all = u32::try_from(users.hashing.available_permits()).unwrap();
    let busy = users.hashing.acquire_many(all).await.unwrap();
    let (wrong, right) = (of("prometheus", "guess"), of("prometheus", "canary"));
    let wrong = futures_util::future::join_all((0..150).map(|_| users.authenticate(Some(&wrong))));
    let right = futures_util::future::join_all((0..150).map(|_| users.authenticate(Some(&right))));
    tokio::pin!(wrong, right);
    assert!(futures_util::poll!(&mut wrong).is_pending() && futures_util::poll!(&mut right).is_pending());
    drop(busy);
    let (wrong, right) = tokio::join!(wrong, right);
    assert_eq!((wrong, right), (vec![Verdict::Denied; 150], vec![Verdict::Granted; 150]));
    assert_eq!(users.hashed.load(Ordering::Relaxed), 2);
    assert_eq!(users.authenticate(Some(&of("alice", "canary"))).await, Verdict::Denied);
    assert_eq!(users.running.lock().unwrap().len(), 1, "it remembers what runs, and nothing else");
}

#[test]
fn invalid_hashes_are_rejected_without_showing_them() {
    let hash = bcrypt::hash("canary", 4).unwrap();
    for (user, expected) in [
        ("prometheus: plaincanary".to_owned(), "is not a bcrypt hash"),
        (format!("prometheus: '{}'", &hash[..59]), "is not a bcrypt hash"),
        (format!("prometheus: '{}'", hash.replace("$04$", "$03$")), "bcrypt hash has cost 3"),
        (format!("prometheus: '{}'", hash.replace("$04$", "$32$")), "bcrypt hash has cost 32"),
    ] {
        let content =
            parse_yaml::<Content>(&format!("basic_auth_users:\n  {user}"), Booleans::Lenient).unwrap();
        let error = Users::new(&content.basic_auth_users.unwrap()).unwrap_err();
        let text = error.in_file("web.yml".as_ref()).to_string();
        assert!(text.starts_with("web.yml:2:") && text.contains(expected), "{text}");
        assert!(!text.contains("canary") && !text.contains("$2"), "{text}");
    }
}
