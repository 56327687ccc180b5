//! Numbers per service: runs and releases count 1, 2, 3; rollouts queue in the order they came.

use tradewind_model::id::ServiceName;

use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader as _, Tx},
    value::args,
};

statements! {
    NEXT quiet "the row that takes the number is told of" =
        "INSERT INTO counters (org_id, service, name, last) VALUES ($1, $2, $3, 1)
         ON CONFLICT (org_id, service, name) DO UPDATE SET last = counters.last + 1 RETURNING last";
}

pub(crate) enum Counter {
    Runs,
    Releases,
    Rollouts,
}

/// The next number; given back where the transaction does not commit.
pub(crate) async fn next(tx: &mut Tx, service: &ServiceName, counter: Counter) -> Result<i64> {
    let name = match counter {
        Counter::Runs => "runs",
        Counter::Releases => "releases",
        Counter::Rollouts => "rollouts",
    };
    let args = args![tx.org(), service, name];
    tx.fetch_one(&NEXT, args).await?.i64("last")
}
