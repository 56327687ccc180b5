//! Cgroups: limits, and a hold on every process of a group, where the host lets us have them.
//!
//! A group has a name and a folder of that name below `tradewind/` in each hierarchy that is of use: the unified one
//! (v2), or on older hosts those of the controllers (v1), or both on a hybrid host.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use tradewind_model::workload::Limits;

const PARENT: &str = "tradewind";
/// The period cpu limits are counted in, µs: the kernel's own default.
const PERIOD: u64 = 100_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Controller {
    Memory,
    Cpu,
    Pids,
}

impl Controller {
    pub const ALL: [Self; 3] = [Self::Memory, Self::Cpu, Self::Pids];

    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Pids => "pids",
        }
    }

    /// `None` when the limits leave it alone.
    fn limit(self, limits: &Limits) -> Option<u64> {
        match self {
            Self::Memory => limits.memory_bytes,
            Self::Cpu => limits.cpu_millis,
            Self::Pids => limits.pids,
        }
    }

    /// The files that set a limit, and what is written; those after the first may be missing.
    fn settings(self, version: Version, limit: u64) -> Vec<(&'static str, String)> {
        let quota = (limit.saturating_mul(PERIOD / 1000)).max(1000);
        match (self, version) {
            (Self::Memory, Version::V2) => {
                vec![("memory.max", limit.to_string()), ("memory.swap.max", "0".to_owned())]
            }
            (Self::Memory, Version::V1) => {
                vec![("memory.limit_in_bytes", limit.to_string()), ("memory.memsw.limit_in_bytes", limit.to_string())]
            }
            (Self::Cpu, Version::V2) => vec![("cpu.max", format!("{quota} {PERIOD}"))],
            (Self::Cpu, Version::V1) => {
                vec![("cpu.cfs_quota_us", quota.to_string()), ("cpu.cfs_period_us", PERIOD.to_string())]
            }
            (Self::Pids, _) => vec![("pids.max", limit.to_string())],
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    V1,
    V2,
}

/// A mounted hierarchy and where in it we may make groups.
struct Hierarchy {
    version: Version,
    /// v1: those mounted together; v2: those that groups below `parent` may use.
    controllers: Vec<Controller>,
    parent: PathBuf,
}

/// What a host gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Support {
    /// Every process of a group is found and ended, whatever it does to get away.
    pub hold: Feature,
    pub limits: Vec<(Controller, Feature)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Feature {
    /// By what means.
    Available(String),
    /// Why not.
    Missing(String),
}

impl Feature {
    pub fn is_available(&self) -> bool {
        match self {
            Self::Available(_) => true,
            Self::Missing(_) => false,
        }
    }
}

/// Looks, and tries: makes our parent groups where that is allowed.
pub fn detect() -> Support {
    let (found, troubles) = hierarchies();
    let why = |fallback: &str| match troubles.is_empty() {
        true => fallback.to_owned(),
        false => troubles.join("; "),
    };
    let limits = Controller::ALL.map(|c| {
        let feature = match found.iter().find(|h| h.controllers.contains(&c)) {
            Some(h) => Feature::Available(format!("cgroup {} at {}", h.version.name(), h.parent.display())),
            None => Feature::Missing(why(&format!("no hierarchy offers the {} controller", c.name()))),
        };
        (c, feature)
    });
    let hold = match found.iter().min_by_key(|h| h.version != Version::V2) {
        Some(h) => Feature::Available(format!("cgroup {} at {}", h.version.name(), h.parent.display())),
        None => Feature::Missing(why("no cgroup hierarchy is mounted")),
    };
    Support { hold, limits: limits.into() }
}

impl Version {
    fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

/// A group's folders, one per hierarchy.
pub struct Group {
    name: String,
    folders: Vec<(Version, PathBuf)>,
}

impl Group {
    /// Makes it and sets the limits. What the host does not let us have comes back as sentences for the log; without
    /// any folder there is no group, and process groups have to do.
    pub fn create(name: &str, limits: &Limits) -> (Option<Self>, Vec<String>) {
        let mut notes = Vec::new();
        let mut folders = Vec::new();
        let mut unmet: Vec<Controller> = Controller::ALL.into_iter().filter(|c| c.limit(limits).is_some()).collect();
        if !is_name(name) {
            return (None, vec![format!("`{name}` is not a cgroup's name: no group is made")]);
        }
        let (found, troubles) = hierarchies();
        let unified = found.iter().any(|h| h.version == Version::V2);
        for (i, h) in found.iter().enumerate() {
            let wanted: Vec<Controller> = unmet.iter().copied().filter(|c| h.controllers.contains(c)).collect();
            // One hierarchy is enough to hold the processes; the others only serve limits.
            let holds = if unified { h.version == Version::V2 } else { i == 0 };
            if wanted.is_empty() && !holds {
                continue;
            }
            let folder = h.parent.join(name);
            if let Err(e) = fs::create_dir_all(&folder) {
                notes.push(format!("no cgroup at {}: {e}", folder.display()));
                continue;
            }
            for controller in wanted {
                let Some(limit) = controller.limit(limits) else { continue };
                match set_limit(&folder, controller, h.version, limit) {
                    Ok(()) => unmet.retain(|c| *c != controller),
                    Err(e) => notes.push(format!("{}: {e}", folder.display())),
                }
            }
            folders.push((h.version, folder));
        }
        for controller in unmet {
            let why = if troubles.is_empty() { String::new() } else { format!(" ({})", troubles.join("; ")) };
            notes.push(format!(
                "the {} limit is not enforced: this host gives no cgroup for it{why}",
                controller.name()
            ));
        }
        let group = (!folders.is_empty()).then(|| Self { name: name.to_owned(), folders });
        (group, notes)
    }

    /// One that was made before; empty when there is none of that name.
    pub fn open(name: &str) -> Self {
        if !is_name(name) {
            return Self { name: name.to_owned(), folders: Vec::new() };
        }
        let (found, _) = hierarchies();
        let folders = found.iter().map(|h| (h.version, h.parent.join(name))).filter(|(_, f)| f.is_dir()).collect();
        Self { name: name.to_owned(), folders }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Moves a process in. Where that is not allowed the folder is given up, and a sentence for the log says so.
    pub fn add(&mut self, pid: i32) -> Vec<String> {
        let mut notes = Vec::new();
        self.folders.retain(|(_, folder)| match fs::write(folder.join("cgroup.procs"), pid.to_string()) {
            Ok(()) => true,
            Err(e) => {
                notes.push(format!("cannot move it into {}: {e}; limits set there are not enforced", folder.display()));
                let _ = fs::remove_dir(folder);
                false
            }
        });
        notes
    }

    /// Nothing is left of it.
    pub fn is_void(&self) -> bool {
        self.folders.is_empty()
    }

    pub fn pids(&self) -> BTreeSet<i32> {
        let mut pids = BTreeSet::new();
        for (_, folder) in &self.folders {
            collect_pids(folder, &mut pids);
        }
        pids
    }

    /// Sends SIGKILL to all that is in it: at one blow where the kernel can (5.14), otherwise one by one, so that it
    /// has to be repeated until [`pids`](Self::pids) is empty.
    pub fn kill(&self) {
        let at_once = |(version, folder): &(Version, PathBuf)| {
            *version == Version::V2 && fs::write(folder.join("cgroup.kill"), "1").is_ok()
        };
        if self.folders.iter().any(at_once) {
            return;
        }
        for pid in self.pids() {
            // SAFETY: a plain system call; the kernel listed the process just now.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
    }

    /// Some process of it was ended because the group had used its memory up.
    pub fn ran_out_of_memory(&self) -> bool {
        self.folders.iter().any(|(version, folder)| {
            let file = match version {
                Version::V1 => "memory.oom_control",
                Version::V2 => "memory.events",
            };
            fs::read_to_string(folder.join(file))
                .is_ok_and(|text| text.lines().any(|l| l.strip_prefix("oom_kill ").is_some_and(|n| n.trim() != "0")))
        })
    }

    /// Takes the empty folders away; one that still has processes stays.
    pub fn remove(&self) {
        for (_, folder) in &self.folders {
            // The kernel may still be counting out the last process.
            for _ in 0..20 {
                match fs::remove_dir(folder) {
                    Err(e) if e.raw_os_error() == Some(libc::EBUSY) && is_empty(folder) => {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    _ => break,
                }
            }
        }
    }
}

/// One folder's name, nothing that leads out of it.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn is_empty(folder: &Path) -> bool {
    let mut pids = BTreeSet::new();
    collect_pids(folder, &mut pids);
    pids.is_empty()
}

fn collect_pids(folder: &Path, pids: &mut BTreeSet<i32>) {
    if let Ok(text) = fs::read_to_string(folder.join("cgroup.procs")) {
        pids.extend(text.lines().filter_map(|l| l.parse::<i32>().ok()));
    }
    // The process may have made groups of its own.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            collect_pids(&entry.path(), pids);
        }
    }
}

fn set_limit(folder: &Path, controller: Controller, version: Version, limit: u64) -> io::Result<()> {
    for (i, (file, value)) in controller.settings(version, limit).into_iter().enumerate() {
        match fs::write(folder.join(file), value) {
            Err(e) if i == 0 => return Err(io::Error::new(e.kind(), format!("{file}: {e}"))),
            _ => {}
        }
    }
    Ok(())
}

/// Those we may make groups in, and why not in the others.
fn hierarchies() -> (Vec<Hierarchy>, Vec<String>) {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut found: Vec<Hierarchy> = Vec::new();
    let mut troubles = Vec::new();
    for mount in mounts.lines().filter_map(Mount::parse) {
        // The top first, as container runtimes do; then where we are ourselves, which may have been delegated to us.
        let own = mount.own_path(&own);
        let parents = [mount.at.join(PARENT), mount.at.join(own.trim_start_matches('/')).join(PARENT)];
        let mut trouble = None;
        let parent = parents.into_iter().find(|p| match fs::create_dir_all(p).and_then(|()| may_write(p)) {
            Ok(()) => true,
            Err(e) => {
                trouble.get_or_insert_with(|| format!("{}: {e}", p.display()));
                false
            }
        });
        let Some(parent) = parent else {
            troubles.extend(trouble);
            continue;
        };
        let controllers = match mount.version {
            Version::V1 => mount.controllers,
            Version::V2 => enable_controllers(&parent),
        };
        found.push(Hierarchy { version: mount.version, controllers, parent });
    }
    found.sort_by_key(|h| h.version != Version::V2);
    (found, troubles)
}

fn may_write(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::access(folder, rustix::fs::Access::WRITE_OK)?)
}

/// Hands the controllers down to the groups below `parent`; returns those that arrived.
fn enable_controllers(parent: &Path) -> Vec<Controller> {
    let above = parent.parent().unwrap_or(parent);
    for controller in Controller::ALL {
        for level in [above, parent] {
            let _ = fs::write(level.join("cgroup.subtree_control"), format!("+{}", controller.name()));
        }
    }
    let got = fs::read_to_string(parent.join("cgroup.subtree_control")).unwrap_or_default();
    Controller::ALL.into_iter().filter(|c| got.split_ascii_whitespace().any(|w| w == c.name())).collect()
}

struct Mount {
    version: Version,
    controllers: Vec<Controller>,
    at: PathBuf,
}

impl Mount {
    /// A line of `/proc/self/mountinfo`: `36 35 98:0 /root /mount/point rw,opts - cgroup source rw,memory`.
    /// A v1 hierarchy without one of our controllers is of no use to us.
    fn parse(line: &str) -> Option<Self> {
        let (left, right) = line.split_once(" - ")?;
        let at = PathBuf::from(left.split(' ').nth(4)?);
        let mut right = right.split(' ');
        match right.next()? {
            "cgroup2" => Some(Self { version: Version::V2, controllers: Vec::new(), at }),
            "cgroup" => {
                let options: Vec<&str> = right.nth(1)?.split(',').collect();
                let controllers: Vec<Controller> =
                    Controller::ALL.into_iter().filter(|c| options.contains(&c.name())).collect();
                (!controllers.is_empty()).then_some(Self { version: Version::V1, controllers, at })
            }
            _ => None,
        }
    }

    /// From `/proc/self/cgroup`: `0::/path` for v2, `4:memory:/path` for v1.
    fn own_path<'a>(&self, own: &'a str) -> &'a str {
        let fits = |list: &str| match self.version {
            Version::V2 => list.is_empty(),
            Version::V1 => list.split(',').any(|name| self.controllers.iter().any(|c| c.name() == name)),
        };
        own.lines()
            .filter_map(|l| l.splitn(3, ':').skip(1).collect::<Vec<_>>().try_into().ok())
            .find_map(|[list, path]: [&str; 2]| fits(list).then_some(path))
            .unwrap_or("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_out_of_our_folder_opens_nothing() {
        for name in ["", "..", "../..", "a/b", "/", "."] {
            assert!(Group::open(name).is_void(), "{name}");
        }
    }

    #[test]
    fn mounts_of_both_kinds_are_told_apart() {
        let v1 =
            Mount::parse("35 25 0:31 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory").unwrap();
        assert_eq!((v1.version, v1.controllers.as_slice()), (Version::V1, [Controller::Memory].as_slice()));
        assert_eq!(v1.own_path("0::/a\n4:memory:/b/c\n1:cpu:/d\n"), "/b/c");
        let v2 = Mount::parse("36 25 0:32 / /sys/fs/cgroup rw shared:10 - cgroup2 cgroup2 rw,nsdelegate").unwrap();
        assert_eq!((v2.version, v2.at.as_path()), (Version::V2, Path::new("/sys/fs/cgroup")));
        assert_eq!(v2.own_path("4:memory:/b/c\n0::/a\n"), "/a");
        assert!(Mount::parse("30 25 0:28 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices").is_none());
        assert!(Mount::parse("22 1 0:20 / /proc rw - proc proc rw").is_none());
    }

    #[test]
    fn a_groups_name_is_one_folder() {
        for bad in ["", ".", "..", "a/b", "../x", ".x", "a b"] {
            assert!(!is_name(bad), "{bad:?}");
        }
        assert!(is_name("instance-0190f.1"));
    }
}
