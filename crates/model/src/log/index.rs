//! Where the lines of a log are: a place every 64 KiB or so, however long the lines, and what folds and colours the lines
//! between. It grows with the log.

use super::{ESC, LOOKED_AT, NEWLINE};

/// Bytes between two places, at least.
pub const STEP: u64 = 64 << 10;
/// So many marks are kept; of more, the first.
pub const MOST_MARKS: usize = 5_000;
/// Characters of a mark's line.
const MARK_TEXT: usize = 300;
/// Bytes of a style: more orders than anybody gives at once.
const LONGEST_STYLE: usize = 64;

/// A line whose beginning is known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// From 0.
    pub line: u64,
    /// Of its first byte.
    pub offset: u64,
    /// Parameters of the terminal's colours it begins with, such as `1;31`; empty: none.
    pub style: String,
}

/// A line that others are folded under: a command's heading, a section's beginning or end, the agent's own words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// From 0.
    pub line: u64,
    pub text: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Index {
    size: u64,
    ended: u64,
    /// Where the line that has not ended begins.
    start: u64,
    places: Vec<Place>,
    marks: Vec<Mark>,
    marks_left_out: bool,
    style: String,
    /// Its first bytes.
    line: Vec<u8>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            size: 0,
            ended: 0,
            start: 0,
            places: vec![Place::default()],
            marks: Vec::new(),
            marks_left_out: false,
            style: String::new(),
            line: Vec::new(),
        }
    }
}

impl Index {
    /// Takes what follows what it has.
    pub fn append(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|b| *b == NEWLINE) {
            let (line, next) = (&rest[..end], &rest[end + 1..]);
            if self.line.is_empty() {
                self.look(&line[..line.len().min(LOOKED_AT)]);
            } else {
                self.keep(line);
                let line = std::mem::take(&mut self.line);
                self.look(&line);
            }
            self.size += end as u64 + 1;
            self.ended += 1;
            self.start = self.size;
            if self.places.last().is_none_or(|p| self.start >= p.offset + STEP) {
                self.places.push(Place { line: self.ended, offset: self.start, style: self.style.clone() });
            }
            rest = next;
        }
        self.keep(rest);
        self.size += rest.len() as u64;
    }

    /// Bytes it has seen.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// With the one that has begun and not ended.
    pub fn lines(&self) -> u64 {
        self.ended + u64::from(self.size > self.start)
    }

    /// In order; the first is the beginning of the log.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    pub fn marks_left_out(&self) -> bool {
        self.marks_left_out
    }

    /// The last place at or before a line.
    pub fn before(&self, line: u64) -> &Place {
        let after = self.places.partition_point(|p| p.line <= line);
        &self.places[after.saturating_sub(1)]
    }

    fn keep(&mut self, part: &[u8]) {
        let room = LOOKED_AT - self.line.len().min(LOOKED_AT);
        self.line.extend_from_slice(&part[..part.len().min(room)]);
    }

    /// What a line does to those behind it.
    fn look(&mut self, line: &[u8]) {
        if line.contains(&ESC) {
            self.paint(line);
        }
        let marks = match line.first() {
            Some(b'$') => line.starts_with(b"$ "),
            Some(b'U' | b'J' | b'E' | b'R') if is_ours(line) => true,
            Some(&ESC | b's') => find(line, b"section_"),
            Some(_) => line.contains(&b'\r') && find(line, b"section_"),
            None => false,
        };
        if !marks {
            return;
        }
        if self.marks.len() >= MOST_MARKS {
            self.marks_left_out = true;
            return;
        }
        let text = String::from_utf8_lossy(line).chars().take(MARK_TEXT).collect();
        self.marks.push(Mark { line: self.ended, text });
    }

    fn paint(&mut self, line: &[u8]) {
        let mut rest = line;
        while let Some(at) = rest.iter().position(|b| *b == ESC) {
            rest = &rest[at + 1..];
            let Some(body) = rest.strip_prefix(b"[") else { continue };
            let length = body.iter().take_while(|b| matches!(b, b'0'..=b'9' | b';' | b':')).count();
            if body.get(length) != Some(&b'm') {
                continue;
            }
            let params = std::str::from_utf8(&body[..length]).unwrap_or_default();
            // Of a colour by its parts, a 0 is one of them.
            let parts = params.contains("38") || params.contains("48");
            let kept = match params.rsplit_once(";0;") {
                Some((_, kept)) if !parts => kept,
                _ if params.is_empty() || params == "0" || (params.ends_with(";0") && !parts) => "",
                _ => params.strip_prefix("0;").unwrap_or(params),
            };
            let anew = kept.len() < params.len() || params.is_empty();
            if anew || self.style.len() + params.len() >= LONGEST_STYLE {
                self.style.clear();
            }
            if !kept.is_empty() && kept.len() < LONGEST_STYLE {
                if !self.style.is_empty() {
                    self.style.push(';');
                }
                self.style.push_str(kept);
            }
        }
    }
}

