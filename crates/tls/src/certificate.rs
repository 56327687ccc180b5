//! A certificate with its chain and its private key, checked for what can be checked without knowing who trusts whom.

use crate::{der, name::Name, provider};
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use std::sync::Arc;
use tradewind_model::{id::Digest, time::Timestamp};

/// Ready to be shown to clients.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Chain and key as rustls takes them.
    pub certified: Arc<CertifiedKey>,
    /// The hosts it is for, sorted.
    pub names: Vec<Name>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// SHA-256 over the certificate itself, as browsers and `openssl x509 -fingerprint -sha256` show it.
    pub fingerprint: Digest,
}

#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("the certificate file cannot be read as PEM")]
    Pem(#[source] rustls::pki_types::pem::Error),
    #[error("there is no certificate in the file")]
    NoCertificate,
    #[error("there is no private key in the file that can be used: PEM without a password is needed")]
    NoKey(#[source] rustls::pki_types::pem::Error),
    #[error("the private key is not the one of the certificate")]
    OtherKey,
    #[error("the private key cannot be used: RSA of 2048 bits or more, or ECDSA with P-256 or P-384, or Ed25519")]
    Key(#[source] rustls::Error),
    #[error("the certificate cannot be read")]
    Unreadable(#[source] webpki::Error),
    #[error("the certificate names no host (subject alternative name)")]
    NoNames,
    #[error("the certificate's time cannot be read")]
    NoTime,
}

impl Certificate {
    /// The certificate first, then its chain; the key may be in any of the usual PEM forms.
    ///
    /// # Errors
    /// When one of them is unreadable, they do not belong together, or no host is named.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let (chain, key) = der_of(chain, key)?;
        Self::from_der(chain, key)
    }

    pub fn from_der(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, CertificateError> {
        let (certified, leaf) = matched(chain, key)?;
        let entity = webpki::EndEntityCert::try_from(&leaf).map_err(CertificateError::Unreadable)?;
        let mut names: Vec<Name> = entity.valid_dns_names().filter_map(Name::parse).collect();
        names.sort();
        names.dedup();
        if names.is_empty() {
            return Err(CertificateError::NoNames);
        }
        let (not_before, not_after) = der::validity(&leaf).ok_or(CertificateError::NoTime)?;
        Ok(Self { certified: Arc::new(certified), names, not_before, not_after, fingerprint: Digest::of(&leaf) })
    }
}

/// Chain and key that belong together, whatever the certificate is for; and the first of the chain.
pub(crate) fn pair(chain: &[u8], key: &[u8]) -> Result<(CertifiedKey, CertificateDer<'static>), CertificateError> {
    let (chain, key) = der_of(chain, key)?;
    matched(chain, key)
}

type Der = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn der_of(chain: &[u8], key: &[u8]) -> Result<Der, CertificateError> {
    let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(CertificateError::Pem)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(CertificateError::NoKey)?;
    Ok((chain, key))
}

fn matched(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<(CertifiedKey, CertificateDer<'static>), CertificateError> {
    let leaf = chain.first().ok_or(CertificateError::NoCertificate)?.clone();
    let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|e| match e {
        rustls::Error::InconsistentKeys(_) => CertificateError::OtherKey,
        other => CertificateError::Key(other),
    })?;
    Ok((certified, leaf))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    fn pair(names: &[&str]) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        params.not_before = date_time_ymd(2026, 1, 2);
        params.not_after = date_time_ymd(2050, 12, 31);
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn a_pair_is_read_with_its_names_and_its_time() {
        let (chain, key) = pair(&["shop.example.com", "*.example.com", "127.0.0.1"]);
        let got = Certificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
        assert_eq!(got.names.iter().map(Name::as_str).collect::<Vec<_>>(), ["*.example.com", "shop.example.com"]);
        assert_eq!(got.not_before.to_minute(), "2026-01-02 00:00 UTC");
        assert_eq!(got.not_after.to_minute(), "2050-12-31 00:00 UTC", "beyond the two-digit years");
        // Both in one file, as some tools keep them.
        let both = format!("{key}{chain}");
        let again = Certificate::from_pem(both.as_bytes(), both.as_bytes()).unwrap();
        assert_eq!(again.fingerprint, got.fingerprint);
    }

    #[test]
    fn what_does_not_belong_together_or_says_nothing_is_refused() {
        let (chain, key) = pair(&["a.example.com"]);
        let (_, other) = pair(&["a.example.com"]);
        let (nameless, nameless_key) = pair(&["127.0.0.1"]);
        let read = |c: &str, k: &str| Certificate::from_pem(c.as_bytes(), k.as_bytes()).unwrap_err();
        assert!(matches!(read(&chain, &other), CertificateError::OtherKey));
        assert!(matches!(read("", &key), CertificateError::NoCertificate));
        assert!(matches!(read(&chain, &chain), CertificateError::NoKey(_)));
        assert!(matches!(read(&nameless, &nameless_key), CertificateError::NoNames));
        assert!(matches!(read("-----BEGIN CERTIFICATE-----\n%%\n", &key), CertificateError::Pem(_)));
        let junk = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
        assert!(matches!(
            read(junk, &key),
            CertificateError::OtherKey | CertificateError::Unreadable(_) | CertificateError::Key(_)
        ));
    }
}
