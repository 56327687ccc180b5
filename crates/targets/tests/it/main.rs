//! Real processes under real shims, driven through the crate's border.

mod adopt;
mod confined;
mod host;
mod kin;
mod life;
mod metadata;
mod output;
mod registers;
mod secrets;
