//! Reads a process's log.
//!
//! The log is one stream of bytes in lines `<µs since 1970> <o|e|s> text`: stdout, stderr, and what Tradewind says. An
//! offset counts from the log's first byte ever written. It is kept in segments `log/<offset of the first byte>.log`;
//! old ones are removed as the rule says, and then the log begins at the first that is left. A line longer than 16 KiB,
//! or not finished within a second, is in pieces that end and begin with `…`.
//!
//! Only whole lines are given out: what follows the last line's end may still be taken back.
//!
//! The functions read files and block; [`Follow`] is for async callers. All take the process's folder.

use crate::folder;
use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    time::Duration,
};
use tradewind_model::{
    protocol::agent::{LogLine, LogStream},
    time::Timestamp,
};

/// How often [`Follow`] looks whether there is more.
const LOOK: Duration = Duration::from_millis(80);
/// Longer than any line with its head.
const SMALLEST_READ: usize = 64 << 10;
/// What [`tail`] looks through at most, whatever the lines asked for.
const LONGEST_TAIL: u64 = 16 << 20;

/// A part of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// Offset of the first byte: later than asked for when a rotation has removed what was there.
    pub at: u64,
    /// Whole lines, as they are stored.
    pub bytes: Vec<u8>,
    /// Where to go on. With no bytes there is nothing more for now.
    pub next: u64,
}

/// Reads on from an offset, `limit` bytes at most (but at least one line). The end of a process's log is reached when
/// nothing more comes after its end was recorded.
pub fn read_from(dir: &Path, offset: u64, limit: usize) -> io::Result<Chunk> {
    let log = dir.join(folder::LOG);
    let limit = limit.max(SMALLEST_READ);
    loop {
        let bases = segments(&log)?;
        let Some(first) = bases.first() else { return Ok(Chunk { at: offset, bytes: Vec::new(), next: offset }) };
        let at = offset.max(*first);
        let index = bases.partition_point(|b| *b <= at) - 1;
        let file = match File::open(segment_path(&log, bases[index])) {
            Ok(file) => file,
            // Removed since we looked.
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(e),
        };
        let mut bytes = vec![0; limit];
        let n = read_at(&file, &mut bytes, at - bases[index])?;
        bytes.truncate(n);
        bytes.truncate(bytes.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1));
        let next = at + bytes.len() as u64;
        return Ok(Chunk { at, bytes, next });
    }
}

/// The last lines, and the offset after them.
pub fn tail(dir: &Path, lines: usize) -> io::Result<(Vec<LogLine>, u64)> {
    let log = dir.join(folder::LOG);
    let (mut end, mut parts) = (0, Vec::new());
    let (mut found, mut size) = (0, 0);
    for base in segments(&log)?.into_iter().rev() {
        let Ok(file) = File::open(segment_path(&log, base)) else { break };
        let mut upto = file.metadata()?.len();
        if parts.is_empty() && end == 0 {
            upto = last_line_end(&file, upto)?;
            end = base + upto;
        }
        while upto > 0 && found <= lines && size < LONGEST_TAIL {
            let from = upto.saturating_sub(SMALLEST_READ as u64);
            let mut part = vec![0; (upto - from) as usize];
            let n = read_at(&file, &mut part, from)?;
            part.truncate(n);
            found += part.iter().filter(|b| **b == b'\n').count();
            size += n as u64;
            upto = from;
            parts.push(part);
        }
        if found > lines || size >= LONGEST_TAIL {
            break;
        }
    }
    parts.reverse();
    let bytes = parts.concat();
    let mut all = parse_all(&bytes);
    let surplus = all.len().saturating_sub(lines);
    Ok((all.split_off(surplus), end))
}

/// The offset after the last whole line.
pub fn end(dir: &Path) -> io::Result<u64> {
    tail(dir, 0).map(|(_, end)| end)
}

