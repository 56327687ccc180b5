//! Reads instances' logs for the server, and keeps those of instances that are gone for a while.

use crate::{disk, home::Home, instance::launch::PROCESS};
use std::{collections::BTreeMap, path::PathBuf};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};
use tradewind_model::{
    id::InstanceId,
    protocol::agent::{FromAgent, LOG_KEPT, LogLine, LogStream},
    time::Timestamp,
};
use tradewind_targets::logs::{self, Follow};

/// Lines in one message.
const BATCH: usize = 500;
const MOST_LINES: u64 = 100_000;

pub struct LogReaders {
    home: Home,
    session: u64,
    answers: Option<mpsc::Sender<FromAgent>>,
    readers: JoinSet<()>,
    by_request: BTreeMap<u64, AbortHandle>,
}

impl LogReaders {
    pub fn new(home: Home) -> Self {
        Self { home, session: 0, answers: None, readers: JoinSet::new(), by_request: BTreeMap::new() }
    }

    pub fn connected(&mut self, session: u64, answers: mpsc::Sender<FromAgent>) {
        self.stop_all();
        (self.session, self.answers) = (session, Some(answers));
    }

    pub fn gone(&mut self, session: u64) {
        if session == self.session {
            self.stop_all();
            self.answers = None;
        }
    }

    fn stop_all(&mut self) {
        self.readers.abort_all();
        self.by_request.clear();
    }

    pub fn stop(&mut self, session: u64, request: u64) {
        if session == self.session
            && let Some(reader) = self.by_request.remove(&request)
        {
            reader.abort();
        }
    }

    /// Answers under `request` until all is said, or without end when following.
    pub fn read(&mut self, session: u64, request: u64, instance: InstanceId, tail: u64, follow: bool) {
        while self.readers.try_join_next().is_some() {}
        self.by_request.retain(|_, reader| !reader.is_finished());
        let Some(answers) = self.answers.clone().filter(|_| session == self.session) else { return };
        let dir = [self.home.instance(instance).join(PROCESS), self.home.ended_instance(instance)]
            .into_iter()
            .find(|dir| dir.exists());
        let reader = async move {
            let say = |lines: Vec<LogLine>, done: bool| answers.send(FromAgent::Log { request, lines, done });
            let Some(dir) = dir else {
                let _ = say(Vec::new(), true).await;
                return;
            };
            match tail_of(dir.clone(), tail.min(MOST_LINES) as usize).await {
                Ok((lines, end)) => {
                    for batch in lines.chunks(BATCH) {
                        if say(batch.to_vec(), false).await.is_err() {
                            return;
                        }
                    }
                    if !follow {
                        let _ = say(Vec::new(), true).await;
                        return;
                    }
                    let mut rest = Follow::new(&dir, end);
                    while let Ok(lines) = rest.next().await {
                        if say(lines, false).await.is_err() {
                            return;
                        }
                    }
                    let _ = say(Vec::new(), true).await;
                }
                Err(error) => {
                    let text = format!("the log cannot be read: {error}");
                    let _ = say(vec![LogLine { at: Timestamp(0), stream: LogStream::System, text }], true).await;
                }
            }
        };
        let handle = self.readers.spawn(reader);
        self.by_request.insert(request, handle);
    }

    /// Removes the logs of instances that have been gone for long.
    pub fn sweep(&mut self, now: Timestamp) {
        for name in disk::names(&self.home.ended()).unwrap_or_default() {
            let folder = self.home.ended().join(name);
            let age = std::fs::metadata(&folder)
                .and_then(|m| m.modified())
                .ok()
                .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok())
                .map(|at| now.since(Timestamp(at.as_micros() as i64)));
            if age.is_some_and(|age| age > LOG_KEPT)
                && let Err(error) = disk::remove_folder(&folder)
            {
                tracing::warn!(%error, "an old log was left behind");
            }
        }
    }
}

async fn tail_of(dir: PathBuf, lines: usize) -> std::io::Result<(Vec<LogLine>, u64)> {
    tokio::task::spawn_blocking(move || logs::tail(&dir, lines)).await.map_err(std::io::Error::other)?
}
