//! HTTP/2, frame by frame where clients are not what they should be.

use crate::{
    secure::{Authority, handshake},
    support::*,
};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::{body::Frame as BodyFrame, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, WriteHalf, split},
    net::TcpStream,
    sync::{Semaphore, mpsc},
};
use tokio_rustls::client::TlsStream;
use tradewind_edge::ClientRules;

struct Secured {
    edge: Edge,
    agent: Agent,
    authority: Authority,
    _folder: TempDir,
}

impl Secured {
    async fn start(targets: &[tradewind_model::protocol::edge::Target], rules: impl FnOnce(&mut ClientRules)) -> Self {
        let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
        authority.issue_into(folder.path(), "shop", &[HOST]);
        let edge = Edge::with(|c| {
            c.certificates = Some(folder.path().to_owned());
            rules(&mut c.clients);
        });
        let mut agent = edge.agent().await;
        agent.put(table(1, vec![route_to(targets)])).await;
        Self { edge, agent, authority, _folder: folder }
    }

    async fn stream(&self) -> TlsStream<TcpStream> {
        handshake(self.edge.addr_tls, HOST, self.authority.client(&["h2"])).await.unwrap()
    }

    async fn client(&self) -> Http2 {
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(self.stream().await)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    async fn frames(&self) -> Frames {
        let mut stream = self.stream().await;
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        let mut frames = Frames::over(stream);
        frames.send(SETTINGS, 0, 0, &[]).await;
        frames
    }
}

type Http2 = http2::SendRequest<http_body_util::combinators::BoxBody<Bytes, std::convert::Infallible>>;

fn ask(path: &str) -> Request<http_body_util::combinators::BoxBody<Bytes, std::convert::Infallible>> {
    Request::get(format!("https://{HOST}{path}")).body(full("")).unwrap()
}

async fn whole(response: Response<hyper::body::Incoming>) -> (StatusCode, String) {
    let (head, body) = response.into_parts();
    (head.status, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

// ---------------------------------------------------------------- frames

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Both directions by themselves: a client that only sends must not stop the edge from answering.
struct Frames {
    writer: WriteHalf<TlsStream<TcpStream>>,
    heard: mpsc::UnboundedReceiver<(u8, u32, Vec<u8>)>,
}

impl Frames {
    fn over(stream: TlsStream<TcpStream>) -> Self {
        let (mut reader, writer) = split(stream);
        let (hear, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let mut head = [0; 9];
                if reader.read_exact(&mut head).await.is_err() {
                    return;
                }
                let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
                if reader.read_exact(&mut payload).await.is_err() {
                    return;
                }
                let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
                if hear.send((head[3], stream, payload)).is_err() {
                    return;
                }
            }
        });
        Self { writer, heard }
    }

    /// False when the edge has hung up: what it said before is read all the same.
    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        let length = (payload.len() as u32).to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        let sent = async {
            self.writer.write_all(&[&head, payload].concat()).await?;
            self.writer.flush().await
        };
        within("a frame is taken", sent).await.is_ok()
    }

    /// How the edge answers on this stream.
    async fn answer(&mut self, on: u32) -> Said {
        within("an answer on a stream", async {
            loop {
                match self.heard.recv().await {
                    Some((HEADERS, stream, block)) if stream == on => return Said::Head(block),
                    Some((RST_STREAM, stream, _)) if stream == on => return Said::Reset,
                    Some((GOAWAY, _, payload)) => return Said::GoAway(payload[7]),
                    Some(_) => {}
                    None => return Said::HungUp,
                }
            }
        })
        .await
    }
}

#[derive(PartialEq, Eq, Debug)]
enum Said {
    Head(Vec<u8>),
    Reset,
    GoAway(u8),
    HungUp,
}

/// Fields as they are, without tables: HPACK's literal without indexing.
fn block(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let string = |out: &mut Vec<u8>, bytes: &[u8]| {
        if bytes.len() < 127 {
            out.push(bytes.len() as u8);
        } else {
            let rest = bytes.len() - 127;
            out.push(127);
            let mut rest = rest;
            while rest >= 128 {
                out.push((rest % 128) as u8 | 128);
                rest /= 128;
            }
            out.push(rest as u8);
        }
        out.extend(bytes);
    };
    for (name, value) in fields {
        out.push(0);
        string(&mut out, name.as_bytes());
        string(&mut out, value);
    }
    out
}

type Fields<'a> = Vec<(&'a str, &'a [u8])>;

