//! `tradewind up`: everything on one machine.

use crate::{
    admin,
    config::{Config, registry as set},
    down, faults,
    folder::{Folder, Registration},
    msg,
    process::Identity,
    role::{Role, VERSION, in_own_session, open_log, this_binary},
    say::Say,
    supervisor::{Leave, Roster, Supervisor},
};
use std::{
    fs::File,
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener},
    process::Stdio,
    sync::Arc,
};
use tradewind_cli::{exit::Exit, fill, setting::Setting};
use tradewind_model::fault::Fault;

/// `run/up.json`.
pub const SUPERVISOR: &str = "up";
/// Passed to the background process of `up --detach`; not for people.
pub const DETACHED: &str = "detached";

/// Whose terminal this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ground {
    Foreground,
    /// Leaves the terminal it was started from once all is ready.
    Background,
}

pub fn run(config: Config, ground: Ground, say: Say) -> anyhow::Result<Exit> {
    if config.switch(&set::INSECURE_SAME_USER) {
        say.err(msg::UP_SAME_USER.get(say.lang));
    } else if !rustix::process::geteuid().is_root() {
        return Err(Fault::new(&faults::NOT_ROOT).into());
    }
    let folder = Folder::create(config.data())?;
    let _lock = claim(&folder)?;
    for role in Role::ALL {
        if role.running(&folder).is_none() {
            for setting in role.addresses() {
                config.address(setting).map_or(Ok(()), |addr| check_port(setting, addr))?;
            }
        }
    }
    folder.write_run(
        &format!("{SUPERVISOR}.json"),
        &Registration {
            identity: Identity::of_self()?,
            version: VERSION.to_owned(),
            settings: config.fingerprint(set::ALL),
            listen: config.text(&set::LISTEN).map(str::to_owned),
        },
    )?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let config = Arc::new(config);
    let leave = runtime.block_on(supervise(&folder, &config, ground, say));
    drop(runtime);
    let (leave, outcome) = match leave {
        Ok(leave) => (leave, Ok(Exit::Ok)),
        Err(e) => (Leave::Stop, Err(e)),
    };
    match leave {
        Leave::Relieved => say.err(msg::LEFT.get(say.lang)),
        Leave::Stop if outcome.is_ok() => {
            say.out(fill!(say.lang, &msg::STOPPING, data = folder.root().display()));
            let hurry = down::Hurry::on_interrupt()?;
            down::stop_everything(&folder, &hurry)?.print(&folder, say);
        }
        // It never was up: what was started goes, instances of an earlier time are left alone.
        Leave::Stop => down::stop_roles(&folder, &down::Hurry::default()),
    }
    folder.remove_run(&format!("{SUPERVISOR}.json"));
    outcome
}

async fn supervise(folder: &Folder, config: &Arc<Config>, ground: Ground, say: Say) -> anyhow::Result<Leave> {
    // A key of an earlier start may be of a store that is gone; the agent reads it when it starts.
    if Role::Agent.running(folder).is_none_or(|r| !Role::Agent.is_same(&r, config)) {
        admin::enrol(folder, config, say).await?;
    }
    let mut supervisor = Supervisor::start(folder, config, say)?;
    match supervisor.all_ready().await {
        Ok(None) => {}
        Ok(Some(leave)) => {
            supervisor.release().await;
            return Ok(leave);
        }
        Err(e) => {
            supervisor.release().await;
            return Err(e);
        }
    }
    announce(folder, config, supervisor.roster(), ground, say).await;
    if ground == Ground::Background {
        leave_terminal(folder, config)?;
    }
    Ok(supervisor.keep().await)
}

/// One supervisor a folder. The lock frees itself at any kind of death.
fn claim(folder: &Folder) -> anyhow::Result<File> {
    if let Some(lock) = folder.lock(SUPERVISOR)? {
        return Ok(lock);
    }
    let pid = folder.read_run::<Registration>("up.json").map_or_else(|| "?".to_owned(), |r| r.identity.pid.to_string());
    Err(Fault::new(&faults::ALREADY_UP).with("data", folder.root().display()).with("pid", pid).into())
}

/// Refuses an address the role would fail on a moment later, while there is someone to tell.
fn check_port(setting: &'static Setting, addr: SocketAddr) -> Result<(), Fault> {
    let fault = |code| Fault::new(code).with("addr", addr).with("flag", format!("--{}", setting.flag()));
    match TcpListener::bind(addr) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::AddrInUse => Err(fault(&faults::PORT_IN_USE)),
        Err(e) => Err(fault(&faults::CANNOT_LISTEN).with("reason", e)),
    }
}

