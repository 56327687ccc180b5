//! The judge's evidence: taken in from the agents ([`intake`]), folded into verdicts ([`fold`]), shown ([`view`]); how long it
//! will take ([`outlook`]); and what is usual, for where there is nothing to compare with ([`usual`]).
//!
//! What is stored is counts, in the order they came (`rows::evidence`); a verdict is a fold over them. The folds of active
//! rollouts are kept in memory ([`Folds`]) and are a function of the rows: a server that starts anew, or another one,
//! comes to the same verdicts. Architecture invariant: no count is acknowledged before it is in the store.

mod crowd;
pub mod fold;
pub mod intake;
pub mod outlook;
mod own;
mod requests;
pub mod traffic;
pub mod usual;
pub mod view;

use crate::{Ctx, Result, rollouts::PlanDoc};
use fold::Fold;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};
use tradewind_model::{
    id::{Place, RolloutId, SiteName},
    protocol::trial::{Feed, UnitCounts},
    rollout::state::State,
    time::Timestamp,
};
use tradewind_store::{Json, Reader, Tx, rows};
use usual::Standing;

/// One row's `body`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Entry {
    /// A site's canary has this share from here on. Evidence for promotion is gathered anew.
    Wave {
        site: SiteName,
        wave: usize,
        share: u32,
        /// How often a person had changed the wave's share before.
        #[serde(default)]
        turn: u32,
    },
    /// What was counted, as it came. `lost` seconds before it are missing: nobody could take them in time.
    Units {
        site: SiteName,
        #[serde(default)]
        feed: Feed,
        lost: u64,
        ticks: Vec<Tick>,
    },
    /// A site changed over whole: what its business counters are held against, each by its name.
    Alone { site: SiteName, standing: BTreeMap<String, Standing> },
    /// What another site of the service counted meanwhile.
    Elsewhere { site: SiteName, counts: usual::Counted },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tick {
    pub at: Timestamp,
    #[serde(default)]
    pub sampled: u32,
    pub canary: UnitCounts,
    pub baseline: UnitCounts,
}

/// The folds of active rollouts, each with the number of the last row in it. Only committed rows enter.
#[derive(Default)]
pub struct Folds(Mutex<HashMap<RolloutId, (i64, Arc<Fold>)>>);

impl Folds {
    /// As of the last [`refresh`].
    pub fn of(&self, rollout: RolloutId) -> Option<Arc<Fold>> {
        self.lock().get(&rollout).map(|(_, fold)| fold.clone())
    }

    /// Forgets what is judged no longer.
    pub fn keep(&self, active: &[RolloutId]) {
        self.lock().retain(|id, _| active.contains(id));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RolloutId, (i64, Arc<Fold>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes in what was committed since the last time.
pub async fn refresh(ctx: &Ctx, row: &rows::rollouts::Rollout) -> Result<()> {
    let known = ctx.folds.lock().get(&row.id).cloned();
    let (seq, mut fold) = match known {
        Some((seq, fold)) => (seq, fold),
        None => {
            let doc: PlanDoc = crate::rollouts::read(&row.plan)?;
            match Fold::new(&doc) {
                Some(fold) => (0, Arc::new(fold)),
                None => return Ok(()),
            }
        }
    };
    let new = rows::evidence::after(&mut ctx.store.read().await?, row.id, seq).await?;
    let seq = new.last().map_or(seq, |e| e.seq);
    if !new.is_empty() {
        apply(Arc::make_mut(&mut fold), &new)?;
    }
    let mut folds = ctx.folds.lock();
    if folds.get(&row.id).is_none_or(|(at, _)| *at <= seq) {
        folds.insert(row.id, (seq, fold));
    }
    Ok(())
}

/// A rollout's whole fold, from its rows. `None` where nothing is judged.
pub async fn read(r: &mut impl Reader, rollout: RolloutId, doc: &PlanDoc) -> Result<Option<Fold>> {
    let Some(mut fold) = Fold::new(doc) else { return Ok(None) };
    apply(&mut fold, &rows::evidence::after(r, rollout, 0).await?)?;
    Ok(Some(fold))
}

fn apply(fold: &mut Fold, rows: &[rows::evidence::Evidence]) -> Result<()> {
    for row in rows {
        let entry: Entry = row.body.read()?;
        fold.apply(&entry, &row.source, row.received_at);
    }
    Ok(())
}

/// From here on a site's canary has this share.
pub(crate) async fn begin_wave(
    tx: &mut Tx,
    rollout: RolloutId,
    site: &SiteName,
    wave: usize,
    share: u32,
    turn: u32,
) -> Result<()> {
    let entry = Entry::Wave { site: site.clone(), wave, share, turn };
    Ok(rows::evidence::append(tx, rollout, "", 0, &Json::of(&entry)).await?)
}

/// A site has changed over whole: nothing runs beside it.
pub(crate) async fn stand_alone(
    tx: &mut Tx,
    rollout: RolloutId,
    place: &Place,
    doc: &PlanDoc,
    state: &State,
) -> Result<()> {
    let now = tx.now();
    let standing = usual::standing(tx, place, doc, state, now).await?;
    let entry = Entry::Alone { site: place.site.clone(), standing };
    Ok(rows::evidence::append(tx, rollout, "", 0, &Json::of(&entry)).await?)
}
