//! From a rollout's entries to its verdict.
//!
//! Time is seconds since the first entry, by the server's clock: hosts' clocks only say how far apart the ticks of one
//! report are. It never runs back, whatever the clocks do.

use super::{
    Entry, Tick,
    outlook::SoFar,
    traffic::{Totals, Window, windows},
    usual::{Counted, Standing},
};
use crate::rollouts::PlanDoc;
use std::collections::BTreeMap;
use tradewind_judge::{
    Arm, Brief, Judge, Kind, MetricSpec, Params, Reading, Unchecked, Verdict,
    control::Control,
    explain::{self, Names, Unit},
};
use tradewind_model::{
    id::SiteName,
    protocol::{
        edge::{FULL_SHARE, Sticky},
        scrape::{MetricKind, Read, ScrapedMetric},
        trial::{Feed, TICKS_KEPT_S},
    },
    rollout::{
        facts::Judged,
        judging::{self, Judging},
    },
    said,
    said::Said,
    spec::values::show_duration,
    time::Timestamp,
    workload::ServiceKind,
};

/// Points kept of the evidence over time; beyond it every second one goes and the steps become twice as long.
const MOST_POINTS: usize = 480;

#[derive(Clone, Debug)]
pub struct Fold {
    judge: Judge,
    warmup: f64,
    labels: [String; 2],
    unit: Unit,
    /// When the evidence was first enough to go back.
    pub worse_at: Option<f64>,
    /// Whether it was enough to go on, at the last look.
    passed: bool,
    sites: BTreeMap<SiteName, SiteFold>,
    began: Option<Timestamp>,
    t: f64,
    traffic: [Totals; 2],
    points: Vec<Point>,
    step: f64,
    pub marks: Vec<Mark>,
    pub gaps: Gaps,
}

#[derive(Clone, Debug)]
struct SiteFold {
    /// And how often a person had changed its share.
    wave: Option<(usize, u32)>,
    watched: bool,
    /// Clients first met on the canary since its share began, and when that was.
    met: u64,
    since: f64,
    /// By who counts there, the last of its workers.
    epochs: BTreeMap<String, String>,
    /// Its latency is judged from then on.
    warm_at: f64,
    /// Places of its metrics in the judge: errors, then the bounds.
    metrics: Vec<usize>,
    /// Whether a metric's first second was judged since the share began.
    warm: Vec<bool>,
    /// Clients of both arms that were met while it was cold, and were not slow even then.
    cold: Vec<[u64; 2]>,
    /// Places of what the service itself counts.
    scraped: Vec<usize>,
    /// Of those with nothing beside them, by their place in the judge.
    standing: BTreeMap<usize, Standing>,
    /// What other sites counted since they were looked at last, at this one's usual rate.
    elsewhere: BTreeMap<usize, (f64, u64)>,
    /// Of a schedule's runs: one place, or none.
    runs: Vec<usize>,
    /// Runs of both releases that wait until each has some: what is due apart is compared all the same.
    waiting: [Arm; 2],
    name: Option<String>,
}

/// The evidence at one moment, and what canary and baseline had been asked by then.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    pub t: f64,
    pub e: f64,
    pub promotion: f64,
    traffic: [Totals; 2],
    /// It decided something: it stays.
    marked: bool,
}

/// A share that began.
#[derive(Clone, PartialEq, Debug)]
pub struct Mark {
    pub t: f64,
    pub site: SiteName,
    pub wave: usize,
    pub share: u32,
}

/// What the evidence lacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Gaps {
    /// Seconds nobody could take in.
    pub lost_s: u64,
    /// Times that an edge's worker was replaced and forgot whom it had counted.
    pub restarts: u64,
    /// Samples that cannot be.
    pub refused: u64,
    /// One of `2^sampled` clients was looked at, at worst.
    pub sampled: u32,
}

