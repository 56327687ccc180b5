//! Tenants. There is one, `default`, until there are more.

use tradewind_model::id::OrgName;

use crate::{error::Result, stmt::statements, tx::Tx, value::args};

statements! {
    INSERT = "INSERT INTO orgs (id, created_at) VALUES ($1, $2)";
}

pub async fn insert(tx: &mut Tx, name: &OrgName) -> Result<()> {
    let args = args![name, tx.now()];
    tx.execute(&INSERT, args).await?;
    Ok(())
}
