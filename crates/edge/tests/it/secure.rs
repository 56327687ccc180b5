//! TLS with clients: which certificate, which protocol, and what is swapped while it serves.

use crate::support::*;
use http::StatusCode;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::{
    ClientConfig, DigitallySignedStruct, ProtocolVersion, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
    version::{TLS12, TLS13},
};
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tokio::{io::AsyncReadExt, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tradewind_model::protocol::edge::{Certificates, Challenge, FromEdge, KeyedChain, ToEdge};

/// A certificate authority of a test.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Chain and key in PEM.
    pub fn issue(&self, names: &[&str]) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let names = names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let made = CertificateParams::new(names).unwrap().signed_by(&key, &self.0).unwrap();
        (made.pem(), key.serialize_pem())
    }

    /// As certbot does: beside, and then in its place.
    pub fn issue_into(&self, folder: &Path, stem: &str, names: &[&str]) {
        let (chain, key) = self.issue(names);
        std::fs::create_dir_all(folder).unwrap();
        for (ending, text) in [("crt", chain), ("key", key)] {
            let beside = folder.join(format!("{stem}.{ending}.new"));
            std::fs::write(&beside, text).unwrap();
            std::fs::rename(beside, folder.join(format!("{stem}.{ending}"))).unwrap();
        }
    }

    pub fn client(&self, alpn: &[&str]) -> ClientConfig {
        self.client_of(alpn, &[&TLS13, &TLS12])
    }

    fn client_of(&self, alpn: &[&str], versions: &[&'static rustls::SupportedProtocolVersion]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|a| a.as_bytes().to_vec()).collect();
        config
    }
}

pub async fn handshake(addr: SocketAddr, host: &str, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream = TcpStream::connect(addr).await?;
    within("a handshake", TlsConnector::from(Arc::new(config)).connect(name, stream)).await
}

/// An edge with this folder of certificates, and an instance behind it that says what it was sent.
async fn edge_with(folder: &Path) -> (Edge, Agent, Instance) {
    let instance = Instance::start(|request| {
        Box::pin(async move {
            let header = |n: &str| request.headers().get(n).map_or("-", |v| v.to_str().unwrap()).to_owned();
            text(format!("{} {} {}", request.uri(), header("x-forwarded-proto"), header("host")))
        })
    })
    .await;
    let edge = Edge::with(|c| c.certificates = Some(folder.to_owned()));
    let mut agent = edge.agent().await;
    let mut route = route_to(&[instance.target()]);
    route.hosts = Vec::new();
    agent.put(table(1, vec![route])).await;
    (edge, agent, instance)
}

fn common_name(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn each_host_is_shown_its_own_certificate_in_either_version_of_tls() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    authority.issue_into(dir.path(), "shop", &["shop.example.com"]);
    authority.issue_into(&dir.path().join("wild"), "tls", &["*.example.com"]);
    let (edge, _agent, _instance) = edge_with(dir.path()).await;
    let mut shown = Vec::new();
    for (host, versions) in [
        ("shop.example.com", &[&TLS13]),
        ("shop.example.com", &[&TLS12]),
        ("other.example.com", &[&TLS13]),
        ("more.example.com", &[&TLS12]),
    ] {
        let stream = handshake(edge.addr_tls, host, authority.client_of(&["http/1.1"], versions)).await.unwrap();
        let version = stream.get_ref().1.protocol_version();
        assert_eq!(version == Some(ProtocolVersion::TLSv1_3), versions == &[&TLS13]);
        shown.push(common_name(&stream));
        let mut client = Client::over(stream).await;
        let reply = client.get("/a?b=c").await;
        assert_eq!((reply.status, &*reply.body), (StatusCode::OK, "/a?b=c https shop.example.com"));
    }
    assert!(shown[0] == shown[1] && shown[2] == shown[3] && shown[0] != shown[2]);
    // No client would believe another host's certificate: it is told at once.
    let refused = handshake(edge.addr_tls, "example.org", authority.client(&[])).await;
    assert!(refused.is_err());
    until_metric(&edge, "tradewind_edge_tls_handshake_failures_total 1").await;
}

