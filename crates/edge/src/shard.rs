//! One slot per serving thread, so that threads do not write to each other's cache lines.

use std::cell::Cell;

thread_local! {
    static SHARD: Cell<usize> = const { Cell::new(0) };
}

/// Called once by each serving thread.
pub fn claim(index: usize) {
    SHARD.set(index);
}

/// Twice a cache line, because lines are fetched in pairs.
#[repr(align(128))]
#[derive(Debug, Default)]
pub struct Padded<T>(pub T);

/// A `T` for each serving thread. Threads that claimed none share the first.
#[derive(Debug)]
pub struct Sharded<T>(Box<[Padded<T>]>);

impl<T> Sharded<T> {
    pub fn new(shards: usize, make: impl Fn() -> T) -> Self {
        Self((0..shards.max(1)).map(|_| Padded(make())).collect())
    }

    pub fn mine(&self) -> &T {
        self.at(self.here())
    }

    /// This thread's place, for those who may have to find it from another.
    pub fn here(&self) -> usize {
        let index = SHARD.get();
        if index < self.0.len() { index } else { 0 }
    }

    pub fn at(&self, index: usize) -> &T {
        &self.0[index].0
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|p| &p.0)
    }
}
