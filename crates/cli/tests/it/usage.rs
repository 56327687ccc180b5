use crate::fake::{Fake, grammar};
use tradewind_cli::{exit::Exit, help};
use tradewind_model::fault::Lang;

#[test]
fn every_verb_and_argument_is_explained_in_both_languages() {
    for lang in [Lang::En, Lang::Zh] {
        grammar(lang).debug_assert();
        assert_eq!(help::gaps(&grammar(lang), &[help::VERBS]), Vec::<String>::new());
    }
}

#[test]
fn help_is_in_the_language_asked_for() {
    for (lang, name) in [(Lang::En, "help"), (Lang::Zh, "help_zh")] {
        let mut command = grammar(lang).term_width(100);
        insta::assert_snapshot!(name, command.render_help());
        let rollback = command.find_subcommand_mut("rollback").unwrap();
        insta::assert_snapshot!(format!("{name}_rollback"), rollback.render_help());
    }
}

#[tokio::test]
async fn a_command_line_that_is_not_understood_says_what_is_wrong() {
    let fake = Fake::start().await;
    for (n, args) in [
        "rollback shop",
        "statsu",
        "rollout",
        "token create x --scope root",
        "push --branch a --env b",
        "status --wach",
    ]
    .iter()
    .enumerate()
    {
        let (en, zh) = (fake.run(args).await, fake.run_zh(args).await);
        assert_eq!((en.exit, zh.exit), (Exit::Usage, Exit::Usage), "{args}");
        insta::assert_snapshot!(format!("usage_{n}_zh"), zh);
    }
}

#[tokio::test]
async fn completions_know_the_verbs() {
    let fake = Fake::start().await;
    for shell in ["bash", "zsh", "fish"] {
        let said = fake.run(&format!("completions {shell}")).await;
        assert!(said.exit == Exit::Ok && said.out.contains("rollback"), "{shell}");
    }
}

#[tokio::test]
async fn a_spec_is_checked_without_a_server() {
    let fake = Fake::start().await;
    insta::assert_snapshot!("check_no_file", fake.run("check").await);
    std::fs::write(fake.dir.join("tradewind.yaml"), "version: 1\nservice: shop\nrun:\n  comand: [python3]\n").unwrap();
    insta::assert_snapshot!("check_faults", fake.run("check").await);
    insta::assert_snapshot!("check_faults_zh", fake.run_zh("check").await);
    let said = fake.run("check --json").await;
    let page: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((page["items"][0]["at"]["line"].as_u64(), said.exit), (Some(4), Exit::Failed));
    std::fs::write(fake.dir.join("tradewind.yaml"), "version: 1\nservice: shop\nrun:\n  command: [python3, app.py]\n")
        .unwrap();
    std::fs::write(fake.dir.join(".gitlab-ci.yml"), "test:\n  scrip: [make]\n").unwrap();
    insta::assert_snapshot!("check_pipeline", fake.run("check").await);
    std::fs::write(fake.dir.join(".gitlab-ci.yml"), "test:\n  script: [make]\n").unwrap();
    insta::assert_snapshot!("check_good", fake.run("check").await);
    assert_eq!(fake.seen().len(), 0);
}
