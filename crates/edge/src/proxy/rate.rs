//! The least a request's body has to come with. Only the time in which the edge waits for the client counts: an
//! instance that takes its time is none of the client's doing.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::time::{Sleep, sleep_until};

pub struct Rate {
    /// In a window.
    least: u64,
    window: Duration,
    /// Of this window.
    waited: Duration,
    since: Option<Instant>,
    came: u64,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Rate {
    pub fn new(bytes_a_second: u32, window: Duration) -> Self {
        let least = u64::try_from(u128::from(bytes_a_second) * window.as_millis() / 1_000).unwrap_or(u64::MAX);
        Self { least, window, waited: Duration::ZERO, since: None, came: 0, timer: None }
    }

    /// Bytes came, or the end.
    pub fn came(&mut self, bytes: u64) {
        self.came += bytes;
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
    }

    /// There is nothing: ready when the client is too slow.
    pub fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let since = *self.since.get_or_insert_with(Instant::now);
            let until = (since + self.window.saturating_sub(self.waited)).into();
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
            if timer.deadline() != until {
                timer.as_mut().reset(until);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if self.came < self.least {
                return Poll::Ready(());
            }
            (self.came, self.waited, self.since) = (0, Duration::ZERO, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::time::timeout;

    #[tokio::test]
    async fn only_waiting_for_too_little_is_too_slow() {
        let window = Duration::from_millis(60);
        let mut rate = Rate::new(1_000, window);
        for _ in 0..3 {
            rate.came(60);
            let waits = timeout(window / 2, poll_fn(|cx| rate.poll_waiting(cx))).await;
            assert!(waits.is_err(), "enough came");
        }
        // The instance takes its time: nobody waits for the client.
        tokio::time::sleep(window * 2).await;
        rate.came(59);
        let began = Instant::now();
        timeout(Duration::from_secs(60), poll_fn(|cx| rate.poll_waiting(cx))).await.expect("it is too slow in the end");
        assert!(began.elapsed() >= Duration::from_millis(1));
    }
}
