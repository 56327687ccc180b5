//! What a job's script did, command by command.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// So many commands of a job are reported; of more, the first.
pub const MOST_COMMANDS: usize = 1000;
/// Bytes of a command's text that are reported.
pub const LONGEST_COMMAND: usize = 400;

/// One command of a job's script that its shell came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CommandRun {
    /// Its place in `JobWork::script` or, where `after`, in `JobWork::after_script`; from 0.
    pub n: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub after: bool,
    /// Its first line as the log has it, so without secrets; at most [`LONGEST_COMMAND`] bytes.
    pub text: String,
    pub started_at: Timestamp,
    /// `None`: it has not ended, or nobody saw it end.
    pub finished_at: Option<Timestamp>,
    /// `None`: it has not ended, or ended by a signal.
    pub exit_code: Option<i32>,
    /// The line of the job's log that names it, from 1; `None` where the log was full.
    pub line: Option<u64>,
}
