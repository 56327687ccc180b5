//! Certificates with their keys, read from PEM, and the one choice of cryptography: rustls with ring.

mod certificate;
mod der;
mod made;
mod name;

pub use certificate::{Certificate, CertificateError};
pub use made::{MadeError, Request, challenge, request, self_signed};
pub use name::{Name, Names};

use rustls::crypto::CryptoProvider;
use std::sync::{Arc, LazyLock};

/// What signs, encrypts and hashes for TLS in all of Tradewind.
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    PROVIDER.clone()
}
