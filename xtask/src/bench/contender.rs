//! The proxies that are compared, each on one core, each started from an empty folder.

use super::machine;
use anyhow::{Context, Result, bail, ensure};
use std::{
    fs,
    io::{BufRead, BufReader, Lines, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
    process::{Child, Command, Stdio},
    str::FromStr,
    time::{Duration, Instant},
};
use tradewind_model::{
    id::{InstanceId, RevisionId},
    protocol::{
        edge::{self, Mode, Route, RouteLimits, Split, Sticky, Table, Target, ToEdge},
        trial::Trial,
    },
};

/// A started program on a port; ends with this value.
pub struct Running {
    child: Child,
    pub addr: SocketAddr,
    /// The same over TLS; of what stands behind them, the same address.
    pub secure: SocketAddr,
    /// Of an edge: held open as an agent would.
    control: Option<Control>,
}

impl Running {
    pub fn cpu(&self) -> Duration {
        machine::cpu_time(self.child.id())
    }

    /// Has the edge serve its two revisions, with this trial.
    pub fn put(&mut self, upstream: SocketAddr, trial: Option<Trial>) -> Result<()> {
        self.control.as_mut().context("not an edge")?.put(upstream, trial)
    }

    fn start(
        mut command: Command,
        addr: SocketAddr,
        secure: SocketAddr,
        control: impl FnOnce() -> Result<Option<Control>>,
    ) -> Result<Self> {
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().with_context(|| format!("{command:?}"))?;
        let mut running = Self { child, addr, secure, control: None };
        running.wait_until_it_listens()?;
        running.control = control()?;
        Ok(running)
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        let began = Instant::now();
        while TcpStream::connect(self.addr).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("a contender ended before it listened: {status}");
            }
            ensure!(began.elapsed() < Duration::from_secs(30), "nothing listens on {}", self.addr);
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for pid in machine::family(self.child.id()).into_iter().rev() {
            if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        let _ = self.child.wait();
    }
}

pub fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn pinned(core: usize, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string()]).arg(program);
    command
}

fn write(folder: &Path, name: &str, text: String) -> Result<std::path::PathBuf> {
    fs::create_dir_all(folder)?;
    let path = folder.join(name);
    fs::write(&path, text)?;
    Ok(path)
}

fn nginx_config(folder: &Path, http: &str) -> String {
    format!(
        "daemon off; master_process off; worker_processes 1; pid {d}/pid; error_log {d}/error.log;\n\
         events {{ worker_connections 4096; }}\n\
         http {{ access_log off; keepalive_requests 1000000; client_body_temp_path {d}/b; proxy_temp_path {d}/p;\n\
         fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;\n{http}\n}}\n",
        d = folder.display()
    )
}

/// What stands behind the proxies: 1 KiB from memory.
pub fn upstream(folder: &Path, core: usize) -> Result<Running> {
    let addr = free_port()?;
    let body = "x".repeat(1024);
    let http = format!("server {{ listen {addr} backlog=4096; location / {{ return 200 '{body}'; }} }}");
    let config = write(folder, "upstream.conf", nginx_config(folder, &http))?;
    let mut command = pinned(core, "nginx");
    command.arg("-c").arg(config);
    Running::start(command, addr, addr, || Ok(None))
}

/// The same for all of them.
const HOST: &str = "bench.example.com";

/// A certificate (ECDSA, P-256) and its key, made for this run; then both in one file.
fn certificate(folder: &Path) -> Result<[std::path::PathBuf; 3]> {
    let (chain, key) = tradewind_tls::self_signed(&[HOST.to_owned()], 2100)?;
    let own = folder.join("certificates");
    let both = format!("{chain}{key}");
    Ok([write(&own, "bench.crt", chain)?, write(&own, "bench.key", key)?, write(folder, "both.pem", both)?])
}

/// Split by a cookie's hash, as its documentation does it.
pub fn nginx(folder: &Path, core: usize, upstream: SocketAddr) -> Result<Running> {
    let (addr, secure) = (free_port()?, free_port()?);
    let [chain, key, _] = certificate(folder)?;
    let http = format!(
        "upstream old {{ server {upstream}; keepalive 128; keepalive_requests 1000000; }}\n\
         upstream new {{ server {upstream}; keepalive 128; keepalive_requests 1000000; }}\n\
         split_clients $remote_addr$cookie_client $side {{ 10% new; * old; }}\n\
         ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {chain}; ssl_certificate_key {key};\n\
         server {{ listen {addr} backlog=4096; listen {secure} ssl http2 backlog=4096; location / {{ proxy_pass http://$side; proxy_http_version 1.1;\n\
         proxy_set_header Connection ''; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;\n\
         proxy_set_header X-Forwarded-Host $host; proxy_set_header X-Forwarded-Proto $scheme; }} }}",
        chain = chain.display(),
        key = key.display()
    );
    let config = write(folder, "nginx.conf", nginx_config(folder, &http))?;
    let mut command = pinned(core, "nginx");
    command.arg("-c").arg(config);
    Running::start(command, addr, secure, || Ok(None))
}