impl Fold {
    /// `None` for a plan without a judge.
    pub fn new(doc: &PlanDoc) -> Option<Self> {
        let plan = &doc.plan;
        let rule = plan.judging.as_ref()?;
        let several = plan.sites.len() > 1;
        let mut judge = Judge::open(params(rule));
        let mut sites = BTreeMap::new();
        for s in &plan.sites {
            let name = several.then(|| s.site.to_string());
            let own = scraped(rule, name.as_deref());
            let mut add = |spec: MetricSpec| judge.add(spec).ok();
            let metrics: Vec<usize> =
                specs(rule, plan.service_kind, name.as_deref()).into_iter().filter_map(&mut add).collect();
            let scraped = own.into_iter().filter_map(&mut add).collect();
            let runs = runs(plan.service_kind, name.as_deref()).into_iter().filter_map(&mut add).collect();
            let (warm, cold) = (vec![false; metrics.len()], vec![[0; 2]; metrics.len()]);
            let site = SiteFold {
                wave: None,
                watched: false,
                met: 0,
                since: 0.0,
                epochs: BTreeMap::new(),
                warm_at: 0.0,
                metrics,
                warm,
                cold,
                scraped,
                standing: BTreeMap::new(),
                elsewhere: BTreeMap::new(),
                runs,
                waiting: [Arm::default(); 2],
                name,
            };
            sites.insert(s.site.clone(), site);
        }
        let first = plan.sites.first()?;
        let before = first.from_label.clone().unwrap_or_default();
        Some(Self {
            judge,
            warmup: rule.warmup_ms as f64 / 1_000.0,
            labels: [first.to_label.clone(), before],
            unit: unit(doc),
            worse_at: None,
            passed: false,
            sites,
            began: None,
            t: 0.0,
            traffic: Default::default(),
            points: Vec::new(),
            step: 1.0,
            marks: Vec::new(),
            gaps: Gaps::default(),
        })
    }

    pub fn apply(&mut self, entry: &Entry, source: &str, received_at: Timestamp) {
        if self.comes_early(entry) {
            return;
        }
        let began = *self.began.get_or_insert(received_at);
        let now = received_at.since(began).as_secs_f64().max(self.t);
        match entry {
            Entry::Wave { site, wave, share, turn } => {
                self.t = now;
                let Some(known) = self.sites.get_mut(site) else { return };
                let [canary, baseline] = std::mem::take(&mut known.waiting);
                for metric in known.runs.iter().filter(|_| canary.n + baseline.n > 0) {
                    self.gaps.refused += u64::from(self.judge.observe(now, *metric, canary, baseline).is_err());
                }
                known.wave = Some((*wave, *turn));
                (known.met, known.since) = (0, now);
                known.warm_at = now + self.warmup;
                known.warm.fill(false);
                known.cold.fill([0; 2]);
                known.watched = *share >= FULL_SHARE;
                if known.watched {
                    self.judge.begin_watch(now, known.name.as_deref());
                } else {
                    self.judge.begin_wave(now, known.name.as_deref());
                }
                self.marks.push(Mark { t: now, site: site.clone(), wave: *wave, share: *share });
            }
            Entry::Alone { site, standing } => {
                self.t = now;
                self.stand_alone(site, standing);
            }
            Entry::Elsewhere { site, counts } => {
                self.t = now;
                self.counted_elsewhere(site, counts);
            }
            Entry::Units { site, feed, lost, ticks } => {
                self.gaps.lost_s += lost;
                match feed {
                    Feed::Edge => self.heard_of(site, source, now),
                    // These remember nobody: each of their units is one for itself.
                    Feed::Scrape | Feed::Runs => {}
                }
                let Some(last) = ticks.last().map(|t| t.at) else { return };
                for tick in ticks {
                    let before_last = last.since(tick.at).as_secs_f64().min(TICKS_KEPT_S as f64);
                    self.t = (now - before_last).clamp(self.t, now);
                    self.tick(site, *feed, tick);
                    self.note();
                }
            }
        }
    }

    /// What a site's business counters are held against from here on.
    fn stand_alone(&mut self, site: &SiteName, standing: &BTreeMap<String, Standing>) {
        let Some(known) = self.sites.get_mut(site) else { return };
        for at in known.scraped.clone() {
            let Some(of) = self.judge.metrics().nth(at).and_then(|m| standing.get(&m.name)) else { continue };
            match of {
                Standing::Elsewhere { .. } => self.judge.hold_against(at, &Control::Elsewhere),
                Standing::Past { weeks } => self.judge.hold_against(at, &Control::Past(weeks.clone())),
                Standing::Unknown => {}
            }
            known.standing.insert(at, of.clone());
        }
    }

