//! This process, as the kernel sees it.

use std::{
    fs,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Looks closer together than this would say more of the look than of what is looked at.
const SPAN: Duration = Duration::from_secs(2);

/// When it was looked at, processor time until then, and what was found.
static LAST: Mutex<Option<(Instant, Duration, Option<f32>)>> = Mutex::new(None);

/// Bytes in memory; 0 where `/proc` does not say.
pub fn memory() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

/// Of one processor, since the look before this one; none at the first.
pub fn cpu() -> Option<f32> {
    let used = used()?;
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let (at, before, found) = last.unwrap_or((Instant::now(), used, None));
    let span = at.elapsed();
    let found =
        if span >= SPAN { Some((used.saturating_sub(before)).as_secs_f32() / span.as_secs_f32()) } else { found };
    if last.is_none() || span >= SPAN {
        *last = Some((Instant::now(), used, found));
    }
    found
}

fn used() -> Option<Duration> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, whose parentheses may hold anything: the third field is the first.
    let mut fields = text.get(text.rfind(')')? + 2..)?.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let ticks = ticks()? + ticks()?;
    Some(Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second().max(1)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_process_has_some_memory_and_used_some_time() {
        assert!(super::memory() > 1 << 20);
        assert!(super::used().is_some());
    }
}