async fn announce(folder: &Folder, config: &Config, roster: &Roster, ground: Ground, say: Say) {
    let lang = say.lang;
    let pid = |role: Role| roster.pids.get(&role).map_or_else(|| "?".to_owned(), u32::to_string);
    say.out(fill!(lang, &msg::UP, version = VERSION));
    say.out(fill!(lang, &msg::UP_API, url = config.public_url(), pid = pid(Role::Server)));
    let authority = shown_authority(folder, config);
    if let Some(fingerprint) = &authority {
        say.out(fill!(lang, &msg::UP_AUTHORITY, fingerprint = fingerprint));
    }
    let edge = format!("http://{}", config.addr(&set::EDGE));
    say.out(fill!(lang, &msg::UP_EDGE, url = edge, pid = pid(Role::Edge)));
    say.out(fill!(lang, &msg::UP_AGENT, pid = pid(Role::Agent)));
    say.out(fill!(lang, &msg::UP_DATA, data = folder.root().display()));
    say.out(fill!(lang, &msg::UP_LOGS, logs = folder.root().join("log").display()));
    for role in &roster.adopted {
        say.out(fill!(lang, &msg::UP_ADOPTED, role = role.name()));
    }
    say.out("");
    match admin::ask_for_code(folder, config, say).await {
        Ok(code) => {
            say.out(msg::UP_CODE.get(lang));
            let believe = authority.map(|f| format!(" --fingerprint {f}")).unwrap_or_default();
            say.out(format!("  tradewind login --server {} --code {}{believe}", config.public_url(), code.code));
            say.out(msg::UP_NEXT.get(lang));
        }
        Err(e) => say.err(fill!(lang, &msg::CODE_FAILED, reason = format!("{e:#}"), data = folder.root().display())),
    }
    say.out("");
    match ground {
        Ground::Foreground => say.out(msg::UP_STOP_HERE.get(lang)),
        Ground::Background => say.out(fill!(lang, &msg::UP_STOP_DETACHED, data = folder.root().display())),
    }
}

/// The fingerprint of the authority that clients of the API have to believe; none where others vouch for it.
pub fn shown_authority(folder: &Folder, config: &Config) -> Option<String> {
    let own = config.address(&set::LISTEN_TLS).is_some() && config.text(&set::LISTEN_CERTIFICATE).is_none();
    own.then(|| tradewind_server::authority_fingerprint(folder.root()))?.map(|digest| digest.hex())
}

/// Ends what the background process says to the terminal: without it, it never was ready.
const READY: u8 = 0;

/// From here on the background process speaks into its log; closing the pipes tells the one in the terminal to end.
fn leave_terminal(folder: &Folder, config: &Config) -> io::Result<()> {
    let log = open_log(folder, SUPERVISOR, config.size(&set::LOG_MAX_SIZE))?;
    io::stdout().write_all(&[READY])?;
    io::stdout().flush()?;
    rustix::stdio::dup2_stdout(&log)?;
    rustix::stdio::dup2_stderr(&log)?;
    Ok(())
}

/// `up --detach`: starts the same in the background and returns when it is ready, or says why it is not.
pub fn detach(config: &Config, say: Say) -> anyhow::Result<Exit> {
    let mut command = this_binary();
    command.arg("up").arg("--data").arg(config.data()).arg(format!("--{DETACHED}"));
    command.envs(config.as_variables());
    command.env("TRADEWIND_LANG", tradewind_cli::text::tag(say.lang));
    command.current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    in_own_session(&mut command);
    let mut child = command.spawn()?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let errors = std::thread::spawn(move || err.map_or(Ok(false), |e| pass_on(e, io::stderr())));
    let ready = out.map_or(Ok(false), |o| pass_on(o, io::stdout()))?;
    let _ = errors.join();
    if ready {
        return Ok(Exit::Ok);
    }
    let status = child.wait()?;
    Ok(Exit::of(status.code()))
}

/// Copies until the other side closes; whether it closed with [`READY`].
fn pass_on(mut from: impl Read, mut to: impl Write) -> io::Result<bool> {
    let mut part = [0; 4096];
    let mut ready = false;
    loop {
        let said = match from.read(&mut part)? {
            0 => return Ok(ready),
            n => &part[..n],
        };
        ready = said.last() == Some(&READY);
        let _ = to.write_all(said.strip_suffix(&[READY]).unwrap_or(said));
        let _ = to.flush();
    }
}
