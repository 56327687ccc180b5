//! One trial's own counters: looks at instances in, ticks out. Pure.
//!
//! Instances are looked at in rounds. A round gives one tick: what both revisions counted since the round before. Counts that
//! say nothing without others wait for them: events for what they are out of, the edge's requests for a round in which every
//! instance that may have had some was read.

use super::{
    delta::{Count, Counters},
    parse::Page,
    pick::pick,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};
use tradewind_model::{
    id::InstanceId,
    protocol::{
        edge::Stats,
        scrape::{DesiredScrape, MOST_NOTES, MetricKind, ObservedScrape, Read, ScrapedMetric},
        trial::{Feed, UnitCounts, UnitTick},
    },
    said,
    said::Said,
    time::Timestamp,
};

/// Rounds that events may wait for what they are out of before a person is told.
const PATIENCE: u32 = 6;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Arm {
    Canary,
    Baseline,
}

/// An instance of one of both revisions on this host, whether it runs or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    pub instance: InstanceId,
    pub arm: Arm,
    /// The revision's release, for people.
    pub label: String,
    /// Where its page is, and which process has it; `None` while it does not run.
    pub runs: Option<(SocketAddr, u32)>,
    /// It may be at work: what it counts is missed.
    pub serves: bool,
}

#[derive(Debug)]
pub struct Meter {
    scrape: DesiredScrape,
    epoch: String,
    seq: u64,
    instances: BTreeMap<InstanceId, Known>,
    arms: [Sums; 2],
    notes: Notes,
}

/// An instance since it was first tried.
#[derive(Debug)]
struct Known {
    arm: Arm,
    pid: u32,
    /// When its page says that the process began, in seconds; not every page says it.
    began: Option<f64>,
    /// The last look failed: what it counted since the one before is known to nobody else.
    missed: bool,
    metrics: Vec<Tracked>,
}

/// One metric of an instance.
#[derive(Clone, Debug, Default)]
struct Tracked {
    counters: Counters,
    /// This process has shown a series of it.
    shown: bool,
    /// The last page had not what it takes: what was counted since the one before is known to nobody else.
    held: bool,
}

/// What was counted of one revision and not said yet.
#[derive(Debug, Default)]
struct Sums {
    metrics: Vec<Sum>,
    /// In this round somebody who may be at work could not be read.
    unread: bool,
    requests: Requests,
}

#[derive(Clone, Debug, Default)]
struct Sum {
    count: Count,
    /// In this round some page had not what it takes.
    held: bool,
    /// Somebody was at work whose events nobody knows: those of the others must not be held against all requests.
    lost: bool,
    waiting: u32,
}

/// Requests the edge sent to a revision.
#[derive(Debug, Default)]
struct Requests {
    /// The edge's worker, and what it had counted.
    last: Option<(String, u64)>,
    new: u64,
}

impl Requests {
    fn counted(&mut self, worker: &str, total: u64) {
        if let Some((before, was)) = &self.last {
            // Another worker began from nothing.
            let new = if before == worker { total.saturating_sub(*was) } else { total };
            self.new = self.new.saturating_add(new);
        }
        self.last = Some((worker.to_owned(), total));
    }
}

/// What a person should know, by whom it is about and how many of them.
#[derive(Debug, Default)]
struct Notes(Vec<(String, Said, BTreeSet<InstanceId>)>);

impl Notes {
    fn add(&mut self, target: &Target, what: Said) {
        if let Some((_, _, of)) = self.0.iter_mut().find(|(label, said, _)| *label == target.label && *said == what) {
            of.insert(target.instance);
        } else if self.0.len() < MOST_NOTES {
            self.0.push((target.label.clone(), what, BTreeSet::from([target.instance])));
        }
    }

    fn tell(&self, targets: &[Target]) -> Vec<Said> {
        let told = |(label, what, of): &(String, Said, BTreeSet<InstanceId>)| {
            let all = targets.iter().filter(|t| t.label == *label && t.runs.is_some()).count();
            if of.is_empty() || of.len() >= all {
                return said!("{label}: {what}", "{label}：{what}", label = label, what = what);
            }
            said!(
                "{label}, {some} of {all} instances: {what}",
                "{label}，{all} 个实例中的 {some} 个：{what}",
                label = label,
                some = of.len(),
                all = all,
                what = what
            )
        };
        let mut notes: Vec<_> = self.0.iter().map(told).collect();
        notes.sort_by(|a, b| a.en().cmp(b.en()));
        notes
    }
}

