//! How much evidence is enough, and against what.

use crate::faults;
use serde::{Deserialize, Serialize};
use tradewind_model::fault::Fault;

/// The judge's settings. Every combination that exists has passed [`Params::checked`].
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct Params {
    alpha: f64,
    beta: f64,
    r0: f64,
    r1: f64,
    floor: f64,
}

/// [`Params`] as they are written; what is left out has its default.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Unchecked {
    /// Chance that a release no worse than its baseline is called worse, ever, over the whole rollout.
    pub alpha: f64,
    /// Chance that a release as bad as `r1` and `floor` say is promoted, in any one wave.
    pub beta: f64,
    /// Ratio of canary to baseline that is still no fault. 1: any difference for the worse is.
    pub r0: f64,
    /// Ratio that must be ruled out before a wave is promoted.
    pub r1: f64,
    /// Rate below which nobody minds, whatever the ratio. 0: there is none.
    pub floor: f64,
}

impl Default for Unchecked {
    fn default() -> Self {
        Self { alpha: 0.01, beta: 0.05, r0: 1.0, r1: 2.0, floor: 0.01 }
    }
}

impl Default for Params {
    fn default() -> Self {
        let Unchecked { alpha, beta, r0, r1, floor } = Unchecked::default();
        Self { alpha, beta, r0, r1, floor }
    }
}

impl Params {
    /// Refuses what is no chance, no ratio, or asks for the impossible.
    pub fn checked(p: Unchecked) -> Result<Self, Fault> {
        let chance = |name: &'static str, v: f64| {
            let fine = (1e-12..=0.5).contains(&v);
            if fine { Ok(v) } else { Err(Fault::new(&faults::BAD_CHANCE).with("name", name).with("value", v)) }
        };
        let out_of = |name: &'static str, v: f64, low: f64, high: f64| {
            let fault = Fault::new(&faults::OUT_OF_RANGE);
            Err(fault.with("name", name).with("value", v).with("low", low).with("high", high))
        };
        chance("alpha", p.alpha)?;
        chance("beta", p.beta)?;
        if !(0.5..=10.0).contains(&p.r0) {
            return out_of("r0", p.r0, 0.5, 10.0);
        }
        if !(1.01..=50.0).contains(&p.r1) {
            return out_of("r1", p.r1, 1.01, 50.0);
        }
        if p.r1 <= p.r0 {
            return Err(Fault::new(&faults::R1_BELOW_R0).with("r0", p.r0).with("r1", p.r1));
        }
        if !(0.0..=0.5).contains(&p.floor) {
            return out_of("floor", p.floor, 0.0, 0.5);
        }
        Ok(Self { alpha: p.alpha, beta: p.beta, r0: p.r0, r1: p.r1, floor: p.floor })
    }

    pub fn alpha(&self) -> f64 {
        self.alpha
    }
    pub fn beta(&self) -> f64 {
        self.beta
    }
    pub fn r0(&self) -> f64 {
        self.r0
    }
    pub fn r1(&self) -> f64 {
        self.r1
    }
    pub fn floor(&self) -> f64 {
        self.floor
    }
}

impl TryFrom<Unchecked> for Params {
    type Error = Fault;
    fn try_from(p: Unchecked) -> Result<Self, Fault> {
        Self::checked(p)
    }
}

impl From<Params> for Unchecked {
    fn from(p: Params) -> Self {
        Self { alpha: p.alpha, beta: p.beta, r0: p.r0, r1: p.r1, floor: p.floor }
    }
}