    fn counted_elsewhere(&mut self, site: &SiteName, counts: &Counted) {
        for known in self.sites.values_mut() {
            for (at, standing) in &known.standing {
                let Standing::Elsewhere { scales } = standing else { continue };
                let metric = self.judge.metrics().nth(*at).map(|m| m.name.as_str());
                if let (Some(scale), Some(sum)) = (scales.get(site), metric.and_then(|m| counts.get(m))) {
                    let waiting = known.elsewhere.entry(*at).or_default();
                    *waiting = (waiting.0 + scale * sum.n as f64, waiting.1.saturating_add(sum.x));
                }
            }
        }
    }

    /// Metrics that are not judged where they are, because there is nothing to hold them against.
    pub fn unknown(&self) -> Vec<Said> {
        let of_site = |s: &SiteFold| {
            let none = s.standing.iter().filter(|(_, standing)| **standing == Standing::Unknown).map(|(at, _)| *at);
            none.filter_map(|at| self.judge.metrics().nth(at).map(MetricSpec::shown)).collect::<Vec<_>>()
        };
        let told = |metric: Said| {
            said!(
                "{metric}: nothing runs beside {canary}, and neither other sites nor earlier weeks are known; it is not judged",
                "{metric}：{canary} 旁边没有对照版本，也没有其他站点或往周的数据；不作判定",
                metric = metric,
                canary = &self.labels[0]
            )
        };
        self.sites.values().flat_map(of_site).map(told).collect()
    }

