use crate::sent::{NOW, SECRET, Sent, body};
use proptest::prelude::*;
use serde_json::Value;
use tradewind_forges::{BadPayload, Branch, Event, Kind, plain, read};

/// What people put into names to make something else of them.
const TRICKS: &[&str] = &[
    "; reboot",
    "$(id)",
    "`id`",
    "a|b",
    "a\nb",
    "--upload-pack=touch /tmp/x",
    "-rf",
    "..",
    "../../etc/passwd",
    "a/../b",
    "a\u{0}b",
    "\u{1b}[2J",
    "a\r\nX-Injected: 1",
    "\u{202e}niam",
    "ma\u{200b}in",
    "main\u{feff}",
    "\u{e0041}",
    "%2e%2e%2f",
    "a//b",
    "/a",
    "a/",
    ".a",
    "a.lock",
    "a@{1}",
    "@",
    "a b",
    "a:b",
    "a^{commit}",
    "~1",
    "<script>alert(1)</script>",
    "\u{ff0e}\u{ff0e}",
    "",
];

fn with_ref(kind: Kind, name: &str) -> Vec<u8> {
    let mut value: Value = serde_json::from_str(body(kind)).unwrap();
    match kind {
        Kind::Bitbucket => {
            let change = &mut value["push"]["changes"][0];
            change["new"]["name"] = name.into();
            change["old"]["name"] = name.into();
        }
        Kind::Github | Kind::Gitlab | Kind::Gitea | Kind::Gitee => value["ref"] = format!("refs/heads/{name}").into(),
    }
    value.to_string().into_bytes()
}

fn event(kind: Kind) -> &'static str {
    match kind {
        Kind::Github | Kind::Gitea => "push",
        Kind::Gitlab | Kind::Gitee => "Push Hook",
        Kind::Bitbucket => "repo:push",
    }
}

#[test]
fn a_branch_is_a_name_that_git_takes_and_nothing_else() {
    for name in TRICKS {
        for kind in Kind::ALL {
            match read(kind, event(kind), &with_ref(kind, name)) {
                Err(BadPayload::Branch(_)) => {}
                Ok(Event::Pushes(pushes)) => {
                    // Those that remain are harmless where words are arguments, not text: see the test of the fetch.
                    assert!(
                        ["$(id)", "`id`", "a|b", "\u{ff0e}\u{ff0e}", "%2e%2e%2f", "<script>alert(1)</script>"]
                            .contains(name),
                        "{name:?}"
                    );
                    assert_eq!(pushes[0].branch.as_str(), *name);
                }
                other => panic!("{kind} {name:?}: {other:?}"),
            }
        }
    }
    for good in ["main", "release/11.11", "功能/价格", "feature_x-1.2", "a@b", "#1"] {
        good.parse::<Branch>().unwrap();
    }
}

#[test]
fn who_pushed_is_one_line_without_hidden_characters() {
    for name in TRICKS.iter().filter(|n| !n.is_empty()) {
        let mut value: Value = serde_json::from_str(body(Kind::Github)).unwrap();
        value["pusher"]["name"] = (*name).into();
        let Ok(Event::Pushes(pushes)) = read(Kind::Github, "push", value.to_string().as_bytes()) else { panic!() };
        let shown = &pushes[0].pusher;
        assert!(
            !shown.chars().any(|c| c.is_control() || ('\u{200b}'..='\u{202e}').contains(&c)),
            "{name:?}: {shown:?}"
        );
        assert!(shown.chars().count() <= 80);
    }
    assert_eq!(plain(&"长".repeat(10_000), 5), "长长长长长");
    assert_eq!(plain("a\u{202e}\n\tb", 80), "a b");
}

#[test]
fn a_commit_is_hexadecimal() {
    for bad in ["", "HEAD", "--exec=id", "0d1a26e", &"g".repeat(40), &"A".repeat(40), &"0".repeat(41)] {
        let mut value: Value = serde_json::from_str(body(Kind::Github)).unwrap();
        value["after"] = bad.into();
        assert!(read(Kind::Github, "push", value.to_string().as_bytes()).is_err(), "{bad:?}");
    }
}

#[test]
fn bombs_are_refused_and_stay_cheap() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!(r#"{{"ref":{}1{}}}"#, r#"{"a":"#.repeat(50_000), "}".repeat(50_000));
    let twice = body(Kind::Github).replacen(r#""ref":"#, r#""ref": "refs/heads/x", "ref":"#, 1);
    let mut many: Value = serde_json::from_str(body(Kind::Bitbucket)).unwrap();
    let change = many["push"]["changes"][0].clone();
    many["push"]["changes"] = vec![change; 10_000].into();
    for (kind, bomb) in [
        (Kind::Github, deep),
        (Kind::Github, nested),
        (Kind::Github, twice),
        (Kind::Github, "payload=%7B%22ref%22%3A1%7D".into()),
        (Kind::Github, "null".into()),
        (Kind::Github, String::new()),
        (Kind::Bitbucket, many.to_string()),
    ] {
        assert!(read(kind, event(kind), bomb.as_bytes()).is_err());
    }
    assert!(read(Kind::Github, "push", b"\xff\xfe{}").is_err());
}

#[test]
fn headers_of_any_kind_are_read_or_refused() {
    for name in TRICKS {
        for header in ["X-GitHub-Event", "X-GitHub-Delivery"] {
            let sent = Sent::by(Kind::Github).set(header, name);
            if let Ok(verified) = sent.arrives(SECRET, NOW) {
                let shown = format!("{} {}", verified.event, verified.delivery);
                assert!(shown.bytes().all(|b| b.is_ascii_graphic() || b == b' '), "{name:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn nothing_that_comes_in_brings_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..2_000), at in 0..2_000_usize) {
        for kind in Kind::ALL {
            let _ = read(kind, event(kind), &bytes);
            let mut body = body(kind).as_bytes().to_vec();
            let at = at % body.len();
            let cut = bytes.len().min(body.len() - at).min(20);
            body[at..at + cut].copy_from_slice(&bytes[..cut]);
            let _ = read(kind, event(kind), &body);
            let mut sent = Sent::by(kind);
            for (n, (_, value)) in sent.headers.iter_mut().enumerate() {
                if bytes.get(n).is_some_and(|b| b % 3 == 0) {
                    *value = bytes.clone();
                }
            }
            let _ = sent.arrives(SECRET, NOW);
        }
    }
}
