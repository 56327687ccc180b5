//! Following a run: its jobs' states and logs in the order they happen, until its end.

use super::{Runs, error::Result, live::Live};
use futures_util::{
    future::{FutureExt as _, select_all},
    stream::{self, Stream},
};
use std::{collections::VecDeque, time::Duration};
use tokio::sync::watch;
use tradewind_api::v1::{self, RunUpdate};
use tradewind_model::{
    fault::Lang,
    id::{JobId, RunId, TaskId},
};

/// Bytes of one log read at a time.
const CHUNK: usize = 64 << 10;
/// For what other processes commit.
const TICK: Duration = Duration::from_secs(2);

/// Of a run, one job's log from a byte on, and what becomes of the job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    pub job: JobId,
    pub offset: u64,
}

struct Follower {
    runs: Runs,
    run: RunId,
    part: Option<Part>,
    lang: Lang,
    commits: watch::Receiver<u64>,
    jobs: Vec<Seen>,
    released: bool,
    rollout: bool,
    finished: bool,
    ready: VecDeque<RunUpdate>,
}

/// What was told of one job.
#[derive(Default)]
struct Seen {
    state: Option<v1::JobState>,
    task: Option<TaskId>,
    offset: u64,
}

impl Runs {
    /// Everything from the run's beginning, then what happens, until [`RunUpdate::Finished`]. Of a part of it, that part, until
    /// the job has ended. Dropping it ends it.
    pub fn follow(
        &self,
        run: RunId,
        part: Option<Part>,
        lang: Lang,
    ) -> impl Stream<Item = Result<RunUpdate>> + Send + use<> {
        let follower = Follower {
            runs: self.clone(),
            run,
            part,
            lang,
            commits: self.ctx.store.commits(),
            jobs: Vec::new(),
            released: false,
            rollout: false,
            finished: false,
            ready: VecDeque::new(),
        };
        stream::try_unfold(follower, |mut follower| async move {
            let update = follower.next().await?;
            Ok(update.map(|u| (u, follower)))
        })
    }
}

impl Follower {
    async fn next(&mut self) -> Result<Option<RunUpdate>> {
        loop {
            if let Some(update) = self.ready.pop_front() {
                return Ok(Some(update));
            }
            if self.finished {
                return Ok(None);
            }
            self.commits.borrow_and_update();
            let mut tails = self.tails();
            for tail in &mut tails {
                tail.borrow_and_update();
            }
            let live = self.runs.load(self.run).await?;
            if !self.look(&live).await? && self.ready.is_empty() {
                self.wait(tails).await;
            }
        }
    }

    /// The logs of jobs that were running when last looked at.
    fn tails(&self) -> Vec<watch::Receiver<u64>> {
        let open = self.jobs.iter().filter(|s| s.state.is_some_and(|state| !state.is_finished()));
        open.filter_map(|s| s.task).map(|task| self.runs.tails.watch(task)).collect()
    }

