//! How a new release takes over, as far as a spec says it.

use super::{
    canary::{self, CanaryRule},
    defaults,
    read::{Field, Notes},
};
use crate::{rollout::plan::Strategy, workload::ServiceKind};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StrategyType {
    AllAtOnce,
    Rolling,
    BlueGreen,
    Canary,
}

const TYPES: [(&str, StrategyType); 4] = [
    ("all_at_once", StrategyType::AllAtOnce),
    ("rolling", StrategyType::Rolling),
    ("blue_green", StrategyType::BlueGreen),
    ("canary", StrategyType::Canary),
];

impl StrategyType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllAtOnce => "all_at_once",
            Self::Rolling => "rolling",
            Self::BlueGreen => "blue_green",
            Self::Canary => "canary",
        }
    }

    /// What a service does that says nothing: only requests can be served by two releases at once.
    pub fn default_of(kind: ServiceKind) -> Self {
        match kind {
            ServiceKind::Web => Self::BlueGreen,
            ServiceKind::Worker | ServiceKind::Cron => Self::AllAtOnce,
        }
    }
}

/// One `strategy` key; what is `None` was not said there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StrategyRule {
    pub kind: Option<StrategyType>,
    pub max_surge: Option<u32>,
    pub soak_ms: Option<u64>,
    pub warm_ms: Option<u64>,
    pub verify: Option<bool>,
    pub canary: CanaryRule,
}

impl StrategyRule {
    /// This rule where it says something, `base` elsewhere.
    pub fn over(&self, base: &Self) -> Self {
        Self {
            kind: self.kind.or(base.kind),
            max_surge: self.max_surge.or(base.max_surge),
            soak_ms: self.soak_ms.or(base.soak_ms),
            warm_ms: self.warm_ms.or(base.warm_ms),
            verify: self.verify.or(base.verify),
            canary: self.canary.over(&base.canary),
        }
    }

    pub fn strategy(&self, kind: ServiceKind) -> Strategy {
        match self.kind.unwrap_or(StrategyType::default_of(kind)) {
            StrategyType::AllAtOnce => Strategy::AllAtOnce,
            StrategyType::Rolling => Strategy::Rolling { max_surge: self.max_surge.unwrap_or(defaults::MAX_SURGE) },
            StrategyType::BlueGreen => Strategy::BlueGreen,
            StrategyType::Canary => Strategy::Canary,
        }
    }
}

/// `strategy: rolling`, or a mapping with more to say.
pub(super) fn read(field: &Field<'_>, notes: &mut Notes) -> StrategyRule {
    if field.node.as_scalar().is_some() {
        return StrategyRule { kind: field.choice(&TYPES, notes), ..StrategyRule::default() };
    }
    let Some(section) = field.section(notes) else { return StrategyRule::default() };
    StrategyRule {
        kind: section.get("type").and_then(|f| f.choice(&TYPES, notes)),
        max_surge: section.get("max_surge").and_then(|f| f.count32(1..=200, notes)),
        soak_ms: section.get("soak").and_then(|f| f.duration(0..=86_400_000, notes)),
        warm_ms: section.get("warm").and_then(|f| f.duration(0..=7 * 86_400_000, notes)),
        verify: section.get("verify").and_then(|f| f.flag(notes)),
        canary: canary::read(&section, notes),
    }
}
