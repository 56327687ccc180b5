//! A run in the pusher's terminal: a line where something begins or ends, and what jobs write behind their names.

use std::collections::HashMap;
use tradewind_api::v1::{Job, JobState, Run, RunState, RunUpdate};
use tradewind_model::{
    fault::{Lang, Text},
    id::JobId,
    pipeline::plan,
};

const BEGINS: Text = Text { en: "=> {job}: started", zh: "=> {job}：开始" };
const NEEDS_PERSON: Text = Text { en: "=> {job}: waits for a person to start it", zh: "=> {job}：等待手动启动" };
const PASSED: Text = Text { en: "=> {job}: passed{took}", zh: "=> {job}：通过{took}" };
const FAILED: Text = Text { en: "=> {job}: FAILED{took}{why}", zh: "=> {job}：失败{took}{why}" };
const MAY_FAIL: Text =
    Text { en: "=> {job}: failed{took}{why}, which is allowed", zh: "=> {job}：失败{took}{why}（允许失败）" };
const CANCELED: Text = Text { en: "=> {job}: cancelled", zh: "=> {job}：已取消" };
const SKIPPED: Text = Text { en: "=> {job}: left out", zh: "=> {job}：未执行" };
const TOOK: Text = Text { en: " in {seconds} s", zh: "，用时 {seconds} 秒" };
const WHY: Text = Text { en: ": {why}", zh: "：{why}" };
const EXIT: Text = Text { en: ": exit code {code}", zh: "：退出码 {code}" };
const PACKAGE: Text = Text { en: "release", zh: "制作发布包" };
const RELEASE: Text = Text { en: "Release {label} ({digest})", zh: "发布版本 {label}（{digest}）" };
const ROLLOUT: Text = Text {
    en: "Rollout to {env} has begun and goes on by itself. Follow it with:\n    tradewind rollout show {id}",
    zh: "已开始发布到 {env}，将自动继续。查看进度：\n    tradewind rollout show {id}",
};
const WAITING: Text = Text {
    en: "Rollout to {env} waits: {why}.\nIt goes on by itself when its turn comes. Follow it with:\n    tradewind rollout show {id}",
    zh: "到 {env} 的发布正在等待：{why}。\n轮到时将自动继续。查看进度：\n    tradewind rollout show {id}",
};
const OUTLOOK: Text = Text { en: "The judge: {text}", zh: "判定：{text}" };
const NOWHERE: Text = Text {
    en: "The branch {branch} leads to no environment: deploy it with `tradewind deploy {service} --release {label} --env ENV`",
    zh: "分支 {branch} 未对应任何环境：可用 `tradewind deploy {service} --release {label} --env ENV` 部署",
};
const BUILD_FAILED: Text = Text {
    en: "The build FAILED: nothing was released, and what is live stays as it is. The push itself is stored.",
    zh: "构建失败：未产生发布版本，线上保持不变。推送内容已保存。",
};
const BUILD_CANCELED: Text = Text {
    en: "The run was cancelled: nothing was released. The push itself is stored.",
    zh: "运行已取消：未产生发布版本。推送内容已保存。",
};
const NOTHING_TO_RUN: Text = Text {
    en: "The pipeline leaves nothing to run for this push.",
    zh: "流水线规则下，此次推送没有需要运行的任务。",
};
const BECAUSE: Text = Text { en: "Because: {reason}", zh: "原因：{reason}" };
const WAITS: Text = Text { en: "=> the run {reason}", zh: "=> 运行暂停：{reason}" };
const RUN: Text = Text {
    en: "Run {number} of {service}, commit {commit} on {branch}",
    zh: "{service} 的运行 {number}：{branch} 上的提交 {commit}",
};

/// A job's line is cut here: a terminal shows no more, and the whole is in the log.
const LINE_LIMIT: usize = 4096;

/// One run's story. Keeps the beginnings of lines whose ends have not come.
pub struct Story {
    lang: Lang,
    open: HashMap<JobId, Lines>,
    waits: Option<String>,
}

/// What a job writes.
struct Lines {
    /// What its lines begin with.
    name: String,
    /// A line whose end has not come.
    rest: String,
}

impl Story {
    pub fn new(lang: Lang) -> Self {
        Self { lang, open: HashMap::new(), waits: None }
    }

