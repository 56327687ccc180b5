//! What is done to secrets before they are stored, and to text before it is: sealing ([`ring`]), masking ([`mask`]) and
//! looking for keys in what people push ([`scan`]); and what is locked with a passphrase to leave the host ([`locked`]). No
//! async, SQL, HTTP or clock.

pub mod locked;
pub mod mask;
pub mod ring;
pub mod scan;
mod value;

pub use value::{BadValue, LONGEST, SHORTEST_MASKED, Value};