fn find(line: &[u8], word: &[u8]) -> bool {
    line.windows(word.len()).any(|w| w == word)
}

/// What the agent itself says when a script's commands are over.
fn is_ours(line: &[u8]) -> bool {
    line.starts_with(b"ERROR: Job ")
        || line == b"Job succeeded"
        || line == b"Running after_script"
        || (line.starts_with(b"Uploading ") && find(line, b" files as artifacts, "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(log: &[u8], piece: usize) -> Index {
        let mut index = Index::default();
        log.chunks(piece).for_each(|piece| index.append(piece));
        index
    }

    #[test]
    fn however_it_is_divided_the_index_is_the_same() {
        let mut log = b"$ make\n\x1b[1;31mred\nstill red\x1b[0m\n\n".to_vec();
        log.extend(std::iter::repeat_n(b"0123456789abcde\n", 10_000).flatten());
        log.extend(b"\x1b[0Ksection_start:7:deps\r\x1b[0KDeps\n\x1b[32m");
        log.extend(std::iter::repeat_n(b'x', 300_000));
        log.extend(b"\nJob succeeded\nopen");
        let whole = index(&log, log.len());
        for piece in [1, 7, 4096, 65_537] {
            assert_eq!(index(&log, piece), whole, "{piece}");
        }
        assert_eq!((whole.lines(), whole.size()), (10_008, log.len() as u64));
        let marks: Vec<_> = whole.marks().iter().map(|m| (m.line, m.text.as_str())).collect();
        let section = "\u{1b}[0Ksection_start:7:deps\r\u{1b}[0KDeps";
        assert_eq!(marks, [(0, "$ make"), (10_004, section), (10_006, "Job succeeded")]);
    }

    #[test]
    fn every_place_is_the_beginning_of_its_line() {
        let log: Vec<u8> = (0..40_000).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let index = index(&log, 1_000);
        assert_eq!(index.places().len() as u64, log.len() as u64 / STEP + 1);
        for place in index.places() {
            let here = &log[place.offset as usize..];
            assert!(here.starts_with(format!("line {}\n", place.line).as_bytes()));
        }
        assert_eq!(index.before(0).line, 0);
        assert!(index.before(20_000).line <= 20_000 && 20_000 - index.before(20_000).line < 10_000);
    }

    #[test]
    fn a_line_of_many_megabytes_has_one_place_behind_it() {
        let mut log = vec![b'x'; 5 << 20];
        log.extend(b"\nnext\n");
        let index = index(&log, 64 << 10);
        let places: Vec<_> = index.places().iter().map(|p| (p.line, p.offset)).collect();
        assert_eq!(places, [(0, 0), (1, (5 << 20) + 1)]);
    }

    #[test]
    fn colours_last_until_they_are_taken_back() {
        let style = |text: &str| {
            let mut index = Index::default();
            index.append(text.as_bytes());
            index.append(b"\n");
            index.append(&vec![b'x'; STEP as usize]);
            index.append(b"\n");
            index.places()[1].style.clone()
        };
        for (text, left) in [
            ("\u{1b}[1m\u{1b}[31mred", "1;31"),
            ("\u{1b}[31mred\u{1b}[m", ""),
            ("\u{1b}[31m\u{1b}[0;1m", "1"),
            ("\u{1b}[4;0m", ""),
            ("\u{1b}[38;2;1;0;3mtrue", "38;2;1;0;3"),
            ("\u{1b}[2K\u{1b}]0;title\u{7}", ""),
        ] {
            assert_eq!(style(text), left, "{text:?}");
        }
        assert!(style(&"\u{1b}[31m".repeat(100)).len() <= LONGEST_STYLE);
    }

    #[test]
    fn marks_are_bounded() {
        let index = index("$ x\n".repeat(MOST_MARKS + 1).as_bytes(), 100);
        assert_eq!((index.marks().len(), index.marks_left_out()), (MOST_MARKS, true));
    }
}
