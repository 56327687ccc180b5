//! Services whose code lives on a forge.

pub mod deliveries;
pub mod links;
pub mod statuses;

pub use deliveries::{Delivery, NewDelivery};
pub use links::{Link, NewLink};
pub use statuses::Told;
