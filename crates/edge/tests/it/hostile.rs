//! Clients that mean harm, over HTTP/1.1: framing that can be read in two ways, slow ones, many ones, forged origins.

use crate::support::*;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tradewind_edge::{ClientRules, Network};

/// An instance that records each head it is sent and reads what belongs to it as the simplest server would.
async fn witness(edge_rules: impl FnOnce(&mut ClientRules)) -> (Edge, Agent, Arc<std::sync::Mutex<Vec<String>>>) {
    let heads = Arc::new(std::sync::Mutex::new(Vec::new()));
    let target = raw_instance({
        let heads = heads.clone();
        move |mut stream| {
            let heads = heads.clone();
            async move {
                loop {
                    let head = read_head(&mut stream).await;
                    if head.is_empty() {
                        return;
                    }
                    heads.lock().unwrap().push(head.clone());
                    if !read_body(&mut stream, &head).await {
                        return;
                    }
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
                }
            }
        }
    })
    .await;
    let edge = Edge::with(|c| edge_rules(&mut c.clients));
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![route_to(&[target])])).await;
    (edge, agent, heads)
}

/// False when it breaks off.
async fn read_body(stream: &mut TcpStream, head: &str) -> bool {
    let value = |name: &str| {
        head.lines().find_map(|l| l.split_once(": ").filter(|(n, _)| *n == name).map(|(_, v)| v.to_owned()))
    };
    if value("transfer-encoding").is_some() {
        loop {
            let mut line = String::new();
            while !line.ends_with("\r\n") {
                match stream.read_u8().await {
                    Ok(b) => line.push(b.into()),
                    Err(_) => return false,
                }
            }
            let size = usize::from_str_radix(line.trim_end(), 16).unwrap();
            if stream.read_exact(&mut vec![0; size + 2]).await.is_err() {
                return false;
            }
            if size == 0 {
                return true;
            }
        }
    }
    let length = value("content-length").map_or(0, |v| v.parse().unwrap());
    stream.read_exact(&mut vec![0; length]).await.is_ok()
}

const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: shop.example.com\r\n\r\n";

