use crate::harness::{Folder, free_port, text};
use std::fs;

fn shown(folder: &Folder, words: &str, vars: &[(&str, &str)]) -> serde_json::Value {
    let out = folder.command(&format!("config show --json {words}")).envs(vars.iter().copied()).output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn value<'a>(all: &'a serde_json::Value, key: &str) -> (&'a str, &'a str) {
    let item = all["items"].as_array().unwrap().iter().find(|i| i["key"] == key).unwrap();
    (item["value"].as_str().unwrap_or(""), item["source"].as_str().unwrap())
}

#[test]
fn flags_beat_variables_and_variables_beat_the_file() {
    let folder = Folder::new();
    fs::create_dir(folder.data()).unwrap();
    let file = folder.data().join("config.yaml");
    fs::write(&file, "listen: 127.0.0.1:1001\nedge: 127.0.0.1:1001\nlog: debug\n").unwrap();
    let all = shown(
        &folder,
        "--edge 127.0.0.1:1003",
        &[("TRADEWIND_EDGE", "127.0.0.1:1002"), ("TRADEWIND_LISTEN", "127.0.0.1:1002")],
    );
    assert_eq!(value(&all, "edge"), ("127.0.0.1:1003", "--edge"));
    assert_eq!(value(&all, "listen"), ("127.0.0.1:1002", "TRADEWIND_LISTEN"));
    assert_eq!(value(&all, "log"), ("debug", format!("{}:3:6", file.display()).as_str()));
    assert_eq!(value(&all, "log_format"), ("text", "default"));
}

#[test]
fn secrets_are_not_shown() {
    let folder = Folder::new();
    let secret = [("TRADEWIND_DATABASE", "postgres://u:hush@db/tw")];
    assert_eq!(value(&shown(&folder, "", &secret), "database"), ("…", "TRADEWIND_DATABASE"));
    let out = folder.command("config show").envs(secret).output().unwrap();
    assert!(!text(&out.stdout).contains("hush"));
}

#[test]
fn a_value_that_cannot_be_is_refused_with_its_source_and_an_example() {
    let folder = Folder::new();
    fs::create_dir(folder.data()).unwrap();
    let refused = |words: &str, vars: &[(&str, &str)]| {
        let out = folder.command(&format!("config show {words}")).envs(vars.iter().copied()).output().unwrap();
        assert_eq!(out.status.code(), Some(3), "{words}");
        text(&out.stderr).replace(folder.data().to_str().unwrap(), "DIR")
    };
    insta::assert_snapshot!("bad_flag", refused("--listen localhost", &[]));
    insta::assert_snapshot!("bad_variable_zh", refused("--lang zh-CN", &[("TRADEWIND_LOG_MAX_SIZE", "big")]));
    insta::assert_snapshot!("bad_switch", refused("", &[("TRADEWIND_INSECURE_SAME_USER", "yes")]));
    fs::write(folder.data().join("config.yaml"), "# ours\nlisten: 127.0.0.1:1001\nedgee: 127.0.0.1:1001\n").unwrap();
    insta::assert_snapshot!("unknown_key", refused("", &[]));
    fs::write(folder.data().join("config.yaml"), "log_format: xml\n").unwrap();
    insta::assert_snapshot!("bad_choice_in_file", refused("", &[]));
}

/// The holder of an edge started by itself hands its own command line on to those that serve.
#[test]
fn an_edge_alone_serves_by_its_flags() {
    let folder = Folder::new();
    let certificates = folder.tmp.path().join("certificates");
    fs::create_dir(&certificates).unwrap();
    let (chain, key) = tradewind_tls::self_signed(&["shop.example.com".into()], 2100).unwrap();
    fs::write(certificates.join("shop.crt"), chain).unwrap();
    fs::write(certificates.join("shop.key"), key).unwrap();
    let secure = free_port();
    let mut command = folder.command("edge");
    command.args(["--edge", &folder.edge.to_string(), "--edge-tls", &secure.to_string()]);
    let mut edge = command.arg("--certificates").arg(&certificates).spawn().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shown =
        || runtime.block_on(tradewind_api::shown_by(&format!("https://{secure}"))).ok().filter(|s| !s.is_empty());
    crate::harness::until("the certificate of the folder is shown", shown);
    rustix::process::kill_process(rustix::process::Pid::from_child(&edge), rustix::process::Signal::TERM).unwrap();
    edge.wait().unwrap();
}
