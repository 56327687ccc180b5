use crate::Error;
use tradewind_model::fault::Fault;
use tradewind_store::StoreError;

pub type Result<T, E = RunError> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Told to the person who asked: all that is wrong, at least one.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Refused(Vec<Fault>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Fault> for RunError {
    fn from(f: Fault) -> Self {
        Self::Refused(vec![f])
    }
}

impl From<Error> for RunError {
    fn from(e: Error) -> Self {
        match e {
            Error::Refused(fault) => Self::Refused(vec![*fault]),
            Error::Store(e) => Self::Store(e),
        }
    }
}
