//! The API's states in words and colours.

use crate::table::Paint;
use tradewind_api::v1::{
    AuditProblem, FileChangeKind, Health, InstancePhase, Job, JobKind, JobState, RolloutKind, RolloutPhase, RunState,
    SecretChange, ServiceKind, SitePhase, Stand, Verdict,
};
use tradewind_model::fault::Lang;

/// English, Chinese, colour.
type Word = (&'static str, &'static str, Paint);

/// A job's name: the one that makes the release has none in any pipeline file.
pub fn job_name(job: &Job, lang: Lang) -> &str {
    match (job.kind, lang) {
        (JobKind::Script, _) => &job.name,
        (JobKind::Package, Lang::En) => "release",
        (JobKind::Package, Lang::Zh) => "制作发布包",
    }
}

/// Packaging has none that the pipeline's file names.
pub fn stage(job: &Job) -> Option<&str> {
    match job.kind {
        JobKind::Script => Some(&job.stage),
        JobKind::Package => None,
    }
}

/// A state as people read it.
pub trait Words: Copy {
    fn word(self) -> Word;

    fn say(self, lang: Lang) -> &'static str {
        let (en, zh, _) = self.word();
        match lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }
    fn paint(self) -> Paint {
        self.word().2
    }
}

impl Words for RunState {
    fn word(self) -> Word {
        match self {
            Self::Pending => ("pending", "等待中", Paint::Faint),
            Self::Running => ("running", "运行中", Paint::Warn),
            Self::Manual => ("waits for a person", "等待人工", Paint::Warn),
            Self::Success => ("success", "成功", Paint::Good),
            Self::SuccessWithWarnings => ("success with warnings", "成功（有警告）", Paint::Warn),
            Self::Failed => ("failed", "失败", Paint::Bad),
            Self::Canceling => ("canceling", "取消中", Paint::Warn),
            Self::Canceled => ("canceled", "已取消", Paint::Bad),
            Self::Skipped => ("skipped", "已跳过", Paint::Faint),
        }
    }
}

impl Words for JobState {
    fn word(self) -> Word {
        match self {
            Self::Created => ("created", "已创建", Paint::Faint),
            Self::Pending => ("pending", "等待中", Paint::Faint),
            Self::Running => ("running", "运行中", Paint::Warn),
            Self::Manual => ("waits for a person", "等待人工", Paint::Warn),
            Self::Success => ("success", "成功", Paint::Good),
            Self::Failed => ("failed", "失败", Paint::Bad),
            Self::Canceling => ("canceling", "取消中", Paint::Warn),
            Self::Canceled => ("canceled", "已取消", Paint::Bad),
            Self::Skipped => ("skipped", "已跳过", Paint::Faint),
        }
    }
}

impl Words for SecretChange {
    fn word(self) -> Word {
        match self {
            Self::Added => ("added", "新增", Paint::Good),
            Self::Removed => ("removed", "移除", Paint::Bad),
            Self::Replaced => ("another secret", "换用其他密钥", Paint::Warn),
            Self::Renewed => ("newer version", "更新的版本", Paint::Warn),
            Self::Same => ("same", "不变", Paint::Faint),
        }
    }
}

impl Words for Stand {
    fn word(self) -> Word {
        match self {
            Self::Live => ("live", "在线", Paint::Good),
            Self::Warm => ("warm", "热备", Paint::Good),
            Self::Cold => ("ran here before", "曾在此运行", Paint::Plain),
            Self::Left => ("rolled back from", "已被回滚", Paint::Faint),
            Self::Never => ("never completed here", "未在此完成过发布", Paint::Faint),
            Self::Unreadable => ("unreadable", "配置不可读", Paint::Warn),
        }
    }
}

impl Words for RolloutPhase {
    fn word(self) -> Word {
        match self {
            Self::Queued => ("queued", "排队中", Paint::Faint),
            Self::Running => ("running", "进行中", Paint::Warn),
            Self::Paused => ("paused", "已暂停", Paint::Warn),
            Self::Returning => ("returning", "回退中", Paint::Bad),
            Self::Completed => ("completed", "已完成", Paint::Good),
            Self::Failed => ("failed", "失败", Paint::Bad),
            Self::Aborted => ("aborted", "已中止", Paint::Bad),
            Self::Superseded => ("superseded", "被取代", Paint::Faint),
        }
    }
}