    pub fn begins(&self, run: &Run) -> String {
        let (number, service) = (run.number.to_string(), run.service.as_str());
        self.say(
            &RUN,
            &[("number", &number), ("service", service), ("commit", run.commit.short()), ("branch", &run.branch)],
        )
    }

    /// Lines for the terminal; empty when there is nothing to say yet.
    pub fn tell(&mut self, update: &RunUpdate) -> String {
        match update {
            RunUpdate::Log { job, name, text, .. } => self.log(*job, name, text),
            RunUpdate::Job { job } if job.state == JobState::Running => self.begin(job.id, &job.name),
            RunUpdate::Job { job } => {
                let rest = if job.state.is_finished() { self.rest(job.id) } else { String::new() };
                format!("{rest}{}", self.job(job))
            }
            RunUpdate::Released { release } => {
                let digest = format!("{}…", release.digest.short());
                self.say(&RELEASE, &[("label", &release.label), ("digest", &digest)])
            }
            RunUpdate::RolloutStarted { id, env, outlook, waits_for, .. } => {
                let (text, why) = waits_for.as_ref().map_or((&ROLLOUT, ""), |why| (&WAITING, why.as_str()));
                let begun = self.say(text, &[("env", env.as_str()), ("id", &id.to_string()), ("why", why)]);
                let outlook = outlook.as_ref().map(|text| self.say(&OUTLOOK, &[("text", text)]));
                format!("{begun}{}", outlook.unwrap_or_default())
            }
            RunUpdate::Finished { run } => self.end(run),
        }
    }

    /// Why nothing happens, said once for each reason.
    pub fn waits(&mut self, run: &Run) -> String {
        match &run.reason {
            Some(reason) if !run.state.is_finished() && self.waits.as_ref() != Some(reason) => {
                self.waits = Some(reason.clone());
                self.say(&WAITS, &[("reason", reason)])
            }
            _ => String::new(),
        }
    }

    /// What is filled in comes from builds, hosts and people: none of it may steer the terminal.
    fn say(&self, text: &Text, args: &[(&str, &str)]) -> String {
        let args: Vec<(&str, String)> = args.iter().map(|(name, value)| (*name, plain(value))).collect();
        text.fill(self.lang, &args) + "\n"
    }

    /// Said once, by whichever is first: its state, or what it writes.
    fn begin(&mut self, job: JobId, name: &str) -> String {
        if self.open.contains_key(&job) {
            return String::new();
        }
        let name = self.named(name);
        let said = self.say(&BEGINS, &[("job", name)]);
        self.open.insert(job, Lines { name: plain(name), rest: String::new() });
        said
    }

    fn log(&mut self, job: JobId, name: &str, text: &str) -> String {
        let mut out = self.begin(job, name);
        let Some(Lines { name, rest }) = self.open.get_mut(&job) else { return out };
        rest.push_str(text);
        if let Some(end) = rest.rfind('\n') {
            let begun = rest.split_off(end + 1);
            let whole = std::mem::replace(rest, begun);
            whole.split_inclusive('\n').for_each(|line| out.push_str(&shown(name, line)));
        }
        if rest.len() > LINE_LIMIT {
            out.push_str(&shown(name, &std::mem::take(rest)));
        }
        out
    }

    fn rest(&mut self, job: JobId) -> String {
        match self.open.remove(&job) {
            Some(Lines { name, rest }) if !rest.is_empty() => shown(&name, &rest),
            _ => String::new(),
        }
    }

