use futures_util::future::BoxFuture;
use http::{HeaderValue, Method, header::AUTHORIZATION};
use rustls::{RootCertStore, ServerConfig, pki_types::PrivatePkcs8KeyDer};
use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use tradewind_outbound::{Guard, Outbound, OutboundError, Request, Resolve};

/// Answers each question with the next of its answers, and the last one for ever.
struct Names {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    fn are(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |all: &&[&str]| all.iter().map(|a| a.parse().unwrap()).collect();
        Arc::new(Self { answers: Mutex::new(answers.iter().map(parse).collect()), asked: Mutex::default() })
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Resolve for Names {
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() };
        Box::pin(async move { Ok(answer) })
    }
}

/// Listens, answers each connection with the next text, and keeps what it was sent.
struct Server {
    addr: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn answering(answers: Vec<String>) -> Self {
        Self::start(answers, None).await
    }

    async fn start(answers: Vec<String>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (addr, heard) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let keep = heard.clone();
        tokio::spawn(async move {
            for answer in answers {
                let (stream, _) = listener.accept().await.unwrap();
                match &tls {
                    None => serve(stream, &answer, &keep).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            serve(stream, &answer, &keep).await;
                        }
                    }
                }
            }
        });
        Self { addr, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn serve<S>(mut stream: S, answer: &str, keep: &Mutex<Vec<String>>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let n = stream.read(&mut piece).await.unwrap_or(0);
        heard.extend_from_slice(&piece[..n]);
        let text = String::from_utf8_lossy(&heard).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if n == 0 {
                return;
            }
            continue;
        };
        let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        if body.len() >= length || n == 0 {
            break;
        }
    }
    keep.lock().unwrap().push(String::from_utf8_lossy(&heard).into_owned());
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn sent_on(status: u16, to: &str) -> String {
    format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
}

fn outbound(names: &Arc<Names>, allow: &[&str]) -> Outbound {
    let guard = Guard::allowing(allow.iter().map(|n| n.parse().unwrap()).collect());
    Outbound::with(guard, names.clone(), RootCertStore::empty())
}

fn get(url: &str) -> Request {
    Request::new(Method::GET, url).unwrap()
}

fn is_refused(found: &Result<tradewind_outbound::Reply, OutboundError>, at: &str) -> bool {
    matches!(found, Err(OutboundError::Refused { address, .. }) if *address == at.parse::<IpAddr>().unwrap())
}

