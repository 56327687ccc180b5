//! A person's hand on the wave that is being judged: letting it go on, or giving it another share.
//!
//! Both name the wave the person saw, so that what was said of one wave is never taken for the next. The plan stays as it
//! is: a share is kept in the site's state, for one wave. Evidence for promotion and the wave's time begin anew with it;
//! evidence against the release carries on.

use super::{
    decide::{Deciding, Held, Progress},
    facts::RevisionFacts,
    faults,
    plan::{Plan, SitePlan, Wave},
    state::{Phase, SiteState, State, Step},
};
use crate::{
    fault::Fault,
    id::SiteName,
    protocol::{agent::DesiredPhase, edge::FULL_SHARE},
    said,
    said::Said,
    spec::values::show_percent,
    time::Timestamp,
    workload::ServiceKind,
};
use serde::{Deserialize, Serialize};

/// What a person gave a wave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SetShare {
    pub wave: usize,
    /// Basis points.
    pub share: u32,
    /// How often the wave's share was changed, this time included.
    pub turn: u32,
    /// The site has left its old share for it.
    pub moved: bool,
    /// It was given after a pause: the pause does not keep it.
    pub through_pause: bool,
}

/// What let a wave of a canary go on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Passed {
    Evidence {
        why: Said,
    },
    Person {
        who: String,
        why: String,
        /// Not known of what was stored before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// It was over without a verdict, and the spec says to go on.
    Time,
}

impl Passed {
    pub fn said(&self) -> Said {
        match self {
            Self::Evidence { why } => said!("promoted by its evidence: {why}", "已凭证据放行：{why}", why = why),
            Self::Person { who, why, at: None } => {
                said!("promoted by {who}: {why}", "已由 {who} 放行：{why}", who = who, why = why)
            }
            Self::Person { who, why, at: Some(at) } => said!(
                "promoted by {who}, {at}: {why}",
                "已由 {who} 于 {at} 放行：{why}",
                who = who,
                why = why,
                at = at.to_minute()
            ),
            Self::Time => {
                said!(
                    "its time ended without a verdict and the spec says `continue`",
                    "到时仍无结论，配置为 `continue`"
                )
            }
        }
    }
}

/// A share that was changed; basis points.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShareChange {
    pub site: SiteName,
    pub wave: usize,
    pub from: u32,
    pub to: u32,
}

impl State {
    /// The wave begun last.
    pub fn begun(&self) -> Option<usize> {
        self.sites.values().filter_map(|s| s.wave).max()
    }

    /// Something is still to begin that a freeze holds back: a wave, or the change-over of one that has begun.
    pub fn can_be_frozen(&self, plan: &Plan) -> bool {
        let begun = self.begun().map_or(0, |wave| wave + 1);
        let short_of_it = |site: &SiteState| matches!(site.step, Step::Preparing { .. } | Step::Starting { .. });
        self.phase == Phase::Running && (begun < plan.waves.len() || self.sites.values().any(short_of_it))
    }

    /// Lets a wave go on that is being judged.
    ///
    /// # Errors
    /// When it is not; `rollout` is for the caller to fill in.
    pub fn promote(&mut self, wave: usize, who: &str, why: &str, at: Timestamp) -> Result<SiteName, Fault> {
        let (name, site) = self.judged(wave)?;
        if site.promoted != Some(wave) {
            site.promoted = Some(wave);
            let word = Passed::Person { who: who.to_owned(), why: why.to_owned(), at: Some(at) };
            site.passed = Some((wave, word));
        }
        Ok(name)
    }

