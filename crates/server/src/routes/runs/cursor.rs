//! Where a follower of a run stands, as an event id: what it was told of each job. A stream that resumes is the whole
//! stream again, without what was told.

use std::fmt;
use tradewind_api::v1::{JobState, Run, RunUpdate};
use tradewind_model::id::JobId;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// In the run's order.
    jobs: Vec<Told>,
    released: bool,
    rollout: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Told {
    job: JobId,
    /// When the attempt began that `offset` is about, µs.
    began: i64,
    /// Bytes of its log.
    offset: u64,
    state: Option<JobState>,
}

const STATES: [(JobState, &str); 9] = [
    (JobState::Created, "n"),
    (JobState::Pending, "p"),
    (JobState::Running, "r"),
    (JobState::Manual, "m"),
    (JobState::Success, "s"),
    (JobState::Failed, "f"),
    (JobState::Canceling, "x"),
    (JobState::Canceled, "c"),
    (JobState::Skipped, "k"),
];

impl Cursor {
    /// From the last event's id, or from the beginning where there is none or it is not of this run.
    pub fn resume(id: Option<&str>, run: &Run) -> Self {
        let mut cursor = Self {
            jobs: run
                .jobs
                .iter()
                .map(|j| Told { job: j.id, began: j.started_at.map_or(0, |t| t.0.0), offset: 0, state: None })
                .collect(),
            released: false,
            rollout: false,
        };
        if let Some(read) = id.and_then(|id| cursor.read(id)) {
            cursor = read;
        }
        cursor
    }

    /// `flags;began.offset.state,…`.
    fn read(&self, id: &str) -> Option<Self> {
        let (flags, jobs) = id.split_once(';')?;
        let mut read = self.clone();
        read.released = flags.contains('v');
        read.rollout = flags.contains('o');
        let mut parts = jobs.split(',').filter(|p| !p.is_empty());
        for told in &mut read.jobs {
            let mut words = parts.next()?.split('.');
            let (began, offset, state) = (words.next()?, words.next()?, words.next()?);
            // A later attempt writes its log from the beginning.
            if began.parse() == Ok(told.began) {
                told.offset = offset.parse().ok()?;
            }
            told.state = STATES.iter().find(|(_, s)| *s == state).map(|(s, _)| *s);
        }
        parts.next().is_none().then_some(read)
    }

    /// Bytes of a job's log that were told.
    pub fn offset(&self, job: JobId) -> u64 {
        self.jobs.iter().find(|t| t.job == job).map_or(0, |t| t.offset)
    }

