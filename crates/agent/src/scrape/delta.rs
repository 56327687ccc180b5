//! Differences of counters that only rise, and begin again from 0.

use std::collections::BTreeMap;

/// `x` events of `n` exposures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Count {
    pub n: u64,
    pub x: u64,
}

impl Count {
    pub fn add(&mut self, other: Self) {
        self.n = self.n.saturating_add(other.n);
        self.x = self.x.saturating_add(other.x);
    }
}

/// What the counters of one metric stand at, by series.
pub type Counts = BTreeMap<String, Count>;

/// The counters of one metric in one process, as they were last seen.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Counters(Option<Counts>);

impl Counters {
    /// Another process: what it counts begins at 0.
    pub fn begin_again(&mut self) {
        if let Some(seen) = &mut self.0 {
            seen.clear();
        }
    }

    pub fn is_new(&self) -> bool {
        self.0.is_none()
    }

    /// What came since the last look, however long ago. `None` at the first: nobody knows since when it was counted.
    ///
    /// By series, since one that falls began again while others did not. One that was not there before counts from 0; one that
    /// is away for a while is remembered.
    pub fn look(&mut self, now: Counts) -> Option<Count> {
        let Some(seen) = &mut self.0 else {
            self.0 = Some(now);
            return None;
        };
        let mut since = Count::default();
        // Twice what a page may have: the rest is of series that are gone.
        let forget = seen.len() > 2 * super::pick::MOST_SERIES;
        let mut kept = if forget { Counts::new() } else { std::mem::take(seen) };
        for (series, count) in now {
            let before = kept.get(&series).or_else(|| seen.get(&series)).copied().unwrap_or_default();
            // A page is not read at one instant: where both are counted, `x` may lag behind by a few and did not fall.
            let fell = if count.n.max(before.n) > 0 { count.n < before.n } else { count.x < before.x };
            let before = if fell { Count::default() } else { before };
            since.add(Count { n: count.n - before.n, x: count.x.saturating_sub(before.x) });
            kept.insert(series, Count { n: count.n, x: count.x.max(before.x) });
        }
        *seen = kept;
        Some(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(series: &[(&str, u64, u64)]) -> Counts {
        series.iter().map(|(name, n, x)| ((*name).to_owned(), Count { n: *n, x: *x })).collect()
    }

    fn count(n: u64, x: u64) -> Option<Count> {
        Some(Count { n, x })
    }

    #[test]
    fn a_first_look_says_nothing_and_each_later_one_what_came_since() {
        let mut c = Counters::default();
        assert_eq!(c.look(at(&[("a", 1_000, 50)])), None);
        assert_eq!(c.look(at(&[("a", 1_000, 50)])), count(0, 0));
        // A look that was missed is made good by the next.
        assert_eq!(c.look(at(&[("a", 1_030, 53)])), count(30, 3));
        assert_eq!(c.look(at(&[("a", 1_030, 53), ("b", 7, 1)])), count(7, 1), "a new series began at 0");
    }

    #[test]
    fn counters_that_fall_or_whose_process_is_another_begin_at_0() {
        let mut c = Counters::default();
        c.look(at(&[("a", 100, 10), ("b", 1_000_000, 0)]));
        assert_eq!(c.look(at(&[("a", 40, 11), ("b", 1_000_001, 0)])), count(41, 11), "the one alone that fell");
        c.begin_again();
        assert_eq!(c.look(at(&[("a", 60, 12)])), count(60, 12), "higher than before, and yet all new");
        let mut fresh = Counters::default();
        fresh.begin_again();
        assert_eq!(fresh.look(at(&[("a", 60, 12)])), None);
    }

    #[test]
    fn a_torn_page_is_no_new_beginning() {
        let mut c = Counters::default();
        c.look(at(&[("a", 1_000, 20)]));
        assert_eq!(c.look(at(&[("a", 1_001, 19)])), count(1, 0));
        assert_eq!(c.look(at(&[("a", 1_003, 21)])), count(2, 1));
    }

    #[test]
    fn a_series_that_is_away_for_a_while_is_not_counted_twice() {
        let mut c = Counters::default();
        c.look(at(&[("a", 500, 5), ("b", 1, 0)]));
        assert_eq!(c.look(at(&[("b", 2, 0)])), count(1, 0));
        assert_eq!(c.look(at(&[("a", 501, 5), ("b", 2, 0)])), count(1, 0));
        assert_eq!(c.look(Counts::new()), count(0, 0));
    }

    #[test]
    fn numbers_at_the_end_of_their_range_do_not_wrap() {
        let mut c = Counters::default();
        c.look(Counts::new());
        assert_eq!(c.look(at(&[("a", u64::MAX, 0), ("b", u64::MAX, 0)])), count(u64::MAX, 0));
    }

    proptest! {
        /// However often it is looked at, and however often it begins again: what came is counted once.
        #[test]
        fn looks_add_up(steps in prop::collection::vec((0u64..50, any::<bool>(), any::<bool>()), 1..40)) {
            let mut c = Counters::default();
            c.look(at(&[("a", 0, 0)]));
            let (mut value, mut pending, mut told, mut real) = (0, 0, 0, 0);
            for (more, restarts, looks) in steps {
                if restarts {
                    // What nobody looked at is lost with the process.
                    real -= pending;
                    (value, pending) = (0, 0);
                    c.begin_again();
                }
                value += more;
                pending += more;
                real += more;
                if looks {
                    told += c.look(at(&[("a", value, 0)])).unwrap().n;
                    pending = 0;
                }
            }
            prop_assert_eq!(told, real - pending);
        }
    }
}
