//! For whoever owns the data folder: owning it is the permission. Works with the server running or not.

use super::{
    login,
    secret::LoginCode,
    tokens::{self, Wish},
};
use crate::http::Refusal;
use tradewind_api::v1::{CreateToken, NewToken};
use tradewind_control::{
    Ctx,
    ctx::Asker,
    secrets::{self, rotate::Rotated, vault::KeySource},
};
use tradewind_model::{
    access::Principal,
    event::Actor,
    fault::{self, Fault},
};
use tradewind_store::Store;

/// Why the folder's owner got nothing.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error("{0}")]
    Refused(Fault),
    #[error("{0}")]
    Failed(String),
}

impl From<Refusal> for AdminError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Faults(faults) => match faults.into_iter().next() {
                Some(fault) => Self::Refused(fault),
                None => Self::Failed("refused".into()),
            },
            Refusal::Internal(source) => Self::Failed(fault::chain(source.as_ref())),
        }
    }
}

/// `tradewind admin token`: any scopes, for scripts and recovery.
pub async fn mint_token(store: &Store, asked: &CreateToken) -> Result<NewToken, AdminError> {
    let wish = Wish::check(asked).map_err(AdminError::Refused)?;
    Ok(tokens::insert(store, &wish, &owner(), None).await?)
}

/// `tradewind admin code`, and what `tradewind up` prints.
pub async fn login_code(store: &Store) -> Result<LoginCode, AdminError> {
    Ok(login::new_code(store).await?)
}

/// A key for the agent of a host, by the host's name. A host that had one has only the new one from then on.
pub async fn enrol_host(store: &Store, host: &str) -> Result<NewToken, AdminError> {
    Ok(tokens::enrol(store, host, &Asker::trusted(owner())).await?)
}

/// `tradewind admin rotate-key`: everything sealed anew with a new key, or, with `again`, with the newest there is.
pub async fn rotate_key(store: &Store, keys: KeySource, again: bool) -> Result<Rotated, AdminError> {
    let vault = secrets::open_vault(store, keys).await.map_err(Refusal::from)?;
    let ctx = Ctx::new(store.clone()).with_vault(vault);
    Ok(secrets::rotate::rotate(&ctx, again, &Asker::trusted(owner())).await.map_err(Refusal::from)?)
}

/// Who acts where owning the data folder is the permission.
pub fn owner() -> Actor {
    Actor::User { name: "owner of the data folder".into(), principal: Some(Principal::Owner) }
}
