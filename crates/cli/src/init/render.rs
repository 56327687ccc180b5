//! A recipe, written down: `tradewind.yaml` and its pipeline file, each line with its reason in the reader's language.

use super::{Recipe, Step};
use std::fmt::Write as _;
use tradewind_model::{fault::Lang, id::ServiceName, said, said::Said, workload::ServiceKind};

/// How wide a comment gets, in columns.
const WIDTH: usize = 112;

/// What is not in the recipe.
#[derive(Debug)]
pub struct Place<'a> {
    pub service: &'a ServiceName,
    /// Whose pushes are rolled out.
    pub branch: &'a str,
    pub pipeline: &'a str,
}

/// The text of `tradewind.yaml`.
pub fn spec(recipe: &Recipe, place: &Place<'_>, lang: Lang) -> String {
    let mut out = Writer { text: String::new(), lang };
    let flavour = &recipe.flavour;
    out.comment("", &said!(
        "How this service is built and run ({flavour}). `tradewind check` looks it over; every key is explained in the guide under \"the spec\".",
        "此服务（{flavour}）如何构建与运行。`tradewind check` 可随时检查；每个键的说明见使用指南的“服务说明”。",
        flavour = flavour
    ));
    out.line("version: 1");
    out.line(&format!("service: {}", place.service));
    out.comment(
        "",
        &said!(
            "web takes requests; worker takes none (order sync, stock push); cron runs on a schedule and ends.",
            "web 接收请求；worker 不接收请求（订单同步、库存推送）；cron 按计划运行后结束。"
        ),
    );
    out.line(match recipe.service {
        ServiceKind::Web => "kind: web",
        ServiceKind::Worker => "kind: worker",
        ServiceKind::Cron => "kind: cron",
    });
    out.blank();
    out.comment(
        "",
        &said!("The jobs that have to pass before there is a release.", "这些任务全部通过后才会产生版本。"),
    );
    out.line(&format!("pipeline: {}", word(place.pipeline)));
    artifact(recipe, &mut out);
    if let Some(prepare) = &recipe.prepare {
        out.blank();
        out.comment("", &prepare.why);
        out.line("prepare:");
        out.step("command", prepare);
        out.line("  timeout: 10m");
    }
    out.blank();
    out.line("run:");
    out.comment("  ", &recipe.run.why);
    for note in &recipe.notes {
        out.comment("  ", &said!("To do: {note}.", "待办：{note}。", note = note));
    }
    out.step("command", &recipe.run);
    if !recipe.env.is_empty() {
        let all: Vec<String> = recipe.env.iter().map(|(k, v)| format!("{k}: {}", word(v))).collect();
        out.comment(
            "  ",
            &said!(
                "Passwords and keys do not belong here: `tradewind secret set NAME`, then `secrets: [NAME]`.",
                "密码与密钥不要写在这里：执行 `tradewind secret set NAME`，再写 `secrets: [NAME]`。"
            ),
        );
        out.line(&format!("  env: {{ {} }}", all.join(", ")));
    }
    health(recipe, &mut out);
    if let Some(limit) = recipe.start_timeout {
        out.comment("  ", &said!("Until it has to be ready.", "就绪的时限。"));
        out.line(&format!("  start_timeout: {limit}"));
    }
    if recipe.service == ServiceKind::Web {
        out.comment(
            "  ",
            &said!(
                "Two, so that one may fail. Each gets a free port of its own in PORT.",
                "两个实例，其一出错也不中断；各自的空闲端口在 PORT 中。"
            ),
        );
        out.line("  instances: 2");
    }
    environments(recipe, place, &mut out);
    out.text
}

