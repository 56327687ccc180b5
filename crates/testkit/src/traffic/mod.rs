//! Requests that are all accounted for: whatever is not answered exactly as it should be counts as lost.

mod ledger;
mod line;

pub use ledger::{Ledger, Lost, NOBODY, Tally};
pub use line::{Line, Site};
