//! Sites: the regions or shops of an environment.

use tradewind_model::{
    id::{EnvName, SiteName},
    time::Timestamp,
};

use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader, Tx},
    value::{Row, args},
};

statements! {
    LIST = "SELECT env, name, created_at FROM sites WHERE org_id = $1 AND env = $2 ORDER BY name";
    INSERT = "INSERT INTO sites (org_id, env, name, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (org_id, env, name) DO NOTHING";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    pub env: EnvName,
    pub name: SiteName,
    pub created_at: Timestamp,
}

impl Site {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self { env: r.parse("env")?, name: r.parse("name")?, created_at: r.time("created_at")? })
    }
}

pub async fn list(r: &mut impl Reader, env: &EnvName) -> Result<Vec<Site>> {
    let args = args![r.org(), env];
    r.fetch_all(&LIST, args).await?.iter().map(Site::from_row).collect()
}

/// Makes it where it does not exist (its environment must); true where it was made, and then an event has to say so.
pub async fn ensure(tx: &mut Tx, env: &EnvName, name: &SiteName) -> Result<bool> {
    let args = args![tx.org(), env, name, tx.now()];
    Ok(tx.execute(&INSERT, args).await? == 1)
}
