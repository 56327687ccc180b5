//! What completed at a place, oldest first. "Previous" is the one before the current.

use crate::id::RevisionId;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct History(Vec<RevisionId>);

impl History {
    pub fn current(&self) -> Option<RevisionId> {
        self.0.last().copied()
    }
    pub fn previous(&self) -> Option<RevisionId> {
        self.0.iter().rev().nth(1).copied()
    }
    pub fn contains(&self, r: RevisionId) -> bool {
        self.0.contains(&r)
    }
    pub fn revisions(&self) -> &[RevisionId] {
        &self.0
    }
    /// A rollout to `r` completed: it is the newest.
    pub fn completed(&mut self, r: RevisionId) {
        self.0.retain(|x| *x != r);
        self.0.push(r);
    }
    /// A rollback to `r` completed. Going back forgets what came after `r`: from v2, the previous is v1, not v3.
    pub fn went_back_to(&mut self, r: RevisionId) {
        match self.0.iter().position(|x| *x == r) {
            Some(i) => self.0.truncate(i + 1),
            None => self.0.push(r),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn going_back_twice_goes_further_back() {
        let [v1, v2, v3] = [1, 2, 3].map(|t| RevisionId::at(Timestamp(t)));
        let mut h = History::default();
        for v in [v1, v2, v3] {
            h.completed(v);
        }
        assert_eq!((h.current(), h.previous()), (Some(v3), Some(v2)));
        h.went_back_to(v2);
        assert_eq!((h.current(), h.previous()), (Some(v2), Some(v1)));
        assert!(!h.contains(v3));
        h.completed(v1);
        assert_eq!((h.current(), h.previous()), (Some(v1), Some(v2)));
    }
}
