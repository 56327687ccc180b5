//! Secrets from the command line into a process, with the real program: in its environment, masked in its log, and nowhere
//! on disk or in any command line in the clear.

use crate::world::{World, until};
use std::{fs, path::Path, process::Stdio};
use tokio::io::AsyncWriteExt;

const VALUE: &str = "s3cret/of the+shop \"äß\" 4711";
const NEXT: &str = "another-one/altogether+2026";
const SPEC: &str = "\
version: 1
service: sync
kind: worker
run:
  command: [python3, -u, sync.py]
  secrets: [PARTNER_KEY, { name: PARTNER_KEY, as: KEY_FILE, file: partner.key }]
environments:
  production: { branch: main }
";
const PIPELINE: &str = "\
stages: [build]
compile:
  stage: build
  secrets:
    TOKEN: { gitlab_secrets_manager: { name: PARTNER_KEY }, file: false }
  script: [python3 show.py TOKEN]
";
/// Prints it in every form, and backwards, by which the test knows that it is the right one.
const SHOW: &str = r#"
import base64, json, os, sys, time, urllib.parse
v = os.environ[sys.argv[1]]
print("backwards", v[::-1])
print("plain", v)
print("base64", base64.b64encode(("user:" + v).encode()).decode())
print("url", urllib.parse.quote(v, safe=""))
print("json", json.dumps(v))
for c in (v[:8], v[8:]):
    sys.stdout.write(c); sys.stdout.flush(); time.sleep(0.05)
print()
"#;
const SYNC: &str = r#"
import os, sys, time
sys.argv = ["show.py", "PARTNER_KEY"]
exec(open("show.py").read())
same = open(os.environ["KEY_FILE"]).read() == os.environ["PARTNER_KEY"]
print("file", same, os.environ["KEY_FILE"].startswith(os.environ["TRADEWIND_SECRETS_DIR"]))
while True:
    time.sleep(1)
"#;

async fn set(world: &World, value: &str) -> String {
    let mut command = world.tradewind.command();
    command.args(["secret", "set", "PARTNER_KEY", "--service", "sync", "--env", "production"]);
    command.current_dir(&world.folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(value.as_bytes()).await.unwrap();
    let done = child.wait_with_output().await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// Neither a file below the data folder nor a command line of the machine holds any of these.
fn is_nowhere(data: &Path, values: &[&str]) {
    let holds = |bytes: &[u8]| values.iter().any(|v| bytes.windows(v.len()).any(|w| w == v.as_bytes()));
    let mut folders = vec![data.to_owned()];
    let mut looked = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                looked += 1;
                // One that is gone by now holds nothing.
                let found = fs::read(entry.path()).is_ok_and(|bytes| holds(&bytes));
                assert!(!found, "{} holds it", entry.path().display());
            }
        }
    }
    assert!(looked > 20, "only {looked} files were there to look at");
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        assert!(!holds(&line), "{} has it in its arguments", entry.path().display());
    }
}

fn forms(log: &str) {
    for form in ["s3cret", "of the+shop", "czNjcm", "M2NyZX", "zY3Jld", "%2Bshop", "another-one", "altogether"] {
        assert!(!log.contains(form), "{form} in\n{log}");
    }
}

/// As the service prints it where nothing is to recognise it: its letters from the last to the first.
fn backwards(value: &str) -> String {
    value.chars().rev().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_reaches_its_process_and_nothing_else() {
    let world = World::begin().await;
    let service = world.service("sync", SPEC).await;
    for (file, text) in [("show.py", SHOW), ("sync.py", SYNC), (".gitlab-ci.yml", PIPELINE)] {
        service.write(file, text);
    }
    // Nobody has set it: the job cannot begin, and says which one it wants.
    let refused = service.push("").await;
    assert_ne!(refused.code, Some(0), "{refused}");
    assert!(format!("{refused}").contains("tradewind secret set PARTNER_KEY"), "{refused}");

    set(&world, VALUE).await;
    service.write("VERSION", "v1\n");
    let pushed = service.push("").await;
    assert_eq!(pushed.code, Some(0), "{pushed}");
    service.ended("v1", "completed").await;
    let job =
        world.tradewind.run(&["run", "logs", "--service", "sync", "--job", "compile"], service.folder()).await.unwrap();
    assert!(job.contains(&backwards(VALUE)) && job.contains("plain [MASKED]"), "{job}");
    forms(&job);

    let log = async || world.tradewind.run(&["logs", "sync", "--env", "production"], service.folder()).await.unwrap();
    let of = async |value: &str| {
        let right = format!("backwards {}", backwards(value));
        until("the instance to have it", || async {
            let log = log().await;
            (log.contains(&right) && log.contains("file True True")).then_some(log)
        })
        .await
    };
    let first = of(VALUE).await;
    assert!(first.contains("plain [MASKED]"), "{first}");
    forms(&first);
    let pid = service.ready("v1").await[0];
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
    assert!(environment.windows(VALUE.len()).any(|w| w == VALUE.as_bytes()), "it is in its environment");
    is_nowhere(&world.tradewind.data, &[VALUE]);

    // Set anew, it is told who has the old one; what begins then is given the new one.
    let told = set(&world, NEXT).await;
    assert!(told.contains("sync/production/default"), "{told}");
    kill(pid);
    forms(&of(NEXT).await);

    // While the server is away a crash is made good with what the instance had.
    let again =
        until("it to run again", || async { service.ready("v1").await.first().copied().filter(|p| *p != pid) }).await;
    let starts = log().await.matches(&backwards(NEXT)).count();
    let server = world.tradewind.pid_of("server").unwrap();
    world.tradewind.kill("server").unwrap();
    kill(again);
    world.replaced("server", server).await;
    world.answers().await;
    until("another start", || async { (log().await.matches(&backwards(NEXT)).count() > starts).then_some(()) }).await;
    forms(&log().await);
    is_nowhere(&world.tradewind.data, &[VALUE, NEXT]);
    world.chain_is_whole().await;
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
