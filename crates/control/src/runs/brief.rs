//! A run in one line of a list.

use super::{error::Result, live::Live, view::run_state};
use tradewind_api::v1::FoundRun;
use tradewind_store::{Reader, rows::runs::Run};

pub async fn brief(r: &mut impl Reader, run: Run) -> Result<FoundRun> {
    let live = Live::load(r, run).await?;
    Ok(FoundRun {
        id: live.run.id,
        service: live.run.service.clone(),
        number: u64::try_from(live.run.number).unwrap_or_default(),
        commit: live.run.commit.clone(),
        branch: live.plan.trigger.ref_name().to_owned(),
        title: live.plan.trigger.title().map(str::to_owned),
        state: run_state(&live)?,
        created_at: live.run.created_at.into(),
    })
}
