//! Steady customer traffic for the shop: people who browse, fill a basket, check out and pay, each over a connection
//! of their own, and partners' programs that keep one connection open all the time. Every answer is checked, and
//! whatever is not exactly as it should be counts as a lost request.

mod shopper;
#[cfg(test)]
mod tests;

pub use tradewind_testkit::traffic::{Ledger, Tally};

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;
use tradewind_testkit::traffic::{Line, Site};

/// How many are there at once, and how long they think between two requests.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    pub shoppers: u32,
    pub shopper_pause: Duration,
    pub partners: u32,
    pub partner_pause: Duration,
}

impl Default for Crowd {
    /// About 350 requests a second, and 50 new customers.
    fn default() -> Self {
        Self {
            shoppers: 24,
            shopper_pause: Duration::from_millis(70),
            partners: 6,
            partner_pause: Duration::from_millis(100),
        }
    }
}

/// Running traffic. Dropping it stops it at once; [`Traffic::finish`] lets everyone end what they began.
pub struct Traffic {
    pub ledger: Arc<Ledger>,
    leaving: Arc<AtomicBool>,
    people: JoinSet<()>,
}

impl Traffic {
    pub fn start(edge: SocketAddr, crowd: Crowd) -> Self {
        let ledger = Arc::new(Ledger::new());
        let leaving = Arc::new(AtomicBool::new(false));
        let numbers = Arc::new(AtomicU64::new(1));
        let mut people = JoinSet::new();
        for lane in 0..crowd.shoppers {
            let (ledger, leaving, numbers) = (ledger.clone(), leaving.clone(), numbers.clone());
            let late = crowd.shopper_pause * lane / crowd.shoppers.max(1);
            people.spawn(async move {
                tokio::time::sleep(late).await;
                while !leaving.load(Ordering::Relaxed) {
                    let number = numbers.fetch_add(1, Ordering::Relaxed);
                    let mut line = Line::new(site(edge), ledger.clone());
                    if shopper::visit(&mut line, number, crowd.shopper_pause).await.is_some() {
                        ledger.served();
                    } else {
                        // Someone who was let down comes back later, not in a tight loop.
                        tokio::time::sleep(crowd.shopper_pause).await;
                    }
                }
            });
        }
        for lane in 0..crowd.partners {
            let (ledger, leaving) = (ledger.clone(), leaving.clone());
            let late = crowd.partner_pause * lane / crowd.partners.max(1);
            people.spawn(async move {
                tokio::time::sleep(late).await;
                let mut line = Line::new(site(edge), ledger);
                while !leaving.load(Ordering::Relaxed) {
                    let _ = shopper::watch_stock(&mut line).await;
                    tokio::time::sleep(crowd.partner_pause).await;
                }
            });
        }
        Self { ledger, leaving, people }
    }

    /// Lets everyone finish their visit.
    pub async fn finish(&mut self) {
        self.leaving.store(true, Ordering::Relaxed);
        while self.people.join_next().await.is_some() {}
    }
}

/// The shop behind an edge.
fn site(edge: SocketAddr) -> Site {
    Site { edge, host: edge.to_string(), names: "x-shop-version" }
}

/// One question outside the count.
pub async fn ask_once(edge: SocketAddr, path: &str) -> anyhow::Result<serde_json::Value> {
    let ledger = Arc::new(Ledger::new());
    let mut line = Line::new(site(edge), ledger.clone());
    let answer = line.ask(hyper::Method::GET, path, None, hyper::StatusCode::OK, |_| Ok(())).await;
    answer.ok_or_else(|| anyhow::anyhow!("{path}: {:?}", ledger.losses().1))
}

/// Traffic against any address, for `cargo xtask customers`.
pub async fn watch(edge: SocketAddr, time: Duration) -> anyhow::Result<()> {
    let mut traffic = Traffic::start(edge, Crowd::default());
    tokio::time::sleep(time).await;
    traffic.finish().await;
    for (release, tally) in traffic.ledger.tallies() {
        let (half, most) = (tally.quantile(0.5), tally.quantile(0.99));
        println!("{release}: {} requests, {} failed, median {half:?}, p99 {most:?}", tally.sent, tally.failed);
    }
    let (lost, told) = traffic.ledger.losses();
    for one in told {
        println!("{:?} {} {} {}", one.at, one.release, one.request, one.how);
    }
    anyhow::ensure!(lost == 0, "{lost} requests were lost");
    Ok(())
}