    async fn wait(&mut self, mut tails: Vec<watch::Receiver<u64>>) {
        let grown = async {
            if tails.is_empty() {
                std::future::pending::<()>().await;
            }
            let _ = select_all(tails.iter_mut().map(|t| t.changed().boxed())).await;
        };
        tokio::select! {
            _ = self.commits.changed() => {}
            () = grown => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }

    /// Queues what is new; `true` where there is more to read at once.
    async fn look(&mut self, live: &Live) -> Result<bool> {
        let mut more = false;
        self.jobs.resize_with(live.jobs.len(), Seen::default);
        for at in 0..live.jobs.len() {
            if self.part.is_some_and(|part| part.job != live.jobs[at].id) {
                continue;
            }
            let job = self.runs.view_job(live, at, self.lang).await?;
            let state = job.state;
            if self.jobs[at].task != live.jobs[at].task {
                // Another attempt writes its log from the beginning.
                let first = self.jobs[at].task.is_none();
                let offset = self.part.filter(|_| first).map_or(0, |part| part.offset);
                self.jobs[at] = Seen { task: live.jobs[at].task, state: self.jobs[at].state, offset };
                // Its log may have grown before anyone could watch it.
                more = true;
            }
            // A log comes between the state it begins with and the one it ends with.
            if !state.is_finished() {
                self.tell(at, &job);
            }
            let rest = self.read_log(live, at, state.is_finished(), &job.name).await?;
            more |= rest;
            if state.is_finished() && !rest {
                self.tell(at, &job);
            }
        }
        if more {
            return Ok(true);
        }
        self.look_at_end(live).await?;
        Ok(false)
    }

    fn tell(&mut self, at: usize, job: &v1::Job) {
        if self.jobs[at].state != Some(job.state) {
            self.jobs[at].state = Some(job.state);
            self.ready.push_back(RunUpdate::Job { job: Box::new(job.clone()) });
        }
    }

    /// `true` where the log goes on.
    async fn read_log(&mut self, live: &Live, at: usize, ended: bool, name: &str) -> Result<bool> {
        let offset = self.jobs[at].offset;
        let piece = self.runs.log_of(live, at, offset, CHUNK).await?;
        let full = piece.bytes.len() == CHUNK;
        let whole = if ended && !full { piece.bytes.len() } else { whole_characters(&piece.bytes) };
        if whole > 0 {
            let text = String::from_utf8_lossy(&piece.bytes[..whole]).into_owned();
            self.jobs[at].offset += whole as u64;
            self.ready.push_back(RunUpdate::Log { job: live.jobs[at].id, name: name.to_owned(), offset, text });
        }
        Ok(full)
    }

    async fn look_at_end(&mut self, live: &Live) -> Result<()> {
        if let Some(part) = self.part {
            let job = live.job(part.job);
            self.finished = job.is_none_or(|at| self.jobs[at].state.is_some_and(v1::JobState::is_finished));
            return Ok(());
        }
        let shown = self.runs.view(live, self.lang).await?;
        if let Some(release) = shown.release.clone().filter(|_| !self.released) {
            self.released = true;
            self.ready.push_back(RunUpdate::Released { release });
        }
        if let Some((id, env)) = shown.rollout.zip(shown.env.clone()).filter(|_| !self.rollout) {
            self.rollout = true;
            let outlook = self.runs.outlook(id, self.lang).await?;
            let waits_for = self.runs.waits_for(id, self.lang).await?;
            let url = format!("/api/v1/rollouts/{id}");
            self.ready.push_back(RunUpdate::RolloutStarted { id, env, url, outlook, waits_for });
        }
        if shown.state.is_finished() {
            self.finished = true;
            let run = self.runs.view_whole(live, self.lang).await?;
            self.ready.push_back(RunUpdate::Finished { run: Box::new(run) });
        }
        Ok(())
    }
}

/// How many bytes end with a whole character; what is no UTF-8 anywhere else is left to be replaced.
fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(4);
    (tail..bytes.len())
        .rev()
        .find(|&i| bytes[i] & 0xC0 != 0x80)
        .filter(|&i| {
            let wanted = match bytes[i] {
                0xC0..=0xDF => 2,
                0xE0..=0xEF => 3,
                0xF0..=0xF7 => 4,
                _ => 1,
            };
            bytes.len() - i < wanted
        })
        .unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::whole_characters;

    #[test]
    fn a_character_is_never_cut_in_two() {
        let text = "信风 ü".as_bytes();
        for n in 0..=text.len() {
            let whole = whole_characters(&text[..n]);
            assert!(std::str::from_utf8(&text[..whole]).is_ok() && n - whole < 4, "{n}");
        }
        assert_eq!(whole_characters(b"\xff\x80\x80\x80\x80\x80"), 6);
        assert_eq!(whole_characters(b"ab\xff"), 3);
    }
}