fn head<'a>(more: &[(&'a str, &'a [u8])]) -> Fields<'a> {
    let mut fields: Fields<'_> =
        vec![(":method", b"GET"), (":scheme", b"https"), (":authority", HOST.as_bytes()), (":path", b"/")];
    fields.extend_from_slice(more);
    fields
}

// ---------------------------------------------------------------- tests

#[tokio::test]
async fn nothing_of_http_1_is_carried_in_by_a_stream() {
    let instance = Instance::named("up").await;
    let secured = Secured::start(&[instance.target()], |_| {}).await;
    let fields: [(&str, Fields<'_>); 17] = [
        ("connection", head(&[("connection", b"close")])),
        ("transfer-encoding", head(&[("transfer-encoding", b"chunked")])),
        ("keep-alive", head(&[("keep-alive", b"1")])),
        ("proxy-connection", head(&[("proxy-connection", b"close")])),
        ("upgrade", head(&[("upgrade", b"websocket")])),
        ("te", head(&[("te", b"chunked")])),
        ("a line end in a value", head(&[("x", b"a\r\nhost: evil")])),
        ("a line feed in a value", head(&[("x", b"a\nb")])),
        ("a nought in a value", head(&[("x", b"a\0b")])),
        ("a line end in a name", head(&[("x: y\r\nz", b"a")])),
        ("capitals", head(&[("X", b"a")])),
        ("a colon in a name", head(&[("a:b", b"c")])),
        ("another host", head(&[("host", b"evil.example.com")])),
        ("a pseudo field after the others", head(&[("x", b"y"), (":path", b"/other")])),
        ("an unknown pseudo field", head(&[(":evil", b"y")])),
        ("a line end in the path", {
            let mut f = head(&[]);
            f[3].1 = b"/ HTTP/1.1\r\nx: y";
            f
        }),
        ("a length that is none", head(&[("content-length", b"1, 1")])),
    ];
    for (what, fields) in fields {
        let mut frames = secured.frames().await;
        frames.send(HEADERS, END_HEADERS | END_STREAM, 1, &block(&fields)).await;
        let said = frames.answer(1).await;
        // 400 is in HPACK's static table.
        let refused = matches!(&said, Said::Head(b) if b.first() == Some(&0x8c))
            || said == Said::Reset
            || said == Said::GoAway(1);
        assert!(refused, "{what}: {said:?}");
    }
    assert_eq!(instance.requests(), 0);
    // The same frames without what is wrong are served: what was refused was refused for it.
    let mut frames = secured.frames().await;
    frames
        .send(HEADERS, END_HEADERS | END_STREAM, 1, &block(&head(&[("te", b"trailers"), ("host", HOST.as_bytes())])))
        .await;
    assert!(matches!(frames.answer(1).await, Said::Head(b) if b.first() == Some(&0x88)));
    assert_eq!(instance.requests(), 1);
}

#[tokio::test]
async fn a_body_of_another_length_than_said_never_becomes_a_request_of_that_length() {
    let whole_ones = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let instance = Instance::start({
        let whole_ones = whole_ones.clone();
        move |request| {
            let whole_ones = whole_ones.clone();
            Box::pin(async move {
                if request.into_body().collect().await.is_ok() {
                    whole_ones.fetch_add(1, SeqCst);
                }
                text("up")
            })
        }
    })
    .await;
    let secured = Secured::start(&[instance.target()], |_| {}).await;
    for (said, sent) in [("4", &b"GET / HTTP/1.1\r\n\r\n"[..]), ("40", b"ab"), ("0", b"ab")] {
        let mut frames = secured.frames().await;
        let mut fields = head(&[("content-length", said.as_bytes())]);
        fields[0].1 = b"POST";
        frames.send(HEADERS, END_HEADERS, 1, &block(&fields)).await;
        frames.send(DATA, END_STREAM, 1, sent).await;
        let answer = frames.answer(1).await;
        assert!(!matches!(&answer, Said::Head(b) if b.first() == Some(&0x88)), "{said}: {answer:?}");
    }
    assert_eq!(whole_ones.load(SeqCst), 0);
    // One that is as empty as was said goes on, and not before that is known.
    let mut frames = secured.frames().await;
    let mut fields = head(&[("content-length", b"0")]);
    fields[0].1 = b"POST";
    frames.send(HEADERS, END_HEADERS, 1, &block(&fields)).await;
    frames.send(HEADERS, END_HEADERS | END_STREAM, 3, &block(&head(&[]))).await;
    assert!(matches!(frames.answer(3).await, Said::Head(b) if b.first() == Some(&0x88)));
    assert_eq!(whole_ones.load(SeqCst), 1);
    frames.send(DATA, END_STREAM, 1, b"").await;
    assert!(matches!(frames.answer(1).await, Said::Head(b) if b.first() == Some(&0x88)));
    assert_eq!(whole_ones.load(SeqCst), 2);
}

#[tokio::test]
async fn what_a_client_may_open_and_send_is_bounded() {
    let gate = Arc::new(Semaphore::new(0));
    let instance = Instance::start({
        let gate = gate.clone();
        move |_| {
            let gate = gate.clone();
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                text("up")
            })
        }
    })
    .await;
    let secured = Secured::start(&[instance.target()], |_| {}).await;
    // More streams than may be open.
    let mut frames = secured.frames().await;
    for n in 0..200 {
        frames.send(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * n, &block(&head(&[]))).await;
    }
    assert!(matches!(frames.answer(399).await, Said::Reset | Said::GoAway(_)));
    assert!(instance.requests() <= 128);
    gate.add_permits(1_000);
    // A head beyond measure, whole or in pieces that never end.
    let long = vec![b'x'; 16_000];
    let mut frames = secured.frames().await;
    let first = block(&head(&[("a", &long)]));
    frames.send(HEADERS, 0, 1, &first[..16_000]).await;
    for _ in 0..200 {
        frames.send(9, 0, 1, &block(&[("x", &long[..8_000])])).await;
    }
    let said = frames.answer(1).await;
    assert!(matches!(said, Said::Reset | Said::GoAway(_) | Said::HungUp), "{said:?}");
    // Opened and reset, over and over.
    let mut frames = secured.frames().await;
    let before = instance.requests();
    for n in 0..5_000 {
        if !frames.send(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * n, &block(&head(&[]))).await {
            break;
        }
        frames.send(RST_STREAM, 0, 1 + 2 * n, &8u32.to_be_bytes()).await;
    }
    let said = frames.answer(1_000_001).await;
    assert!(matches!(said, Said::GoAway(_) | Said::HungUp), "{said:?}");
    assert!(instance.requests() - before < 5_000);
}

