use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// What a forge proves itself with. Shown by nothing.
#[derive(Clone)]
pub struct HookSecret(Zeroizing<String>);

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadSecret {
    #[error("it has fewer than {SHORTEST} characters")]
    TooShort,
    #[error("it has more than {LONGEST} characters")]
    TooLong,
    /// Some forges send it in a header.
    #[error("it has characters other than printable ASCII, or a space at an end")]
    NotAscii,
}

const SHORTEST: usize = 16;
const LONGEST: usize = 200;
/// Of a secret that Standard Webhooks know: what follows is base64 of the key.
const STANDARD_PREFIX: &str = "whsec_";

impl HookSecret {
    /// From 32 random bytes: `whsec_` and their base64, which every forge takes as it stands.
    pub fn of(random: &[u8; 32]) -> Self {
        Self(Zeroizing::new(format!("{STANDARD_PREFIX}{}", STANDARD.encode(random))))
    }

    /// One that somebody chose, or that the forge made.
    ///
    /// # Errors
    /// Where it is too easy to guess, or could not be sent.
    pub fn parse(text: &str) -> Result<Self, BadSecret> {
        match text {
            odd if odd.trim() != odd || !odd.bytes().all(|b| b.is_ascii_graphic() || b == b' ') => {
                Err(BadSecret::NotAscii)
            }
            short if short.len() < SHORTEST => Err(BadSecret::TooShort),
            long if long.len() > LONGEST => Err(BadSecret::TooLong),
            good => Ok(Self(Zeroizing::new(good.to_owned()))),
        }
    }

    /// The secret itself. Named so that every place that lets it out is found.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
        parts.iter().for_each(|part| mac.update(part));
        mac
    }

    /// HMAC-SHA256 of the parts one after another, in time that does not depend on where it differs.
    pub(crate) fn signed(&self, parts: &[&[u8]], signature: &[u8]) -> bool {
        Self::mac(self.0.as_bytes(), parts).verify_slice(signature).is_ok()
    }

    /// The same with the key that Standard Webhooks make of it.
    pub(crate) fn signed_as_standard(&self, parts: &[&[u8]], signature: &[u8]) -> bool {
        let decoded = self.0.strip_prefix(STANDARD_PREFIX).and_then(|s| STANDARD.decode(s).ok()).map(Zeroizing::new);
        let key = decoded.as_ref().map_or(self.0.as_bytes(), |k| k.as_slice());
        Self::mac(key, parts).verify_slice(signature).is_ok()
    }

    /// Whether this is it. Both are hashed first, so that not even the length shows.
    pub(crate) fn is(&self, given: &[u8]) -> bool {
        Sha256::digest(self.0.as_bytes()).ct_eq(&Sha256::digest(given)).into()
    }
}

impl fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookSecret(…)")
    }
}