impl Words for RolloutKind {
    fn word(self) -> Word {
        match self {
            Self::Normal => ("rollout", "发布", Paint::Plain),
            Self::Hotfix => ("hotfix", "紧急修复", Paint::Plain),
            Self::Rollback => ("rollback", "回滚", Paint::Plain),
            Self::Drill => ("drill", "演练", Paint::Plain),
        }
    }
}

impl Words for SitePhase {
    fn word(self) -> Word {
        match self {
            Self::Waiting => ("waiting", "等待中", Paint::Faint),
            Self::Starting => ("starting", "启动中", Paint::Warn),
            Self::Shifting => ("shifting traffic", "切换流量", Paint::Warn),
            Self::Verifying => ("verifying", "验证中", Paint::Warn),
            Self::Judging => ("judging", "判定中", Paint::Warn),
            Self::Soaking => ("watching", "观察中", Paint::Warn),
            Self::Done => ("done", "完成", Paint::Good),
            Self::Returning => ("returning", "回退中", Paint::Bad),
            Self::Returned => ("returned", "已回退", Paint::Bad),
        }
    }
}

impl Words for Health {
    fn word(self) -> Word {
        match self {
            Self::Healthy => ("healthy", "健康", Paint::Good),
            Self::Degraded => ("degraded", "部分可用", Paint::Warn),
            Self::Down => ("down", "不可用", Paint::Bad),
            Self::Empty => ("nothing live", "未上线", Paint::Faint),
            Self::Unknown => ("unknown", "未知", Paint::Warn),
        }
    }
}

impl Words for InstancePhase {
    fn word(self) -> Word {
        match self {
            Self::Pending => ("pending", "等待中", Paint::Faint),
            Self::Starting => ("starting", "启动中", Paint::Warn),
            Self::Ready => ("ready", "就绪", Paint::Good),
            Self::Unhealthy => ("unhealthy", "不健康", Paint::Bad),
            Self::Draining => ("draining", "排空中", Paint::Warn),
            Self::Stopping => ("stopping", "停止中", Paint::Warn),
            Self::Stopped => ("stopped", "已停止", Paint::Faint),
            Self::Backoff => ("waits to restart", "等待重启", Paint::Bad),
            Self::Failed => ("failed", "失败", Paint::Bad),
        }
    }
}

impl Words for ServiceKind {
    fn word(self) -> Word {
        match self {
            Self::Web => ("web", "web", Paint::Plain),
            Self::Worker => ("worker", "worker", Paint::Plain),
            Self::Cron => ("cron", "cron", Paint::Plain),
        }
    }
}

impl Words for FileChangeKind {
    fn word(self) -> Word {
        match self {
            Self::Added => ("added", "新增", Paint::Good),
            Self::Removed => ("removed", "删除", Paint::Bad),
            Self::Changed => ("changed", "修改", Paint::Warn),
            Self::ModeChanged => ("mode changed", "属性变更", Paint::Warn),
        }
    }
}

impl Words for AuditProblem {
    fn word(self) -> Word {
        match self {
            Self::Altered => ("altered", "被篡改", Paint::Bad),
            Self::Removed => ("removed", "被删除", Paint::Bad),
            Self::Reordered => ("reordered", "被重排", Paint::Bad),
            Self::Renumbered => ("renumbered", "被重新编号", Paint::Bad),
            Self::HeadBehind => ("beyond the recorded end", "超出记录的末尾", Paint::Bad),
            Self::Rewritten => ("rewritten", "被改写", Paint::Bad),
            Self::Truncated => ("cut off", "被截断", Paint::Bad),
            Self::Unannounced => ("beginning gone", "开头缺失", Paint::Bad),
            Self::Forged => ("forged checkpoint", "伪造的检查点", Paint::Bad),
        }
    }
}

impl Words for Verdict {
    fn word(self) -> Word {
        match self {
            Self::Continue => ("no verdict yet", "尚无结论", Paint::Warn),
            Self::Worse => ("worse", "变差", Paint::Bad),
            Self::Better => ("good enough", "可以放行", Paint::Good),
            Self::Inconclusive => ("inconclusive", "无定论", Paint::Warn),
        }
    }
}