async fn until_metric(edge: &Edge, line: &str) {
    within(line, async {
        while !edge.metrics().await.lines().any(|l| l == line) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart_and_open_connections_stay() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    authority.issue_into(dir.path(), "shop", &[HOST]);
    let (edge, _agent, _instance) = edge_with(dir.path()).await;
    let open = handshake(edge.addr_tls, HOST, authority.client(&[])).await.unwrap();
    let first = common_name(&open);
    let mut open = Client::over(open).await;
    assert_eq!(open.get("/").await.status, StatusCode::OK);
    authority.issue_into(dir.path(), "shop", &[HOST]);
    within("the new certificate", async {
        loop {
            let stream = handshake(edge.addr_tls, HOST, authority.client(&[])).await.unwrap();
            if common_name(&stream) != first {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await;
    assert_eq!(open.get("/").await.status, StatusCode::OK);
    let metrics = edge.metrics().await;
    assert!(metrics.contains("tradewind_edge_certificate_expiry_seconds{names=\"shop.example.com\"} "), "{metrics}");
}

#[tokio::test]
async fn the_protocol_is_agreed_upon_and_a_challenge_is_not_http() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    authority.issue_into(dir.path(), "shop", &[HOST]);
    let (edge, _agent, instance) = edge_with(dir.path()).await;
    for (offered, agreed) in [(&["h2", "http/1.1"][..], Some("h2")), (&["http/1.1"], Some("http/1.1")), (&[], None)] {
        let stream = handshake(edge.addr_tls, HOST, authority.client(offered)).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), agreed.map(str::as_bytes), "{offered:?}");
    }
    for offered in [&["acme-tls/1"][..], &["spdy/3"]] {
        assert!(handshake(edge.addr_tls, HOST, authority.client(offered)).await.is_err(), "{offered:?}");
    }
    // Whoever offers it beside others is shown the host's own certificate, and gets HTTP.
    let both = handshake(edge.addr_tls, HOST, authority.client(&["acme-tls/1", "http/1.1"])).await.unwrap();
    assert_eq!(both.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(instance.requests(), 0);
}

#[tokio::test]
async fn many_requests_go_over_one_connection_at_once() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    authority.issue_into(dir.path(), "shop", &[HOST]);
    let (edge, _agent, instance) = edge_with(dir.path()).await;
    let stream = handshake(edge.addr_tls, HOST, authority.client(&["h2"])).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let asks = (0..50).map(|n| {
        let mut sender = sender.clone();
        async move {
            let request = http::Request::get(format!("https://{HOST}/{n}")).body(full("")).unwrap();
            let (head, body) = sender.send_request(request).await.unwrap().into_parts();
            let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
            assert_eq!((head.status, head.version), (StatusCode::OK, http::Version::HTTP_2));
            assert_eq!(body, format!("/{n} https {HOST}"));
        }
    });
    within("fifty answers", futures_util::future::join_all(asks)).await;
    assert_eq!(instance.requests(), 50);
}

#[tokio::test]
async fn who_says_nothing_or_something_else_gets_no_answer() {
    let instance = Instance::named("up").await;
    let edge = Edge::with(|c| c.clients.handshake = Duration::from_millis(200));
    edge.agent().await.put(table(1, vec![route_to(&[instance.target()])])).await;
    let answer = raw(edge.addr_tls, &format!("GET / HTTP/1.1\r\nhost: {HOST}\r\n\r\n")).await;
    assert!(!answer.contains("HTTP"), "{answer}");
    let mut silent = TcpStream::connect(edge.addr_tls).await.unwrap();
    let mut rest = Vec::new();
    drop(within("the edge hangs up", silent.read_to_end(&mut rest)).await);
    assert_eq!((rest.len(), instance.requests()), (0, 0));
}

#[tokio::test]
async fn who_asks_without_tls_is_sent_to_it_where_there_is_a_certificate() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    authority.issue_into(dir.path(), "shop", &[HOST]);
    let instance = Instance::named("up").await;
    let edge = Edge::with(|c| {
        c.certificates = Some(dir.path().to_owned());
        (c.clients.redirect_to, c.clients.hsts_s) = (Some(8443), 600);
    });
    let mut agent = edge.agent().await;
    let mut route = route_to(&[instance.target()]);
    route.hosts.push("plain.example.com".into());
    agent.put(table(1, vec![route])).await;
    let mut client = Client::dial(edge.addr).await;
    let reply = client.get("/a/%0d%0ax?b=c//d").await;
    assert_eq!(reply.status, StatusCode::PERMANENT_REDIRECT);
    assert_eq!(reply.header("location"), Some("https://shop.example.com:8443/a/%0d%0ax?b=c//d"));
    assert_eq!(reply.header("strict-transport-security"), None);
    let plain = http::Request::get("/").header("host", "plain.example.com").body(full("")).unwrap();
    assert_eq!(client.send(plain).await.unwrap().status, StatusCode::OK, "no certificate, no redirect");
    // A verification goes where it is sent.
    let mut probe = get("/");
    probe.headers_mut().insert("x-tradewind-probe", PROBE.parse().unwrap());
    assert_eq!(client.send(probe).await.unwrap().status, StatusCode::OK);
    let stream = handshake(edge.addr_tls, HOST, authority.client(&["http/1.1"])).await.unwrap();
    let reply = Client::over(stream).await.get("/").await;
    assert_eq!((reply.status, reply.header("strict-transport-security")), (StatusCode::OK, Some("max-age=600")));
}

#[tokio::test]
async fn what_the_agent_sends_is_shown_and_kept_for_the_edge_alone() {
    use std::os::unix::fs::PermissionsExt;
    let authority = Authority::new();
    let keyed = |names: &[&str]| {
        let (chain, key) = authority.issue(names);
        KeyedChain { chain, key }
    };
    let (shop, other) = (keyed(&[HOST]), keyed(&["other.example.com"]));
    let mut edge = Edge::start();
    let mut agent = edge.agent().await;
    let send = |chains: &[&KeyedChain], missing: &[&KeyedChain]| {
        ToEdge::Certificates(Certificates {
            chains: chains.iter().copied().cloned().collect(),
            missing: missing.iter().map(|c| c.digest()).collect(),
            challenges: Vec::new(),
        })
    };
    let shown = |m: &FromEdge| match m {
        FromEdge::Certificates { shown, .. } => Some(shown.clone()),
        _ => None,
    };
    agent.send(&send(&[&shop, &other], &[])).await;
    assert_eq!(agent.wait("certificates", shown).await, [shop.digest(), other.digest()]);
    handshake(edge.addr_tls, HOST, authority.client(&[])).await.unwrap();
    let kept = edge.path("edge/certificates.json");
    assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // One that an agent wants and cannot fetch stays; one that nobody wants goes.
    agent.send(&send(&[], &[&shop])).await;
    assert_eq!(agent.wait("certificates", shown).await, [shop.digest()]);
    assert!(handshake(edge.addr_tls, "other.example.com", authority.client(&[])).await.is_err());
    // Another worker has it without an agent.
    let old = edge.worker.take().unwrap();
    old.retire();
    drop(agent);
    tokio::task::spawn_blocking(|| old.join()).await.unwrap().unwrap();
    edge.worker = Some(edge.another(|_| {}, false));
    handshake(edge.addr_tls, HOST, authority.client(&[])).await.unwrap();
}

#[tokio::test]
async fn an_authority_that_asks_whether_a_name_is_ours_is_answered_both_ways() {
    let instance = Instance::named("up").await;
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![route_to(&[instance.target()])])).await;
    let challenge = Challenge { host: HOST.into(), token: "abc_-1".into(), authorization: "abc_-1.thumb".into() };
    agent.send(&ToEdge::Certificates(Certificates { challenges: vec![challenge], ..Certificates::default() })).await;
    let said = |m: &FromEdge| {
        matches!(m, FromEdge::Certificates { challenges, .. } if challenges == &["abc_-1"]).then_some(())
    };
    agent.wait("the challenge", said).await;
    let mut client = Client::dial(edge.addr).await;
    assert_eq!(client.get("/.well-known/acme-challenge/abc_-1").await.body, "abc_-1.thumb");
    assert_eq!(client.get("/.well-known/acme-challenge/other").await.body, "up");
    let stream = handshake(edge.addr_tls, HOST, unchecked(&["acme-tls/1"])).await.unwrap();
    let shown = common_name(&stream);
    let digest = ring::digest::digest(&ring::digest::SHA256, b"abc_-1.thumb");
    let extension = [&[4, 34, 4, 32], digest.as_ref()].concat();
    assert!(shown.windows(extension.len()).any(|w| w == extension), "the digest is in it");
    assert!(handshake(edge.addr_tls, HOST, unchecked(&["http/1.1"])).await.is_err(), "it is for the authority alone");
}

/// A client as an authority is one that checks: it believes any certificate.
fn unchecked(alpn: &[&str]) -> ClientConfig {
    #[derive(Debug)]
    struct Any;
    impl ServerCertVerifier for Any {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            Ok(ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13]).unwrap();
    let mut config = builder.dangerous().with_custom_certificate_verifier(Arc::new(Any)).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|a| a.as_bytes().to_vec()).collect();
    config
}
