use tradewind_model::fault::Fault;
use tradewind_store::StoreError;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A refusal the caller can act on, or a failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(Box<Fault>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Fault> for Error {
    fn from(f: Fault) -> Self {
        Self::Refused(Box::new(f))
    }
}
