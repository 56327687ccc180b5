//! Looks at the machine now and then, and at what runs on it for us. For people: nothing is decided by it.

use crate::{home::Home, time::Time};
use rustix::{fs::statvfs, system::uname};
use std::{collections::HashMap, fs, sync::Arc, thread::available_parallelism, time::Duration};
use tokio::sync::watch;
use tradewind_model::protocol::{
    agent::Observed,
    machine::{Machine, ProcessRole, ProcessUse},
};
use tradewind_targets::procfs::{self, Stat};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(10);

/// Until nobody listens any more.
pub async fn watch(
    home: Home,
    time: Time,
    observed: watch::Receiver<Arc<Observed>>,
    told: watch::Sender<Option<Arc<Machine>>>,
) {
    let mut looks = tokio::time::interval(EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut before = Before::default();
    loop {
        looks.tick().await;
        let roots = roots(&observed.borrow());
        let (home, time) = (home.clone(), time.clone());
        let looked = tokio::task::spawn_blocking(move || {
            let machine = look(&home, &time, &roots, &mut before);
            (machine, before)
        });
        match looked.await {
            Ok((machine, now)) => {
                before = now;
                if told.send(Some(Arc::new(machine))).is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the machine could not be looked at");
                before = Before::default();
            }
        }
    }
}

fn roots(observed: &Observed) -> Vec<(ProcessRole, u32)> {
    let edge = observed.edge.iter().map(|edge| (ProcessRole::Edge, edge.pid));
    let instances = observed.instances.iter().filter_map(|i| Some((ProcessRole::Instance { id: i.id }, i.pid?)));
    std::iter::once((ProcessRole::Agent, std::process::id())).chain(edge).chain(instances).collect()
}

/// Processor time by process, as of the last look.
#[derive(Default)]
struct Before {
    at: Duration,
    used: HashMap<(i32, u64), Duration>,
}

fn look(home: &Home, time: &Time, roots: &[(ProcessRole, u32)], before: &mut Before) -> Machine {
    let (now, up) = (time.wall(), procfs::uptime());
    let all = procfs::all();
    let span = up.saturating_sub(before.at);
    let mut used = HashMap::new();
    let page = rustix::param::page_size() as u64;
    let mut processes = Vec::new();
    for (role, pid) in roots {
        let Some(root) = all.iter().find(|s| u32::try_from(s.pid) == Ok(*pid)) else { continue };
        // Tradewind's own roles share a session with whoever started them.
        let is_one = |s: &&Stat| match role {
            ProcessRole::Instance { .. } => s.session == root.session,
            ProcessRole::Agent | ProcessRole::Edge => s.pid == root.pid,
        };
        let (mut memory, mut lately) = (0, Duration::ZERO);
        for one in all.iter().filter(is_one) {
            memory += one.resident_pages * page;
            // A child that has begun since then used all of its time since then.
            let earlier = before.used.get(&(one.pid, one.start_ticks)).copied().unwrap_or_default();
            lately += one.used().saturating_sub(earlier);
            used.insert((one.pid, one.start_ticks), one.used());
        }
        let known = before.used.contains_key(&(root.pid, root.start_ticks));
        processes.push(ProcessUse {
            role: *role,
            pid: *pid,
            memory,
            cpu: (known && !span.is_zero()).then(|| lately.as_secs_f32() / span.as_secs_f32()),
            since: now.minus(up.saturating_sub(root.started())),
        });
    }
    *before = Before { at: up, used };
    let (memory, memory_free) = memory();
    let disk = statvfs(home.root()).ok();
    let name = uname();
    let text = [name.sysname(), name.release(), name.machine()].map(|part| part.to_string_lossy().into_owned());
    Machine {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        system: text.join(" "),
        cpus: available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX)),
        load: load(),
        memory,
        memory_free,
        disk: disk.as_ref().map_or(0, |d| d.f_blocks * d.f_frsize),
        disk_free: disk.map_or(0, |d| d.f_bavail * d.f_frsize),
        booted_at: now.minus(Duration::from_secs(up.as_secs())),
        processes,
    }
}

fn load() -> [f32; 3] {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut parts = text.split(' ').map(|part| part.parse().unwrap_or(0.0));
    [(); 3].map(|()| parts.next().unwrap_or(0.0))
}

/// All of it, and what new processes could have: bytes.
fn memory() -> (u64, u64) {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let of = |name: &str| {
        let line = text.lines().find(|l| l.starts_with(name))?;
        line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()
    };
    (of("MemTotal:").unwrap_or(0) << 10, of("MemAvailable:").unwrap_or(0) << 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::time::SystemClock;

    #[test]
    fn a_machine_has_processors_room_and_this_process() {
        let tmp = tempfile::tempdir().unwrap();
        let (home, time) = (Home::at(tmp.path()), Time::new(Arc::new(SystemClock)));
        let roots = [(ProcessRole::Agent, std::process::id()), (ProcessRole::Edge, u32::MAX)];
        let mut before = Before::default();
        let first = look(&home, &time, &roots, &mut before);
        assert!(first.cpus > 0 && first.memory >= first.memory_free && first.disk >= first.disk_free);
        let [own] = &first.processes[..] else { panic!("{:?}", first.processes) };
        assert!(own.memory > 0 && own.cpu.is_none(), "{own:?}");
        let again = look(&home, &time, &roots, &mut before);
        assert!(again.processes[0].cpu.is_some_and(|cpu| cpu >= 0.0));
    }
}
