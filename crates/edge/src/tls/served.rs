//! The certificates that are served, by name.

use bytes::Bytes;
use rustls::{SignatureScheme, sign::CertifiedKey};
use std::{collections::HashMap, sync::Arc};
use tradewind_model::protocol::edge::Challenge;
use tradewind_tls::{Certificate, Names};

#[derive(Debug, Default)]
pub struct Served {
    by_name: Names<Vec<Arc<Certificate>>>,
    /// For clients that name no host.
    first: Option<Arc<Certificate>>,
    all: Vec<Arc<Certificate>>,
    challenges: HashMap<Box<str>, Arc<CertifiedKey>>,
    /// By their tokens.
    answers: HashMap<Box<str>, Bytes>,
}

impl Served {
    /// Where two are for the same name and both can be used by a client, the one that is valid longer is shown.
    pub fn new(mut all: Vec<Arc<Certificate>>, challenges: &[Challenge]) -> Self {
        all.sort_by(|a, b| b.not_after.cmp(&a.not_after).then(a.fingerprint.cmp(&b.fingerprint)));
        all.dedup_by_key(|c| c.fingerprint);
        let mut by_name = Names::<Vec<Arc<Certificate>>>::default();
        for certificate in &all {
            for name in &certificate.names {
                by_name.entry(name).push(certificate.clone());
            }
        }
        let first = all.iter().min_by_key(|c| &c.names).cloned();
        let answers =
            challenges.iter().map(|c| (c.token.as_str().into(), c.authorization.clone().into_bytes().into())).collect();
        let challenges = challenges.iter().filter_map(|c| {
            let shown = tradewind_tls::challenge(&c.host, &c.authorization);
            let shown =
                shown.inspect_err(|error| tracing::error!(host = c.host, %error, "a challenge cannot be answered"));
            Some((c.host.as_str().into(), shown.ok()?))
        });
        let challenges = challenges.collect();
        Self { by_name, first, all, challenges, answers }
    }

    /// `None` where there is none that is for this host: no client would believe another one.
    pub fn find(&self, host: Option<&str>, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let Some(host) = host else { return self.first.as_ref().map(|c| c.certified.clone()) };
        let fitting = self.by_name.find(host)?;
        let usable = fitting.iter().find(|c| c.certified.key.choose_scheme(schemes).is_some());
        usable.or(fitting.first()).map(|c| c.certified.clone())
    }

    pub fn challenge(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        self.challenges.get(host).cloned()
    }

    /// What an authority is answered that asks for this token.
    pub fn answer(&self, token: &str) -> Option<Bytes> {
        self.answers.get(token).cloned()
    }

    /// Whether there is a certificate for this host, in lower case.
    pub fn covers(&self, host: &str) -> bool {
        self.by_name.find(host).is_some()
    }

    pub fn all(&self) -> &[Arc<Certificate>] {
        &self.all
    }
}
