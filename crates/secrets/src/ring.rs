//! A ring of keys: the newest seals, every one of them opens what it sealed.
//!
//! XChaCha20-Poly1305 with a nonce drawn at random for each sealing: 192 bits, so that nobody has to count. What is
//! sealed is bound to a context (whose secret it is, under which name, which version); opened in another context it is
//! refused, so that a row cannot be put in another's place.

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::{fmt, str::FromStr};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const KEY: usize = 32;
const NONCE: usize = 24;

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RingError {
    #[error("the ring holds no key")]
    NoKey,
    #[error("key {0} of the ring is not 32 bytes in base64")]
    BadKey(usize),
    #[error("it was sealed with key {0}, which the ring does not hold")]
    UnknownKey(KeyId),
    /// Changed since, or put where it does not belong.
    #[error("it does not open: damaged, or sealed for another place")]
    Damaged,
    #[error("the operating system gives no random bytes: {0}")]
    NoRandom(String),
}

/// Names a key without giving it away: 16 hex digits made from it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(String);

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` does not name a key: expected 16 hex digits")]
pub struct BadKeyId(String);

impl KeyId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for KeyId {
    type Error = BadKeyId;
    fn try_from(text: String) -> Result<Self, BadKeyId> {
        let hex = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if hex { Ok(Self(text)) } else { Err(BadKeyId(text)) }
    }
}
impl FromStr for KeyId {
    type Err = BadKeyId;
    fn from_str(text: &str) -> Result<Self, BadKeyId> {
        text.to_owned().try_into()
    }
}
impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.0
    }
}
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({})", self.0)
    }
}

/// One key. Shown by nothing.
#[derive(Clone)]
struct Key {
    id: KeyId,
    bytes: Zeroizing<[u8; KEY]>,
}

impl Key {
    fn of(bytes: Zeroizing<[u8; KEY]>) -> Self {
        let id = hex::encode(&mac(&bytes, "key id", &[])[..8]);
        Self { id: KeyId(id), bytes }
    }
}

fn mac(key: &[u8; KEY], purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("a key of any length will do");
    mac.update(purpose.as_bytes());
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// What is sealed, and with which key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    pub key: KeyId,
    /// The nonce, then the ciphertext with its tag.
    pub bytes: Vec<u8>,
}

/// What sealed bytes belong to: parts that are told apart wherever one ends (`["ab", "c"]` is not `["a", "bc"]`).
#[derive(Clone, Copy, Debug)]
pub struct Context<'a>(pub &'a [&'a str]);

impl Context<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut out = b"tradewind sealed 1".to_vec();
        for part in self.0 {
            out.extend((part.len() as u64).to_be_bytes());
            out.extend(part.as_bytes());
        }
        out
    }
}

/// Never empty; the newest key is the last.
#[derive(Clone)]
pub struct Ring(Vec<Key>);

impl Ring {
    /// Of one new key.
    pub fn generate() -> Result<Self, RingError> {
        Ok(Self(vec![draw()?]))
    }

    /// Keys in base64, one a line (or separated by commas or blanks), the newest last. Lines that begin with `#` are
    /// left out.
    pub fn parse(text: &str) -> Result<Self, RingError> {
        let words =
            text.lines().filter(|l| !l.trim_start().starts_with('#')).flat_map(|l| l.split([',', ' ', '\t', '\r']));
        let mut keys: Vec<Key> = Vec::new();
        for (index, word) in words.filter(|w| !w.is_empty()).enumerate() {
            let bad = RingError::BadKey(index + 1);
            let bytes = Zeroizing::new(STANDARD.decode(word).map_err(|_| bad.clone())?);
            let mut key = Zeroizing::new([0; KEY]);
            if bytes.len() != KEY {
                return Err(bad);
            }
            key.copy_from_slice(&bytes);
            let key = Key::of(key);
            keys.retain(|k| k.id != key.id);
            keys.push(key);
        }
        if keys.is_empty() { Err(RingError::NoKey) } else { Ok(Self(keys)) }
    }

    /// As [`parse`](Self::parse) reads it.
    pub fn render(&self) -> Zeroizing<String> {
        let lines = self.0.iter().map(|k| format!("# {}\n{}\n", k.id, STANDARD.encode(*k.bytes)));
        Zeroizing::new(format!(
            "# Tradewind: keys, the newest last. Whoever has this file has what they seal.\n{}",
            lines.collect::<String>()
        ))
    }

    /// With a new key, which seals from now on.
    pub fn with_new_key(&self) -> Result<Self, RingError> {
        let mut keys = self.0.clone();
        keys.push(draw()?);
        Ok(Self(keys))
    }

    /// Without the keys that seal nothing any more; the newest stays whatever is said.
    pub fn without(&self, gone: &[KeyId]) -> Self {
        let newest = self.newest().clone();
        Self(self.0.iter().filter(|k| k.id == newest || !gone.contains(&k.id)).cloned().collect())
    }

    /// The one that seals.
    pub fn newest(&self) -> &KeyId {
        &self.last().id
    }

    /// Oldest first.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.0.iter().map(|k| &k.id)
    }

    pub fn seal(&self, context: Context<'_>, plain: &[u8]) -> Result<Sealed, RingError> {
        let key = self.last();
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|e| RingError::NoRandom(e.to_string()))?;
        let payload = Payload { msg: plain, aad: &context.bytes() };
        let sealed = cipher(key).encrypt(&XNonce::from(nonce), payload).map_err(|_| RingError::Damaged)?;
        Ok(Sealed { key: key.id.clone(), bytes: [&nonce[..], &sealed].concat() })
    }

    pub fn open(&self, context: Context<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, RingError> {
        let key =
            self.0.iter().find(|k| k.id == sealed.key).ok_or_else(|| RingError::UnknownKey(sealed.key.clone()))?;
        let (nonce, text) = sealed.bytes.split_first_chunk::<NONCE>().ok_or(RingError::Damaged)?;
        let payload = Payload { msg: text, aad: &context.bytes() };
        cipher(key).decrypt(&XNonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| RingError::Damaged)
    }

    /// Eight hex digits by which a value is recognised again, here and under this key only: made with the newest key,
    /// so nobody without it can try values out.
    pub fn fingerprint(&self, of: &str, value: &str) -> String {
        hex::encode(&mac(&self.last().bytes, "fingerprint", &[of.as_bytes(), value.as_bytes()])[..4])
    }

    fn last(&self) -> &Key {
        self.0.last().expect("a ring is never empty")
    }
}

/// Constant in time for the keys' bytes.
impl PartialEq for Ring {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| bool::from(a.bytes.ct_eq(&*b.bytes)))
    }
}
impl Eq for Ring {}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

fn draw() -> Result<Key, RingError> {
    let mut bytes = Zeroizing::new([0; KEY]);
    getrandom::fill(&mut *bytes).map_err(|e| RingError::NoRandom(e.to_string()))?;
    Ok(Key::of(bytes))
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&*key.bytes).into())
}
