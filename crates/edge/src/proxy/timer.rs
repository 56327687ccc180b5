//! A time limit for one thing at a time, over and over: setting a running timer to a later time is a store, where a new
//! timer is a trip through the runtime's wheel and back for each request.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::{Duration, Instant},
};
use tokio::time::{Sleep, sleep_until};

/// Kept by a connection at most.
const KEPT: usize = 32;

/// Belongs to a connection. Each task that uses it at once with others gets a timer of its own.
#[derive(Default)]
pub struct Timer(Mutex<Vec<Pin<Box<Sleep>>>>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Late;

impl Timer {
    /// The future's output, unless `limit` from `now` on is over first.
    pub async fn limit<F: Future>(&self, now: Instant, limit: Duration, future: F) -> Result<F::Output, Late> {
        let until = (now + limit).into();
        let mut sleep = match self.idle().pop() {
            Some(mut sleep) => {
                sleep.as_mut().reset(until);
                sleep
            }
            None => Box::pin(sleep_until(until)),
        };
        let mut future = std::pin::pin!(future);
        let output = poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            sleep.as_mut().poll(cx).map(|()| Err(Late))
        })
        .await;
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(sleep);
        }
        output
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Pin<Box<Sleep>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_used_timer_limits_again_whether_it_rang_or_not() {
        let timer = Timer::default();
        let ms = Duration::from_millis;
        let never = std::future::pending::<()>;
        for _ in 0..2 {
            assert_eq!(timer.limit(Instant::now(), ms(3_600_000), async { 7 }).await, Ok(7));
            assert_eq!(timer.limit(Instant::now(), ms(5), never()).await, Err(Late));
        }
        let soon = tokio::time::sleep(ms(5));
        assert_eq!(timer.limit(Instant::now(), ms(3_600_000), soon).await, Ok(()));
    }
}
