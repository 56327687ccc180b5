//! A PostgreSQL server of this test process: in a temporary folder, on a Unix socket, gone with the process.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};
use tokio::sync::OnceCell;

/// Where Debian puts what is not on the PATH.
const DEBIAN: &str = "/usr/lib/postgresql/15/bin";

pub struct Cluster {
    server: Child,
    folder: tempfile::TempDir,
    databases: AtomicU32,
    /// An empty database with the schema, to be copied.
    template: OnceCell<()>,
}

fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.push(DEBIAN.into());
    let found = folders.into_iter().map(|f| f.join(name)).find(|p| p.exists());
    found.unwrap_or_else(|| panic!("`{name}` was not found: install postgresql"))
}

/// Runs as `postgres` where we are root, because the server refuses to run as root; and dies with us.
fn as_postgres(name: &str) -> Command {
    let mut command = Command::new("setpriv");
    if rustix::process::geteuid().is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    // SIGINT is the server's fast shutdown.
    command.args(["--pdeathsig", "INT", "--"]).arg(program(name)).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command
}

impl Cluster {
    pub async fn start() -> Self {
        // Where another user can get to, and short enough for a socket.
        let folder = tempfile::Builder::new().prefix("tw-pg-").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o711)).unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        if rustix::process::geteuid().is_root() {
            let chowned = Command::new("chown").arg("postgres:postgres").arg(&data).status().unwrap();
            assert!(chowned.success());
        }
        let made = as_postgres("initdb")
            .args(["--username=tradewind", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(&data)
            .current_dir("/")
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let server = as_postgres("postgres")
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "max_connections=200", "-c", "fsync=off"])
            .arg("-c")
            .arg(format!("unix_socket_directories={}", data.display()))
            .current_dir("/")
            .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let cluster = Self { server, folder, databases: AtomicU32::new(0), template: OnceCell::new() };
        cluster.wait_until_it_answers().await;
        cluster
    }

    async fn wait_until_it_answers(&self) {
        for _ in 0..600 {
            if PgConnection::connect(&self.url("postgres")).await.is_ok() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("no answer: {}", std::fs::read_to_string(self.folder.path().join("log")).unwrap());
    }

    fn socket(&self) -> &Path {
        self.folder.path()
    }

    pub fn url(&self, database: &str) -> String {
        let socket = self.socket().join("data").display().to_string().replace('/', "%2F");
        format!("postgres://tradewind@{socket}/{database}")
    }

    async fn make(&self, sql: String) {
        let mut admin = PgConnection::connect(&self.url("postgres")).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
    }

    /// A database of its own without a schema.
    pub async fn empty_database(&self) -> String {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.make(format!("CREATE DATABASE {name}")).await;
        self.url(&name)
    }

    /// A database of its own with the schema.
    pub async fn database(&self) -> String {
        self.template
            .get_or_init(async || {
                self.make("CREATE DATABASE template".to_owned()).await;
                let clock = std::sync::Arc::new(tradewind_model::time::SystemClock);
                tradewind_store::Store::open(&self.url("template"), clock).await.unwrap().close().await;
            })
            .await;
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.make(format!("CREATE DATABASE {name} TEMPLATE template")).await;
        self.url(&name)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // SIGQUIT: stop at once, nothing here is worth keeping.
        if let Some(pid) = rustix::process::Pid::from_raw(self.server.id().cast_signed()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::QUIT);
        }
        let _ = self.server.wait();
    }
}
