//! One object a checkpoint in a bucket of S3, or of what speaks like it. Versioning or Object Lock on the bucket is what
//! keeps it from whoever has this host's key.

use super::{SinkError, brief};
use http::{HeaderName, HeaderValue, Method};
use ring::{digest, hmac};
use std::{collections::BTreeMap, fmt};
use tradewind_model::time::Timestamp;
use tradewind_outbound::{Outbound, Request};

/// A bucket, and who may write to it.
#[derive(Clone)]
pub struct Bucket {
    /// `https://s3.eu-central-1.amazonaws.com/bucket/prefix`, without `/` at its end.
    address: String,
    region: String,
    access_key: String,
    secret_key: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected https://HOST/BUCKET or https://HOST/BUCKET/PREFIX")]
pub struct BucketError;

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}
impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(&self.address).finish()
    }
}

impl Bucket {
    /// # Errors
    /// Where the address names no bucket.
    pub fn new(address: &str, region: &str, access_key: &str, secret_key: &str) -> Result<Self, BucketError> {
        let address = address.trim_end_matches('/');
        let (_, rest) = address.split_once("://").ok_or(BucketError)?;
        let (host, path) = rest.split_once('/').ok_or(BucketError)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._/".contains(c);
        if host.is_empty()
            || path.is_empty()
            || !path.chars().all(plain)
            || path.starts_with('/')
            || path.contains("//")
        {
            return Err(BucketError);
        }
        let [address, region, access_key, secret_key] = [address, region, access_key, secret_key].map(str::to_owned);
        Ok(Self { address, region, access_key, secret_key })
    }

    pub async fn put(&self, outbound: &Outbound, name: &str, note: String, now: Timestamp) -> Result<(), SinkError> {
        let mut request = Request::new(Method::PUT, &format!("{}/{name}", self.address))?;
        let authority = match (request.url.host_str(), request.url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        let headers = BTreeMap::from([
            ("content-type", "text/plain; charset=utf-8".to_owned()),
            ("host", authority),
            ("x-amz-content-sha256", sha256(note.as_bytes())),
            ("x-amz-date", stamp(now)),
        ]);
        let authorization = self.authorization("PUT", request.url.path(), &headers);
        for (name, value) in headers.iter().filter(|(name, _)| **name != "host") {
            request = request.header(HeaderName::from_static(name), plain(value));
        }
        let mut authorization = plain(&authorization);
        authorization.set_sensitive(true);
        let request = request.header(http::header::AUTHORIZATION, authorization).body(note);
        let reply = outbound.send(request).await?;
        if reply.status.is_success() {
            return Ok(());
        }
        let said = brief(&String::from_utf8_lossy(&reply.body));
        Err(SinkError::Answer { status: reply.status.as_u16(), said })
    }

    /// AWS Signature Version 4, in the `Authorization` header, of a request without a query
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>).
    fn authorization(&self, method: &str, path: &str, headers: &BTreeMap<&str, String>) -> String {
        let signed: Vec<&str> = headers.keys().copied().collect();
        let signed = signed.join(";");
        let listed: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let payload = headers.get("x-amz-content-sha256").map_or("", String::as_str);
        let request = format!("{method}\n{path}\n\n{listed}\n{signed}\n{payload}");
        let at = headers.get("x-amz-date").map_or("", String::as_str);
        let day = &at[..at.len().min(8)];
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let text = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{}", sha256(request.as_bytes()));
        let first = mac(format!("AWS4{}", self.secret_key).as_bytes(), day);
        let key = [self.region.as_str(), "s3", "aws4_request"].iter().fold(first, |key, part| mac(key.as_ref(), part));
        let signature = hex(mac(key.as_ref(), &text).as_ref());
        let key = &self.access_key;
        format!("AWS4-HMAC-SHA256 Credential={key}/{scope},SignedHeaders={signed},Signature={signature}")
    }
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// `20130524T000000Z`.
fn stamp(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    let digits: String = text.chars().take(19).filter(|c| !matches!(c, '-' | ':')).collect();
    digits + "Z"
}

fn plain(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Bucket {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        Bucket::new("https://x.example/b", "us-east-1", "AKIAIOSFODNN7EXAMPLE", secret).unwrap()
    }

    fn signature(authorization: &str) -> &str {
        authorization.rsplit_once("Signature=").unwrap().1
    }

    /// The examples of the page that defines it.
    #[test]
    fn signatures_are_those_of_the_documents() {
        let at = Timestamp(1_369_353_600_000_000);
        assert_eq!(stamp(at), "20130524T000000Z");
        let host = ("host", "examplebucket.s3.amazonaws.com".to_owned());
        let get = BTreeMap::from([
            host.clone(),
            ("range", "bytes=0-9".to_owned()),
            ("x-amz-content-sha256", sha256(b"")),
            ("x-amz-date", stamp(at)),
        ]);
        let told = example().authorization("GET", "/test.txt", &get);
        assert_eq!(signature(&told), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
        let put = BTreeMap::from([
            ("date", "Fri, 24 May 2013 00:00:00 GMT".to_owned()),
            host,
            ("x-amz-content-sha256", sha256(b"Welcome to Amazon S3.")),
            ("x-amz-date", stamp(at)),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY".to_owned()),
        ]);
        let told = example().authorization("PUT", "/test%24file.text", &put);
        assert_eq!(signature(&told), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    }

    #[test]
    fn an_address_names_a_bucket() {
        for bad in
            ["", "https://x", "https://x/", "x/y", "https:///b", "https://x/a b", "https://x/b?c", "https://x//b"]
        {
            assert_eq!(Bucket::new(bad, "r", "k", "s").unwrap_err(), BucketError, "{bad}");
        }
        assert!(!format!("{:?} {}", example(), example()).contains("wJalr"));
    }
}
