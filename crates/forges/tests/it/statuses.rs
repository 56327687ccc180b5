use tradewind_forges::{
    Kind, Repository,
    status::{Answer, Report, State, Target, answer, request},
};

const TOKEN: &str = "glpat-not-a-real-one";

fn told(kind: Kind, known: Option<&str>, state: State, link: Option<&str>) -> String {
    let repository: Repository = match kind {
        Kind::Github => "https://github.com/haixin/shop",
        Kind::Gitlab => "https://git.haixin.example/erp/sync/shop",
        Kind::Gitea => "https://code.haixin.example/ops/prices",
        Kind::Gitee => "https://gitee.com/haixin/order-sync",
        Kind::Bitbucket => "https://bitbucket.org/haixin/repricer",
    }
    .parse()
    .unwrap();
    let commit = "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c".parse().unwrap();
    let target = Target { kind, repository: &repository, api: &repository.api(kind), commit: &commit, known };
    let report = Report {
        state,
        context: "tradewind/shop/production".into(),
        text: "Rollout: 25 % of shopee-br".into(),
        link: link.map(str::to_owned),
    };
    let request = request(&target, TOKEN, &report);
    let mut out = format!("{:?} {}\n", request.method, request.url);
    for (name, value) in &request.headers {
        out += &format!("{name}: {}\n", value.as_str());
    }
    out + &request.body + "\n"
}

#[test]
fn each_forge_is_told_in_its_own_words() {
    let mut all = String::new();
    for kind in Kind::ALL {
        all += &told(kind, None, State::Running, Some("https://deploy.haixin.example/runs/7"));
        all += "\n";
    }
    all += &told(Kind::Gitee, Some("815"), State::Failure, None);
    all += "\n";
    all += &told(Kind::Bitbucket, None, State::Canceled, None);
    insta::assert_snapshot!(all);
}

#[test]
fn every_state_has_a_word_everywhere() {
    let words: Vec<String> = Kind::ALL
        .into_iter()
        .map(|kind| {
            let words = State::ALL.map(|state| {
                let body = told(kind, None, state, None);
                let body: serde_json::Value = serde_json::from_str(body.lines().last().unwrap()).unwrap();
                let word = |name| body[name].as_str().unwrap_or_default().to_owned();
                [word("state"), word("status"), word("conclusion")].concat()
            });
            format!("{kind}: {}", words.join(" "))
        })
        .collect();
    insta::assert_snapshot!(words.join("\n"));
}

#[test]
fn a_token_shows_only_where_it_is_sent() {
    let repository: Repository = "https://gitee.com/a/b".parse().unwrap();
    let commit = "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c".parse().unwrap();
    for kind in Kind::ALL {
        let target = Target { kind, repository: &repository, api: "https://api.example", commit: &commit, known: None };
        let report = Report { state: State::Pending, context: "c".into(), text: "t".into(), link: None };
        let request = request(&target, TOKEN, &report);
        assert!(!format!("{request:?}").contains(TOKEN));
        assert!(!request.url.contains(TOKEN), "{kind}: addresses are logged everywhere");
    }
}

#[test]
fn answers_say_whether_to_try_again() {
    let taken = Answer::Taken { known: None };
    assert_eq!(answer(Kind::Github, 201, b"{}"), taken);
    assert_eq!(answer(Kind::Gitee, 201, br#"{"id": 815}"#), Answer::Taken { known: Some("815".into()) });
    let same =
        br#"{"message": "Cannot transition status via :run from :running (Reason(s): Status cannot transition)"}"#;
    assert_eq!(answer(Kind::Gitlab, 400, same), taken);
    for status in [429, 500, 502, 503, 408] {
        assert!(matches!(answer(Kind::Gitea, status, b""), Answer::Again(_)), "{status}");
    }
    assert!(matches!(answer(Kind::Github, 403, br#"{"message":"API rate limit exceeded"}"#), Answer::Again(_)));
    for (status, body) in
        [(401, "Bad credentials"), (403, "no"), (404, "Not Found"), (422, "No commit found"), (302, "")]
    {
        let body = format!(r#"{{"message": "{body}"}}"#);
        assert!(matches!(answer(Kind::Github, status, body.as_bytes()), Answer::Never(_)), "{status}");
    }
    let page = answer(Kind::Github, 404, "<html>\u{1b}[31m\nnothing\u{202e}".as_bytes());
    assert_eq!(page, Answer::Never("404: <html> [31m nothing".into()));
}