const HERE: &[&str] = &["127.0.0.1"];

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_before_anything_is_sent() {
    let server = Server::answering(vec![ok("secret")]).await;
    let port = server.addr.port();
    for answers in [&["127.0.0.1"][..], &["8.8.8.8", "127.0.0.1"], &["::ffff:127.0.0.1"], &["0.0.0.0"]] {
        let names = Names::are(&[answers]);
        let found = outbound(&names, &[]).send(get(&format!("http://hooks.example:{port}/"))).await;
        assert!(matches!(found, Err(OutboundError::Refused { .. })), "{answers:?}: {found:?}");
        assert_eq!(found.unwrap_err().fault().code.id, "TW-OUT-003");
    }
    // However an address may be written.
    let names = Names::are(&[&["8.8.8.8"]]);
    for host in ["127.0.0.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.1", "[::1]", "[::ffff:7f00:1]", "①②⑦.0.0.1"]
    {
        let found = outbound(&names, &[]).send(get(&format!("http://{host}:{port}/"))).await;
        assert!(matches!(found, Err(OutboundError::Refused { .. })), "{host}: {found:?}");
    }
    assert_eq!((names.asked(), server.heard().len()), (0, 0));
    let metadata = outbound(&names, &["169.254.0.0/16"]).send(get("http://169.254.169.254/latest/")).await.unwrap_err();
    assert_eq!(metadata.fault().code.id, "TW-OUT-004");
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_held_to_what_was_looked_at() {
    let server = Server::answering(vec![ok("first"), ok("second")]).await;
    // Harmless when it is looked at, inside a moment later.
    let names = Names::are(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let outbound = outbound(&names, HERE);
    let url = format!("http://rebinds.example:{}/x", server.addr.port());
    let reply = outbound.send(get(&url)).await.unwrap();
    assert_eq!((&reply.body[..], names.asked()), (&b"first"[..], 1), "one question, and its answer is used");
    assert!(is_refused(&outbound.send(get(&url)).await, "10.0.0.1"));
}

#[tokio::test]
async fn each_redirect_is_looked_at_anew() {
    let (inside, names) = (Server::answering(vec![ok("secret")]).await, Names::are(&[&["127.0.0.1"]]));
    let port = inside.addr.port();
    for to in [
        format!("http://10.0.0.1:{port}/"),
        "http://169.254.169.254/".into(),
        "file:///etc/passwd".into(),
        "gopher://x/".into(),
        "http://u:p@h.example/".into(),
    ] {
        let server = Server::answering(vec![sent_on(307, &to)]).await;
        let found = outbound(&names, HERE).send(get(&format!("http://{}/", server.addr))).await;
        assert!(matches!(found, Err(OutboundError::Refused { .. } | OutboundError::Address { .. })), "{to}: {found:?}");
    }
    assert!(inside.heard().is_empty());

    let end = Server::answering(vec![ok("there")]).await;
    let first = Server::answering(vec![sent_on(308, &format!("http://other.example:{}/b", end.addr.port()))]).await;
    let mut key = HeaderValue::from_static("Bearer x");
    key.set_sensitive(true);
    let post = Request::new(Method::POST, &format!("http://{}/a?b=c", first.addr)).unwrap();
    let reply = outbound(&names, HERE).send(post.header(AUTHORIZATION, key).body("told")).await.unwrap();
    assert_eq!(&reply.body[..], b"there");
    assert!(first.heard()[0].starts_with("POST /a?b=c HTTP/1.1\r\n") && first.heard()[0].contains("Bearer x"));
    assert!(end.heard()[0].starts_with("POST /b ") && end.heard()[0].ends_with("told"));
    assert!(!end.heard()[0].contains("Bearer"), "what is secret stays with its origin");

    // What would become another request is left to the caller.
    let moved = Server::answering(vec![sent_on(302, "/elsewhere")]).await;
    let post = Request::new(Method::POST, &format!("http://{}/", moved.addr)).unwrap();
    assert_eq!(outbound(&names, HERE).send(post).await.unwrap().status, 302);
    let circle = Server::answering(vec![sent_on(302, "/again"); 9]).await;
    let found = outbound(&names, HERE).send(get(&format!("http://{}/", circle.addr))).await;
    assert!(matches!(found, Err(OutboundError::Redirects { .. })), "{found:?}");
    assert_eq!(circle.heard().len(), 4);
}

#[tokio::test]
async fn time_and_size_have_ends() {
    let names = Names::are(&[&["127.0.0.1"]]);
    let large = Server::answering(vec![format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(3 << 20))]).await;
    let found = outbound(&names, HERE).send(get(&format!("http://{}/", large.addr))).await;
    assert!(matches!(found, Err(OutboundError::TooLarge { .. })), "{found:?}");
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let brief = outbound(&names, HERE).within(Duration::from_millis(50));
    let found = brief.send(get(&format!("http://{}/", silent.local_addr().unwrap()))).await;
    assert!(matches!(found, Err(OutboundError::Late { .. })), "{found:?}");
    let gone = silent.local_addr().unwrap();
    drop(silent);
    let found = outbound(&names, HERE).send(get(&format!("http://{gone}/"))).await;
    assert!(matches!(found, Err(OutboundError::Connect { .. })), "{found:?}");
    let nowhere = Names::are(&[&[]]);
    let found = outbound(&nowhere, HERE).send(get("http://nowhere.example/")).await;
    assert!(matches!(found, Err(OutboundError::Unresolved { .. })), "{found:?}");
    for bad in ["ftp://x/", "file:///etc/passwd", "//x/", "http://", "http://user@x/", "javascript:1", "http://a b/"] {
        assert!(matches!(Request::new(Method::GET, bad), Err(OutboundError::Address { .. })), "{bad}");
    }
}

#[tokio::test]
async fn a_certificate_is_checked_always() {
    let made = rcgen::generate_simple_self_signed(vec!["hooks.example".into()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(tradewind_tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let answers = vec![ok("well"), ok("never"), ok("never"), sent_on(307, "http://hooks.example/")];
    let server = Server::start(answers, Some(TlsAcceptor::from(Arc::new(config)))).await;
    let names = Names::are(&[&["127.0.0.1"]]);
    let guard = || Guard::allowing(vec!["127.0.0.1".parse().unwrap()]);
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let trusting = Outbound::with(guard(), names.clone(), roots);
    let at = |host: &str| get(&format!("https://{host}:{}/", server.addr.port()));
    assert_eq!(&trusting.send(at("hooks.example")).await.unwrap().body[..], b"well");
    let stranger = Outbound::with(guard(), names, RootCertStore::empty()).send(at("hooks.example")).await;
    assert!(matches!(stranger, Err(OutboundError::Exchange { .. })), "{stranger:?}");
    let other_name = trusting.send(at("other.example")).await;
    assert!(matches!(other_name, Err(OutboundError::Exchange { .. })), "{other_name:?}");
    let down = trusting.send(at("hooks.example")).await;
    assert!(matches!(down, Err(OutboundError::Downgrade { .. })), "{down:?}");
    assert_eq!(server.heard().len(), 2);
}
