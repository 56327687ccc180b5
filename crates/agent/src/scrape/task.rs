//! The one reader of all instances' pages on this host.

use super::{
    meter::{Arm, Meter, Target},
    page,
};
use crate::time::Time;
use futures_util::{
    future::BoxFuture,
    stream::{FuturesUnordered, StreamExt},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    time::Instant,
};
use tradewind_model::{
    protocol::{
        edge::Stats,
        scrape::{DesiredScrape, ObservedScrape},
        trial::UnitTick,
    },
    said::Said,
};

/// Pages that are read at once.
const AT_ONCE: usize = 16;
/// A page takes no longer, however seldom it is read.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A trial whose instances are to be read, and those of them on this host.
#[derive(Clone, PartialEq, Debug)]
pub struct Wanted {
    pub scrape: DesiredScrape,
    pub targets: Vec<Target>,
}

/// A round of a trial's instances.
#[derive(Clone, PartialEq, Debug)]
pub struct Round {
    pub tick: UnitTick,
    pub observed: ObservedScrape,
}

struct Trial {
    meter: Meter,
    targets: Vec<Target>,
    /// When the next round begins.
    due: Instant,
    /// The round under way: whom it began with, and how many of them have not been read.
    round: Option<(Vec<Target>, usize)>,
}

/// One answer, for the start of counting that asked.
struct Answer {
    epoch: String,
    target: Target,
    page: Result<String, Said>,
}

pub struct Reader {
    time: Time,
    /// Names this process.
    name: String,
    starts: u64,
    trials: Vec<Trial>,
    reads: FuturesUnordered<BoxFuture<'static, Answer>>,
    room: Arc<Semaphore>,
}

impl Reader {
    pub fn new(time: Time) -> Self {
        Self {
            time,
            name: uuid::Uuid::now_v7().to_string(),
            starts: 0,
            trials: Vec::new(),
            reads: FuturesUnordered::new(),
            room: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Until the host's loop is gone.
    pub async fn run(
        mut self,
        mut wanted: watch::Receiver<Arc<Vec<Wanted>>>,
        mut traffic: watch::Receiver<Option<Arc<Stats>>>,
        rounds: mpsc::UnboundedSender<Round>,
    ) {
        loop {
            let due = self.trials.iter().filter(|t| t.round.is_none()).map(|t| t.due).min();
            tokio::select! {
                changed = wanted.changed() => match changed {
                    Ok(()) => {
                        let wanted = wanted.borrow_and_update().clone();
                        self.follow(&wanted);
                        // What the edge counted before is not this trial's.
                        self.counted(traffic.borrow_and_update().as_deref());
                    }
                    Err(_) => return,
                },
                Ok(()) = traffic.changed() => self.counted(traffic.borrow_and_update().as_deref()),
                Some(answer) = self.reads.next(), if !self.reads.is_empty() => self.answered(&answer),
                () = until(due) => self.begin_rounds(),
            }
            for round in self.end_rounds() {
                if rounds.send(round).is_err() {
                    return;
                }
            }
        }
    }

    fn follow(&mut self, wanted: &[Wanted]) {
        self.trials.retain(|t| wanted.iter().any(|w| w.scrape == *t.meter.scrape()));
        for w in wanted {
            match self.trials.iter_mut().find(|t| *t.meter.scrape() == w.scrape) {
                Some(trial) => trial.targets.clone_from(&w.targets),
                None => {
                    self.starts += 1;
                    let epoch = format!("scrape-{}-{}", self.name, self.starts);
                    let meter = Meter::new(w.scrape.clone(), epoch);
                    self.trials.push(Trial { meter, targets: w.targets.clone(), due: Instant::now(), round: None });
                }
            }
        }
    }

    fn counted(&mut self, stats: Option<&Stats>) {
        if let Some(stats) = stats {
            self.trials.iter_mut().for_each(|t| t.meter.counted(stats));
        }
    }

    fn begin_rounds(&mut self) {
        let now = Instant::now();
        for trial in self.trials.iter_mut().filter(|t| t.round.is_none() && t.due <= now) {
            let rule = &trial.meter.scrape().scrape;
            let every = Duration::from_millis(rule.every_ms.max(1));
            trial.due = now + every;
            let mut outstanding = 0;
            for target in &trial.targets {
                let Some((addr, _)) = target.runs else { continue };
                outstanding += 1;
                let (room, path, timeout) = (self.room.clone(), rule.path.clone(), every.min(LONGEST_WAIT));
                let (epoch, target) = (trial.meter.epoch().to_owned(), target.clone());
                self.reads.push(Box::pin(async move {
                    let _place = room.acquire().await;
                    Answer { epoch, target, page: page::fetch(addr, &path, timeout).await }
                }));
            }
            trial.round = Some((trial.targets.clone(), outstanding));
        }
    }

    fn answered(&mut self, answer: &Answer) {
        let Some(trial) = self.trials.iter_mut().find(|t| t.meter.epoch() == answer.epoch) else { return };
        if let Some((_, outstanding)) = &mut trial.round {
            *outstanding -= 1;
            let asked = &answer.target;
            let pid = |t: &Target| t.runs.map(|(_, pid)| pid);
            if trial.targets.iter().any(|t| t.instance == asked.instance && pid(t) != pid(asked)) {
                trial.meter.skipped(asked);
            } else {
                trial.meter.looked(asked, answer.page.as_deref().map_err(Clone::clone));
            }
        }
    }

    fn end_rounds(&mut self) -> Vec<Round> {
        let at = self.time.wall();
        let over = |t: &mut Trial| t.round.take_if(|(_, outstanding)| *outstanding == 0).map(|(targets, _)| targets);
        let end = |t: &mut Trial| {
            let targets = over(t)?;
            let (tick, observed) = t.meter.close(&targets, at);
            Some(Round { tick, observed })
        };
        self.trials.iter_mut().filter_map(end).collect()
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

impl Arm {
    /// Which of both a revision is; `None` for any other.
    pub fn of(revision: tradewind_model::id::RevisionId, scrape: &DesiredScrape) -> Option<Self> {
        if revision == scrape.canary {
            Some(Self::Canary)
        } else {
            (revision == scrape.baseline).then_some(Self::Baseline)
        }
    }
}