    /// The pipeline's own jobs are named for people.
    fn named<'a>(&self, name: &'a str) -> &'a str {
        if name == plan::PACKAGE { PACKAGE.get(self.lang) } else { name }
    }

    fn job(&self, job: &Job) -> String {
        let name = self.named(&job.name);
        let took = job.started_at.zip(job.finished_at).map(|(a, b)| b.0.since(a.0));
        let took =
            took.map_or_else(String::new, |t| TOOK.fill(self.lang, &[("seconds", format!("{:.1}", t.as_secs_f64()))]));
        let why = match (&job.message, job.exit_code) {
            (Some(message), _) => WHY.fill(self.lang, &[("why", message)]),
            (None, Some(code)) => EXIT.fill(self.lang, &[("code", code.to_string())]),
            (None, None) => String::new(),
        };
        let text = match job.state {
            JobState::Created | JobState::Pending | JobState::Running | JobState::Canceling => return String::new(),
            JobState::Manual => &NEEDS_PERSON,
            JobState::Success => &PASSED,
            JobState::Failed if job.allow_failure => &MAY_FAIL,
            JobState::Failed => &FAILED,
            JobState::Canceled => &CANCELED,
            JobState::Skipped => &SKIPPED,
        };
        self.say(text, &[("job", name), ("took", &took), ("why", &why)])
    }

    fn end(&self, run: &Run) -> String {
        let because = run.reason.as_ref().map(|r| self.say(&BECAUSE, &[("reason", r)])).unwrap_or_default();
        match run.state {
            RunState::Success | RunState::SuccessWithWarnings => match (&run.release, &run.env) {
                (Some(release), None) => {
                    let service = run.service.as_str();
                    self.say(&NOWHERE, &[("branch", &run.branch), ("service", service), ("label", &release.label)])
                }
                // A rollout that was refused is the run's reason.
                _ => because,
            },
            RunState::Failed => format!("{}{because}", self.say(&BUILD_FAILED, &[])),
            RunState::Canceled | RunState::Canceling => format!("{}{because}", self.say(&BUILD_CANCELED, &[])),
            RunState::Skipped => self.say(&NOTHING_TO_RUN, &[]),
            RunState::Pending | RunState::Running | RunState::Manual => because,
        }
    }
}

fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A line of a job, without what would steer a terminal or another job's lines: colours stay, and end with the line.
fn shown(name: &str, line: &str) -> String {
    // A progress bar overwrites its line: what it ends with counts.
    let line = line.trim_end_matches(['\n', '\r']);
    let line = line.rsplit('\r').next().unwrap_or_default();
    let (mut out, mut coloured) = (format!("{name} | "), false);
    let (mut rest, mut room) = (line, LINE_LIMIT);
    while let Some(c) = rest.chars().next().filter(|_| room > 0) {
        let length = colour(rest).unwrap_or(0);
        if length > 0 {
            out.push_str(&rest[..length]);
            coloured = true;
        } else if !c.is_control() || c == '\t' {
            out.push(c);
        }
        let taken = length.max(c.len_utf8());
        room = room.saturating_sub(taken);
        rest = &rest[taken..];
    }
    out.push_str(if coloured { "\x1b[0m\n" } else { "\n" });
    out
}

/// Bytes of the sequence at the beginning of `text` that sets colours (`ESC [ 1;31 m`); every other sequence moves the
/// cursor, renames the window, fills the clipboard, or worse.
fn colour(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\x1b[")?;
    let end = numbers.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
    numbers[end..].starts_with('m').then_some("\x1b[".len() + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_a_job_writes_only_colours_reach_the_terminal() {
        let cases = [
            ("\x1b[1;32mok\x1b[0m\n", "build | \x1b[1;32mok\x1b[0m\x1b[0m\n"),
            ("\x1b]52;c;cm0gLXJm\x07\n", "build | ]52;c;cm0gLXJm\n"),
            ("\x1b[2J\x1b[1;1Hgone\n", "build | [2J[1;1Hgone\n"),
            ("\u{9b}2Jgone\x08\x08\n", "build | 2Jgone\n"),
            ("10%\r50%\r100%\r\n", "build | 100%\n"),
            ("a\tb 信风 \x1b", "build | a\tb 信风 \n"),
            ("\x1b[31", "build | [31\n"),
        ];
        for (line, expected) in cases {
            assert_eq!(shown("build", line), expected);
        }
        assert_eq!(shown("build", &"x".repeat(2 * LINE_LIMIT)).len(), "build | \n".len() + LINE_LIMIT);
    }

    #[test]
    fn pieces_of_a_log_are_told_line_by_line() {
        let job: JobId = "01930000-0000-7000-8000-000000000001".parse().unwrap();
        let mut story = Story::new(Lang::En);
        let mut told = String::new();
        for piece in ["one\ntw", "o\n\nth", "ree"] {
            told += &story.log(job, "bu\x1bild", piece);
        }
        told += &story.rest(job);
        assert_eq!(told, "=> bu ild: started\nbu ild | one\nbu ild | two\nbu ild | \nbu ild | three\n");
        assert_eq!(story.say(&BECAUSE, &[("reason", "a\nb\x1b[2J")]), "Because: a b [2J\n");
    }
}