#[tokio::test]
async fn framing_that_can_be_read_in_two_ways_is_refused() {
    let (edge, _agent, heads) = witness(|_| {}).await;
    let chunked = "transfer-encoding: chunked\r\n\r\n";
    let with = |headers: &str, body: &str| format!("POST / HTTP/1.1\r\nhost: {HOST}\r\n{headers}\r\n{body}{HIDDEN}");
    let in_chunks = |body: &str| format!("POST / HTTP/1.1\r\nhost: {HOST}\r\n{chunked}{body}{HIDDEN}");
    let refused_in_head = [
        with("content-length: 0\r\ncontent-length: 40\r\n", ""),
        with("content-length: 0, 40\r\n", ""),
        with("content-length: -1\r\n", ""),
        with("content-length: 0x10\r\n", ""),
        with("content-length: 1 1\r\n", ""),
        with("content-length: 99999999999999999999\r\n", ""),
        with("content-length:\r\n", ""),
        with("transfer-encoding: xchunked\r\n", ""),
        with("transfer-encoding: chunked, gzip\r\n", ""),
        with("transfer-encoding: \x0bchunked\r\n", ""),
        with("transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n", ""),
        with("transfer-encoding: \"chunked\"\r\n", ""),
        with("transfer-encoding\t: chunked\r\n", ""),
        with("transfer encoding: chunked\r\n", ""),
        with("x: y\rtransfer-encoding: chunked\r\n", ""),
        with("x: y\r\n transfer-encoding: chunked\r\n", ""),
        with(" x: y\r\n", ""),
        with("x: a\0b\r\n", ""),
        with(": y\r\n", ""),
        with("host: other.example.com\r\n", ""),
        format!("POST / HTTP/1.0\r\nhost: {HOST}\r\n{chunked}0\r\n\r\n{HIDDEN}"),
        format!("GET / HTTP/1.2\r\nhost: {HOST}\r\n\r\n{HIDDEN}"),
        format!("GET /a b HTTP/1.1\r\nhost: {HOST}\r\n\r\n{HIDDEN}"),
        format!("GET /\r/ HTTP/1.1\r\nhost: {HOST}\r\n\r\n{HIDDEN}"),
        format!("GET http://u@{HOST}/ HTTP/1.1\r\nhost: {HOST}\r\n\r\n{HIDDEN}"),
        format!("GET / HTTP/1.1\r\nhost: {HOST}@x\r\n\r\n{HIDDEN}"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
    ];
    for bytes in &refused_in_head {
        eprintln!("{bytes:?}");
        let answer = raw(edge.addr, bytes).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") || answer.is_empty(), "{bytes:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.").count(), usize::from(!answer.is_empty()), "{bytes:?}: {answer}");
    }
    assert_eq!(*heads.lock().unwrap(), Vec::<String>::new(), "nothing came through");
    // What is wrong within a body is found after the head went out; then both connections end.
    let refused_in_body = [
        in_chunks("0x2\r\nab\r\n0\r\n\r\n"),
        in_chunks("-1\r\n"),
        in_chunks("2\r\nabc\r\n0\r\n\r\n"),
        in_chunks("2;x\ny\r\nab\r\n0\r\n\r\n"),
        in_chunks("fffffffffffffffff\r\nab"),
        in_chunks("2\nab\n0\n\n"),
        in_chunks("2\r\nab0\r\n\r\n"),
        in_chunks("\r\n\r\n"),
    ];
    for bytes in &refused_in_body {
        eprintln!("{bytes:?}");
        let answer = raw(edge.addr, bytes).await;
        assert!(!answer.contains("HTTP/1.1 200 "), "{bytes:?}: {answer}");
        assert!(answer.matches("HTTP/1.").count() <= 1, "{bytes:?}: {answer}");
    }
    let heads = heads.lock().unwrap();
    assert!(!heads.iter().any(|h| h.contains("/hidden")), "{heads:?}");
}

/// Where the standard lets a request be read in one way only, it goes on in that way alone, and as the last of its connection.
#[tokio::test]
async fn what_is_odd_but_plain_goes_on_in_its_plain_form() {
    let (edge, _agent, heads) = witness(|_| {}).await;
    for (sent, framing) in [
        (
            format!(
                "POST / HTTP/1.1\r\nhost: {HOST}\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}"
            ),
            "transfer-encoding: chunked",
        ),
        (
            format!(
                "POST / HTTP/1.1\r\nhost: {HOST}\r\nContent-Length: 2\r\nconnection: close, content-length\r\n\r\nab{HIDDEN}"
            ),
            "content-length: 2",
        ),
        (
            format!("POST / HTTP/1.1\nhost: {HOST}\ncontent-length: 2\nconnection: close\n\nab{HIDDEN}"),
            "content-length: 2",
        ),
    ] {
        let answer = raw(edge.addr, &sent).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.matches("HTTP/1.").count() == 1, "{sent:?}: {answer}");
        let head = std::mem::take(&mut *heads.lock().unwrap());
        let [head] = &head[..] else { panic!("{sent:?}: {head:?}") };
        let framed: Vec<_> =
            head.lines().filter(|l| l.contains("content-length") || l.contains("transfer-encoding")).collect();
        assert_eq!(framed, [framing], "{head}");
        assert!(head.lines().all(|l| !l.contains('\n')) && head.matches("\r\n").count() == head.matches('\n').count());
    }
}

#[tokio::test]
async fn methods_that_are_for_the_next_hop_are_not_passed_on() {
    let (edge, _agent, heads) = witness(|_| {}).await;
    for line in [format!("CONNECT {HOST}:443"), format!("CONNECT {HOST}"), "TRACE /".to_owned()] {
        let answer = raw(edge.addr, &format!("{line} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{line}: {answer}");
    }
    assert!(heads.lock().unwrap().is_empty());
}

/// Sends a piece each few milliseconds until the edge has had enough; the answer.
async fn dribble(addr: std::net::SocketAddr, first: &str, piece: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(first.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let piece = piece.to_owned();
    let sender = tokio::spawn(async move {
        while writer.write_all(piece.as_bytes()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let mut answer = Vec::new();
    let _ = within("the edge has had enough", reader.read_to_end(&mut answer)).await;
    sender.abort();
    String::from_utf8_lossy(&answer).into_owned()
}

fn impatient(rules: &mut ClientRules) {
    (rules.first_head, rules.keep_alive) = (Duration::from_millis(200), Duration::from_millis(400));
    (rules.body_window, rules.min_body_rate) = (Duration::from_millis(200), 1_000_000);
    rules.stall = Duration::from_millis(400);
}

#[tokio::test]
async fn a_head_or_a_body_that_dribbles_in_is_given_up() {
    let (edge, mut agent, heads) = witness(impatient).await;
    let get = format!("GET / HTTP/1.1\r\nhost: {HOST}\r\n");
    assert_eq!(dribble(edge.addr, &get, "x: y\r\n").await, "", "a first head");
    let later = dribble(edge.addr, &format!("{get}\r\n{get}"), "x: y\r\n").await;
    assert_eq!(later.matches("HTTP/1.1 200 ").count(), 1, "{later}");
    assert_eq!(heads.lock().unwrap().len(), 1, "a later head");
    assert_eq!(dribble(edge.addr, "", "").await, "", "nothing at all");
    let post = format!("POST / HTTP/1.1\r\nhost: {HOST}\r\ncontent-length: 100000\r\n\r\n");
    let slow = dribble(edge.addr, &post, "x").await;
    assert!(slow.starts_with("HTTP/1.1 408 ") && slow.contains("TW-EDGE-013"), "{slow}");
    let chunked = format!("POST / HTTP/1.1\r\nhost: {HOST}\r\ntransfer-encoding: chunked\r\n\r\n");
    assert!(dribble(edge.addr, &chunked, "1\r\nx\r\n").await.starts_with("HTTP/1.1 408 "));
    let stats = agent.stats("nothing in flight", |s| s.targets[0].in_flight == 0 && s.splits[0].requests == 3).await;
    assert!(stats.splits[0].upstream_failures.is_empty(), "it is not the release's fault: {stats:?}");
}

#[tokio::test]
async fn one_address_has_only_so_many_connections_and_trusted_proxies_any() {
    let announced = |n: u8| format!("PROXY TCP4 192.0.2.{n} 198.51.100.1 4711 80\r\n");
    let (edge, _agent, heads) = witness(|rules| {
        rules.connections_per_address = 2;
        rules.proxy_protocol = true;
        rules.trusted = Network::list("127.0.0.1").unwrap();
    })
    .await;
    let get = format!("GET / HTTP/1.1\r\nhost: {HOST}\r\n\r\n");
    let ask = async |n: u8| {
        let mut stream = TcpStream::connect(edge.addr).await.unwrap();
        stream.write_all(format!("{}{get}", announced(n)).as_bytes()).await.unwrap();
        let head = within("an answer or none", read_head(&mut stream)).await;
        (stream, head.starts_with("HTTP/1.1 200 "))
    };
    let (first, ok_1) = ask(1).await;
    let (_second, ok_2) = ask(1).await;
    let (_third, ok_3) = ask(1).await;
    let (_other, ok_4) = ask(2).await;
    assert_eq!([ok_1, ok_2, ok_3, ok_4], [true, true, false, true]);
    drop(first);
    within("room again", async {
        while !ask(1).await.1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let said = heads.lock().unwrap()[0].clone();
    assert!(said.contains("x-forwarded-for: 192.0.2.1\r\n"), "{said}");
    // Who does not announce is not taken.
    assert_eq!(raw(edge.addr, &get).await, "");
    assert!(edge.metrics().await.lines().any(|l| l.starts_with("tradewind_edge_connections_refused_total ")));
}

#[tokio::test]
async fn forwarding_is_believed_of_trusted_proxies_only() {
    let ask = format!(
        "GET / HTTP/1.1\r\nhost: {HOST}\r\nx-forwarded-for: 1.1.1.1, 203.0.113.7\r\nx-forwarded-proto: https\r\nforwarded: for=9.9.9.9\r\nx-real-ip: 9.9.9.9\r\nx-forwarded-host: evil\r\nconnection: close\r\n\r\n"
    );
    for (trusted, expected) in [("10.0.0.0/8", ["127.0.0.1", "http"]), ("127.0.0.0/8", ["203.0.113.7", "https"])] {
        let (edge, _agent, heads) = witness(|r| r.trusted = Network::list(trusted).unwrap()).await;
        let answer = raw(edge.addr, &ask).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let head = heads.lock().unwrap()[0].clone();
        let mut said: Vec<_> = head.lines().filter(|l| l.contains("forwarded") || l.contains("real-ip")).collect();
        said.sort_unstable();
        let [addr, proto] = expected;
        let ours = [
            format!("x-forwarded-for: {addr}"),
            format!("x-forwarded-host: {HOST}"),
            format!("x-forwarded-proto: {proto}"),
        ];
        assert_eq!(said, ours);
    }
}

#[tokio::test]
async fn a_slow_body_after_the_answers_head_is_not_held_against_the_release() {
    let answered = Arc::new(AtomicU64::new(0));
    let target = raw_instance({
        let answered = answered.clone();
        move |mut stream| {
            let answered = answered.clone();
            async move {
                read_head(&mut stream).await;
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome").await.unwrap();
                answered.fetch_add(1, SeqCst);
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
            }
        }
    })
    .await;
    let edge = Edge::with(|c| impatient(&mut c.clients));
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![route_to(&[target])])).await;
    let post = format!("POST / HTTP/1.1\r\nhost: {HOST}\r\ncontent-length: 100000\r\n\r\n");
    let answer = dribble(edge.addr, &post, "x").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let stats = agent.stats("it is over", |s| s.targets[0].in_flight == 0 && s.splits[0].requests == 1).await;
    assert_eq!((answered.load(SeqCst), stats.splits[0].client_aborts), (1, 1));
    assert!(stats.splits[0].upstream_failures.is_empty(), "{stats:?}");
}
