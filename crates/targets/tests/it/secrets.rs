//! Secrets: given to a process in memory, masked in its log, and nowhere on disk in the clear.

use crate::host::{Host, in_time, is_root, kill, log_text, sh, spec, target, until};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};
use tradewind_model::{
    protocol::{
        agent::Exit,
        secret::{HandedSecret, Handover},
        shim::ShimSpec,
    },
    secret::SecretUse,
};
use tradewind_secrets::ring::Ring;
use tradewind_targets::{
    handed::Handed,
    process::{Adopted, Error, Process, ProcessTarget},
    users,
};

const VALUE: &str = "horse/battery+staple \"42\"";

fn handed(values: &[(&str, Option<&str>, &str)]) -> Handed {
    let one = |(variable, file, value): &(&str, Option<&str>, &str)| HandedSecret {
        used: SecretUse {
            name: variable.parse().unwrap(),
            variable: (*variable).to_owned(),
            file: file.map(str::to_owned),
        },
        version: 1,
        value: (*value).to_owned(),
    };
    Handed::of(Handover { values: values.iter().map(one).collect() }).unwrap()
}

fn keyed() -> ProcessTarget {
    target().with_keys(Arc::new(Ring::generate().unwrap()))
}

async fn start(host: &Host, target: &ProcessTarget, spec: &ShimSpec, handed: Handed) -> Process {
    target.start_with(&host.dir("p"), spec, handed).await.unwrap()
}

/// Nothing below the folder holds it in the clear.
fn is_nowhere(folder: &Path, value: &str) {
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(|e| e.unwrap()) {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let bytes = fs::read(entry.path()).unwrap();
                let found = bytes.windows(value.len()).any(|w| w == value.as_bytes());
                assert!(!found, "{} holds it", entry.path().display());
            }
        }
    }
}

#[tokio::test]
async fn a_secret_is_in_the_environment_and_in_no_file_and_no_argument() {
    let host = Host::new();
    let out = host.path().join("seen");
    let go = host.path().join("go");
    // The script puts the value together, so that it stands in no argument.
    let script = format!(
        "test \"$KEY\" = \"$(printf 'horse/'; printf 'battery+staple \"42\"')\" && echo right > {}; \
         while ! [ -e {} ]; do sleep 0.01; done",
        out.display(),
        go.display()
    );
    let process = start(&host, &keyed(), &sh(&script), handed(&[("KEY", None, VALUE)])).await;
    until("what it saw", || fs::read_to_string(&out).is_ok_and(|t| t == "right\n")).await;
    for pid in [process.pid(), process.shim_pid().unwrap()] {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(!arguments.windows(VALUE.len()).any(|w| w == VALUE.as_bytes()));
    }
    is_nowhere(host.path(), VALUE);
    fs::write(go, "").unwrap();
    in_time("the end", process.wait()).await;
    is_nowhere(host.path(), VALUE);
}

#[tokio::test]
async fn what_it_prints_of_a_secret_is_masked_in_every_form_and_in_pieces() {
    let host = Host::new();
    let script = "import base64, json, os, sys, time, urllib.parse\n\
        v = os.environ['KEY']\n\
        print('plain', v, 'end')\n\
        print('base64', base64.b64encode(('u:' + v).encode()).decode())\n\
        print('url', urllib.parse.quote(v, safe=''))\n\
        print('json', json.dumps(v))\n\
        print('err', v, file=sys.stderr)\n\
        sys.stdout.write('two '); sys.stdout.flush()\n\
        for c in (v[:9], v[9:]):\n    sys.stdout.write(c); sys.stdout.flush(); time.sleep(0.05)\n\
        print(' parts')\n\
        print(v[:12] + '\\n' + v[12:] + ' broken')\n\
        print('x' * 20000 + v + 'y' * 20000)\n\
        sys.stdout.write('at the end ' + v[:15])\n";
    let process = start(&host, &keyed(), &spec(["python3", "-c", script]), handed(&[("KEY", None, VALUE)])).await;
    assert_eq!(in_time("the end", process.wait()).await.exit, Exit::Code { code: 0 });
    let text = log_text(&host.dir("p"));
    for form in ["horse", "battery", "staple", "aG9yc2", "b3JzZS9i", "cnNlL2", "%2Bstaple"] {
        assert!(!text.contains(form), "{form} in {text}");
    }
    let lines = host.lines("p", 'o');
    assert_eq!(lines[0], "plain [MASKED] end");
    assert!(lines.contains(&"two [MASKED] parts".to_owned()), "{lines:?}");
    assert!(lines.contains(&"[MASKED] broken".to_owned()), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "at the end [MASKED]");
    assert_eq!(host.lines("p", 'e'), ["err [MASKED]"]);
    let long: String =
        lines.iter().filter(|l| l.contains("xx") || l.contains("yy")).map(|l| l.replace('…', "")).collect();
    assert_eq!(long, format!("{}[MASKED]{}", "x".repeat(20_000), "y".repeat(20_000)));
}

