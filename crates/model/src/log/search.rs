//! Where a word stands in a log, as it is read: colours and marks of sections are not in its way.

use super::{ESC, NEWLINE, plain};

/// Bytes of the longest word that is searched for.
pub const LONGEST_WORD: usize = 400;
/// Of a line, so many bytes are surely in sight.
const IN_SIGHT: usize = 1_000;
/// Bytes shown on both sides of a word far into its line.
const ROUND: usize = 60;
/// So often a word is counted in one line.
const MOST_IN_LINE: u32 = 1_000;
/// Bytes of a line that are searched; what is beyond nobody can be shown.
const LONGEST_LINE: usize = 16 << 20;

/// What is searched for.
#[derive(Clone, Debug)]
pub struct Wanted {
    word: Vec<u8>,
    /// Capital and small letters differ.
    exact: bool,
    /// Not only ASCII: lines are made small as text.
    wide: bool,
}

impl Wanted {
    /// `None`: there is nothing to search for, or too much.
    pub fn new(word: &str, exact: bool) -> Option<Self> {
        if word.is_empty() || word.len() > LONGEST_WORD || word.contains('\n') {
            return None;
        }
        let wide = !exact && !word.is_ascii();
        let word = if exact { word.to_owned() } else { word.to_lowercase() };
        Some(Self { word: word.into_bytes(), exact, wide })
    }

    /// The first place in `text` from `at` on.
    fn find(&self, text: &[u8], mut at: usize) -> Option<usize> {
        let first = *self.word.first()?;
        let other = if self.exact || self.wide { first } else { first.to_ascii_uppercase() };
        let last = text.len().checked_sub(self.word.len())?;
        while at <= last {
            at += text[at..=last].iter().position(|b| *b == first || *b == other)?;
            let here = &text[at..at + self.word.len()];
            let same = if self.exact || self.wide { here == self.word } else { here.eq_ignore_ascii_case(&self.word) };
            if same {
                return Some(at);
            }
            at += 1;
        }
        None
    }
}

/// A line that has the word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    /// From 0.
    pub line: u64,
    /// How often.
    pub count: u32,
    /// What stands round the first, where that is far into the line.
    pub excerpt: Option<String>,
}

/// A search under way: bytes come in order, from the beginning of a line on.
#[derive(Debug)]
pub struct Search {
    wanted: Wanted,
    line: u64,
    most: usize,
    hits: Vec<Hit>,
    open: Vec<u8>,
    text: Vec<u8>,
}

impl Search {
    /// `line`: which one the first byte begins. It ends with `most` hits.
    pub fn new(wanted: Wanted, line: u64, most: usize) -> Self {
        Self { wanted, line, most, hits: Vec::new(), open: Vec::new(), text: Vec::new() }
    }

    /// `false`: there are hits enough.
    pub fn append(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        if !self.open.is_empty() {
            let Some(end) = rest.iter().position(|b| *b == NEWLINE) else {
                self.keep(rest);
                return !self.is_full();
            };
            self.keep(&rest[..end]);
            let line = std::mem::take(&mut self.open);
            self.look_at_line(&line);
            self.line += 1;
            rest = &rest[end + 1..];
        }
        let whole = rest.iter().rposition(|b| *b == NEWLINE).map_or(0, |n| n + 1);
        self.look_at_lines(&rest[..whole]);
        if !self.is_full() {
            self.keep(&rest[whole..]);
        }
        !self.is_full()
    }

    /// After the last byte: the line that has not ended too.
    pub fn finish(mut self) -> Vec<Hit> {
        if !self.open.is_empty() && !self.is_full() {
            let line = std::mem::take(&mut self.open);
            self.look_at_line(&line);
        }
        self.hits
    }

    /// The line that comes next; none before it is looked at again.
    pub fn line(&self) -> u64 {
        self.line
    }

    pub fn into_hits(self) -> Vec<Hit> {
        self.hits
    }

    fn is_full(&self) -> bool {
        self.hits.len() >= self.most
    }

    fn keep(&mut self, part: &[u8]) {
        let room = LONGEST_LINE - self.open.len().min(LONGEST_LINE);
        self.open.extend_from_slice(&part[..part.len().min(room)]);
    }