pub fn haproxy(folder: &Path, core: usize, upstream: SocketAddr) -> Result<Running> {
    let (addr, secure) = (free_port()?, free_port()?);
    let [_, _, both] = certificate(folder)?;
    let config = format!(
        "global\n nbthread 1\n maxconn 4096\ndefaults\n mode http\n timeout connect 2s\n timeout client 60s\n timeout server 60s\n \
         option http-keep-alive\n http-reuse always\nfrontend in\n bind {addr}\n bind {secure} ssl crt {both} alpn h2,http/1.1\n \
         http-request set-header X-Forwarded-For %[src]\n http-request set-header X-Forwarded-Proto http\n \
         http-request set-header X-Forwarded-Host %[req.hdr(Host)]\n default_backend shop\nbackend shop\n \
         balance roundrobin\n cookie client insert indirect nocache\n server old {upstream} cookie old weight 90\n \
         server new {upstream} cookie new weight 10\n",
        both = both.display()
    );
    let config = write(folder, "haproxy.cfg", config)?;
    let mut command = pinned(core, "haproxy");
    command.arg("-db").arg("-f").arg(config);
    Running::start(command, addr, secure, || Ok(None))
}

/// The edge as an agent drives it: two revisions, a cookie, counters and checks on.
pub fn tradewind(bin: &Path, folder: &Path, core: usize, upstream: SocketAddr) -> Result<Running> {
    let (addr, secure) = (free_port()?, free_port()?);
    // Beside the data folder, which is nobody's but the edge's.
    let aside = folder.with_extension("certificates");
    let [chain, ..] = certificate(&aside)?;
    fs::create_dir_all(folder)?;
    let mut command = pinned(core, bin);
    command.arg("edge").arg("--data").arg(folder).args([
        "--edge",
        &addr.to_string(),
        "--edge-tls",
        &secure.to_string(),
    ]);
    command.arg("--certificates").arg(chain.parent().unwrap_or(&aside)).stderr(Stdio::null());
    let socket = folder.join("run/edge.sock");
    Running::start(command, addr, secure, || {
        let mut control = Control::dial(&socket)?;
        control.put(upstream, None)?;
        Ok(Some(control))
    })
}

struct Control {
    stream: UnixStream,
    lines: Lines<BufReader<UnixStream>>,
    version: u64,
}

impl Control {
    /// The worker opens its socket a little after the holder listens.
    fn dial(socket: &Path) -> Result<Self> {
        let began = Instant::now();
        let stream = loop {
            match UnixStream::connect(socket) {
                Ok(stream) => break stream,
                Err(e) if began.elapsed() > Duration::from_secs(30) => {
                    return Err(e).context(socket.display().to_string());
                }
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        let lines = BufReader::new(stream.try_clone()?).lines();
        let mut control = Self { stream, lines, version: 0 };
        control.send(&ToEdge::Hello { protocol: edge::VERSION })?;
        Ok(control)
    }

    fn send(&mut self, message: &ToEdge) -> Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        self.stream.write_all(&line)?;
        Ok(())
    }

    fn put(&mut self, upstream: SocketAddr, trial: Option<Trial>) -> Result<()> {
        self.version += 1;
        let version = self.version;
        self.send(&ToEdge::Table(table(version, upstream, trial)))?;
        for line in &mut self.lines {
            match serde_json::from_str(&line?)? {
                edge::FromEdge::Ack { version: acked } if acked == version => return Ok(()),
                edge::FromEdge::Refused { reason, .. } => bail!("the edge refused the table: {reason}"),
                edge::FromEdge::Hello { .. }
                | edge::FromEdge::Ack { .. }
                | edge::FromEdge::Drained { .. }
                | edge::FromEdge::Stats(_)
                | edge::FromEdge::Certificates { .. }
                | edge::FromEdge::Units { .. } => {}
            }
        }
        bail!("the edge closed its control connection")
    }
}

/// Of the two that an edge serves here.
pub fn revision(n: u8) -> RevisionId {
    id(n)
}

/// The same in every table.
fn id<T: FromStr<Err: std::fmt::Debug>>(n: u8) -> T {
    format!("00000000-0000-7000-8000-0000000000{n:02x}").parse().expect("an id")
}

fn table(version: u64, upstream: SocketAddr, trial: Option<Trial>) -> Table {
    let split = |label: &str, n: u8, weight: u32| Split {
        revision: id(n),
        label: label.into(),
        weight,
        targets: vec![Target { instance: id::<InstanceId>(n), addr: upstream }],
    };
    let route = Route {
        id: "shop/production/default".into(),
        hosts: Vec::new(),
        path_prefix: "/".into(),
        mode: Mode::Serve,
        sticky: Sticky::Cookie { name: "client".into(), max_age_s: 3_600, secure: false },
        salt: "bench".into(),
        splits: vec![split("v1", 1, 9_000), split("v2", 2, 1_000)],
        limits: RouteLimits::default(),
        health: None,
        trial,
    };
    Table { version, routes: vec![route], probe_token: "bench".into() }
}
