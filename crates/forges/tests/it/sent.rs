//! Deliveries as each forge makes them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tradewind_forges::{Head, HookSecret, Kind, Refused, Verified, verify};
use tradewind_model::time::Timestamp;

pub const SECRET: &str = "correct horse battery staple";
pub const NOW: Timestamp = Timestamp(1_795_303_240_000_000);

/// Headers and a body on their way.
#[derive(Clone)]
pub struct Sent {
    pub kind: Kind,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

pub fn body(kind: Kind) -> &'static str {
    match kind {
        Kind::Github => include_str!("payloads/github-push.json"),
        Kind::Gitlab => include_str!("payloads/gitlab-push.json"),
        Kind::Gitea => include_str!("payloads/gitea-push.json"),
        Kind::Gitee => include_str!("payloads/gitee-push.json"),
        Kind::Bitbucket => include_str!("payloads/bitbucket-push.json"),
    }
}

pub fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

impl Sent {
    pub fn by(kind: Kind) -> Self {
        Self::with(kind, body(kind).as_bytes(), SECRET)
    }

    pub fn with(kind: Kind, body: &[u8], secret: &str) -> Self {
        let hex = hex::encode(mac(secret.as_bytes(), body));
        let ms = NOW.as_millis().to_string();
        let headers = match kind {
            Kind::Github => vec![
                ("User-Agent", "GitHub-Hookshot/044aadd".into()),
                ("X-GitHub-Event", "push".into()),
                ("X-GitHub-Hook-ID", "109948940".into()),
                ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958".into()),
                ("X-Hub-Signature", "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6".into()),
                ("X-Hub-Signature-256", format!("sha256={hex}")),
            ],
            Kind::Gitlab => vec![
                ("User-Agent", "GitLab/18.6".into()),
                ("X-Gitlab-Event", "Push Hook".into()),
                ("X-Gitlab-Token", secret.into()),
                ("X-Gitlab-Instance", "https://git.haixin.example".into()),
                ("X-Gitlab-Webhook-UUID", "e8b8e2a4-6f0a-4e4a-9d0c-0d9bb1d0ba5f".into()),
                ("X-Gitlab-Event-UUID", "13792a34-cac6-4fda-95a8-c58e00a3954e".into()),
                ("Idempotency-Key", "f5e57ebb-0b4a-4b3f-9d7b-2f2b9f0c7ac1".into()),
            ],
            Kind::Gitea => vec![
                ("X-Gitea-Delivery", "f6266f16-1bf3-46a5-9ea4-602e06ead473".into()),
                ("X-Gitea-Event", "push".into()),
                ("X-Gitea-Event-Type", "push".into()),
                ("X-Gitea-Signature", hex.clone()),
                ("X-Gogs-Event", "push".into()),
                ("X-GitHub-Event", "push".into()),
                ("X-GitHub-Delivery", "f6266f16-1bf3-46a5-9ea4-602e06ead473".into()),
                ("X-Hub-Signature-256", format!("sha256={hex}")),
            ],
            Kind::Gitee => vec![
                ("User-Agent", "git-oschina-hook".into()),
                ("X-Gitee-Event", "Push Hook".into()),
                ("X-Gitee-Timestamp", ms.clone()),
                ("X-Gitee-Token", STANDARD.encode(mac(secret.as_bytes(), format!("{ms}\n{secret}").as_bytes()))),
            ],
            Kind::Bitbucket => vec![
                ("User-Agent", "Bitbucket-Webhooks/2.0".into()),
                ("X-Event-Key", "repo:push".into()),
                ("X-Hook-UUID", "e5b0e6ce-8a5c-4c1b-8b5f-5d0b4f5d2f11".into()),
                ("X-Request-UUID", "8b6a3f9c-1f1e-4a0c-b1d7-6f6e0a2f5b1a".into()),
                ("X-Attempt-Number", "1".into()),
                ("X-Hub-Signature", format!("sha256={hex}")),
            ],
        };
        let headers = headers.into_iter().map(|(n, v): (&str, String)| (n.to_owned(), v.into_bytes())).collect();
        Self { kind, headers, body: body.to_vec() }
    }

    /// GitLab's with a signing token.
    pub fn signed_by_gitlab(secret: &str, at: Timestamp) -> Self {
        let body = body(Kind::Gitlab).as_bytes();
        let (id, at) = ("f5e57ebb-0b4a-4b3f-9d7b-2f2b9f0c7ac1", (at.as_millis() / 1_000).to_string());
        let key = secret.strip_prefix("whsec_").map_or(secret.as_bytes().to_vec(), |s| STANDARD.decode(s).unwrap());
        let signature = STANDARD.encode(mac(&key, &[format!("{id}.{at}.").as_bytes(), body].concat()));
        let sent = Self::by(Kind::Gitlab).without("X-Gitlab-Token").set("webhook-id", id).set("webhook-timestamp", &at);
        sent.set("webhook-signature", &format!("v1,{signature}"))
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self
    }

    pub fn set(self, name: &str, value: &str) -> Self {
        let mut sent = self.without(name);
        sent.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        sent
    }

    pub fn get(&self, name: &str) -> String {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).unwrap();
        String::from_utf8(found.1.clone()).unwrap()
    }

    pub fn head(&self) -> Head {
        Head::of(self.headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())))
    }

    pub fn arrives(&self, secret: &str, now: Timestamp) -> Result<Verified, Refused> {
        verify(self.kind, &self.head(), &self.body, &HookSecret::parse(secret).unwrap(), now)
    }

    pub fn refused(&self) -> Refused {
        self.arrives(SECRET, NOW).expect_err("it was let in")
    }
}

/// What carries the proof.
pub fn proof(kind: Kind) -> &'static str {
    match kind {
        Kind::Github => "X-Hub-Signature-256",
        Kind::Gitlab => "X-Gitlab-Token",
        Kind::Gitea => "X-Gitea-Signature",
        Kind::Gitee => "X-Gitee-Token",
        Kind::Bitbucket => "X-Hub-Signature",
    }
}
