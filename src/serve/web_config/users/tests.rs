//! Tests of users and passwords.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::config::Content;
use super::*;
use crate::config::yaml::{Booleans, parse as parse_yaml};

/// Authenticates a request of a new client.
async fn authenticate(users: &Users, authorization: Option<&HeaderValue>) -> Verdict {
    users.authenticate(authorization, &Origin::default()).await
}

/// Returns the origin of clients whose passwords are all wrong.
fn guessers() -> Origin {
    Origin { address: Some("10.0.0.1".parse().unwrap()), place: None }
}

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
        assert_eq!(authenticate(&users, Some(&of("prometheus", "canary"))).await, Verdict::Granted);
    }
    assert_eq!(hashed(), 1);
    for wrong in ["", "canar", "canary ", "canary2"] {
        assert_eq!(authenticate(&users, Some(&of("prometheus", wrong))).await, Verdict::Denied, "{wrong}");
    }
    assert_eq!(hashed(), 5);
    assert_eq!(authenticate(&users, Some(&of("prometheus", "canary"))).await, Verdict::Granted);
    assert_eq!(hashed(), 5, "a wrong password does not evict the right one from the cache");
    assert!(!format!("{users:?}").contains("canary") && !format!("{users:?}").contains("$2"));
}

#[tokio::test]
async fn an_unknown_user_costs_as_much_time_as_a_known_one() {
    let users = with("canary");
    for name in ["alice", "", "Prometheus"] {
        assert_eq!(authenticate(&users, Some(&of(name, "canary"))).await, Verdict::Denied, "{name}");
    }
    assert_eq!(users.hashed.load(Ordering::Relaxed), 3);
}

#[test]
fn a_wrong_password_takes_the_same_time_whatever_the_costs_in_the_file() {
    let hashes = [4, 5, 8].map(|cost| (cost, bcrypt::hash("canary", cost).unwrap()));
    let named: Vec<_> = hashes.iter().map(|(cost, hash)| format!("user{cost}: '{hash}'")).collect();
    let users = users(&format!("basic_auth_users: {{ {} }}", named.join(", ")));
    assert_eq!(users.highest_cost, 8);
    for (cost, hash) in hashes {
        let user = &users.by_name[&format!("user{cost}")];
        assert_eq!(user.cost, cost);
        assert_eq!(verify(b"guess", &hash.into(), user.cost..8), (false, 1 << 8), "cost {cost}");
        assert!(verify(b"canary", &user.hash, user.cost..8).0);
    }
    assert_eq!(verify(b"guess", &dummy_hash(8), 8..8), (false, 1 << 8), "an unknown user");
}

#[tokio::test]
async fn requests_without_basic_authentication_are_not_hashed() {
    let users = with("canary");
    assert_eq!(authenticate(&users, None).await, Verdict::Denied);
    let no_colon = STANDARD.encode("canary");
    for header in ["", "Basic", "Basic ", "Basic !", "Bearer canary", &format!("Basic {no_colon}"), "Ünïcode"]
    {
        let header = HeaderValue::from_bytes(header.as_bytes()).unwrap();
        assert_eq!(authenticate(&users, Some(&header)).await, Verdict::Denied, "{header:?}");
    }
    assert_eq!(users.hashed.load(Ordering::Relaxed), 0);
    let lower_case = of("prometheus", "canary").to_str().unwrap().replace("Basic", "basic");
    assert_eq!(authenticate(&users, Some(&lower_case.parse().unwrap())).await, Verdict::Granted);
}

#[tokio::test]
async fn a_flood_of_guesses_does_not_keep_a_known_password_out() {
    let users = with("canary");
    assert_eq!(authenticate(&users, Some(&of("prometheus", "canary"))).await, Verdict::Granted);
    // No permit is left for hashing.
    let all = u32::try_from(users.hashing.available_permits()).unwrap();
    let busy = users.hashing.acquire_many(all).await.unwrap();
    let (guess, guessing) = (of("prometheus", "guess"), guessers());
    users.guesses.add(Source::of(guessing.address));
    let guesses: Vec<_> = (0..300).map(|number| of("prometheus", &format!("guess {number}"))).collect();
    let guesses = guesses.iter().map(|guess| users.authenticate(Some(guess), &guessing));
    let guesses = futures_util::future::join_all(guesses);
    tokio::pin!(guesses);
    assert!(futures_util::poll!(&mut guesses).is_pending());
    assert_eq!(authenticate(&users, Some(&of("prometheus", "canary"))).await, Verdict::Granted);
    assert_eq!(users.authenticate(Some(&guess), &guessing).await, Verdict::Busy);
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
    let wrong = futures_util::future::join_all((0..150).map(|_| authenticate(&users, Some(&wrong))));
    let right = futures_util::future::join_all((0..50).map(|_| authenticate(&users, Some(&right))));
    tokio::pin!(wrong, right);
    assert!(futures_util::poll!(&mut wrong).is_pending() && futures_util::poll!(&mut right).is_pending());
    drop(busy);
    let (wrong, right) = tokio::join!(wrong, right);
    assert_eq!((wrong, right), (vec![Verdict::Denied; 150], vec![Verdict::Granted; 50]));
    assert_eq!(users.hashed.load(Ordering::Relaxed), 2);
    assert_eq!(authenticate(&users, Some(&of("alice", "canary"))).await, Verdict::Denied);
    assert_eq!(users.running.lock().len(), 1, "it remembers what runs, and nothing else");
}

#[tokio::test]
async fn the_first_login_does_not_wait_for_a_flood_of_guesses() {
    let users = with("canary");
    let all = u32::try_from(users.hashing.available_permits()).unwrap();
    let busy = users.hashing.acquire_many(all).await.unwrap();
    // No password of theirs has been checked yet.
    let guessing = guessers();
    let guesses: Vec<_> = (0..150).map(|number| of("prometheus", &format!("guess {number}"))).collect();
    let guesses = guesses.iter().map(|guess| users.authenticate(Some(guess), &guessing));
    let guesses = futures_util::future::join_all(guesses);
    let login = async {
        // The guesses came first.
        tokio::task::yield_now().await;
        let right = of("prometheus", "canary");
        let login = authenticate(&users, Some(&right));
        tokio::pin!(login);
        assert!(futures_util::poll!(&mut login).is_pending());
        drop(busy);
        (login.await, users.hashed.load(Ordering::Relaxed))
    };
    let (verdicts, (verdict, hashed)) = tokio::join!(guesses, login);
    assert_eq!(verdict, Verdict::Granted);
    // Guesses go on until this task is told that the login has ended.
    assert!(hashed < 75, "{hashed} passwords were verified before");
    assert_eq!(verdicts, [Verdict::Denied; 150]);
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