    /// Instances are read, and their runs counted, before their canary has anything to do.
    fn comes_early(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Wave { .. } | Entry::Alone { .. } | Entry::Units { feed: Feed::Edge, .. } => false,
            Entry::Elsewhere { .. } => self.sites.values().all(|s| s.standing.is_empty()),
            Entry::Units { site, feed: Feed::Scrape | Feed::Runs, .. } => {
                self.sites.get(site).is_none_or(|s| s.wave.is_none())
            }
        }
    }

    /// A worker that takes over from a killed one has forgotten whom it counted: those clients would be taken for new, and
    /// clean ones twice. The wave's evidence for promotion begins anew; that against the canary never hangs on it.
    fn heard_of(&mut self, site: &SiteName, source: &str, now: f64) {
        let Some((counter, epoch)) = source.rsplit_once('/') else { return };
        let Some(known) = self.sites.get_mut(site) else { return };
        let before = known.epochs.insert(counter.to_owned(), epoch.to_owned());
        if before.is_some_and(|before| before != epoch) {
            self.gaps.restarts += 1;
            if !known.watched {
                self.judge.begin_wave(now, known.name.as_deref());
            }
        }
    }

    fn tick(&mut self, site: &SiteName, feed: Feed, tick: &Tick) {
        self.gaps.sampled = self.gaps.sampled.max(tick.sampled);
        let Some(site) = self.sites.get_mut(site) else { return };
        let metrics = match feed {
            Feed::Edge => &site.metrics,
            Feed::Scrape => &site.scraped,
            Feed::Runs => &site.runs,
        };
        let arms = [&tick.canary, &tick.baseline];
        for (sum, arm) in self.traffic.iter_mut().zip(arms) {
            sum.add(arm);
        }
        if feed == Feed::Edge {
            site.met = site.met.saturating_add(tick.canary.new);
        }
        let cold = self.t < site.warm_at;
        for (i, metric) in metrics.iter().enumerate() {
            let latency = self.judge.metrics().nth(*metric).is_some_and(|m| m.kind == Kind::Latency);
            if cold && latency {
                if feed == Feed::Edge {
                    for (known, arm) in site.cold[i].iter_mut().zip(arms) {
                        let slow = arm.x.get(i).copied().unwrap_or(0);
                        *known = known.saturating_add(arm.new).saturating_sub(slow);
                    }
                }
                continue;
            }
            // Clients that came while it was cold count from the first second that counts, whenever they come again.
            let first = latency && feed == Feed::Edge && !std::mem::replace(&mut site.warm[i], true);
            let known = if first { site.cold[i] } else { [0; 2] };
            let [canary, baseline] = [0, 1].map(|arm| {
                let (a, known) = (arms[arm], known[arm]);
                let (n, x) = (a.n.get(i).copied().unwrap_or(0), a.x.get(i).copied().unwrap_or(0));
                match feed {
                    Feed::Edge if first => Arm::clients(n, x, n.max(known.saturating_add(a.new))),
                    Feed::Edge => Arm::clients(n, x, a.new),
                    Feed::Scrape | Feed::Runs => Arm::of(n, x),
                }
            });
            let baseline = match site.standing.get(metric) {
                Some(Standing::Elsewhere { .. }) => {
                    let (n, x) = site.elsewhere.remove(metric).unwrap_or_default();
                    Arm::of(n.round() as u64, x)
                }
                Some(Standing::Past { .. } | Standing::Unknown) | None => baseline,
            };
            let paired = match feed {
                Feed::Edge | Feed::Scrape => Some([canary, baseline]),
                Feed::Runs => pair(&mut site.waiting, [canary, baseline], site.watched),
            };
            let Some([canary, baseline]) = paired else { continue };
            if self.judge.observe(self.t, *metric, canary, baseline).is_err() {
                self.gaps.refused += 1;
            }
        }
    }

    fn note(&mut self) {
        let Brief { e, promotion, verdict } = self.judge.brief();
        let decides = verdict == Verdict::Worse && self.worse_at.is_none();
        if decides {
            self.worse_at = Some(self.t);
        }
        let passes = verdict == Verdict::Better;
        let passed = std::mem::replace(&mut self.passed, passes);
        // What decided is always on the picture.
        let marked = decides || (passes && !passed);
        if !marked && self.points.last().is_some_and(|p| self.t < p.t + self.step) {
            return;
        }
        self.points.push(Point { t: self.t, e, promotion, traffic: self.traffic, marked });
        if self.points.len() > MOST_POINTS {
            self.step *= 2.0;
            let mut n = 0;
            self.points.retain(|p| {
                n += 1;
                n % 2 == 1 || p.marked
            });
        }
    }

    /// What a decision about a site goes by. `None` before its first wave has its share.
    pub fn judged(&self, site: &SiteName) -> Option<Judged> {
        let known = self.sites.get(site)?;
        let (wave, turn) = known.wave?;
        let verdict = match self.judge.brief().verdict {
            Verdict::Worse => judging::Verdict::Worse,
            Verdict::Better => judging::Verdict::Better,
            Verdict::Continue | Verdict::Inconclusive => judging::Verdict::Continue,
        };
        Some(Judged { wave, turn, verdict, why: self.told(&self.reading()) })
    }

    pub fn reading(&self) -> Reading {
        self.judge.reading()
    }

    pub fn brief(&self) -> Brief {
        self.judge.brief()
    }

    /// One plain sentence.
    pub fn told(&self, reading: &Reading) -> Said {
        let names = Names { canary: &self.labels[0], baseline: &self.labels[1], unit: self.unit };
        explain::sentence(reading, &names)
    }

    /// New and old release.
    pub fn labels(&self) -> &[String; 2] {
        &self.labels
    }

    pub fn points(&self) -> &[Point] {
        &self.points
    }

    pub fn now(&self) -> f64 {
        self.t
    }

    pub fn began(&self) -> Option<Timestamp> {
        self.began
    }

    /// What the share that a site's canary has now has brought. `None` before the first.
    pub fn so_far(&self, site: &SiteName) -> Option<SoFar> {
        let known = self.sites.get(site).filter(|s| s.wave.is_some())?;
        Some(SoFar { clients: known.met, seconds: self.t - known.since })
    }

    /// Requests of canary and baseline, units or not.
    pub fn traffic(&self) -> &[Totals; 2] {
        &self.traffic
    }

    /// The same over time.
    pub fn traffic_over_time(&self) -> Vec<Window> {
        let points = self.points.iter().filter(|p| p.t < self.t).map(|p| (p.t, p.traffic));
        windows(points.chain([(self.t, self.traffic)]))
    }
}

/// Runs that were due at different times are compared all the same: what one release has waits for the other's. On watch there
/// is no other.
fn pair(waiting: &mut [Arm; 2], new: [Arm; 2], watched: bool) -> Option<[Arm; 2]> {
    for (sum, arm) in waiting.iter_mut().zip(new) {
        (sum.n, sum.x) = (sum.n.saturating_add(arm.n), sum.x.saturating_add(arm.x));
    }
    (watched || waiting.iter().all(|arm| arm.n > 0)).then(|| std::mem::take(waiting))
}

