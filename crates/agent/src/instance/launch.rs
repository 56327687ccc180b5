//! What a process is started with.

use crate::{
    disk, faults,
    home::Home,
    secrets::{Holder, Secrets},
    tree::own::{self, Access},
    users::Users,
};
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::MetadataExt,
    sync::Arc,
};
use tradewind_model::{
    fault::Fault,
    id::InstanceId,
    protocol::{
        agent::DesiredInstance,
        shim::{self, LogRule, ShimSpec},
    },
    said,
    said::Said,
    workload::{Port, ServiceKind},
};
use tradewind_targets::{
    ports::{self, Ports},
    process::{Adopted, Error, Process, ProcessTarget},
};

/// Ten mebibytes at a time, five of them kept beside the current one.
const LOG: LogRule = LogRule { max_bytes: 10 << 20, keep: 5 };

/// What all instances of this host share.
pub struct Launcher {
    pub home: Home,
    pub target: ProcessTarget,
    pub users: Arc<Users>,
    pub ports: Ports,
    pub cgroups: bool,
    pub path: String,
    pub secrets: Secrets,
}

/// Why a launch failed, and whether it may work a moment later.
#[derive(Debug)]
pub struct NotLaunched {
    pub reason: Said,
    pub passing: bool,
}

impl From<disk::DiskError> for NotLaunched {
    fn from(e: disk::DiskError) -> Self {
        Fault::from(e).into()
    }
}

impl From<Fault> for NotLaunched {
    fn from(fault: Fault) -> Self {
        Self { reason: fault.into(), passing: true }
    }
}

impl Launcher {
    /// The address of an instance with this port.
    pub fn addr(port: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    }

    /// Settles the instance's port before a start: the one it had if nobody listens there, another one otherwise.
    pub fn port(&self, id: InstanceId, wanted: Port) -> Result<Option<u16>, NotLaunched> {
        match wanted {
            Port::None => Ok(None),
            Port::Fixed(port) if ports::in_use(port) => {
                let fault = Fault::new(&faults::PORT_TAKEN).with("port", port);
                Err(fault.into())
            }
            Port::Fixed(port) => Ok(Some(port)),
            Port::Assigned => {
                let owner = id.to_string();
                let what = || said!("giving it a port", "分配端口");
                let failed = |why: String| Fault::new(&faults::DISK).with("what", what()).with("why", why);
                if self.ports.get(&owner).is_some_and(ports::in_use) {
                    self.ports.release(&owner).map_err(|e| failed(e.to_string()))?;
                }
                Ok(self.ports.assign(&owner).map(Some).map_err(|e| failed(e.to_string()))?)
            }
        }
    }

    /// Starts it; the release must be there.
    pub async fn launch(&self, instance: &DesiredInstance, port: Option<u16>) -> Result<Process, NotLaunched> {
        let spec = self.spec(instance, port)?;
        let dir = self.home.instance(instance.id).join(PROCESS);
        let uses = &instance.workload.secrets;
        let handed = self.secrets.of(Holder::Instance(instance.id), uses, &dir).await;
        let handed = handed.map_err(|e| NotLaunched { reason: e.fault.into(), passing: e.passing })?;
        let started = match self.target.start_with(&dir, &spec, handed).await {
            // An agent before this one got so far and could not say so.
            Err(running @ Error::Running(_)) => match self.target.adopt(&dir).await {
                Ok(Adopted::Running(process)) => Ok(process),
                Ok(Adopted::Exited(_) | Adopted::NeverStarted) => Err(running),
                Err(e) => Err(e),
            },
            done => done,
        };
        started.map_err(|e| match e {
            Error::NotStarted { reason } => {
                NotLaunched { reason: Fault::new(&faults::NOT_STARTED).with("why", reason).into(), passing: false }
            }
            e @ (Error::Folder { .. }
            | Error::Running(_)
            | Error::Launch { .. }
            | Error::Handed { .. }
            | Error::Shim { .. }) => Fault::new(&faults::NOT_STARTED).with("why", e).into(),
        })
    }

    fn spec(&self, instance: &DesiredInstance, port: Option<u16>) -> Result<ShimSpec, NotLaunched> {
        let workload = &instance.workload;
        Ok(ShimSpec {
            version: shim::VERSION,
            command: workload.command.clone(),
            env: self.environment(instance, port)?,
            cwd: self.home.release(&instance.release).display().to_string(),
            user: self.users.of(&instance.place)?,
            limits: workload.limits,
            cgroup: self.cgroups.then(|| instance.id.to_string()),
            log: LOG,
            timeout_ms: match (workload.kind, &workload.schedule) {
                (ServiceKind::Cron, Some(schedule)) => Some(schedule.timeout_ms),
                (ServiceKind::Cron | ServiceKind::Web | ServiceKind::Worker, _) => None,
            },
            // What an instance's children do after its end would be done twice by the next one.
            kill_group_at_exit: true,
            wrapped: false,
            secrets: !workload.secrets.is_empty(),
        })
    }

    /// The whole environment of an instance and of the commands that check it. Makes its data folder.
    pub fn environment(
        &self,
        instance: &DesiredInstance,
        port: Option<u16>,
    ) -> Result<BTreeMap<String, String>, NotLaunched> {
        let data = self.data_folder(instance)?;
        let place = &instance.place;
        let mut env = BTreeMap::from([
            ("PATH".to_owned(), self.path.clone()),
            ("HOME".to_owned(), data.clone()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ]);
        env.extend(instance.workload.env.clone());
        env.extend([
            ("TRADEWIND_SERVICE".to_owned(), place.service.to_string()),
            ("TRADEWIND_ENV".to_owned(), place.env.to_string()),
            ("TRADEWIND_SITE".to_owned(), place.site.to_string()),
            ("TRADEWIND_RELEASE".to_owned(), instance.label.clone()),
            ("TRADEWIND_INSTANCE".to_owned(), instance.id.to_string()),
            ("TRADEWIND_DATA_DIR".to_owned(), data),
        ]);
        if let Some(port) = port {
            env.insert("PORT".to_owned(), port.to_string());
        }
        Ok(env)
    }

    fn data_folder(&self, instance: &DesiredInstance) -> Result<String, NotLaunched> {
        let data = self.home.data(&instance.place);
        for above in data.ancestors().skip(1).take(2) {
            std::fs::create_dir_all(above).map_err(|e| disk_failed(above, &e))?;
        }
        for above in data.ancestors().skip(1).take(2) {
            disk::folder(above, 0o711)?;
        }
        let user = self.users.of(&instance.place)?;
        if !data.exists() {
            disk::folder(&data, 0o700)?;
        }
        if let Some(user) = user {
            let owner = std::fs::metadata(&data).map_err(|e| disk_failed(&data, &e))?.uid();
            if owner != user.uid {
                own::give(&data, Some(owner), Some((user.uid, user.gid)), Access::Keep)?;
            }
        }
        Ok(data.display().to_string())
    }
}

fn disk_failed(path: &std::path::Path, e: &std::io::Error) -> NotLaunched {
    let what = said!("use {path}", "使用 {path}", path = path.display());
    Fault::new(&faults::DISK).with("what", what).with("why", e).into()
}

/// The shim's folder within the instance's.
pub const PROCESS: &str = "process";
