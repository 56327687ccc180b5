//! The access log: one JSON object a line, off the serving threads.
//!
//! Requests hand their record to a bounded queue; a thread of its own writes. When the disk is slower than the
//! traffic, records are dropped and counted, never waited for.

use crate::{clock::Uptime, table::LiveSplit};
use http::request;
use serde::Serialize;
use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    time::Instant,
};
use tradewind_model::id::InstanceId;

const QUEUE: usize = 8_192;
const ROTATE_AT: u64 = 64 << 20;

/// Which requests are logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AccessLog {
    #[default]
    Off,
    On,
    /// One in so many, at random.
    Sampled(u32),
}

pub struct Log {
    queue: mpsc::SyncSender<Message>,
    dropped: AtomicU64,
    one_in: u32,
    uptime: Arc<Uptime>,
}

enum Message {
    Record(Box<Record>),
    Flush(mpsc::Sender<()>),
}

impl Log {
    /// `None` when the log is off.
    pub fn open(which: AccessLog, path: &Path, uptime: Arc<Uptime>) -> io::Result<Option<Arc<Self>>> {
        let one_in = match which {
            AccessLog::Off => return Ok(None),
            AccessLog::On => 1,
            AccessLog::Sampled(n) => n.max(1),
        };
        let mut file = LogFile::open(path)?;
        let (queue, records) = mpsc::sync_channel(QUEUE);
        std::thread::Builder::new().name("access-log".into()).spawn(move || {
            while let Ok(first) = records.recv() {
                let mut next = Some(first);
                while let Some(message) = next {
                    match message {
                        Message::Record(record) => file.write(&record),
                        Message::Flush(done) => {
                            file.flush();
                            let _ = done.send(());
                        }
                    }
                    next = records.try_recv().ok();
                }
                file.flush();
            }
        })?;
        Ok(Some(Arc::new(Self { queue, dropped: AtomicU64::new(0), one_in, uptime })))
    }

    /// A record for this request, if it is one to be logged.
    pub fn begin(
        self: &Arc<Self>,
        head: &request::Parts,
        client: &http::HeaderValue,
        began: Instant,
    ) -> Option<Box<Record>> {
        if self.one_in > 1 && !super::proxy::client::entropy().is_multiple_of(u64::from(self.one_in)) {
            return None;
        }
        let text =
            |name: http::HeaderName| head.headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        Some(Box::new(Record {
            at: self.uptime.wall(began).to_rfc3339(),
            client: String::from_utf8_lossy(client.as_bytes()).into_owned(),
            method: head.method.to_string(),
            host: text(http::header::HOST),
            path: head.uri.path().to_owned(),
            user_agent: text(http::header::USER_AGENT),
            traceparent: text(http::HeaderName::from_static("traceparent")),
            status: 0,
            bytes: 0,
            head_ms: 0.0,
            total_ms: 0.0,
            route: None,
            revision: None,
            label: None,
            instance: None,
            cause: None,
            began,
            log: self.clone(),
        }))
    }

    /// Records that found the queue full.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Waits until what was queued is in the file.
    pub fn flush(&self) {
        let (done, wait) = mpsc::channel();
        if self.queue.send(Message::Flush(done)).is_ok() {
            let _ = wait.recv();
        }
    }
}

/// One line. The query string is left out: it is where secrets and personal data travel.
#[derive(Serialize)]
pub struct Record {
    at: String,
    client: String,
    method: String,
    host: Option<String>,
    path: String,
    status: u16,
    /// Of the answer's body.
    pub bytes: u64,
    /// Until the answer's head.
    head_ms: f64,
    total_ms: f64,
    route: Option<String>,
    revision: Option<String>,
    label: Option<String>,
    instance: Option<String>,
    /// Why it is not a plain answer of an instance.
    pub cause: Option<&'static str>,
    user_agent: Option<String>,
    traceparent: Option<String>,
    #[serde(skip)]
    began: Instant,
    #[serde(skip)]
    log: Arc<Log>,
}

impl Record {
    pub fn answered(&mut self, status: u16, now: Instant, route: &str, split: &LiveSplit, instance: InstanceId) {
        self.status = status;
        self.head_ms = millis(self.began, now);
        self.route = Some(route.to_owned());
        self.revision = Some(split.revision.to_string());
        self.label = Some(split.counters.label.to_string());
        self.instance = Some(instance.to_string());
    }

    pub fn refused(&mut self, status: u16, now: Instant, route: &str, cause: Option<&'static str>) {
        self.status = status;
        self.head_ms = millis(self.began, now);
        self.route = Some(route.to_owned());
        self.cause = cause;
    }

    /// A request that came to no route.
    pub fn unrouted(mut self: Box<Self>, status: u16, now: Instant) {
        self.status = status;
        self.head_ms = millis(self.began, now);
        self.write();
    }

    pub fn write(mut self: Box<Self>) {
        self.total_ms = millis(self.began, Instant::now());
        let log = self.log.clone();
        if log.queue.try_send(Message::Record(self)).is_err() {
            log.dropped.fetch_add(1, Relaxed);
        }
    }
}

fn millis(from: Instant, to: Instant) -> f64 {
    (to.saturating_duration_since(from).as_micros() as f64) / 1e3
}

/// Rotated once: `access.log` and `access.log.1`.
struct LogFile {
    path: PathBuf,
    out: BufWriter<File>,
    size: u64,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o640).open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), out: BufWriter::with_capacity(64 << 10, file), size })
    }

    fn write(&mut self, record: &Record) {
        let Ok(mut line) = serde_json::to_vec(record) else { return };
        line.push(b'\n');
        self.size += line.len() as u64;
        if self.out.write_all(&line).is_err() {
            record.log.dropped.fetch_add(1, Relaxed);
        }
        if self.size > ROTATE_AT {
            self.flush();
            let mut old = self.path.clone().into_os_string();
            old.push(".1");
            if std::fs::rename(&self.path, old).is_ok()
                && let Ok(fresh) = Self::open(&self.path)
            {
                *self = fresh;
            }
        }
    }

    fn flush(&mut self) {
        if let Err(error) = self.out.flush() {
            tracing::warn!(path = %self.path.display(), %error, "the access log cannot be written");
        }
    }
}
