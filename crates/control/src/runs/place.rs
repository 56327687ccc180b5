//! Which host a job goes to.

use crate::Ctx;
use std::collections::HashMap;
use tradewind_model::id::HostId;
use tradewind_store::{
    Reader, Result,
    rows::{hosts, tasks},
};

/// The present host with the fewest tasks; `None` while no agent is there.
pub async fn choose(r: &mut impl Reader, ctx: &Ctx) -> Result<Option<hosts::Host>> {
    let mut load: HashMap<HostId, usize> = HashMap::new();
    for task in tasks::unfinished(r).await? {
        *load.entry(task.host).or_default() += 1;
    }
    let present = hosts::list(r).await?.into_iter().filter(|h| ctx.agents.is_present(h.id));
    Ok(present.min_by_key(|h| load.get(&h.id).copied().unwrap_or_default()))
}
