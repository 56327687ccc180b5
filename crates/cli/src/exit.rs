//! Exit codes: documented, and the same for every verb.

/// What a command ends with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Done.
    Ok,
    /// It was done and ended badly: a failed build, a rollout that returned, a specification with faults.
    Failed,
    /// The command line is not understood.
    Usage,
    /// Refused, with a code and what to do.
    Refused,
    /// The server does not answer.
    Unreachable,
    /// It did not end within `--timeout`; it goes on by itself.
    TimedOut,
    /// A fault of the machine or of Tradewind itself.
    Broken,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::Failed,
        Self::Usage,
        Self::Refused,
        Self::Unreachable,
        Self::TimedOut,
        Self::Broken,
        Self::Interrupted,
    ];

    /// What a process of ours ended with; a signal or anything unknown is `Broken`.
    pub fn of(code: Option<i32>) -> Self {
        Self::ALL.into_iter().find(|e| code == Some(i32::from(e.code()))).unwrap_or(Self::Broken)
    }

    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Unreachable => 4,
            Self::TimedOut => 5,
            Self::Broken => 70,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(e: Exit) -> Self {
        Self::from(e.code())
    }
}