fn artifact(recipe: &Recipe, out: &mut Writer) {
    if recipe.paths.is_empty() && recipe.exclude.is_empty() {
        return;
    }
    out.blank();
    out.comment(
        "",
        &said!(
            "What goes into a release, out of the commit's files and the jobs' artifacts.",
            "放进版本的文件，取自提交的文件与任务的产物。"
        ),
    );
    out.line("artifact:");
    for (key, patterns) in [("paths", &recipe.paths), ("exclude", &recipe.exclude)] {
        if !patterns.is_empty() {
            let all: Vec<String> = patterns.iter().map(|p| word(p)).collect();
            out.line(&format!("  {key}: [{}]", all.join(", ")));
        }
    }
}

fn health(recipe: &Recipe, out: &mut Writer) {
    match (&recipe.health, recipe.service) {
        (Some(path), _) => {
            out.comment(
                "  ",
                &said!(
                    "Traffic comes only after this answers 2xx or 3xx, and a rollout goes back when it stops doing so.",
                    "此路径应答 2xx 或 3xx 后才接入流量；此后失败则发布会被退回。"
                ),
            );
            out.line(&format!("  health: {{ http: {} }}", word(path)));
        }
        (None, ServiceKind::Web) => {
            out.comment("  ", &said!(
                "Ready as soon as it accepts connections. A path that answers 200 only while the service can work finds more: { http: /healthz }",
                "能接受连接即视为就绪。更好的做法是提供一个仅在服务可用时应答 200 的路径：{ http: /healthz }"
            ));
            out.line("  health: { tcp: true }");
        }
        (None, ServiceKind::Worker | ServiceKind::Cron) => {}
    }
}

fn environments(recipe: &Recipe, place: &Place<'_>, out: &mut Writer) {
    if recipe.service == ServiceKind::Web {
        out.blank();
        out.comment("", &said!(
            "A new release starts beside the old one, gets all traffic when it is ready, and the old one stays warm for a way back. `canary` begins with a share and is judged.",
            "新版本在旧版本旁启动，就绪后接管全部流量，旧版本保持热备以便随时退回。`canary` 先分得一部分流量并接受判定。"
        ));
        out.line("strategy: { type: blue_green, warm: 15m }");
    }
    out.blank();
    out.line("environments:");
    out.line("  production:");
    out.comment(
        "    ",
        &said!("A push to this branch goes here once it is built.", "推送到此分支的提交，构建后发布到这里。"),
    );
    out.line(&format!("    branch: {}", word(place.branch)));
    if recipe.service == ServiceKind::Web {
        out.comment(
            "    ",
            &said!(
                "Every request that no other service names. With names: route: { hosts: [shop.example.com] }",
                "接收其他服务未声明的所有请求。指定域名：route: { hosts: [shop.example.com] }"
            ),
        );
        out.line("    route: { path: / }");
    }
}

/// The text of the pipeline file.
pub fn pipeline(recipe: &Recipe, lang: Lang) -> String {
    let job = &recipe.job;
    let mut out = Writer { text: String::new(), lang };
    out.comment("", &said!(
        "What has to pass before a release is made: a part of GitLab's language. A key that is not supported is refused by name.",
        "产生版本之前必须通过的任务：GitLab 语法的一部分。不支持的键会被指名拒绝。"
    ));
    out.line(&format!("stages: [{}]", job.name));
    out.blank();
    out.comment("", &job.why);
    out.line(&format!("{}:", job.name));
    out.line(&format!("  stage: {}", job.name));
    out.line("  timeout: 20 minutes");
    out.line("  script:");
    for line in &job.script {
        out.line(&format!("    - {}", scalar(line)));
    }
    if !job.artifacts.is_empty() {
        out.comment(
            "  ",
            &said!(
                "What the release takes from here; all else the job made is thrown away.",
                "版本会取用这些文件；任务产生的其他文件都会丢弃。"
            ),
        );
        out.line("  artifacts:");
        let all: Vec<String> = job.artifacts.iter().map(|p| word(p)).collect();
        out.line(&format!("    paths: [{}]", all.join(", ")));
    }
    out.text
}

