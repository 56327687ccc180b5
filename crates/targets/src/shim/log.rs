//! Writes a process's log: segments named by the offset of their first byte, so that an offset means the same before
//! and after a rotation. See [`crate::logs`] for the reader.

use crate::logs::{segment_path, segments};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use tradewind_model::{
    protocol::shim::LogRule,
    time::{Clock, SystemClock, Timestamp},
};

/// What is collected before it is written, at most; also what is read from a pipe at once.
pub const BATCH: usize = 32 << 10;
const SMALLEST_SEGMENT: u64 = 4 << 10;
const FULL: &str = "the log has reached its limit: what follows is left out";

pub struct Log {
    dir: PathBuf,
    max_bytes: u64,
    keep: u32,
    file: File,
    /// Offset of the segment's first byte.
    base: u64,
    /// Bytes of the segment that are written and end in a whole line.
    len: u64,
    batch: Vec<u8>,
    /// Bytes of the process's output in `batch`.
    batch_text: u64,
    left_out: u64,
    full: bool,
    /// Why the last write failed.
    trouble: Option<io::Error>,
}

impl Log {
    /// Goes on with the log in `dir`, or begins one. A line torn by a kill is cut off: its bytes are still in the pipe.
    pub fn open(dir: &Path, rule: LogRule) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let base = segments(dir)?.last().copied().unwrap_or(0);
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(segment_path(dir, base))?;
        let len = whole_lines(&file)?;
        file.set_len(len)?;
        Ok(Self {
            dir: dir.to_owned(),
            max_bytes: rule.max_bytes.max(SMALLEST_SEGMENT),
            keep: rule.keep,
            file,
            base,
            len,
            batch: Vec::new(),
            batch_text: 0,
            left_out: 0,
            full: false,
            trouble: None,
        })
    }

    /// One line of the process's output, in up to three parts that are joined. Not written before [`flush`](Self::flush).
    pub fn line(&mut self, at: Timestamp, stream: u8, text: [&[u8]; 3]) {
        let bytes = text.iter().map(|t| t.len()).sum::<usize>();
        if self.full {
            self.left_out += bytes as u64 + 1;
            return;
        }
        // 20 digits at most, two blanks, a letter, the line's end.
        let size = (bytes + 24) as u64;
        if self.len + self.batch.len() as u64 + size > self.max_bytes {
            self.flush();
            if self.keep == 0 {
                self.full = true;
                self.left_out += bytes as u64 + 1;
                self.say(FULL);
                return;
            }
            self.rotate();
        } else if self.batch.len() + bytes > BATCH {
            self.flush();
        }
        self.push(at, stream, text);
        self.batch_text += bytes as u64 + 1;
    }

    /// A line of our own, written at once and whatever the limit.
    pub fn say(&mut self, text: &str) {
        self.flush();
        self.push(SystemClock.now(), b's', [text.as_bytes(), b"", b""]);
        self.flush();
    }

    pub fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        if !self.full
            && let Some(why) = self.trouble.take()
        {
            let notice = format!("{} s {} bytes left out: {why}\n", SystemClock.now().0, self.left_out);
            self.write(notice.as_bytes());
            if self.trouble.is_none() {
                self.left_out = 0;
            }
        }
        let batch = std::mem::take(&mut self.batch);
        if self.trouble.is_some() || !self.write(&batch) {
            self.left_out += self.batch_text;
        }
        self.batch = batch;
        self.batch.clear();
        self.batch_text = 0;
    }

    /// Writes what is left, says how much was left out, and ends with `epitaph`.
    pub fn close(mut self, epitaph: &str) {
        self.flush();
        if self.full && self.left_out > 0 {
            self.say(&format!("{} bytes left out: the log is limited to {} bytes", self.left_out, self.max_bytes));
        }
        self.say(epitaph);
    }

    fn push(&mut self, at: Timestamp, stream: u8, text: [&[u8]; 3]) {
        // Writing to memory cannot fail.
        let _ = write!(self.batch, "{} {} ", at.0, stream as char);
        text.iter().for_each(|t| self.batch.extend_from_slice(t));
        self.batch.push(b'\n');
    }

    fn write(&mut self, bytes: &[u8]) -> bool {
        match self.file.write_all(bytes) {
            Ok(()) => {
                self.len += bytes.len() as u64;
                true
            }
            Err(e) => {
                // A part may be there; only whole lines stay.
                let _ = self.file.set_len(self.len);
                self.trouble = Some(e);
                false
            }
        }
    }

    fn rotate(&mut self) {
        let base = self.base + self.len;
        if base == self.base {
            return;
        }
        let path = segment_path(&self.dir, base);
        match OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(path) {
            Ok(file) => (self.file, self.base, self.len) = (file, base, 0),
            // The segment grows past its size rather than lose lines; the next line tries again.
            Err(_) => return,
        }
        let Ok(all) = segments(&self.dir) else { return };
        for old in all.iter().rev().skip(self.keep as usize + 1) {
            let _ = fs::remove_file(segment_path(&self.dir, *old));
        }
    }
}

/// Up to the last line's end.
fn whole_lines(file: &File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut block = [0; 4096];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let bytes = &mut block[..(end - start) as usize];
        file.read_exact_at(bytes, start)?;
        if let Some(last) = bytes.iter().rposition(|b| *b == b'\n') {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}
