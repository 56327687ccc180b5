//! Copies a pipe into the log, line by line.
//!
//! What is read is only looked at (`tee`), and taken out of the pipe after it was written to the log: a shim that is
//! killed at any point has lost nothing, its successor finds in the pipe what is not in the log. (Killed exactly
//! between the two calls, it leaves the last lines in both, and they are logged twice.) So a line that is not
//! finished waits in the pipe.

use super::log::{BATCH, Log};
use crate::handed::Handed;
use rustix::{
    fs::{Mode, OFlags, open},
    io::{Errno, ioctl_fionread, read},
    pipe::{PipeFlags, SpliceFlags, pipe_with, tee},
};
use std::{io, os::fd::OwnedFd, path::Path, time::Duration};
use tradewind_model::{
    protocol::shim::ShimSpec,
    time::{Clock, SystemClock},
};
use tradewind_secrets::mask::{Flow, Look, Masks};

/// Longer lines are cut into pieces of this many bytes, each marked where it was cut.
const LONGEST_LINE: usize = 16 << 10;
/// An unfinished line is logged as a piece after this time: it may be a prompt, or nothing more may fit into the pipe.
const PATIENCE: Duration = Duration::from_secs(1);
const MUTE: &str = "its output is left out from here on: its secrets are not known any more, so they cannot be masked";
const CUT: &[u8] = "…".as_bytes();

/// The buffers both pipes use in turn.
pub struct Scratch {
    look: (OwnedFd, OwnedFd),
    bytes: Vec<u8>,
}

impl Scratch {
    pub fn new() -> io::Result<Self> {
        Ok(Self { look: pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?, bytes: vec![0; BATCH] })
    }
}

pub struct Output {
    pipe: OwnedFd,
    stream: u8,
    /// There may be something to read.
    pub ready: bool,
    /// Nobody can write to it any more.
    pub closed: bool,
    flow: Flow,
    /// The last piece logged did not end its line.
    mid_line: bool,
    /// An unfinished line in the pipe: its length, and when it had become so long.
    waiting: Option<(usize, Duration)>,
}

/// What is done about secrets before anything is stored.
pub enum Masking {
    With(Masks),
    /// There are secrets, and it is not known which: nothing is stored.
    Mute {
        said: bool,
    },
}

impl Masking {
    pub fn of(spec: &ShimSpec, handed: Option<&Handed>) -> Self {
        match handed {
            Some(handed) => Self::With(handed.masks()),
            None if spec.secrets => Self::Mute { said: false },
            None => Self::With(Masks::default()),
        }
    }
}

enum Looked {
    Bytes(usize),
    Nothing,
    End,
}

