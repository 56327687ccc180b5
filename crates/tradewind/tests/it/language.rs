//! What machines say, as somebody reads it who reads Chinese.

use crate::{
    checkout::Checkout,
    harness::{Folder, text},
};

const PIPELINE: &str = "test:\n  script: [echo all is well]\n";

/// Answers everything with the status it is told.
const APP: &str = r#"
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(os.environ["ANSWER"]))
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"#;

fn spec(command: &str, answer: &str) -> String {
    format!(
        "version: 1\nservice: shop\nrun:\n  command: {command}\n  env: {{ ANSWER: '{answer}' }}\n  \
         health: {{ tcp: true }}\n  start_timeout: 5s\n  stop: {{ drain: 0s }}\nenvironments:\n  production:\n    \
         branch: main\n    strategy: {{ soak: 0s }}\n"
    )
}

/// English in a text: two words and more in a row that are no command, which ends its line. What programs and the operating system say in
/// their own words, and lines of logs, do not count.
fn english(text: &str) -> Vec<String> {
    let own = ["Internal Server Error", "Connection refused", "os error", " ms "];
    let mut found = Vec::new();
    for line in text.lines().filter(|l| !l.contains(" │ ")) {
        let line = own.iter().fold(line.to_owned(), |line, words| line.replace(words, ""));
        let line = line.split("tradewind ").next().unwrap_or_default();
        let prose = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        // What has a digit in it is a commit or an id, and no word.
        let is_word = |run: &&str| !run.contains(|c: char| c.is_ascii_digit());
        let prose: String = prose
            .split_inclusive(|c: char| !c.is_ascii_alphanumeric())
            .map(|run| {
                if is_word(&run) {
                    run.to_owned()
                } else {
                    format!("0{}", run.trim_start_matches(|c: char| c.is_ascii_alphanumeric()))
                }
            })
            .collect();
        let letter = |c: char| c.is_ascii_alphabetic() || c == ' ' || c == '\'';
        for words in prose.split(|c| !letter(c)).map(str::trim) {
            let many = words.split(' ').filter(|w| w.len() > 1).count() > 1;
            if many && !words.contains("  ") {
                found.push(format!("{words} ({line})"));
            }
        }
    }
    found
}

#[test]
fn failures_and_reports_are_told_in_chinese_without_an_english_sentence() {
    let folder = Folder::new();
    let up = folder.up();
    let checkout = Checkout::new(&folder);
    checkout.commit(
        "一",
        &[("app.py", APP), ("tradewind.yaml", &spec("[python3, -S, app.py]", "200")), (".gitlab-ci.yml", PIPELINE)],
    );
    checkout.log_in(&up);
    let say = |words: &str| {
        let line = format!("--lang zh-CN {words}");
        let out = checkout.run(&folder.program, &line.split(' ').collect::<Vec<_>>());
        // Of what git says, what the server told it.
        let told = text(&out.stderr).lines().filter(|l| l.starts_with("remote: ")).collect::<Vec<_>>().join("\n");
        let said = format!("{}{told}", text(&out.stdout));
        println!("tradewind {line}\n{said}");
        assert_eq!(english(&said), Vec::<String>::new(), "tradewind {words}");
        (said, out.status.code())
    };

    // A release that is verified.
    let (said, code) = say("push --wait");
    assert!(code == Some(0) && said.contains("已创建服务 shop。"), "{said}");
    let (shown, _) = say("rollout show shop");
    for words in ["v1 已上线", "✓ 实例 ", "已就绪，地址 127.0.0.1:", "✓ 边缘代理 localhost/", "返回 200 OK，由实例 "]
    {
        assert!(shown.contains(words), "{words}");
    }

    // A build that fails.
    checkout.commit("二", &[(".gitlab-ci.yml", "test:\n  script: [exit 7]\n")]);
    let (said, code) = say("push --wait");
    assert!(code == Some(1) && said.contains("：退出码 7"), "{said}");
    assert!(say("run show --service shop").0.contains("退出码 7"));

    // Instances that exit at once.
    checkout.commit("三", &[(".gitlab-ci.yml", PIPELINE), ("tradewind.yaml", &spec("[sh, -c, exit 3]", "200"))]);
    assert_eq!(say("push --wait").1, Some(1));
    let (shown, _) = say("rollout show shop");
    assert!(shown.contains("以退出码 3 结束"), "{shown}");
    assert!(say("status shop").0.contains("队列已关闭"));
    assert!(say("rollout list shop").0.contains("以退出码 3 结束"));
    assert_eq!(say("acknowledge shop --env production --note 已看过").1, Some(0));

    // A verification that fails: the port is open, and nothing good comes out of it.
    checkout.commit("四", &[("tradewind.yaml", &spec("[python3, -S, app.py]", "500"))]);
    assert_eq!(say("push --wait").1, Some(1));
    let (shown, _) = say("rollout show shop");
    for words in
        ["✗ 边缘代理 localhost/", "返回 500 Internal Server Error，由实例 ", "上的验证失败：边缘代理 localhost/"]
    {
        assert!(shown.contains(words), "{words}");
    }
}

#[test]
fn what_counts_as_english_is_words_and_no_commits() {
    assert_eq!(english("  main aa6d8a8c26  二"), [""; 0]);
    assert_eq!(english("v2 已上线（found nothing at all）").len(), 1);
    assert_eq!(english("用 `tradewind run list` 查看"), [""; 0]);
}
