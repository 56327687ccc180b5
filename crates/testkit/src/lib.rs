//! What tests and `cargo xtask` share. Never a normal dependency of the product.

pub mod rig;
pub mod simulate;
pub mod traffic;
