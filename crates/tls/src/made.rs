//! Certificates and requests for them that are made here.

use crate::{CertificateError, Name};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, ExtendedKeyUsagePurpose, KeyPair};
use rustls::{
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};
use std::sync::Arc;

#[derive(Debug, thiserror::Error)]
pub enum MadeError {
    #[error("a certificate cannot be made")]
    Made(#[from] rcgen::Error),
    #[error("a key that was made cannot be used")]
    Used(#[from] CertificateError),
}

/// A request for a certificate, and the key it is for.
pub struct Request {
    /// PKCS #10, DER.
    pub request: Vec<u8>,
    /// PEM, ECDSA with P-256.
    pub key: String,
}

/// For these names, with a key of its own.
///
/// # Errors
/// When the system has no random numbers.
pub fn request(names: &[Name]) -> Result<Request, MadeError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key)?;
    Ok(Request { request: request.der().to_vec(), key: key.serialize_pem() })
}

/// What is shown to an authority that asks over TLS whether `host` is ours (RFC 8737, 3).
///
/// # Errors
/// When `host` is no name, or the system has no random numbers.
pub fn challenge(host: &str, authorization: &str) -> Result<Arc<CertifiedKey>, MadeError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new([host.to_owned()])?;
    let digest = ring::digest::digest(&ring::digest::SHA256, authorization.as_bytes());
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest.as_ref())];
    let made = params.self_signed(&key)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = crate::provider().key_provider.load_private_key(key).map_err(CertificateError::Key)?;
    // Not compared with its key: the extension is critical, and no library that checks certificates knows it.
    Ok(Arc::new(CertifiedKey::new(vec![made.der().clone()], key)))
}

/// Chain and key in PEM, for names and addresses of a server that nobody else vouches for; until the end of the year before.
///
/// # Errors
/// When a name is none, or the system has no random numbers.
pub fn self_signed(names: &[String], year: i32) -> Result<(String, String), MadeError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}
