//! The store at its border.

mod foundation;
