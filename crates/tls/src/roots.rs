//! The authorities this machine believes.

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use std::path::{Path, PathBuf};

/// Where distributions keep them: Debian and Alpine, Red Hat, SUSE, the BSDs.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// None where there is no bundle: then nothing over https is believed.
pub fn machine_roots() -> RootCertStore {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let bundles = named.into_iter().chain(BUNDLES.iter().map(PathBuf::from));
    bundles.map(|path| read(&path)).find(|roots| !roots.is_empty()).unwrap_or_else(RootCertStore::empty)
}

fn read(path: &Path) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    if let Ok(found) = CertificateDer::pem_file_iter(path) {
        // One that cannot be read is no reason to believe none.
        roots.add_parsable_certificates(found.flatten());
    }
    roots
}
