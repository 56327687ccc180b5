//! Real processes under real shims, driven through the crate's border.

mod adopt;
mod host;
mod life;
