//! Certificates from an authority: Pebble, which is made for such tests, before a real edge.

use crate::world::{World, asker};
use std::{
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
};
use tradewind_control::{
    agents::{desired, observed},
    certificates::{
        self, Keeper,
        acme::{self, Authority},
    },
};
use tradewind_edge::{Sockets, Worker, WorkerConfig};
use tradewind_model::protocol::{
    agent::ObservedEdge,
    edge::{Certificates, FromEdge, ToEdge},
};
use tradewind_secrets::ring::Ring;
use tradewind_store::rows;

const SPEC: &str = "version: 1\nservice: shop\nrun:\n  command: [serve]\n  health: { http: /healthz }\n\
                    strategy: { type: blue_green }\nenvironments:\n  production: { branch: main, route: { hosts: [shop.example.com] } }\n";
const GUARD: Duration = Duration::from_secs(120);

/// Killed with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

struct Pebble {
    authority: Authority,
    _programs: [Program; 2],
}

impl Pebble {
    /// An authority that looks at these ports of 127.0.0.1, whatever the name.
    async fn start(dir: &Path, http: u16, tls: u16) -> Option<Self> {
        let (directory, dns, management, rest) = (free(), free(), free(), free());
        let (chain, key) = tradewind_tls::self_signed(&["localhost".into(), "127.0.0.1".into()], 2100).unwrap();
        let file = |name: &str, text: &str| {
            std::fs::write(dir.join(name), text).unwrap();
            dir.join(name)
        };
        let (certificate, key) = (file("pebble.pem", &chain), file("pebble.key", &key));
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{directory}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": certificate, "privateKey": key,
            "httpPort": http, "tlsPort": tls, "ocspResponderURL": "", "externalAccountBindingRequired": false,
        }});
        let config = file("pebble.json", &config.to_string());
        let quiet =
            |command: &mut Command| command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let names = quiet(Command::new("pebble-challtestsrv").args([
            "-defaultIPv6",
            "",
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "",
            "-dns01",
            &format!("127.0.0.1:{dns}"),
            "-management",
            &format!("127.0.0.1:{rest}"),
        ]))
        .ok()?;
        let pebble = quiet(
            Command::new("pebble")
                .args(["-config", config.to_str().unwrap(), "-dnsserver", &format!("127.0.0.1:{dns}")])
                .env("PEBBLE_VA_NOSLEEP", "1")
                .env("PEBBLE_WFE_NONCEREJECT", "0"),
        )
        .ok()?;
        let programs = [Program(names), Program(pebble)];
        let up = async {
            for port in [directory, rest] {
                while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        };
        tokio::time::timeout(GUARD, up).await.expect("pebble is up");
        let authority = Authority {
            directory: format!("https://127.0.0.1:{directory}/dir"),
            email: "ops@example.com".into(),
            root: Some(certificate),
        };
        Some(Self { authority, _programs: programs })
    }
}

/// A real edge, and an agent that does nothing but pass certificates on and report what is answered.
async fn hosted(w: &mut World, dir: &Path) -> (Worker, [SocketAddr; 2], UnixStream) {
    let any = "127.0.0.1:0".parse().unwrap();
    let sockets = Sockets::bind(&[any], None).unwrap().with_https(&[any]).unwrap();
    let addrs = [sockets.http_addrs()[0], sockets.https_addrs()[0]];
    let mut config = WorkerConfig::new(dir, Vec::new());
    config.threads = 1;
    let worker = tokio::task::spawn_blocking(move || Worker::start(config, sockets, false)).await.unwrap().unwrap();
    let link = UnixStream::connect(dir.join("run/edge.sock")).await.unwrap();
    let label = w.release(1, SPEC).await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = w.deploy(&label).await;
    assert_eq!(w.see_through(&stay, id).await.phase, "completed");
    (worker, addrs, link)
}

