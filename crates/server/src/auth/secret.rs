//! Secrets that are random by themselves: how they are made, written and hashed.
//!
//! A token's secret is 256 random bits. A fast hash is right for those: nobody can guess through 2^256 values however
//! fast the hash is, and every request pays for it. Slow, salted hashes (argon2) are for what people choose, passwords.
//!
//! The store finds a secret by its hash. Whatever a look-up's duration tells is about the hash of a guess, which nobody
//! can steer towards a stored one; so nothing compares secrets byte by byte.

use tradewind_model::id::Digest;
use uuid::Uuid;

const PREFIX: &str = "tw_";

/// A token or a host's key as its holder has it: `tw_<id>_<secret>`. The prefix lets secret scanners find it, the id
/// tells people which one they hold.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    pub id: Uuid,
    bytes: [u8; 32],
}

impl Secret {
    /// A new secret under an id.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn mint(id: Uuid) -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self { id, bytes })
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.trim().strip_prefix(PREFIX)?.split_once('_')?;
        let id = Uuid::try_parse(id).ok()?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(secret, &mut bytes).ok()?;
        Some(Self { id, bytes })
    }

    /// For the holder, once.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}_{}", self.id.simple(), hex::encode(self.bytes))
    }

    /// For the store.
    pub fn hash(&self) -> Digest {
        Digest::of(&[self.id.as_bytes().as_slice(), &self.bytes].concat())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({})", self.id)
    }
}

/// A one-time login code: 60 random bits, short enough to type, gone in ten minutes.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginCode([u8; 12]);

/// Crockford's digits: no I, L, O, U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl LoginCode {
    /// # Errors
    /// When the system has no randomness to give.
    pub fn mint() -> Result<Self, getrandom::Error> {
        let mut code = [0; 12];
        getrandom::fill(&mut code)?;
        Ok(Self(code.map(|b| DIGITS[usize::from(b % 32)])))
    }

    /// As a person typed it: case, dashes and spaces do not matter, and O is 0, I and L are 1.
    pub fn parse(text: &str) -> Option<Self> {
        let typed: Vec<u8> = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            })
            .map(|c| u8::try_from(c).ok().filter(|b| DIGITS.contains(b)))
            .collect::<Option<_>>()?;
        typed.try_into().ok().map(Self)
    }

    /// For the store. With 60 bits, ten minutes and throttled tries a fast hash holds here too.
    pub fn hash(&self) -> Digest {
        Digest::of(&self.0)
    }

    /// `K7QW-3MZP-X2HD`.
    pub fn reveal(&self) -> String {
        let group = |g: &[u8]| String::from_utf8_lossy(g).into_owned();
        self.0.chunks(4).map(group).collect::<Vec<_>>().join("-")
    }
}

impl std::fmt::Debug for LoginCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoginCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_nothing_near_it_is() {
        let secret = Secret::mint(Uuid::from_u128(7)).unwrap();
        let text = secret.reveal();
        assert_eq!(Secret::parse(&format!(" {text}\n")).as_ref(), Some(&secret));
        for bad in ["", "tw_", "tw__", &text[3..], &text[..text.len() - 1], &text.replace("tw_", "gh_")] {
            assert!(Secret::parse(bad).is_none(), "{bad}");
        }
        let other_id = Secret { id: Uuid::from_u128(8), ..secret.clone() };
        assert_ne!(other_id.hash(), secret.hash());
        assert!(!format!("{secret:?}").contains(&text[40..]));
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = LoginCode(*b"K7QW3MZP01HD");
        assert_eq!(code.reveal(), "K7QW-3MZP-01HD");
        for typed in ["K7QW-3MZP-01HD", "k7qw3mzpoihd", " K7QW 3MZP OLHD "] {
            assert_eq!(LoginCode::parse(typed).as_ref(), Some(&code), "{typed}");
        }
        for bad in ["", "K7QW-3MZP-01H", "K7QW-3MZP-01HDD", "K7QW-3MZP-01HU", "K7QW-3MZP-01H中"] {
            assert!(LoginCode::parse(bad).is_none(), "{bad}");
        }
        assert_ne!(LoginCode::mint().unwrap(), LoginCode::mint().unwrap());
    }
}
