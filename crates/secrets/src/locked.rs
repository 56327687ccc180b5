//! Bytes that leave the host locked with a passphrase: XChaCha20-Poly1305 under a key that Argon2id makes of it.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use zeroize::Zeroizing;

/// Names the form and its costs; bound into what is sealed.
const MAGIC: &[u8; 8] = b"TWLOCK1\n";
const SALT: usize = 16;
const NONCE: usize = 24;
/// 64 MiB and 3 passes: a tenth of a second and more for each guess.
const MEMORY_KIB: u32 = 64 << 10;
const PASSES: u32 = 3;

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LockError {
    #[error("it is not something that was locked with a passphrase, or a newer program locked it")]
    NotLocked,
    #[error("it does not open: another passphrase, or damaged")]
    WrongPassphrase,
    #[error("the operating system gives no random bytes: {0}")]
    NoRandom(String),
    #[error("no key can be made of the passphrase: {0}")]
    NoKey(String),
}

/// What was locked; it is wiped when it is done with.
pub type Unlocked = Zeroizing<Vec<u8>>;

pub fn lock(passphrase: &str, plain: &[u8]) -> Result<Vec<u8>, LockError> {
    let mut drawn = [0; SALT + NONCE];
    getrandom::fill(&mut drawn).map_err(|e| LockError::NoRandom(e.to_string()))?;
    let (salt, nonce) = drawn.split_first_chunk::<SALT>().ok_or(LockError::NotLocked)?;
    let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| LockError::NotLocked)?;
    let payload = Payload { msg: plain, aad: MAGIC };
    let sealed = cipher(passphrase, salt)?.encrypt(&XNonce::from(nonce), payload);
    Ok([&MAGIC[..], &drawn[..], &sealed.map_err(|_| LockError::NotLocked)?].concat())
}

pub fn unlock(passphrase: &str, locked: &[u8]) -> Result<Unlocked, LockError> {
    let rest = locked.strip_prefix(MAGIC).ok_or(LockError::NotLocked)?;
    let (salt, rest) = rest.split_first_chunk::<SALT>().ok_or(LockError::NotLocked)?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(LockError::NotLocked)?;
    let payload = Payload { msg: sealed, aad: MAGIC };
    let plain = cipher(passphrase, salt)?.decrypt(&XNonce::from(*nonce), payload);
    plain.map(Zeroizing::new).map_err(|_| LockError::WrongPassphrase)
}

fn cipher(passphrase: &str, salt: &[u8; SALT]) -> Result<XChaCha20Poly1305, LockError> {
    let no_key = |e: argon2::Error| LockError::NoKey(e.to_string());
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(no_key)?;
    let mut key = Zeroizing::new([0; 32]);
    let made = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    made.hash_password_into(passphrase.as_bytes(), salt, &mut *key).map_err(no_key)?;
    Ok(XChaCha20Poly1305::new(&(*key).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_passphrase_opens_it_and_only_unchanged() {
        let mut locked = lock("fair winds", b"vault").unwrap();
        assert!(!locked.windows(5).any(|w| w == b"vault"));
        assert_eq!(&*unlock("fair winds", &locked).unwrap(), b"vault");
        assert_eq!(unlock("fair wind", &locked).unwrap_err(), LockError::WrongPassphrase);
        assert_ne!(lock("fair winds", b"vault").unwrap(), locked, "never the same twice");
        *locked.last_mut().unwrap() ^= 1;
        assert_eq!(unlock("fair winds", &locked).unwrap_err(), LockError::WrongPassphrase);
        assert_eq!(unlock("x", b"vault").unwrap_err(), LockError::NotLocked);
    }
}