/// What is counted, as people call it.
fn unit(doc: &PlanDoc) -> Unit {
    match (doc.plan.service_kind, doc.resolved.route.as_ref().map(|r| &r.sticky)) {
        (ServiceKind::Web, Some(Sticky::Cookie { .. } | Sticky::Header { .. })) => Unit::Customers,
        (ServiceKind::Web, Some(Sticky::None) | None) => Unit::Requests,
        (ServiceKind::Worker, _) => Unit::Cycles,
        (ServiceKind::Cron, _) => Unit::Runs,
    }
}

/// A plan's numbers were checked when its spec was read; those of a plan that was made before such checks are the defaults.
pub fn params(rule: &Judging) -> Params {
    let ppm = |v: u32| f64::from(v) / 1e6;
    let milli = |v: u32| f64::from(v) / 1e3;
    Params::checked(Unchecked {
        alpha: ppm(rule.alpha_ppm),
        beta: ppm(rule.beta_ppm),
        r0: milli(rule.r0_milli),
        r1: milli(rule.r1_milli),
        floor: ppm(rule.floor_ppm),
    })
    .unwrap_or_default()
}

/// Errors are one group, the latency bounds together another, and each metric of the service's own one more: groups weigh the
/// same. A worker has only its own, a cron service its runs.
fn specs(rule: &Judging, kind: ServiceKind, site: Option<&str>) -> Vec<MetricSpec> {
    match kind {
        ServiceKind::Web => {}
        ServiceKind::Worker | ServiceKind::Cron => return Vec::new(),
    }
    let bounds = rule.bounds_ms.len() as f64;
    let errors = MetricSpec {
        label: Some(said!("errors", "错误")),
        site: site.map(str::to_owned),
        bursts: true,
        ..MetricSpec::new("errors", Kind::Error)
    };
    let slow = rule.bounds_ms.iter().map(|ms| {
        let bound = show_duration(u64::from(*ms));
        MetricSpec {
            label: Some(said!("slower than {bound}", "慢于 {bound}", bound = &bound)),
            weight: 1.0 / bounds,
            site: site.map(str::to_owned),
            bursts: true,
            ..MetricSpec::latency(format!("slower_than_{bound}"), *ms)
        }
    });
    std::iter::once(errors).chain(slow).collect()
}

/// Runs that all failed at one due time may have one cause, as errors of one second do.
pub fn runs(kind: ServiceKind, site: Option<&str>) -> Option<MetricSpec> {
    match kind {
        ServiceKind::Web | ServiceKind::Worker => None,
        ServiceKind::Cron => Some(MetricSpec {
            label: Some(said!("outcomes", "运行结果")),
            site: site.map(str::to_owned),
            bursts: true,
            ..MetricSpec::new("runs", Kind::Error)
        }),
    }
}

fn scraped(rule: &Judging, site: Option<&str>) -> Vec<MetricSpec> {
    let own = rule.scrape.iter().flat_map(|s| &s.metrics);
    let spec = |m: &ScrapedMetric| {
        let kind = match m.kind {
            MetricKind::Error => Kind::Error,
            MetricKind::Latency => Kind::Latency,
            MetricKind::Business => Kind::Business,
        };
        let limit_ms = match &m.read {
            Read::Histogram { bound_ms, .. } => Some(*bound_ms),
            Read::Counters { .. } => None,
        };
        let site = site.map(str::to_owned);
        let of = match &m.read {
            Read::Counters { of: Some(series), .. } => Said::plain(series.name.clone()),
            Read::Counters { of: None, .. } => said!("requests", "请求"),
            Read::Histogram { series, .. } => Said::plain(series.name.clone()),
        };
        // A service counts its failures as they come, however many have one cause.
        let bursts = kind != Kind::Business;
        MetricSpec {
            site,
            required: m.required,
            limit_ms,
            bursts,
            of: Some(of),
            ..MetricSpec::new(m.name.clone(), kind)
        }
    };
    own.map(spec).collect()
}