    /// Whole lines. Where nothing has to be taken out of them, one look goes over many.
    fn look_at_lines(&mut self, lines: &[u8]) {
        let odd = self.wanted.wide
            || lines.contains(&b'\r')
            || lines.contains(&ESC)
            || lines.windows(8).any(|w| w == b"section_");
        if odd {
            for line in lines.split_inclusive(|b| *b == NEWLINE) {
                if self.is_full() {
                    return;
                }
                self.look_at_line(line.strip_suffix(b"\n").unwrap_or(line));
                self.line += 1;
            }
            return;
        }
        let mut at = 0;
        while !self.is_full() {
            let Some(found) = self.wanted.find(lines, at) else {
                self.line += count(&lines[at..]);
                return;
            };
            self.line += count(&lines[at..found]);
            let start = lines[..found].iter().rposition(|b| *b == NEWLINE).map_or(0, |n| n + 1);
            let end = lines[found..].iter().position(|b| *b == NEWLINE).map_or(lines.len(), |n| found + n);
            self.look_at_line(&lines[start..end]);
            self.line += 1;
            at = end + 1;
        }
    }

    fn look_at_line(&mut self, line: &[u8]) {
        self.text.clear();
        plain(line, &mut self.text);
        settle(&mut self.text);
        if self.wanted.wide {
            self.text = String::from_utf8_lossy(&self.text).to_lowercase().into_bytes();
        }
        let (mut count, mut at, mut first) = (0, 0, None);
        while let Some(found) = self.wanted.find(&self.text, at).filter(|_| count < MOST_IN_LINE) {
            first.get_or_insert(found);
            count += 1;
            at = found + self.wanted.word.len();
        }
        let Some(first) = first else { return };
        let excerpt = (first > IN_SIGHT).then(|| {
            let end = (first + self.wanted.word.len() + ROUND).min(self.text.len());
            let round = String::from_utf8_lossy(&self.text[first - ROUND..end]).into_owned();
            round.trim_matches(char::REPLACEMENT_CHARACTER).to_owned()
        });
        self.hits.push(Hit { line: self.line, count, excerpt });
    }
}

/// As a terminal leaves it: what a carriage return goes back over is written over.
fn settle(line: &mut Vec<u8>) {
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    if let Some(at) = line.iter().rposition(|b| *b == b'\r') {
        line.drain(..=at);
    }
}

fn count(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b == NEWLINE).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(log: &str, word: &str, exact: bool, piece: usize) -> Vec<(u64, u32)> {
        let mut search = Search::new(Wanted::new(word, exact).unwrap(), 0, 100);
        log.as_bytes().chunks(piece).all(|piece| search.append(piece));
        search.finish().iter().map(|h| (h.line, h.count)).collect()
    }

    #[test]
    fn a_word_is_found_wherever_the_log_is_cut() {
        let log = "Error: one error\nnothing\n\u{1b}[31mer\u{1b}[0mror\n\nterror";
        for piece in [1, 2, 5, 1000] {
            assert_eq!(found(log, "error", false, piece), [(0, 2), (2, 1), (4, 1)], "{piece}");
            assert_eq!(found(log, "Error", true, piece), [(0, 1)]);
            assert_eq!(found(log, "errors", false, piece), []);
        }
        assert_eq!(found("a\nÄRGER 信风\nb\n", "ärger 信", false, 3), [(1, 1)]);
        assert_eq!(
            found("10% error\r20%\nerror\r\n", "error", false, 9),
            [(1, 1)],
            "what was written over is not read"
        );
        assert_eq!(found("a.b\naxb\n", "a.b", false, 9), [(0, 1)], "a word is no pattern");
    }

    #[test]
    fn a_search_ends_with_enough_and_goes_on_behind() {
        let log = "x hit\nno\n".repeat(10);
        let mut search = Search::new(Wanted::new("hit", false).unwrap(), 40, 3);
        assert!(!search.append(log.as_bytes()));
        assert_eq!(search.line(), 45);
        assert_eq!(search.into_hits().iter().map(|h| h.line).collect::<Vec<_>>(), [40, 42, 44]);
    }

    #[test]
    fn what_is_far_into_a_line_comes_with_what_stands_round_it() {
        let log = format!("{}needle{}\n", "风".repeat(1_000), "x".repeat(1_000));
        let mut search = Search::new(Wanted::new("needle", false).unwrap(), 0, 3);
        search.append(log.as_bytes());
        let hit = search.finish().remove(0);
        assert_eq!(hit.excerpt, Some(format!("{}needle{}", "风".repeat(20), "x".repeat(60))));
    }

    #[test]
    fn nothing_and_too_much_are_no_words() {
        assert!(Wanted::new("", true).is_none() && Wanted::new("a\nb", true).is_none());
        assert!(Wanted::new(&"x".repeat(LONGEST_WORD + 1), true).is_none());
    }
}
