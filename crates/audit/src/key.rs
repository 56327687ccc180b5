//! Who signs: Ed25519 keys, in the forms of signed notes and of OpenSSL.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};

/// What every key of ours is called in notes. Which one it is says its id.
pub const NAME: &str = "tradewind-audit";

/// Of the kinds of signatures that a note may bear.
const ED25519_KIND: u8 = 1;
/// RFC 8410: what stands before the 32 bytes of a key in DER.
const PRIVATE_DER: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
const PUBLIC_DER: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadKey {
    #[error("it is neither `NAME+ID+KEY` nor a PEM public key")]
    Form,
    #[error("its id is not that of its key")]
    Id,
    #[error("it is not an Ed25519 key")]
    Kind,
    #[error("it is not a PKCS#8 private key in PEM")]
    NotPrivate,
}

/// The first four bytes of SHA-256 over name and key: tells keys apart, and proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

impl KeyId {
    fn of(name: &str, key: &[u8; 32]) -> Self {
        let mut h = Sha256::new();
        h.update(name);
        h.update([b'\n', ED25519_KIND]);
        h.update(key);
        let all: [u8; 32] = h.finalize().into();
        Self([all[0], all[1], all[2], all[3]])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}
impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A public key with its name: `tradewind-audit+0a1b2c3d+AZ…`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verifier {
    name: String,
    key: [u8; 32],
}

impl Verifier {
    pub fn name(&self) -> &str {
        &self.name
    }
    pub fn id(&self) -> KeyId {
        KeyId::of(&self.name, &self.key)
    }
    pub fn holds(&self, text: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.key).verify(text, signature).is_ok()
    }
    /// As OpenSSL reads it.
    pub fn pem(&self) -> String {
        pem("PUBLIC KEY", &[&PUBLIC_DER[..], &self.key].concat())
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[ED25519_KIND][..], &self.key].concat());
        write!(f, "{}+{}+{key}", self.name, self.id())
    }
}

impl FromStr for Verifier {
    type Err = BadKey;
    /// The one line, or PEM.
    fn from_str(s: &str) -> Result<Self, BadKey> {
        let s = s.trim();
        if s.starts_with("-----BEGIN") {
            let der = unpem("PUBLIC KEY", s).ok_or(BadKey::Form)?;
            let key = der.strip_prefix(&PUBLIC_DER).and_then(|k| k.try_into().ok()).ok_or(BadKey::Kind)?;
            return Ok(Self { name: NAME.to_owned(), key });
        }
        let mut parts = s.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(BadKey::Form);
        };
        if !is_name(name) {
            return Err(BadKey::Form);
        }
        let bytes = STANDARD.decode(key).map_err(|_| BadKey::Form)?;
        let [ED25519_KIND, key @ ..] = &bytes[..] else { return Err(BadKey::Kind) };
        let key = key.try_into().map_err(|_| BadKey::Kind)?;
        let found = Self { name: name.to_owned(), key };
        if found.id().to_string() == id { Ok(found) } else { Err(BadKey::Id) }
    }
}

pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// A private key. Never shown.
pub struct Signer {
    pair: Ed25519KeyPair,
    verifier: Verifier,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.verifier.id()).finish()
    }
}

impl Signer {
    /// From 32 bytes of chance, and what to keep of them: PKCS#8 in PEM.
    pub fn make(seed: [u8; 32]) -> (Self, String) {
        let kept = pem("PRIVATE KEY", &[&PRIVATE_DER[..], &seed].concat());
        (Self::of(&seed).expect("any 32 bytes are a key"), kept)
    }

    /// # Errors
    /// Anything but an Ed25519 key in PKCS#8, in PEM.
    pub fn read(kept: &str) -> Result<Self, BadKey> {
        let der = unpem("PRIVATE KEY", kept.trim()).ok_or(BadKey::NotPrivate)?;
        let seed = der.strip_prefix(&PRIVATE_DER).and_then(|s| s.try_into().ok()).ok_or(BadKey::Kind)?;
        Self::of(seed)
    }

    fn of(seed: &[u8; 32]) -> Result<Self, BadKey> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| BadKey::Kind)?;
        let key = pair.public_key().as_ref().try_into().map_err(|_| BadKey::Kind)?;
        Ok(Self { pair, verifier: Verifier { name: NAME.to_owned(), key } })
    }

    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }
    /// 64 bytes.
    pub fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.pair.sign(text).as_ref().to_vec()
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

fn unpem(label: &str, text: &str) -> Option<Vec<u8>> {
    let body = text.strip_prefix(&format!("-----BEGIN {label}-----"))?;
    let body = body.strip_suffix(&format!("-----END {label}-----"))?;
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).ok()
}
