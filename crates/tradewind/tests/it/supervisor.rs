use crate::harness::{Folder, kill, of_folder, runs, surround, text, until};
use rustix::process::Signal;
use serde_json::Value;
use std::{
    fs::{self, File},
    process::{Child, Command},
};

#[test]
fn what_listens_where_is_said_and_a_killed_role_is_back_at_once() {
    let folder = Folder::new();
    let mut up = folder.up();
    let said = up.said.text();
    assert!(
        said.contains(&format!("http://{}", folder.api)) && said.contains(&format!("http://{}", folder.edge)),
        "{said}"
    );
    assert!(folder.serves());
    for role in ["server", "agent", "edge"] {
        let before = folder.pid(role);
        assert!(said.contains(&format!("pid {before}")), "{role} {before}: {said}");
        kill(before, Signal::KILL);
        let after = until(&format!("{role} is back"), || Some(folder.pid(role)).filter(|p| *p != before && runs(*p)));
        up.said.wait_for(&format!("{role} is back (pid {after})"));
        assert!(up.said.text().contains(&format!("{role} ended (signal 9); started again at once")));
    }
    until("the server answers again", || folder.serves().then_some(()));
    kill(up.pid(), Signal::TERM);
    assert_eq!(up.end(), Some(0));
    assert_eq!(of_folder(&folder), Vec::<String>::new());
}

#[test]
fn roles_that_stay_do_without_huge_pages_and_leave_them_to_instances() {
    let folder = Folder::new();
    let _up = folder.up();
    let huge = |pid: u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        status.lines().find_map(|l| l.strip_prefix("THP_enabled:")).map(|v| v.trim() == "1")
    };
    let worker = until("a worker", || {
        let noted: Value = serde_json::from_slice(&fs::read(folder.data().join("run/edge.json")).ok()?).ok()?;
        noted["worker"]["pid"].as_u64()
    });
    // What this very test may have, an instance may: it is a descendant of the agent.
    let [own, agent] = [std::process::id(), folder.pid("agent")].map(huge);
    assert_eq!(agent, own);
    if own.is_some() {
        assert_eq!([folder.pid("server"), u32::try_from(worker).unwrap()].map(huge), [Some(false); 2]);
    }
}

#[test]
fn a_killed_supervisor_takes_nothing_with_it_and_the_next_one_adopts() {
    let folder = Folder::new();
    let mut first = folder.up();
    let pids = || ["server", "agent", "edge"].map(|r| folder.pid(r));
    let before = pids();
    kill(first.pid(), Signal::KILL);
    first.end();
    assert!(before.iter().all(|p| runs(*p)) && folder.serves());

    let mut second = folder.up();
    let said = second.said.text();
    assert_eq!(pids(), before);
    assert_eq!(said.matches("was already running").count(), 3, "{said}");

    // An adopted role is kept like one's own.
    kill(before[0], Signal::KILL);
    second.said.wait_for("server is back");
    until("the new server is there", || (folder.pid("server") != before[0] && folder.serves()).then_some(()));

    kill(second.pid(), Signal::INT);
    assert_eq!(second.end(), Some(0));
    second.said.wait_for("Stopped: agent, server, edge");
    assert_eq!(of_folder(&folder), Vec::<String>::new());
}

#[test]
fn a_role_with_other_settings_makes_room_and_the_others_stay() {
    let folder = Folder::new();
    let first = folder.up();
    let (server, edge) = (folder.pid("server"), folder.pid("edge"));
    kill(first.pid(), Signal::KILL);
    drop(first);
    fs::write(folder.data().join("config.yaml"), "log: debug\n").unwrap();
    let second = folder.up();
    second.said.wait_for(&format!("server (pid {server}) runs with another version or other settings"));
    assert_ne!(folder.pid("server"), server);
    assert_eq!(folder.pid("edge"), edge, "what it serves does not depend on what the others log");
    assert!(folder.serves());
}

#[test]
fn a_role_that_cannot_start_is_named_with_its_own_words_and_nothing_is_left_behind() {
    let folder = Folder::new();
    // Where the server wants a socket there is something it must not remove.
    fs::create_dir_all(folder.data().join("run/git-hook.sock/occupied")).unwrap();
    let out = folder.up_command("").output().unwrap();
    let err = text(&out.stderr);
    assert_eq!(out.status.code(), Some(3), "{err}");
    assert!(err.contains("TW-UP-008: server did not become ready") && err.contains("server | "), "{err}");
    assert_eq!(of_folder(&folder), Vec::<String>::new());
}

#[test]
fn as_the_first_process_of_a_container_it_takes_the_dead_away_and_still_stops_when_told() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = Folder::new();
    let inner = folder.up_command("");
    let mut outer = Command::new("unshare");
    outer.args(["--fork", "--pid", "--mount-proc", "--kill-child"]).arg(inner.get_program()).args(inner.get_args());
    surround(&mut outer, &folder);
    let out = File::create(folder.tmp.path().join("said")).unwrap();
    let mut outer = Ended(outer.stdout(out).spawn().unwrap());
    let said = || fs::read_to_string(folder.tmp.path().join("said")).unwrap();
    until("it is up", || said().contains("Ctrl-C stops").then_some(()));

    let first = until("unshare's child", || children(outer.0.id()).pop());
    // A parent that ends before its child, as a shim's launcher does.
    let inside = |words: &str| {
        let entered = Command::new("nsenter").args(["-t", &first.to_string(), "-p", "-m", "sh", "-c", words]).output();
        text(&entered.unwrap().stdout)
    };
    let orphan = inside("sleep 0.1 > /dev/null 2>&1 & echo $!");
    until("the orphan is gone", || {
        inside(&format!("cat /proc/{}/stat 2> /dev/null", orphan.trim())).is_empty().then_some(())
    });
    kill(first, Signal::TERM);
    let status = until("it ends", || outer.0.try_wait().unwrap());
    assert_eq!(status.code(), Some(0), "{}", said());
    assert!(said().contains("Stopped: agent, server, edge"), "{}", said());
}

/// With it ends all that runs in its namespace.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn children(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|p| p.parse().ok()).collect()
}