/// Gives lines as they come, across rotations and restarts of the process; it never ends by itself.
#[derive(Debug)]
pub struct Follow {
    dir: PathBuf,
    next: u64,
}

impl Follow {
    /// From an offset, such as [`tail`] returned.
    pub fn new(dir: &Path, from: u64) -> Self {
        Self { dir: dir.to_owned(), next: from }
    }

    /// Where the next lines begin.
    pub fn offset(&self) -> u64 {
        self.next
    }

    /// Waits for more: one line at least. When lines were removed before they could be read, a line of ours says so.
    /// May be dropped at any time without losing a line.
    pub async fn next(&mut self) -> io::Result<Vec<LogLine>> {
        loop {
            let (dir, from) = (self.dir.clone(), self.next);
            let read = tokio::task::spawn_blocking(move || read_from(&dir, from, SMALLEST_READ));
            let chunk = read.await.map_err(io::Error::other)??;
            self.next = chunk.next;
            let mut lines = parse_all(&chunk.bytes);
            if let Some(first) = lines.first()
                && chunk.at > from
            {
                let text = format!("{} bytes left out: the log was rotated", chunk.at - from);
                lines.insert(0, LogLine { at: first.at, stream: LogStream::System, text });
            }
            if !lines.is_empty() {
                return Ok(lines);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Lines of a [`Chunk`]. Bytes that are not UTF-8 become `U+FFFD`. What is no line of a log is left out.
pub fn parse_all(bytes: &[u8]) -> Vec<LogLine> {
    bytes.split(|b| *b == b'\n').filter_map(parse).collect()
}

/// One line, without its end.
pub fn parse(line: &[u8]) -> Option<LogLine> {
    let mut parts = line.splitn(3, |b| *b == b' ');
    let at = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    let stream = match parts.next()? {
        b"o" => LogStream::Stdout,
        b"e" => LogStream::Stderr,
        b"s" => LogStream::System,
        _ => return None,
    };
    let text = String::from_utf8_lossy(parts.next()?).into_owned();
    Some(LogLine { at: Timestamp(at), stream, text })
}

pub(crate) fn segment_path(log_dir: &Path, base: u64) -> PathBuf {
    log_dir.join(format!("{base:020}.log"))
}

/// The offsets of the segments' first bytes, rising. None while there is no log.
pub(crate) fn segments(log_dir: &Path) -> io::Result<Vec<u64>> {
    let entries = match fs::read_dir(log_dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let base = |e: io::Result<fs::DirEntry>| e.ok()?.file_name().to_str()?.strip_suffix(".log")?.parse().ok();
    let mut bases: Vec<u64> = entries.filter_map(base).collect();
    bases.sort_unstable();
    Ok(bases)
}

fn last_line_end(file: &File, length: u64) -> io::Result<u64> {
    let from = length.saturating_sub(SMALLEST_READ as u64);
    let mut bytes = vec![0; (length - from) as usize];
    let n = read_at(file, &mut bytes, from)?;
    Ok(bytes[..n].iter().rposition(|b| *b == b'\n').map_or(from, |i| from + i as u64 + 1))
}

/// As much as there is, up to the buffer's size.
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut n = 0;
    while n < bytes.len() {
        match file.read_at(&mut bytes[n..], offset + n as u64) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_blanks_and_survive_what_is_not_text() {
        let line = parse(b"1754512345678901 o  a b \r").unwrap();
        assert_eq!(
            (line.at, line.stream, line.text.as_str()),
            (Timestamp(1754512345678901), LogStream::Stdout, " a b \r")
        );
        assert_eq!(parse(b"1 e ").unwrap().text, "");
        assert_eq!(parse(b"1 s \xff\0").unwrap().text, "\u{fffd}\0");
        assert!(
            parse(b"").is_none() && parse(b"x o a").is_none() && parse(b"1 q a").is_none() && parse(b"1 o").is_none()
        );
    }
}