impl Output {
    pub fn open(path: &Path, stream: u8) -> io::Result<Self> {
        let pipe = open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { pipe, stream, ready: true, closed: false, flow: Flow::default(), mid_line: false, waiting: None })
    }

    pub fn fd(&self) -> &OwnedFd {
        &self.pipe
    }

    /// When an unfinished line has waited long enough.
    pub fn deadline(&self) -> Option<Duration> {
        self.waiting.map(|(_, since)| since + PATIENCE)
    }

    /// Moves one batch. Clears `ready` when there is nothing more for now. Returns the bytes taken.
    pub fn pump(
        &mut self,
        scratch: &mut Scratch,
        log: &mut Log,
        masking: &mut Masking,
        now: Duration,
    ) -> io::Result<usize> {
        let seen = match self.look(scratch)? {
            Looked::Bytes(n) => n,
            Looked::Nothing => {
                (self.ready, self.waiting) = (false, None);
                return Ok(0);
            }
            Looked::End => {
                (self.ready, self.waiting, self.closed) = (false, None, true);
                return Ok(0);
            }
        };
        let bytes = &scratch.bytes[..seen];
        let look = self.look_for_secrets(masking, bytes);
        // What may be the beginning of a secret waits in the pipe, as a line does that is not finished.
        let known = look.as_ref().map_or(seen, |look| look.held);
        let mut take = last_line_end(&bytes[..known]).unwrap_or(0);
        if take == 0 && seen >= LONGEST_LINE {
            take = cut(bytes, LONGEST_LINE);
        } else if take == 0 {
            let since = match self.waiting {
                Some((length, since)) if length == seen => since,
                _ => now,
            };
            if now < since + PATIENCE {
                (self.ready, self.waiting) = (false, Some((seen, since)));
                return Ok(0);
            }
            take = cut(bytes, seen);
        }
        self.store(masking, look, bytes, take, false, log);
        self.take(scratch, take)
    }

    fn look_for_secrets(&self, masking: &Masking, bytes: &[u8]) -> Option<Look> {
        match masking {
            Masking::With(masks) if masks.is_empty() => None,
            Masking::With(masks) => Some(masks.look(self.flow, bytes)),
            Masking::Mute { .. } => None,
        }
    }

    /// After the end: takes out what is there now, and no more if somebody still writes.
    pub fn drain(&mut self, scratch: &mut Scratch, log: &mut Log, masking: &mut Masking) -> io::Result<()> {
        let mut left = usize::try_from(ioctl_fionread(&self.pipe)?).unwrap_or(usize::MAX);
        while left > 0 {
            let Looked::Bytes(seen) = self.look(scratch)? else { break };
            let seen = seen.min(left);
            let bytes = &scratch.bytes[..seen];
            let look = self.look_for_secrets(masking, bytes);
            let take = match &look {
                _ if seen == left => seen,
                // The rest of it comes with the next batch.
                Some(look) if look.held > 0 => last_line_end(&bytes[..look.held]).unwrap_or(look.held),
                Some(_) | None => last_line_end(bytes).unwrap_or(seen),
            };
            self.store(masking, look, bytes, take, take == left, log);
            left -= self.take(scratch, take)?.clamp(1, left);
        }
        Ok(())
    }

    /// The first `take` bytes, without secrets. `ended`: what follows the last line's end is a line of its own, not a piece
    /// of one.
    fn store(
        &mut self,
        masking: &mut Masking,
        look: Option<Look>,
        bytes: &[u8],
        take: usize,
        ended: bool,
        log: &mut Log,
    ) {
        match (masking, look) {
            (Masking::With(masks), Some(look)) => {
                let text = masks.store(&mut self.flow, look, bytes, take);
                self.write(&text, ended, log);
            }
            (Masking::With(_), None) => self.write(&bytes[..take], ended, log),
            (Masking::Mute { said }, _) => {
                if !std::mem::replace(said, true) {
                    log.say(MUTE);
                }
            }
        }
    }

    fn write(&mut self, bytes: &[u8], ended: bool, log: &mut Log) {
        let at = SystemClock.now();
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            let (mut text, whole) = match line.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (line, ended),
            };
            while text.len() > LONGEST_LINE {
                let (piece, rest) = text.split_at(cut(text, LONGEST_LINE));
                log.line(at, self.stream, [self.mark(), piece, CUT]);
                (self.mid_line, text) = (true, rest);
            }
            if !(whole && self.mid_line && text.is_empty()) {
                log.line(at, self.stream, [self.mark(), text, if whole { b"" } else { CUT }]);
            }
            self.mid_line = !whole;
        }
        log.flush();
    }

    fn mark(&self) -> &'static [u8] {
        if self.mid_line { CUT } else { b"" }
    }

    fn look(&self, scratch: &mut Scratch) -> io::Result<Looked> {
        let (from, to) = &scratch.look;
        let mut linked = match tee(&self.pipe, to, scratch.bytes.len(), SpliceFlags::NONBLOCK) {
            Ok(0) => return Ok(Looked::End),
            Ok(n) => n,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Looked::Nothing),
            Err(e) => return Err(e.into()),
        };
        let mut seen = 0;
        while linked > 0 {
            match read(from, &mut scratch.bytes[seen..])? {
                0 => break,
                n => (seen, linked) = (seen + n, linked - n.min(linked)),
            }
        }
        Ok(Looked::Bytes(seen))
    }

    /// Takes what was looked at out of the pipe.
    fn take(&mut self, scratch: &mut Scratch, bytes: usize) -> io::Result<usize> {
        let mut taken = 0;
        while taken < bytes {
            match read(&self.pipe, &mut scratch.bytes[..bytes - taken]) {
                Ok(0) | Err(Errno::AGAIN) => break,
                Ok(n) => taken += n,
                Err(Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
        self.waiting = None;
        Ok(taken)
    }
}

fn last_line_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().rposition(|b| *b == b'\n').map(|i| i + 1)
}

/// At most `limit` bytes, without tearing a UTF-8 character when that can be helped.
fn cut(bytes: &[u8], limit: usize) -> usize {
    if bytes.len() <= limit {
        return bytes.len();
    }
    let back = bytes[..=limit].iter().rev().take(4).position(|b| b & 0xC0 != 0x80);
    back.map_or(limit, |n| limit - n).max(1)
}
