//! Names that lead elsewhere than they say, and servers that send on.

mod guard;
mod requests;