    /// What of an update is new to the follower.
    pub fn admit(&mut self, update: RunUpdate) -> Option<RunUpdate> {
        match update {
            RunUpdate::Log { job, name, offset, text } => {
                let Some(told) = self.jobs.iter_mut().find(|t| t.job == job) else {
                    return Some(RunUpdate::Log { job, name, offset, text });
                };
                let end = offset + text.len() as u64;
                if end <= told.offset && offset < told.offset {
                    return None;
                }
                let skip = usize::try_from(told.offset.saturating_sub(offset)).unwrap_or(usize::MAX);
                // A replaced byte is three in the text: then positions lie, and saying it twice is better than not at all.
                let exact = !text.contains(char::REPLACEMENT_CHARACTER);
                let text = match text.get(skip..).filter(|_| exact) {
                    Some(rest) => rest.to_owned(),
                    None => text,
                };
                told.offset = if exact { end } else { offset };
                Some(RunUpdate::Log { job, name, offset: end - text.len() as u64, text })
            }
            RunUpdate::Job { job } => {
                if let Some(told) = self.jobs.iter_mut().find(|t| t.job == job.id) {
                    if told.state == Some(job.state) {
                        return None;
                    }
                    told.state = Some(job.state);
                    let began = job.started_at.map_or(0, |t| t.0.0);
                    if began != told.began {
                        (told.began, told.offset) = (began, 0);
                    }
                }
                Some(RunUpdate::Job { job })
            }
            RunUpdate::Released { .. } if std::mem::replace(&mut self.released, true) => None,
            RunUpdate::RolloutStarted { .. } if std::mem::replace(&mut self.rollout, true) => None,
            RunUpdate::Released { .. } | RunUpdate::RolloutStarted { .. } | RunUpdate::Finished { .. } => Some(update),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.released { "v" } else { "" })?;
        f.write_str(if self.rollout { "o;" } else { ";" })?;
        for (n, told) in self.jobs.iter().enumerate() {
            let state = STATES.iter().find(|(s, _)| Some(*s) == told.state).map_or("-", |(_, s)| s);
            let comma = if n == 0 { "" } else { "," };
            write!(f, "{comma}{}.{}.{state}", told.began, told.offset)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_api::v1::{Job, JobKind, RunState, Time};
    use tradewind_model::time::Timestamp;

    fn id(n: u8) -> JobId {
        format!("01930000-0000-7000-8000-0000000000{n:02}").parse().unwrap()
    }

    fn job(n: u8, state: JobState, began: Option<i64>) -> Job {
        Job {
            id: id(n),
            name: format!("job {n}"),
            stage: "test".into(),
            kind: JobKind::Script,
            state,
            allow_failure: false,
            started_at: began.map(|t| Time(Timestamp(t))),
            finished_at: None,
            exit_code: None,
            message: None,
            log_bytes: 0,
            needs: None,
            attempt: 1,
            commands: Vec::new(),
            attempts: Vec::new(),
        }
    }

    fn run(jobs: Vec<Job>) -> Run {
        Run {
            id: "01930000-0000-7000-8000-000000000000".parse().unwrap(),
            service: "shop".parse().unwrap(),
            number: 1,
            commit: "0".repeat(40).parse().unwrap(),
            branch: "main".into(),
            title: None,
            env: None,
            state: RunState::Running,
            reason: None,
            requested_by: "x".into(),
            forge: None,
            created_at: Time(Timestamp(0)),
            started_at: None,
            finished_at: None,
            jobs,
            release: None,
            rollout: None,
        }
    }

    fn log(n: u8, offset: u64, text: &str) -> RunUpdate {
        RunUpdate::Log { job: id(n), name: format!("job {n}"), offset, text: text.into() }
    }

    fn told(cursor: &mut Cursor, updates: &[RunUpdate]) -> Vec<RunUpdate> {
        updates.iter().filter_map(|u| cursor.admit(u.clone())).collect()
    }

    #[test]
    fn a_stream_broken_anywhere_goes_on_without_gap_or_repetition() {
        let shown = run(vec![job(1, JobState::Success, Some(5)), job(2, JobState::Running, Some(7))]);
        let whole = [
            RunUpdate::Job { job: Box::new(job(1, JobState::Running, Some(5))) },
            log(1, 0, "one "),
            log(1, 4, "two 信风 three"),
            RunUpdate::Job { job: Box::new(job(1, JobState::Success, Some(5))) },
            RunUpdate::Job { job: Box::new(job(2, JobState::Running, Some(7))) },
            log(2, 0, "four"),
        ];
        // The second time, the log comes in other pieces, and only the last state of what ended is told.
        let again = [
            log(1, 0, "one two 信"),
            log(1, 11, "风 three"),
            RunUpdate::Job { job: Box::new(job(1, JobState::Success, Some(5))) },
            RunUpdate::Job { job: Box::new(job(2, JobState::Running, Some(7))) },
            log(2, 0, "four"),
        ];
        let texts = |updates: &[RunUpdate]| {
            let all = updates.iter().filter_map(|u| match u {
                RunUpdate::Log { text, .. } => Some(text.as_str()),
                _ => None,
            });
            all.collect::<String>()
        };
        for cut in 0..=whole.len() {
            let mut first = Cursor::resume(None, &shown);
            let before = told(&mut first, &whole[..cut]);
            let mut second = Cursor::resume(Some(&first.to_string()), &shown);
            assert_eq!(second.to_string(), first.to_string());
            let after = told(&mut second, &again);
            assert_eq!(texts(&before) + &texts(&after), "one two 信风 threefour", "cut at {cut}");
            assert!(told(&mut second, &again).is_empty());
        }
    }

    #[test]
    fn a_later_attempt_is_told_from_its_beginning() {
        let mut first = Cursor::resume(None, &run(vec![job(1, JobState::Running, Some(5))]));
        told(&mut first, &[log(1, 0, "first attempt")]);
        let mut second = Cursor::resume(Some(&first.to_string()), &run(vec![job(1, JobState::Running, Some(9))]));
        assert_eq!(told(&mut second, &[log(1, 0, "second")]).len(), 1);
    }

    #[test]
    fn an_id_of_something_else_means_the_beginning() {
        let shown = run(vec![job(1, JobState::Running, Some(5))]);
        let begin = Cursor::resume(None, &shown);
        for other in ["", "x", ";", ";1.2", ";5.3.r,5.3.r", "41", ";5.x.r"] {
            assert_eq!(Cursor::resume(Some(other), &shown), begin, "{other}");
        }
    }
}