/// Passes on and reports until it is dropped.
async fn pass_on(w: &World, link: UnixStream, keeper: &Keeper) {
    let (read, mut write) = link.into_split();
    let mut lines = BufReader::new(read).lines();
    let (to_agent, _rx) = tokio::sync::mpsc::channel(64);
    let stay = w.ctx.agents.connect(w.host, to_agent);
    let mut seq = 1_000_000;
    let mut sent = None;
    loop {
        let wanted = desired::compose(&mut w.ctx.store.read().await.unwrap(), w.host).await.unwrap();
        let mut all = Certificates { challenges: wanted.challenges.clone(), ..Certificates::default() };
        for digest in &wanted.certificates {
            all.chains.push(certificates::keyed(&w.ctx, keeper, digest).await.unwrap());
        }
        if sent.as_ref() != Some(&all) {
            let line = serde_json::to_string(&ToEdge::Certificates(all.clone())).unwrap();
            write.write_all(format!("{line}\n").as_bytes()).await.unwrap();
            sent = Some(all);
            let (shown, challenges) = loop {
                let line = lines.next_line().await.unwrap().unwrap();
                if let Ok(FromEdge::Certificates { shown, challenges }) = serde_json::from_str(&line) {
                    break (shown, challenges);
                }
            };
            let mut report = rows::observed::find(&mut w.ctx.store.read().await.unwrap(), w.host)
                .await
                .unwrap()
                .unwrap()
                .body
                .read::<tradewind_model::protocol::agent::Observed>()
                .unwrap();
            seq += 1;
            (report.seq, report.generation) = (seq, wanted.generation);
            (report.certificates, report.challenges) = (shown, challenges);
            report.edge = Some(ObservedEdge { pid: 1, table: 1, listen: Vec::new() });
            observed::ingest(&w.ctx, &stay, "passer", report).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The chain that is shown for this host.
async fn shown(addr: SocketAddr, host: &str) -> Vec<u8> {
    let output = tokio::process::Command::new("openssl")
        .args(["s_client", "-connect", &addr.to_string(), "-servername", host, "-alpn", "http/1.1"])
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    output.stdout
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_comes_over_http_or_over_tls_and_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    for over_tls in [false, true] {
        let dir = dir.path().join(if over_tls { "tls" } else { "http" });
        std::fs::create_dir(&dir).unwrap();
        let mut w = World::new().await;
        let keeper = Keeper::with(Ring::generate().unwrap());
        let (worker, [http, tls], link) = hosted(&mut w, &dir).await;
        // Where nobody listens at the first port asked, the first attempt fails.
        let port = if over_tls { free() } else { http.port() };
        let Some(pebble) = Pebble::start(&dir, port, tls.port()).await else {
            panic!("the package `pebble` is needed for this test")
        };
        let keeper = Arc::new(keeper);
        let asking = async {
            let mut came = acme::once(&w.ctx, &keeper, &pebble.authority).await.unwrap();
            if over_tls {
                assert_eq!(came, 0);
                assert_eq!(
                    acme::once(&w.ctx, &keeper, &pebble.authority).await.unwrap(),
                    0,
                    "it is too early to ask again"
                );
                let orders = rows::certificates::orders(&mut w.ctx.store.read().await.unwrap()).await.unwrap();
                assert_eq!((orders[0].failures, orders[0].challenge.is_none()), (1, true), "{orders:?}");
                w.pass(Duration::from_secs(901));
                came = acme::once(&w.ctx, &keeper, &pebble.authority).await.unwrap();
            }
            let orders = rows::certificates::orders(&mut w.ctx.store.read().await.unwrap()).await.unwrap();
            assert_eq!((came, orders.len()), (1, 0), "{orders:?}");
            let all = certificates::list(&w.ctx, &asker()).await.unwrap();
            assert_eq!((all.len(), &*all[0].origin, &*all[0].names), (1, "acme", &["shop.example.com".to_owned()][..]));
            while certificates::list(&w.ctx, &asker()).await.unwrap()[0].shown_on != 1 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert_eq!(acme::once(&w.ctx, &keeper, &pebble.authority).await.unwrap(), 0, "nothing is due");
            let said = String::from_utf8_lossy(&shown(tls, "shop.example.com").await).into_owned();
            assert!(said.contains("Pebble Intermediate CA"), "{said}");
        };
        tokio::select! {
            done = tokio::time::timeout(GUARD, asking) => done.expect("it comes"),
            () = pass_on(&w, link, &keeper) => unreachable!("it passes on for ever"),
        }
        worker.retire();
        tokio::task::spawn_blocking(|| worker.join()).await.unwrap().unwrap();
    }
}
