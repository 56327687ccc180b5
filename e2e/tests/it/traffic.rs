//! Steady requests for one service: some over connections that stay open, some over a new one each.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;
use tradewind_testkit::traffic::{Ledger, Line, Site};

use crate::world::until;

pub const CLIENTS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(25);

pub struct Traffic {
    pub ledger: Arc<Ledger>,
    leaving: Arc<AtomicBool>,
    clients: JoinSet<()>,
}

impl Traffic {
    pub fn start(edge: SocketAddr, service: &str) -> Self {
        let site = Site { edge, host: format!("{service}.test"), names: "x-version" };
        let ledger = Arc::new(Ledger::new());
        let leaving = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let (site, ledger, leaving) = (site.clone(), ledger.clone(), leaving.clone());
            let stays = number % 2 == 0;
            clients.spawn(async move {
                let mut line = Line::new(site.clone(), ledger.clone());
                while !leaving.load(Ordering::Relaxed) {
                    // What may not be repeated must not be lost either.
                    let (method, path) = match number {
                        0 => (Method::GET, "/slow"),
                        1 | 2 => (Method::POST, "/orders"),
                        _ => (Method::GET, "/orders"),
                    };
                    let _ = line.ask(method, path, Some(json!({"lamp": 1})), StatusCode::OK, named).await;
                    tokio::time::sleep(PAUSE).await;
                    if !stays {
                        line = Line::new(site.clone(), ledger.clone());
                    }
                }
            });
        }
        Self { ledger, leaving, clients }
    }

    /// A request that began after this call was answered by this release.
    pub async fn served_by(&self, version: &str) {
        let before = self.ledger.tally(version).sent;
        until(&format!("answers of {version}"), || async {
            (self.ledger.tally(version).sent > before + u64::from(CLIENTS)).then_some(())
        })
        .await;
    }

    /// Lets everyone have their answer. Gives how many were asked, and what was lost.
    pub async fn finish(mut self) -> (u64, Vec<String>) {
        self.leaving.store(true, Ordering::Relaxed);
        while self.clients.join_next().await.is_some() {}
        let sent = self.ledger.tallies().values().map(|t| t.sent).sum();
        let lost = self.ledger.losses().1;
        let told = lost.iter().map(|l| format!("{:?} {} {}: {}", l.at, l.release, l.request, l.how)).collect();
        (sent, told)
    }

    pub async fn nothing_lost(self) {
        let (sent, lost) = self.finish().await;
        assert!(lost.is_empty(), "{} of {sent} requests were lost:\n{}", lost.len(), lost.join("\n"));
        assert!(sent > 0);
    }
}

fn named(body: &Value) -> Result<(), String> {
    body["version"].as_str().map(drop).ok_or_else(|| "the answer is not the service's".into())
}