    /// Gives a wave that is being judged another share, in basis points.
    ///
    /// # Errors
    /// When it is not being judged, has no traffic to share, or the share is none it could have; `rollout` is for the
    /// caller to fill in.
    pub fn set_share(&mut self, plan: &Plan, wave: usize, share: u32) -> Result<ShareChange, Fault> {
        if self.phase.is_final() {
            return Err(self.not_active());
        }
        match (plan.judging.is_some(), plan.service_kind) {
            (true, ServiceKind::Web) => {}
            (true, ServiceKind::Worker | ServiceKind::Cron) => return Err(Fault::new(&faults::SHARE_OF_SHARDS)),
            (false, _) => return Err(Fault::new(&faults::NO_CANARY)),
        }
        if share == 0 || share >= FULL_SHARE {
            return Err(Fault::new(&faults::SHARE_BOUNDS).with("share", percent(share)));
        }
        let paused = self.paused;
        let (name, site) = self.judged(wave)?;
        let before = site.set.filter(|s| s.wave == wave);
        let from = match (before, site.step) {
            (Some(set), _) => set.share,
            (None, Step::Judging { share, .. }) => share,
            (None, _) => plan.waves.get(wave).map_or(0, |w| w.share),
        };
        if share == from {
            let same = Fault::new(&faults::SHARE_SAME).with("share", percent(share)).with("wave", wave + 1);
            return Err(same.with("site", &name));
        }
        let turn = before.map_or(0, |s| s.turn) + 1;
        site.set = Some(SetShare { wave, share, turn, moved: false, through_pause: paused });
        // What was said before was said of another share.
        site.promoted = site.promoted.filter(|w| *w != wave);
        site.passed = site.passed.take().filter(|(w, _)| *w != wave);
        Ok(ShareChange { site: name, wave, from, to: share })
    }

    /// A pause holds what was set before it.
    pub(super) fn hold_shares(&mut self) {
        for set in self.sites.values_mut().filter_map(|s| s.set.as_mut()) {
            set.through_pause = false;
        }
    }

    fn judged(&mut self, wave: usize) -> Result<(SiteName, &mut SiteState), Fault> {
        if self.phase.is_final() {
            return Err(self.not_active());
        }
        let not = |what: Said| Fault::new(&faults::NOT_JUDGED).with("what", what);
        if self.phase == Phase::Queued {
            return Err(not(said!("it has not begun", "尚未开始")));
        }
        if self.phase == Phase::Returning || self.abort.is_some() {
            return Err(not(self.goes_back()));
        }
        let passed = self.sites.values().filter_map(|s| s.passed.as_ref()).find(|(w, _)| *w == wave);
        let how = passed.map_or_else(|| said!("it went on", "已放行"), |(_, passed)| passed.said());
        let begun = self.begun();
        let newest = self.sites.iter_mut().find(|(_, s)| begun.is_some() && s.wave == begun);
        let (Some(begun), Some((name, site))) = (begun, newest) else {
            return Err(not(said!("its first wave has not begun", "第一波尚未开始")));
        };
        let is = standing(begun, site.step);
        match site.step {
            Step::Judging { .. } if wave == begun => Ok((name.clone(), site)),
            Step::Serving { .. } if wave == begun => Err(over(wave, how, is)),
            _ if wave < begun => Err(over(wave, how, is)),
            _ => Err(not(is)),
        }
    }

    /// That it goes back, and since whose word where it was a person's.
    pub fn goes_back(&self) -> Said {
        let told = |name| self.abort.as_ref().and_then(|abort| abort.args.get(name));
        match (told("who"), told("at"), told("why")) {
            (Some(who), Some(at), Some(why)) => said!(
                "it goes back: {who} aborted it, {at} ({why})",
                "正在退回：{who} 已于 {at} 中止（{why}）",
                who = who,
                at = at,
                why = why
            ),
            _ => said!("it goes back", "正在退回"),
        }
    }

    /// `how` is for the caller to fill in, who knows when it ended and by whom.
    fn not_active(&self) -> Fault {
        Fault::new(&faults::NOT_ACTIVE)
    }
}

fn over(wave: usize, how: Said, is: Said) -> Fault {
    Fault::new(&faults::WAVE_OVER).with("wave", wave + 1).with("how", how).with("what", is)
}