impl Meter {
    /// `epoch` names this start of counting.
    pub fn new(scrape: DesiredScrape, epoch: String) -> Self {
        let sums = || Sums { metrics: vec![Sum::default(); scrape.scrape.metrics.len()], ..Sums::default() };
        let arms = [sums(), sums()];
        Self { scrape, epoch, seq: 0, instances: BTreeMap::new(), arms, notes: Notes::default() }
    }

    pub fn scrape(&self) -> &DesiredScrape {
        &self.scrape
    }
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The edge's counters, as they come.
    pub fn counted(&mut self, stats: &Stats) {
        let route = self.scrape.place.to_string();
        for (arm, revision) in [(Arm::Canary, self.scrape.canary), (Arm::Baseline, self.scrape.baseline)] {
            let split = stats.splits.iter().find(|s| s.route == route && s.revision == revision);
            self.arms[arm as usize].requests.counted(&stats.epoch, split.map_or(0, |s| s.requests));
        }
    }

    /// A page, or why there is none.
    pub fn looked(&mut self, target: &Target, page: Result<&str, Said>) {
        let Some((_, pid)) = target.runs else { return };
        let metrics = &self.scrape.scrape.metrics;
        let sums = &mut self.arms[target.arm as usize];
        let known = self.instances.entry(target.instance).or_insert_with(|| Known {
            arm: target.arm,
            pid,
            began: None,
            missed: false,
            metrics: vec![Tracked::default(); metrics.len()],
        });
        if known.pid != pid {
            known.begin_again(sums);
            (known.pid, known.began, known.missed) = (pid, None, false);
        }
        let page = page.and_then(|text| {
            Page::parse(text).map_err(|e| {
                said!(
                    "line {line} of {path} is not in the text format of Prometheus",
                    "{path} 的第 {line} 行不是 Prometheus 文本格式",
                    line = e.line,
                    path = &self.scrape.scrape.path
                )
            })
        });
        let page = page.and_then(|page| known.is_one_process(&page, sums).map(|()| page));
        let page = match page {
            Ok(page) => page,
            // One that only begins has no page yet.
            Err(_) if !target.serves => return,
            Err(why) => {
                (known.missed, sums.unread) = (true, true);
                for (tracked, sum) in known.metrics.iter().zip(&mut sums.metrics) {
                    sum.lost |= tracked.counters.is_new();
                }
                self.notes.add(target, why);
                return;
            }
        };
        known.missed = false;
        for ((metric, tracked), sum) in metrics.iter().zip(&mut known.metrics).zip(&mut sums.metrics) {
            let is_new = tracked.counters.is_new();
            sum.lost |= is_new && target.serves;
            let (held, note) = match pick(&page, metric, tracked.shown) {
                Ok(picked) => {
                    if is_new || !picked.held {
                        sum.count.add(tracked.counters.look(picked.counts).unwrap_or_default());
                    }
                    tracked.shown |= picked.shown;
                    (picked.held, picked.missing)
                }
                Err(why) => (true, Some(why)),
            };
            tracked.held = held && target.serves;
            sum.held |= tracked.held;
            if let Some(note) = note.filter(|_| target.serves) {
                self.notes.add(target, note);
            }
        }
    }

    /// One that became another process while it was asked: the next round will tell.
    pub fn skipped(&mut self, target: &Target) {
        self.arms[target.arm as usize].unread |= target.serves;
    }

