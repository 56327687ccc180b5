//! The API over TLS.

use crate::app::TestApp;
use std::{fs, io::Write as _, net::SocketAddr, path::Path, time::Duration};
use tempfile::TempDir;
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tradewind_api::{ApiError, Client, shown_by};
use tradewind_server::{ListenTls, authority_fingerprint};

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("tw").tempdir().unwrap()
}

async fn start(folder: TempDir, files: Option<&Path>) -> TestApp {
    let files = files.map(|f| (f.join("chain.pem"), f.join("key.pem")));
    let names = vec!["tw.example.com".to_owned()];
    let tls = ListenTls { addr: "127.0.0.1:0".parse().unwrap(), files, names };
    TestApp::start_as(folder, |config| config.tls = Some(tls)).await
}

fn base(app: &TestApp) -> String {
    format!("https://localhost:{}", secure(app).port())
}

fn secure(app: &TestApp) -> SocketAddr {
    app.secure.unwrap()
}

fn authority(app: &TestApp) -> Vec<u8> {
    fs::read(app.data().join("api-authority.pem")).unwrap()
}

#[tokio::test]
async fn who_believes_the_servers_authority_is_served_and_nobody_else_sends_anything() {
    let app = start(folder(), None).await;
    let stranger = Client::new(&base(&app)).unwrap().with_token(&app.admin.token).unwrap();
    let refused = stranger.services(&Default::default()).await.unwrap_err();
    assert!(matches!(&refused, ApiError::Untrusted { why, .. } if why.contains("no authority")), "{refused:?}");

    let client = Client::believing(&base(&app), &authority(&app)).unwrap().with_token(&app.admin.token).unwrap();
    assert!(client.services(&Default::default()).await.unwrap().items.is_empty());
    let by_address = format!("https://127.0.0.1:{}", secure(&app).port());
    let client = Client::believing(&by_address, &authority(&app)).unwrap();
    assert_eq!(client.services(&Default::default()).await.unwrap_err().status(), Some(401));

    // What a person compares is in the chain that is shown.
    let shown = shown_by(&base(&app)).await.unwrap();
    assert_eq!(shown.last().map(|s| s.fingerprint), authority_fingerprint(app.data()));
    assert_eq!(shown.last().unwrap().pem.as_bytes(), authority(&app));
}

#[tokio::test]
async fn an_authority_outlives_the_server_and_its_key_is_nobody_elses() {
    use std::os::unix::fs::PermissionsExt as _;
    let app = start(folder(), None).await;
    let (before, leaf) = (authority_fingerprint(app.data()), shown_by(&base(&app)).await.unwrap().remove(0));
    let mode = |path: &str| fs::metadata(app.data().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("keys/api-authority.key"), mode("api-authority.pem")), (0o600, 0o644));
    let app = start(app.stop().await, None).await;
    assert_eq!(authority_fingerprint(app.data()), before);
    assert_ne!(shown_by(&base(&app)).await.unwrap()[0], leaf, "certificates are of one start");
}

#[tokio::test]
async fn http2_is_spoken_to_who_asks_for_it() {
    let app = start(folder(), None).await;
    let asked = |alpn: &'static [&'static [u8]]| {
        let (addr, pem) = (secure(&app), authority(&app));
        async move {
            use rustls::pki_types::{CertificateDer, pem::PemObject as _};
            let mut roots = rustls::RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
            let mut tls = rustls::ClientConfig::builder_with_provider(tradewind_tls::provider())
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            tls.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
            let socket = TcpStream::connect(addr).await.unwrap();
            let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(tls));
            connector.connect("localhost".try_into().unwrap(), socket).await.unwrap()
        }
    };
    let stream = asked(&[b"h2", b"http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let executor = hyper_util::rt::TokioExecutor::new();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let get = |path: &str| {
        let uri = format!("https://localhost{path}");
        http::Request::get(uri).body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap()
    };
    let (well, closed) = (sender.clone().send_request(get("/healthz")), sender.send_request(get("/api/v1/services")));
    let (well, closed) = tokio::join!(well, closed);
    assert_eq!(
        (well.unwrap().status(), closed.unwrap().status()),
        (http::StatusCode::OK, http::StatusCode::UNAUTHORIZED)
    );
    assert_eq!(asked(&[b"http/1.1"]).await.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
}

#[tokio::test]
async fn a_certificate_that_another_program_renews_is_followed_and_a_broken_one_is_not() {
    let files = tempfile::tempdir().unwrap();
    let write = |year| {
        let (chain, key) = tradewind_tls::self_signed(&["localhost".into()], year).unwrap();
        fs::write(files.path().join("key.pem"), key).unwrap();
        fs::write(files.path().join("chain.pem"), chain).unwrap();
    };
    write(2100);
    let app = start(folder(), Some(files.path())).await;
    let shown = || async { shown_by(&base(&app)).await.unwrap()[0].fingerprint };
    let first = shown().await;
    assert!(!app.data().join("api-authority.pem").exists(), "nothing is made that nobody needs");
    let mut broken = fs::OpenOptions::new().write(true).truncate(true).open(files.path().join("chain.pem")).unwrap();
    broken.write_all(b"-----BEGIN").unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(shown().await, first);
    write(2101);
    let until = tokio::time::Instant::now() + Duration::from_secs(60);
    while shown().await == first {
        assert!(tokio::time::Instant::now() < until, "the new certificate is not shown");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Who speaks no TLS, or nothing, costs one connection and nobody's wait.
#[tokio::test]
async fn what_is_no_handshake_is_let_go() {
    let app = start(folder(), None).await;
    let silent = TcpStream::connect(secure(&app)).await.unwrap();
    let mut plain = TcpStream::connect(secure(&app)).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut plain, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(60), plain.read_to_end(&mut answer)).await.expect("it is closed");
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let client = Client::believing(&base(&app), &authority(&app)).unwrap();
    assert_eq!(client.services(&Default::default()).await.unwrap_err().status(), Some(401));
    drop(silent);
}
