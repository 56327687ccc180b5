//! An authority of a server's own, for where nobody else vouches for it.

use crate::{Certificate, MadeError};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::time::Duration;
use time::OffsetDateTime;
use tradewind_model::{id::Digest, time::Timestamp};

/// Whose clock is behind ours believes a new certificate all the same.
const SLACK: Duration = Duration::from_secs(3600);
const LIFE: Duration = Duration::from_secs(20 * 365 * 86_400);

/// It vouches for one server's certificates, so that those can be short-lived while what people compare stays the same.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    chain: String,
    digest: Digest,
}

impl Authority {
    /// A new one, and its key in PEM. Valid for 20 years.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn make(name: &str, now: Timestamp) -> Result<(Self, String), MadeError> {
        let key = KeyPair::generate()?;
        let text = key.serialize_pem();
        let mut params = params(name);
        (params.not_before, params.not_after) = (date(now, Step::Back(SLACK)), date(now, Step::On(LIFE)));
        let made = params.self_signed(&key)?;
        let chain = made.pem();
        let digest = Digest::of(made.der());
        Ok((Self { issuer: Issuer::new(params, key), chain, digest }, text))
    }

    /// The one that [`make`](Self::make) made under this name.
    ///
    /// # Errors
    /// When they are not the two halves of one.
    pub fn read(name: &str, chain: &str, key: &str) -> Result<Self, MadeError> {
        let (_, leaf) = crate::certificate::pair(chain.as_bytes(), key.as_bytes())?;
        let digest = Digest::of(&leaf);
        let key = KeyPair::from_pem(key)?;
        Ok(Self { issuer: Issuer::new(params(name), key), chain: chain.to_owned(), digest })
    }

    /// PEM, for those who are to believe it.
    pub fn chain(&self) -> &str {
        &self.chain
    }

    /// SHA-256 of the certificate, DER: what people compare.
    pub fn fingerprint(&self) -> &Digest {
        &self.digest
    }

    /// A certificate for names and addresses of a server, with a key of its own.
    ///
    /// # Errors
    /// When a name is none, or the system has no random numbers.
    pub fn issue(&self, names: &[String], now: Timestamp, life: Duration) -> Result<Certificate, MadeError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = named(names.first().map_or("tradewind", String::as_str));
        (params.not_before, params.not_after) = (date(now, Step::Back(SLACK)), date(now, Step::On(life)));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let made = params.signed_by(&key, &self.issuer)?;
        let chain = format!("{}{}", made.pem(), self.chain);
        Ok(Certificate::from_pem(chain.as_bytes(), key.serialize_pem().as_bytes())?)
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

enum Step {
    Back(Duration),
    On(Duration),
}

/// Never out of range: a clock that is far off is at the edge of what can be written.
fn date(now: Timestamp, step: Step) -> OffsetDateTime {
    let seconds = now.0.div_euclid(1_000_000);
    let of = |d: Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
    let seconds = match step {
        Step::Back(d) => seconds.saturating_sub(of(d)),
        Step::On(d) => seconds.saturating_add(of(d)),
    };
    let (first, last) = (rcgen::date_time_ymd(1970, 1, 1), rcgen::date_time_ymd(9999, 12, 31));
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(last).clamp(first, last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier},
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    };
    use std::sync::Arc;

    const NOW: Timestamp = Timestamp(1_795_000_000_000_000);

    fn believes(chain: &str, shown: &Certificate, name: &str, now: Timestamp) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()).unwrap();
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), crate::provider()).build().unwrap();
        let (leaf, rest) = shown.certified.cert.split_first().unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_micros(now.0 as u64));
        verifier.verify_server_cert(leaf, rest, &name, &[], now).is_ok()
    }

    #[test]
    fn what_it_issues_is_believed_for_its_names_and_its_time() {
        let (made, key) = Authority::make("Tradewind of tw-1", NOW).unwrap();
        let names = ["tw-1.example.com".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let again = Authority::read("Tradewind of tw-1", made.chain(), &key).unwrap();
        assert_eq!(again.fingerprint(), made.fingerprint());
        let day = Duration::from_secs(86_400);
        let shown = again.issue(&names, NOW, day * 30).unwrap();
        for name in ["tw-1.example.com", "127.0.0.1", "::1"] {
            assert!(believes(made.chain(), &shown, name, NOW), "{name}");
        }
        assert!(!believes(made.chain(), &shown, "tw-2.example.com", NOW));
        assert!(believes(made.chain(), &shown, "127.0.0.1", NOW.plus(day * 29)));
        assert!(!believes(made.chain(), &shown, "127.0.0.1", NOW.plus(day * 31)));
        let (other, _) = Authority::make("Tradewind of tw-1", NOW).unwrap();
        assert!(!believes(other.chain(), &shown, "127.0.0.1", NOW), "of the same name, with another key");
    }

    #[test]
    fn halves_of_two_are_refused() {
        let ((one, _), (_, key)) = (Authority::make("a", NOW).unwrap(), Authority::make("a", NOW).unwrap());
        assert!(Authority::read("a", one.chain(), &key).is_err());
        assert!(Authority::read("a", "", &key).is_err());
    }
}
