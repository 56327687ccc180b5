//! Passwords, as argon2id with the parameters of OWASP's cheat sheet: 19 MiB, two passes, one lane.

use crate::{faults, http::Refusal};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use std::sync::LazyLock;
use tokio::sync::Semaphore;
use tradewind_model::fault::Fault;

const LEAST: usize = 12;
const MOST: usize = 256;
/// Each takes 19 MiB and tens of milliseconds of a core: not more at once, whoever asks.
static ROOM: Semaphore = Semaphore::const_new(2);

/// What a password of nobody is compared with, so that an unknown name takes as long as a wrong password.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hashed("nobody has this password").unwrap_or_default());

fn hasher() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hashed(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(hasher().hash_password(password.as_bytes())?.to_string())
}

/// # Errors
/// [`faults::WEAK_PASSWORD`].
pub fn check(password: &str, handle: &str) -> Result<(), Fault> {
    let length = password.chars().count();
    let distinct = password.chars().collect::<std::collections::HashSet<_>>().len();
    let lower = password.to_lowercase();
    let why = if length < LEAST {
        "short"
    } else if length > MOST {
        "long"
    } else if distinct < 5 || COMMON.iter().any(|c| lower.contains(c)) {
        "guessable"
    } else if handle.len() > 3 && lower.contains(handle) {
        "name"
    } else {
        return Ok(());
    };
    Err(Fault::new(&faults::WEAK_PASSWORD).with("why", why))
}

/// Parts no password of an installation that rolls out to shops should have. Length does the rest.
const COMMON: [&str; 12] = [
    "password",
    "123456",
    "qwerty",
    "admin123",
    "iloveyou",
    "letmein",
    "welcome",
    "abc123",
    "111111",
    "000000",
    "changeme",
    "tradewind",
];

/// For the store.
pub async fn hash(password: String) -> Result<String, Refusal> {
    run(move || hashed(&password)).await?.map_err(|e| Refusal::internal(e.to_string()))
}

/// Takes as long where there is nothing to compare with.
pub async fn verify(password: String, stored: Option<String>) -> Result<bool, Refusal> {
    run(move || {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| NOBODYS.clone());
        let matches =
            PasswordHash::new(&stored).is_ok_and(|h| hasher().verify_password(password.as_bytes(), &h).is_ok());
        known && matches
    })
    .await
}

async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    let _room = ROOM.acquire().await.map_err(Refusal::internal)?;
    tokio::task::spawn_blocking(work).await.map_err(Refusal::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_nothing_else_is() {
        let stored = hash("correct horse battery".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("correct horse battery".into(), Some(stored.clone())).await.unwrap());
        assert!(!verify("correct horse batterz".into(), Some(stored)).await.unwrap());
        assert!(!verify("nobody has this password".into(), None).await.unwrap());
        assert!(!verify("x".into(), Some("$argon2id$broken".into())).await.unwrap());
    }

    #[test]
    fn what_is_guessed_first_is_refused() {
        for bad in ["short", "aaaaaaaaaaaaaaaa", "Password2026!!", "li.wei-is-great", &"x y z q w ".repeat(60)] {
            assert!(check(bad, "li.wei").is_err(), "{bad}");
        }
        check("货柜 四十尺 到港 清关", "li.wei").unwrap();
        check("correct horse battery", "li.wei").unwrap();
    }
}
