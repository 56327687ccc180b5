//! A secret's value while it is in memory.

use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of a value, at most: with every form of it the masks of a process stay within a few megabytes.
pub const LONGEST: usize = 24 << 10;
/// Bytes: what is shorter cannot be masked without masking half of what a program says.
pub const SHORTEST_MASKED: usize = 6;

/// Overwritten when it is dropped, and shown by nothing: neither `Debug` nor `Display` give it away.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Value(Zeroizing<String>);

/// Why a text cannot be a secret's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadValue {
    #[error("it is empty")]
    Empty,
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
    /// No environment can hold it.
    #[error("it holds a NUL byte")]
    Nul,
}

impl Value {
    pub fn new(text: String) -> Result<Self, BadValue> {
        let text = Zeroizing::new(text);
        match text.as_str() {
            blank if blank.trim().is_empty() => Err(BadValue::Empty),
            long if long.len() > LONGEST => Err(BadValue::TooLong),
            nul if nul.contains('\0') => Err(BadValue::Nul),
            _ => Ok(Self(text)),
        }
    }

    /// The value itself. Named so that every place that lets it out is found.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether what a program says can be masked of it.
    pub fn is_maskable(&self) -> bool {
        self.0.trim().len() >= SHORTEST_MASKED
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(…)")
    }
}
