//! What a task has done, on disk before the next thing is done.

use crate::disk::{self, Outlives, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tradewind_model::{
    protocol::{
        agent::{DesiredTask, Exit, JobOutcome, TaskResult},
        command::CommandRun,
    },
    said::Said,
    time::Timestamp,
};

/// A task's folder.
#[derive(Clone, Debug)]
pub struct TaskFolder(PathBuf);

impl TaskFolder {
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }
    pub fn path(&self) -> &Path {
        &self.0
    }
    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }
    /// The job's files; its `CI_PROJECT_DIR`.
    pub fn work(&self) -> PathBuf {
        self.0.join("work")
    }
    pub fn home(&self) -> PathBuf {
        self.0.join("home")
    }
    pub fn tmp(&self) -> PathBuf {
        self.0.join("tmp")
    }
    pub fn download(&self) -> PathBuf {
        self.0.join("download")
    }
    /// The archive it made.
    pub fn packed(&self) -> PathBuf {
        self.0.join("packed.tar.zst")
    }
    /// The shell's text of a step; the job's user reads it.
    pub fn script(&self, step: &str) -> PathBuf {
        self.0.join(format!("{step}.sh"))
    }
    /// The shim's folder of a step.
    pub fn process(&self, step: &str) -> PathBuf {
        self.0.join(format!("{step}.process"))
    }

    pub fn record(&self, task: &DesiredTask) -> Result<()> {
        disk::folder(&self.0, 0o711)?;
        disk::write_json(&self.0.join("task.json"), task, Outlives::Process)
    }
    pub fn task(&self) -> Result<Option<DesiredTask>> {
        disk::read_json(&self.0.join("task.json"))
    }
    /// On disk for good before a script is started, lest a power cut make it run twice. The steps after it may be lost
    /// with the power: the shim's records say as much.
    pub fn write_journal(&self, journal: &Journal) -> Result<()> {
        let outlives = match journal.step {
            Step::Script => Outlives::Machine,
            Step::Workspace | Step::AfterScript { .. } | Step::Artifacts { .. } => Outlives::Process,
        };
        disk::write_json(&self.0.join("journal.json"), journal, outlives)
    }
    pub fn journal(&self) -> Result<Option<Journal>> {
        disk::read_json(&self.0.join("journal.json"))
    }
    /// From here on the task is done, whatever happens.
    pub fn write_end(&self, end: &End) -> Result<()> {
        disk::write_json(&self.0.join("end.json"), end, Outlives::Machine)
    }
    pub fn end(&self) -> Result<Option<End>> {
        disk::read_json(&self.0.join("end.json"))
    }

    /// Removes everything but the record of the end.
    pub fn tidy(&self) -> Result<()> {
        for name in disk::names(&self.0)? {
            if matches!(name.as_str(), "task.json" | "end.json") {
                continue;
            }
            let path = self.0.join(name);
            if path.is_dir() { disk::remove_folder(&path)? } else { disk::remove_file(&path)? }
        }
        Ok(())
    }
}

/// How far a job is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Journal {
    pub slot: usize,
    pub started_at: Timestamp,
    pub boot: String,
    /// Bytes of the log when the step began; what the step said is written again by whoever goes on with it.
    pub log: u64,
    pub step: Step,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Step {
    /// Fetching its files. Begun again from nothing.
    Workspace,
    /// From just before the script is started.
    Script,
    AfterScript {
        script: Ended,
    },
    Artifacts {
        script: Ended,
    },
}

/// How the script ended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Ended {
    pub outcome: JobOutcome,
    pub exit: Exit,
    pub message: Option<Said>,
    /// Of the script and, once that has run, of `after_script`.
    #[serde(default)]
    pub commands: Vec<CommandRun>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct End {
    pub result: TaskResult,
    pub started_at: Option<Timestamp>,
    pub finished_at: Timestamp,
    pub log_bytes: u64,
}

/// Names this run of the machine.
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}