/// A client that opens a stream and takes nothing must not hold an instance for ever, and its other streams go on.
#[tokio::test]
async fn a_stream_of_which_nothing_is_taken_is_reset_alone() {
    let instance = Instance::start(|request| {
        Box::pin(async move {
            if request.uri().path() == "/small" {
                return text("small");
            }
            let endless =
                futures_util::stream::repeat_with(|| Ok(BodyFrame::data(Bytes::from_static(&[b'x'; 64 << 10]))));
            Response::new(StreamBody::new(endless).boxed())
        })
    })
    .await;
    let mut secured = Secured::start(&[instance.target()], |r| r.stall = Duration::from_millis(400)).await;
    let mut client = secured.client().await;
    let mut stalled = client.send_request(ask("/endless")).await.unwrap().into_body();
    assert!(stalled.frame().await.unwrap().is_ok());
    secured.agent.stats("it came and is over", |s| s.splits[0].requests == 1 && s.targets[0].in_flight == 0).await;
    let mut end = Ok(());
    while let (true, Some(frame)) = (end.is_ok(), within("the end of what was sent", stalled.frame()).await) {
        end = frame.map(drop);
    }
    assert!(end.is_err(), "it was reset");
    assert_eq!(whole(client.send_request(ask("/small")).await.unwrap()).await, (StatusCode::OK, "small".into()));
}