#[tokio::test]
async fn files_are_in_memory_belong_to_the_process_and_are_gone_with_it() {
    let host = Host::new();
    let seen = host.path().join("seen");
    fs::create_dir(&seen).unwrap();
    fs::set_permissions(host.path(), fs::Permissions::from_mode(0o711)).unwrap();
    fs::set_permissions(&seen, fs::Permissions::from_mode(0o777)).unwrap();
    let user = is_root().then(|| users::of_job(17)).flatten();
    let script = format!(
        "cd {}; cat \"$GCP\" | rev > content; printf %s \"$TRADEWIND_SECRETS_DIR\" > folder; stat -c '%a %u' \"$GCP\" > mode; \
         echo done; while ! [ -e go ]; do sleep 0.01; done",
        seen.display()
    );
    let spec = ShimSpec { user, ..sh(&script) };
    let process = start(&host, &keyed(), &spec, handed(&[("GCP", Some("gcp.json"), VALUE)])).await;
    until("it has read it", || host.lines("p", 'o') == ["done"]).await;
    let read = |name: &str| fs::read_to_string(seen.join(name)).unwrap();
    assert_eq!(read("content").trim_end().chars().rev().collect::<String>(), VALUE);
    let folder = PathBuf::from(read("folder"));
    let found = fs::metadata(&folder).unwrap();
    assert_eq!(found.permissions().mode() & 0o777, 0o700);
    let uid = user.map_or_else(|| fs::metadata("/proc/self").unwrap().uid(), |u| u.uid);
    assert_eq!((found.uid(), read("mode").trim()), (uid, format!("400 {uid}").as_str()));
    is_nowhere(&host.dir("p"), VALUE);
    // A shim that takes over removes them, too.
    let before = process.shim_pid().unwrap();
    kill(before);
    until("another shim", || process.shim_pid().is_some_and(|s| s != before)).await;
    assert!(folder.exists());
    fs::write(seen.join("go"), "").unwrap();
    in_time("the end", process.wait()).await;
    until("no files", || !folder.exists()).await;
}

#[tokio::test]
async fn a_shim_that_takes_over_masks_on_and_without_the_key_stores_nothing() {
    let host = Host::new();
    let (go, second) = (host.path().join("go"), host.path().join("second"));
    let script = format!(
        "echo \"1 $KEY\"; while ! [ -e {} ]; do sleep 0.01; done; echo \"2 $KEY\"; while ! [ -e {} ]; do sleep 0.01; done; echo \"3 $KEY\"",
        go.display(),
        second.display()
    );
    let keyed = keyed();
    let process = start(&host, &keyed, &sh(&script), handed(&[("KEY", None, VALUE)])).await;
    until("the first line", || host.lines("p", 'o') == ["1 [MASKED]"]).await;
    let before = process.shim_pid().unwrap();
    kill(before);
    until("another shim", || process.shim_pid().is_some_and(|s| s != before)).await;
    fs::write(go, "").unwrap();
    until("the second line", || host.lines("p", 'o') == ["1 [MASKED]", "2 [MASKED]"]).await;
    assert_eq!(keyed.kept(&host.dir("p")).unwrap().unwrap(), handed(&[("KEY", None, VALUE)]));

    // Another agent, which has lost the host's key.
    let before = process.shim_pid().unwrap();
    drop(process);
    kill(before);
    let Adopted::Running(process) = target().adopt(&host.dir("p")).await.unwrap() else { panic!("it runs") };
    fs::write(second, "").unwrap();
    in_time("the end", process.wait()).await;
    let text = log_text(&host.dir("p"));
    assert!(!text.contains("horse") && !text.contains(" o 3"), "{text}");
    assert!(text.contains("its output is left out from here on"), "{text}");
    is_nowhere(host.path(), VALUE);
}

#[tokio::test]
async fn without_a_key_of_the_host_nothing_is_started_and_the_next_start_forgets_what_was_kept() {
    let host = Host::new();
    let refused = target().start_with(&host.dir("p"), &sh("echo up"), handed(&[("KEY", None, VALUE)])).await;
    assert!(matches!(refused, Err(Error::Handed { .. })), "{refused:?}");
    let keyed = keyed();
    let process = start(&host, &keyed, &sh("exit 0"), handed(&[("KEY", None, VALUE)])).await;
    in_time("the end", process.wait()).await;
    assert!(keyed.kept(&host.dir("p")).unwrap().is_some());
    // Copied into another folder it opens for nobody.
    fs::create_dir(host.dir("q")).unwrap();
    fs::copy(host.dir("p").join("secrets.sealed"), host.dir("q").join("secrets.sealed")).unwrap();
    assert!(keyed.kept(&host.dir("q")).is_err());
    let process = keyed.start(&host.dir("p"), &sh("echo \"[$KEY]\"")).await.unwrap();
    in_time("the end", process.wait()).await;
    assert_eq!(keyed.kept(&host.dir("p")).unwrap(), None);
    assert_eq!(host.lines("p", 'o'), ["[]"]);
}