    /// Ends a round in which every one of `targets` that runs was looked at.
    pub fn close(&mut self, targets: &[Target], at: Timestamp) -> (UnitTick, ObservedScrape) {
        self.forget(targets);
        let mut counts = [UnitCounts::default(), UnitCounts::default()];
        for (arm, (sums, counts)) in self.arms.iter_mut().zip(&mut counts).enumerate() {
            let label = targets.iter().find(|t| t.arm as usize == arm).map(|t| t.label.clone());
            let news = std::mem::take(&mut sums.requests.new);
            let unread = std::mem::take(&mut sums.unread);
            for (metric, sum) in self.scrape.scrape.metrics.iter().zip(&mut sums.metrics) {
                let (held, lost) = (std::mem::take(&mut sum.held), std::mem::take(&mut sum.lost));
                let by_requests = by_requests(metric);
                if by_requests {
                    sum.count.n = sum.count.n.saturating_add(news);
                    if lost {
                        sum.count = Count::default();
                    }
                }
                let told = match by_requests && (unread || held || sums.requests.last.is_none()) {
                    true => Count::default(),
                    false => sum.take(metric.kind),
                };
                counts.n.push(told.n);
                counts.x.push(told.x);
                if let Some(label) = label.clone().filter(|_| sum.waiting >= PATIENCE) {
                    let what = said!(
                        "{x} of `{metric}` came without anything they are out of",
                        "`{metric}` 有 {x} 次没有对应的分母",
                        x = sum.count.x,
                        metric = &metric.name
                    );
                    self.notes.0.push((label, what, BTreeSet::new()));
                }
            }
            let silent = sums.requests.last.is_none() && self.scrape.scrape.metrics.iter().any(by_requests);
            if let Some(label) = label.filter(|_| silent) {
                let what = said!("the edge has not said what it sent", "edge 尚未报告发送了多少请求");
                self.notes.0.push((label, what, BTreeSet::new()));
            }
        }
        let [canary, baseline] = counts;
        self.seq += 1;
        let tick = UnitTick {
            route: self.scrape.place.to_string(),
            rollout: self.scrape.rollout.clone(),
            epoch: self.epoch.clone(),
            seq: self.seq,
            at,
            feed: Feed::Scrape,
            sampled: 0,
            canary,
            baseline,
        };
        let mut notes = std::mem::take(&mut self.notes).tell(targets);
        notes.truncate(MOST_NOTES);
        let (place, rollout) = (self.scrape.place.clone(), self.scrape.rollout.clone());
        (tick, ObservedScrape { place, rollout, notes })
    }

    /// Those that are gone for good.
    fn forget(&mut self, targets: &[Target]) {
        let arms = &mut self.arms;
        self.instances.retain(|id, known| {
            let stays = targets.iter().any(|t| t.instance == *id);
            if !stays {
                known.lose(&mut arms[known.arm as usize]);
            }
            stays
        });
    }
}

/// What it is out of, the edge counts.
fn by_requests(metric: &ScrapedMetric) -> bool {
    matches!(metric.read, Read::Counters { of: None, .. })
}

impl Known {
    fn begin_again(&mut self, sums: &mut Sums) {
        self.lose(sums);
        for tracked in &mut self.metrics {
            tracked.counters.begin_again();
            (tracked.shown, tracked.held) = (false, false);
        }
    }

    /// What its process had counted since it was last read is lost with it.
    fn lose(&self, sums: &mut Sums) {
        for (tracked, sum) in self.metrics.iter().zip(&mut sums.metrics) {
            sum.lost |= self.missed || tracked.held;
        }
    }

    /// Within an instance a process may begin again too. Refused where several answer in turn: their counters cannot be told
    /// apart.
    fn is_one_process(&mut self, page: &Page<'_>, sums: &mut Sums) -> Result<(), Said> {
        let Some(sample) = page.of("process_start_time_seconds").next() else { return Ok(()) };
        let (began, before) = (sample.value, self.began.unwrap_or(sample.value));
        if began < before - 1.0 {
            return Err(said!(
                "several processes answer in turn, each with counters of its own; have one answer for all of them",
                "多个进程轮流应答，各有各的计数；请由一个进程汇总后应答"
            ));
        }
        if began > before + 1.0 {
            self.begin_again(sums);
        }
        self.began = Some(began);
        Ok(())
    }
}

impl Sum {
    /// What can be told now; the rest waits.
    fn take(&mut self, kind: MetricKind) -> Count {
        let Count { n, x } = self.count;
        let (told, waits) = match kind {
            MetricKind::Error => (x.min(n), x.saturating_sub(n)),
            // Both are of one histogram, read while it was written.
            MetricKind::Latency => (x.min(n), 0),
            MetricKind::Business if n == 0 => (0, x),
            MetricKind::Business => (x, 0),
        };
        self.count = Count { n: 0, x: waits };
        self.waiting = if self.count.x == 0 { 0 } else { self.waiting.saturating_add(1) };
        Count { n, x: told }
    }
}