#[tokio::test]
async fn a_worker_that_retires_serves_what_was_opened_and_says_goodbye() {
    let gate = Arc::new(Semaphore::new(0));
    let instance = Instance::start({
        let gate = gate.clone();
        move |_| {
            let gate = gate.clone();
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                text("done")
            })
        }
    })
    .await;
    let mut secured = Secured::start(&[instance.target()], |_| {}).await;
    let mut frames = secured.frames().await;
    for n in 0..20 {
        frames.send(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * n, &block(&head(&[]))).await;
    }
    until("all are in flight", || instance.requests() == 20).await;
    let next = secured.edge.another(|_| {}, true);
    let old = secured.edge.worker.replace(next).unwrap();
    assert_eq!(frames.answer(1).await, Said::GoAway(0), "nothing is wrong");
    // Asked before the goodbye was heard: it is served, too.
    frames.send(HEADERS, END_HEADERS | END_STREAM, 41, &block(&head(&[]))).await;
    until("it is in flight", || instance.requests() == 21).await;
    gate.add_permits(100);
    let mut served = std::collections::BTreeSet::new();
    while served.len() < 21 {
        match within("what was opened is served", frames.heard.recv()).await.expect("not before all is served") {
            (HEADERS, stream, block) if block.first() == Some(&0x88) => drop(served.insert(stream)),
            (HEADERS | RST_STREAM, stream, block) => panic!("{stream}: {block:?}"),
            _ => {}
        }
    }
    drop(frames);
    within("the old worker ends", tokio::task::spawn_blocking(|| old.join())).await.unwrap().unwrap();
}

/// Clients that come and go over HTTP/2 while workers take over from each other: not one request is lost that a client was
/// not told to ask again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_over_http_2_while_workers_take_over_from_each_other() {
    let instance = Instance::named("up").await;
    let mut secured = Secured::start(&[instance.target()], |_| {}).await;
    let certificates = secured._folder.path().to_owned();
    for _ in 0..5 {
        let mut client = secured.client().await;
        let asking = tokio::spawn(async move {
            let mut served = 0;
            loop {
                if client.ready().await.is_err() {
                    return served;
                }
                match client.send_request(ask("/")).await {
                    Ok(response) => {
                        assert_eq!(whole(response).await.0, StatusCode::OK);
                        served += 1;
                    }
                    // It came after the goodbye, and the edge said so: it was not carried out.
                    Err(e) => {
                        let told = std::error::Error::source(&e).map(ToString::to_string).unwrap_or_default();
                        assert!(
                            e.is_canceled()
                                || e.is_closed()
                                || told.contains("refused")
                                || told.contains("not a result of an error"),
                            "{e:?}"
                        );
                        return served;
                    }
                }
            }
        });
        let before = instance.requests();
        until("some load", || instance.requests() > before + 50).await;
        let next = secured.edge.another(|c| c.certificates = Some(certificates.clone()), true);
        let old = secured.edge.worker.replace(next).unwrap();
        assert!(within("the client is told", asking).await.unwrap() > 0);
        within("the old worker ends", tokio::task::spawn_blocking(|| old.join())).await.unwrap().unwrap();
    }
}

/// RFC 8441, spoken frame by frame: hyper's client does not offer it.
#[tokio::test]
async fn a_websocket_over_a_stream_is_an_upgrade_to_the_instance() {
    let target = raw_instance(|mut stream| async move {
        let head = read_head(&mut stream).await;
        if !head.contains("upgrade: websocket\r\n") {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            return;
        }
        assert!(head.starts_with("GET /ws HTTP/1.1\r\n") && head.contains("connection: upgrade\r\n"), "{head}");
        assert!(head.contains("sec-websocket-key: ") && head.contains("sec-websocket-version: 13\r\n"), "{head}");
        let answer = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: x\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        let mut buffer = [0; 64];
        while let Ok(n @ 1..) = stream.read(&mut buffer).await {
            stream.write_all(&buffer[..n].to_ascii_uppercase()).await.unwrap();
        }
    })
    .await;
    let secured = Secured::start(&[target], |_| {}).await;
    let mut frames = secured.frames().await;
    let mut fields = head(&[]);
    (fields[0].1, fields[3].1) = (b"CONNECT", b"/ws");
    fields.insert(1, (":protocol", b"websocket"));
    fields.push(("sec-websocket-version", b"13"));
    frames.send(HEADERS, END_HEADERS, 1, &block(&fields)).await;
    assert!(matches!(frames.answer(1).await, Said::Head(b) if b.first() == Some(&0x88)));
    frames.send(DATA, 0, 1, b"hello").await;
    let echoed = within("an echo", async {
        loop {
            match frames.heard.recv().await {
                Some((DATA, 1, payload)) if !payload.is_empty() => return payload,
                Some(_) => {}
                None => panic!("hung up"),
            }
        }
    })
    .await;
    assert_eq!(echoed, b"HELLO");
    // Any other CONNECT is none of ours.
    fields[1].1 = b"raw";
    frames.send(HEADERS, END_HEADERS, 3, &block(&fields)).await;
    assert!(!matches!(frames.answer(3).await, Said::Head(b) if b.first() == Some(&0x88)));
}
