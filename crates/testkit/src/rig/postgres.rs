//! A PostgreSQL server of this process: in a temporary folder, on a Unix socket, gone with its owner.

use anyhow::{Context, Result, bail, ensure};
use std::{
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Instant,
};

use super::HANG;

/// Where Debian puts, by version, what is not on the PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

pub struct Postgres {
    server: Child,
    folder: tempfile::TempDir,
}

impl Postgres {
    /// Initialises a cluster, starts it and waits until it listens. It has the user `tradewind`, who may do anything, and
    /// the database `postgres`.
    pub fn start() -> Result<Self> {
        // Where another user can get to, and short enough for a socket.
        let folder = tempfile::Builder::new().prefix("tw-pg-").tempdir_in("/tmp")?;
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o711))?;
        let data = folder.path().join("data");
        std::fs::create_dir(&data)?;
        if rustix::process::geteuid().is_root() {
            let chowned = Command::new("chown").arg("postgres:postgres").arg(&data).status()?;
            ensure!(chowned.success(), "there is no user `postgres`: install postgresql");
        }
        let made = as_postgres("initdb")?
            .args(["--username=tradewind", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(&data)
            .current_dir("/")
            .output()?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let server = as_postgres("postgres")?
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "max_connections=200", "-c", "fsync=off"])
            .arg("-c")
            .arg(format!("unix_socket_directories={}", data.display()))
            .current_dir("/")
            .stderr(std::fs::File::create(folder.path().join("log"))?)
            .spawn()?;
        let postgres = Self { server, folder };
        let began = Instant::now();
        while UnixStream::connect(data.join(".s.PGSQL.5432")).is_err() {
            if began.elapsed() > HANG {
                bail!("no answer: {}", std::fs::read_to_string(postgres.folder.path().join("log"))?);
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Ok(postgres)
    }

    pub fn url(&self, database: &str) -> String {
        let socket = self.folder.path().join("data").display().to_string().replace('/', "%2F");
        format!("postgres://tradewind@{socket}/{database}")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT: stop at once, nothing here is worth keeping.
        if let Some(pid) = rustix::process::Pid::from_raw(self.server.id().cast_signed()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::QUIT);
        }
        let _ = self.server.wait();
    }
}

fn program(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    let mut versions: Vec<_> = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|e| e.path()).collect();
    versions.sort();
    folders.extend(versions.into_iter().rev().map(|v| v.join("bin")));
    let found = folders.into_iter().map(|f| f.join(name)).find(|p| p.exists());
    found.with_context(|| format!("`{name}` was not found: install postgresql"))
}

/// Runs as `postgres` where we are root, because the server refuses to run as root; and dies with us.
fn as_postgres(name: &str) -> Result<Command> {
    let mut command = Command::new("setpriv");
    if rustix::process::geteuid().is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    // SIGINT is the server's fast shutdown.
    command.args(["--pdeathsig", "INT", "--"]).arg(program(name)?).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    Ok(command)
}
