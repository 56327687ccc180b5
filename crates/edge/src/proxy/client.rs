//! Who is asking: the client id that assignment hangs on.

use crate::table::assign::siphash;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use http::{HeaderMap, HeaderValue, header::COOKIE};
use std::cell::Cell;
use subtle::ConstantTimeEq;

const ID: usize = 16;
const TAG: usize = 16;
/// base64 of id and tag, without padding.
const VALUE: usize = 43;

pub type ClientId = [u8; ID];

/// Mints and recognizes client ids. A cookie holds an id and its authentication, and nothing else: never a release. A
/// client cannot make ids up until one falls into the split it wants.
///
/// The tag is SipHash-2-4, a pseudorandom function made to authenticate short messages, under two independent keys. It is
/// computed for every request, where HMAC-SHA-256 took a fortieth of the edge's time.
pub struct ClientIds([[u64; 2]; 2]);

impl ClientIds {
    pub fn new(key: &[u8; 32]) -> Self {
        let word = |n: usize| u64::from_le_bytes(std::array::from_fn(|i| key[n * 8 + i]));
        Self([[word(0), word(1)], [word(2), word(3)]])
    }

    fn tag(&self, id: &ClientId) -> [u8; TAG] {
        let [first, second] = self.0.map(|[k0, k1]| u128::from(siphash(k0, k1, id)));
        (first | second << 64).to_le_bytes()
    }

    /// An id that was never seen, and its cookie value.
    pub fn mint(&self) -> (ClientId, String) {
        let mut bytes = [0; ID + TAG];
        for chunk in bytes[..ID].chunks_exact_mut(8) {
            chunk.copy_from_slice(&entropy().to_le_bytes());
        }
        let mut id = [0; ID];
        id.copy_from_slice(&bytes[..ID]);
        bytes[ID..].copy_from_slice(&self.tag(&id));
        (id, BASE64.encode(bytes))
    }

    /// The id in a cookie of this name, when it is one of ours.
    pub fn read(&self, headers: &HeaderMap, name: &str) -> Option<ClientId> {
        headers.get_all(COOKIE).iter().flat_map(|v| cookies(v, name)).find_map(|value| self.verify(value))
    }

    fn verify(&self, value: &[u8]) -> Option<ClientId> {
        if value.len() != VALUE {
            return None;
        }
        let mut bytes = [0; 36];
        let n = BASE64.decode_slice(value, &mut bytes).ok()?;
        let (id, tag) = bytes[..n].split_first_chunk::<ID>()?;
        bool::from(self.tag(id).ct_eq(tag)).then_some(*id)
    }
}

/// Values of the cookies of this name in one `Cookie` header.
fn cookies<'a>(header: &'a HeaderValue, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    header
        .as_bytes()
        .split(|b| *b == b';')
        .filter_map(move |pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

/// 64 fresh bits from a generator per thread, seeded by the system. Not for secrets.
pub fn entropy() -> u64 {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(getrandom::u64().expect("the system has random numbers"));
    }
    let next = STATE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.set(next);
    crate::table::assign::mix(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, value.parse().unwrap())])
    }

    #[test]
    fn a_minted_id_is_read_back_among_other_cookies() {
        let ids = ClientIds::new(&[7; 32]);
        let (id, value) = ids.mint();
        assert_eq!(value.len(), VALUE);
        for cookies in [format!("tw={value}"), format!("a=b; tw=junk;tw={value} ; xtw=1")] {
            assert_eq!(ids.read(&header(&cookies), "tw"), Some(id), "{cookies}");
        }
        assert_eq!(ids.read(&header(&format!("xtw={value}")), "tw"), None);
    }

    #[test]
    fn an_id_that_is_altered_or_of_another_key_is_not_ours() {
        let ids = ClientIds::new(&[7; 32]);
        let (_, value) = ids.mint();
        assert_eq!(ClientIds::new(&[8; 32]).read(&header(&format!("tw={value}")), "tw"), None);
        for at in 0..VALUE - 1 {
            let mut other = value.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert_eq!(ids.read(&header(&format!("tw={other}")), "tw"), None, "{other}");
        }
    }
}