struct Writer {
    text: String,
    lang: Lang,
}

impl Writer {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{line}");
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Above the line that it explains.
    fn comment(&mut self, indent: &str, said: &Said) {
        let width = WIDTH - indent.len() - 2;
        for line in wrapped(said.get(self.lang), width) {
            self.line(&format!("{indent}# {line}"));
        }
    }

    fn step(&mut self, key: &str, step: &Step) {
        let all: Vec<String> = step.words.iter().map(|w| word(w)).collect();
        self.line(&format!("  {key}: [{}]", all.join(", ")));
    }
}

/// Lines of at most `width` columns, broken at blanks, and behind Chinese characters where there is none.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};
    let (mut lines, mut line, mut wide) = (Vec::new(), String::new(), 0);
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        line.push(c);
        wide += c.width().unwrap_or(0);
        if wide <= width {
            continue;
        }
        let breaks = line.char_indices().rev().skip(1);
        let stays = |c: char| matches!(c, '，' | '。' | '；' | '：' | '、' | '）' | '”');
        let after = |at: usize| line[at..].chars().nth(1);
        let found = breaks
            .filter(|(at, c)| *c == ' ' || (c.width() == Some(2) && after(*at).is_some_and(|n| !stays(n))))
            .map(|(at, c)| at + c.len_utf8())
            .find(|at| *at > line.len() / 2);
        if let Some(at) = found {
            let rest = line.split_off(at);
            lines.push(std::mem::replace(&mut line, rest).trim_end().to_owned());
            wide = line.width();
        }
    }
    lines.push(line);
    lines
}

/// A word within a flow sequence or mapping, quoted where YAML would read it as something else.
fn word(text: &str) -> String {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '.' | '/' | '_'))
        || (text.starts_with('-') && text.len() > 1 && !text.starts_with("- "));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-' | '=' | '+' | '@');
    let means = ["true", "false", "yes", "no", "on", "off", "null", "~", "y", "n"];
    if begins && text.chars().all(plain) && !means.contains(&text.to_ascii_lowercase().as_str()) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A line of a script.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-' | '=' | '+' | '@' | ' ');
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain) && !text.ends_with(' ') {
        text.to_owned()
    } else {
        quoted(text)
    }
}

fn quoted(text: &str) -> String {
    if text.chars().any(char::is_control) {
        serde_json::to_string(text).unwrap_or_default()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::yaml;

    #[test]
    fn every_word_comes_back_as_it_was() {
        for text in [
            "node",
            "-u",
            "--bind",
            "a: b",
            "x # y",
            "it's",
            "[a]",
            "{b}",
            "yes",
            "1.10",
            "a,b",
            "\"$PORT\"",
            "*",
            "&a",
            "!x",
            "| y",
            "> z",
            "%a",
            "@b",
            "`c`",
            "- a",
            "-",
            "",
            " lead",
            "trail ",
            "tab\tbed",
            "two\nlines",
            "订单",
            "\u{1b}[2J",
        ] {
            for source in [format!("v: [{}]", word(text)), format!("v:\n  - {}", scalar(text))] {
                let root =
                    yaml::parse("f", &source, &yaml::Options::default()).unwrap_or_else(|f| panic!("{source}: {f}"));
                let list = root.as_mapping().unwrap().get("v").unwrap().as_sequence().unwrap();
                assert_eq!(list[0].as_text(), Some(text), "{source}");
            }
        }
    }

    #[test]
    fn comments_are_broken_where_one_reads_on() {
        let english = wrapped("one two three four five", 10);
        assert_eq!(english, ["one two", "three", "four five"]);
        let chinese = wrapped("新版本在旧版本旁启动，就绪后接管全部流量", 20);
        assert!(chinese.iter().all(|l| !l.starts_with('，')), "{chinese:?}");
        assert_eq!(chinese.concat(), "新版本在旧版本旁启动，就绪后接管全部流量");
    }
}
