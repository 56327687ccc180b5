use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A part of a list. Ask for the rest with `?after=<next>`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Opaque; `null` on the last page.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A list that has no further pages.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}
