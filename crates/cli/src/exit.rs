//! Exit codes: documented, and the same for every verb.

use crate::text::Text;

/// What a command ends with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Done.
    Ok,
    /// It was done and ended badly: a failed build, a rollout that returned, a specification with faults.
    Failed,
    /// The command line, or its stdin, is not understood.
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

    pub fn about(self) -> Text {
        match self {
            Self::Ok => Text { en: "Done.", zh: "完成。" },
            Self::Failed => Text {
                en: "It was done and ended badly: a failed build, a rollout that went back, a file with faults, a broken chain.",
                zh: "执行完毕但结果不好：构建失败、发布被退回、文件有误、事件链损坏。",
            },
            Self::Usage => Text {
                en: "The command line, or what it was given on stdin, is not understood.",
                zh: "命令行或标准输入的内容无法识别。",
            },
            Self::Refused => Text {
                en: "Refused, with a code, what happened and what to do.",
                zh: "被拒绝，并给出代码、原因和处理办法。",
            },
            Self::Unreachable => Text { en: "The server does not answer.", zh: "服务器没有应答。" },
            Self::TimedOut => Text {
                en: "It did not end within `--timeout`; it goes on by itself.",
                zh: "在 `--timeout` 内没有结束；它会自行继续。",
            },
            Self::Broken => {
                Text { en: "A fault of the machine or of Tradewind itself.", zh: "机器或信风自身的故障。" }
            }
            Self::Interrupted => {
                Text { en: "Ctrl-C; what was begun goes on by itself.", zh: "Ctrl-C；已开始的会自行继续。" }
            }
        }
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