fn percent(share: u32) -> String {
    show_percent(share.saturating_mul(100))
}

/// What a site does in the wave it has begun last.
fn standing(wave: usize, step: Step) -> Said {
    let n = wave + 1;
    match step {
        Step::Waiting => said!("wave {n} has not begun", "第 {n} 波尚未开始", n = n),
        Step::Preparing { .. } | Step::Pausing { .. } | Step::StoppingOld { .. } | Step::Starting { .. } => {
            said!("wave {n} is starting its instances", "第 {n} 波正在启动实例", n = n)
        }
        Step::Shifting { .. } => said!("the traffic of wave {n} is moving", "第 {n} 波正在切换流量", n = n),
        Step::Verifying { .. } => said!("wave {n} is being verified", "第 {n} 波正在验证", n = n),
        Step::Judging { .. } => said!("wave {n} is being judged", "第 {n} 波正在判定", n = n),
        Step::Soaking { .. } => {
            said!("wave {n} has all the traffic and is watched", "第 {n} 波已接管全部流量，正在观察", n = n)
        }
        Step::Serving { .. } | Step::Stayed => {
            said!("the wave after {n} has not begun", "第 {n} 波之后的一波尚未开始", n = n)
        }
        Step::BackStoppingNew { .. } | Step::BackStarting { .. } | Step::BackShifting { .. } | Step::Returned => {
            said!("it goes back", "正在退回")
        }
    }
}

impl SiteState {
    fn set_now(&self) -> Option<SetShare> {
        self.set.filter(|s| Some(s.wave) == self.wave)
    }

    /// How often a person changed the share of its wave.
    pub fn turn(&self) -> u32 {
        self.set_now().map_or(0, |s| s.turn)
    }

    pub(super) fn has_share_to_move_to(&self) -> bool {
        self.set_now().is_some_and(|s| !s.moved)
    }

    pub(super) fn set_through_pause(&self) -> bool {
        self.set_now().is_some_and(|s| s.through_pause)
    }
}

impl Plan {
    /// A site's wave as it is now: with the share a person gave it, once the site has left the old one.
    pub fn wave_now(&self, plan: &SitePlan, site: &SiteState) -> Option<Wave> {
        let wave = self.waves.get(site.wave?)?;
        let share = match (site.set_now(), site.step) {
            (None, _) => return Some(wave.clone()),
            (Some(_), Step::Judging { share, .. }) => share,
            (Some(set), _) => set.share,
        };
        Some(Wave { share, instances: plan.instances_for(share), ..wave.clone() })
    }
}

impl Deciding<'_> {
    /// To the share a person gave the wave: more of it brings up what it needs first, less of it moves at once.
    pub(super) fn move_share(
        &mut self,
        plan: &SitePlan,
        site: &mut SiteState,
        new: &RevisionFacts,
        from: u32,
        held: Held,
    ) -> Progress {
        let Some(set) = site.set.as_mut() else { return Progress::Waits };
        let rises = set.share > from;
        if rises && (held.frozen || held.paused && !set.through_pause) {
            return Progress::Waits;
        }
        set.moved = true;
        let share = set.share;
        let Some(wave) = site.wave.and_then(|i| self.plan.waves.get(i)) else { return Progress::Waits };
        let wave = Wave { share, instances: plan.instances_for(share), ..wave.clone() };
        if rises && new.ready < wave.instances {
            return self.start(plan, &wave, site);
        }
        self.shift(plan, &wave, site)
    }

    /// Instances that a smaller share does not need go, once the traffic has moved. One that is not ready keeps all: it
    /// must not be what stays.
    pub(super) fn spare(&mut self, plan: &SitePlan, wave: &Wave, site: &SiteState) {
        let new = self.facts_of(&plan.site).of(plan.to);
        if site.set_now().is_some() && new.wanted > wave.instances && new.ready == new.wanted {
            self.want(plan, plan.to, wave.instances, DesiredPhase::Run);
        }
    }
}
