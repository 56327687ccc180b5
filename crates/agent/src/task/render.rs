//! From the lines of a process's log to the text of a job's log. Pure: the same lines give the same text, however they
//! are divided, so that a new agent can write the text again and send it on from anywhere.

use super::script::MARK;
use tradewind_model::{
    protocol::{
        agent::{LogLine, LogStream},
        command::LONGEST_COMMAND,
    },
    time::Timestamp,
};

/// A long line, or one that was not finished within a second, comes in pieces that end and begin with this.
const PIECE: char = '…';
/// Bytes of the longest mark: a tag, two numbers, what is between them.
const LONGEST_MARK: usize = 48;

/// A command's heading, found where its mark was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heading {
    /// Where it begins in the text rendered.
    pub at: usize,
    /// Which command it is, from 0.
    pub n: u32,
    /// How the one before it ended.
    pub before: i32,
    pub text: String,
    pub said_at: Timestamp,
}

#[derive(Debug)]
pub struct Renderer {
    /// What the marks of this script bear.
    tag: String,
    /// A piece was written without its end.
    open: Option<LogStream>,
    /// Something of the line was written.
    begun: bool,
    /// The end of a piece that may be the beginning of a mark.
    held: String,
}

impl Renderer {
    pub fn new(tag: String) -> Self {
        Self { tag, open: None, begun: false, held: String::new() }
    }

    pub fn render(&mut self, line: &LogLine, out: &mut String, headings: &mut Vec<Heading>) {
        if line.stream == LogStream::System && is_routine(&line.text) {
            return;
        }
        let text = match self.open.take() {
            Some(stream) if stream == line.stream && line.text.starts_with(PIECE) => &line.text[PIECE.len_utf8()..],
            Some(_) => {
                out.push_str(&std::mem::take(&mut self.held));
                out.push(PIECE);
                self.end_line(out);
                &line.text
            }
            None => &line.text,
        };
        let (piece, ends) = match text.strip_suffix(PIECE) {
            Some(piece) => (piece, false),
            None => (text, true),
        };
        self.write(piece, ends, line.at, out, headings);
        if ends {
            self.end_line(out);
        } else {
            self.open = Some(line.stream);
        }
    }

    /// A heading begins a line, whatever the command before it left unfinished.
    fn write(&mut self, piece: &str, ends: bool, at: Timestamp, out: &mut String, headings: &mut Vec<Heading>) {
        let joined = std::mem::take(&mut self.held) + piece;
        let mut rest = joined.as_str();
        while let Some(i) = rest.find(MARK) {
            self.push(&rest[..i], out);
            rest = &rest[i..];
            match self.mark(rest) {
                Some((n, before, length)) => {
                    if self.begun {
                        self.end_line(out);
                    }
                    rest = &rest[length..];
                    let text = rest[..rest.floor_char_boundary(LONGEST_COMMAND)].trim_start_matches("$ ").to_owned();
                    headings.push(Heading { at: out.len(), n, before, text, said_at: at });
                }
                None if !ends && rest.len() < LONGEST_MARK => {
                    rest.clone_into(&mut self.held);
                    return;
                }
                None => {
                    self.push(&rest[..1], out);
                    rest = &rest[1..];
                }
            }
        }
        self.push(rest, out);
    }

    /// Which command a mark at the beginning of `text` names, how the one before it ended, and the mark's length.
    fn mark(&self, text: &str) -> Option<(u32, i32, usize)> {
        let inside = text.strip_prefix(MARK)?;
        let (inside, _) = inside.split_once(MARK)?;
        let mut words = inside.strip_prefix(self.tag.as_str())?.strip_prefix(' ')?.split(' ');
        let (n, before) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        words.next().is_none().then_some((n, before, inside.len() + 2 * MARK.len_utf8()))
    }

    fn push(&mut self, text: &str, out: &mut String) {
        self.begun |= !text.is_empty();
        out.push_str(text);
    }

    fn end_line(&mut self, out: &mut String) {
        out.push('\n');
        self.begun = false;
    }

    /// After the last line.
    pub fn finish(&mut self, out: &mut String) {
        out.push_str(&std::mem::take(&mut self.held));
        if self.open.take().is_some() {
            out.push('\n');
        }
    }
}

/// What the shim says of every process; a job's log has its own words for it.
fn is_routine(text: &str) -> bool {
    ["started: ", "ended ", "taken over"].iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS_OF_MAKE: &str = "\u{1e}0a1b 1 2\u{1e}$ make";

    fn rendered(lines: &[(LogStream, &str)]) -> (String, Vec<Heading>) {
        let (mut renderer, mut out, mut headings) = (Renderer::new("0a1b".into()), String::new(), Vec::new());
        for (n, (stream, text)) in lines.iter().enumerate() {
            let line = LogLine { at: Timestamp(n as i64), stream: *stream, text: (*text).into() };
            renderer.render(&line, &mut out, &mut headings);
        }
        renderer.finish(&mut out);
        (out, headings)
    }

    fn text(lines: &[(LogStream, &str)]) -> String {
        rendered(lines).0
    }

    #[test]
    fn pieces_of_a_line_are_put_together() {
        use LogStream::{Stderr, Stdout, System};
        assert_eq!(text(&[(Stdout, "10%…"), (Stdout, "…20%…"), (Stdout, "…done"), (Stdout, "")]), "10%20%done\n\n");
        assert_eq!(text(&[(Stdout, "asks: …"), (Stderr, "warns")]), "asks: …\nwarns\n");
        assert_eq!(text(&[(Stdout, "prompt> …")]), "prompt> \n");
        let left_out = "the log has reached its limit: what follows is left out";
        assert_eq!(text(&[(System, "started: process 7"), (System, left_out)]), format!("{left_out}\n"));
    }

    #[test]
    fn headings_begin_a_line_and_tell_of_the_command_before() {
        use LogStream::Stdout;
        let (out, headings) =
            rendered(&[(Stdout, "a"), (Stdout, &format!("no newline{STATUS_OF_MAKE}")), (Stdout, "b")]);
        assert_eq!(out, "a\nno newline\n$ make\nb\n");
        let heading = Heading { at: 13, n: 1, before: 2, text: "make".into(), said_at: Timestamp(1) };
        assert_eq!(headings, [heading]);
    }

    #[test]
    fn a_mark_is_found_wherever_it_was_cut() {
        use LogStream::Stdout;
        for cut in 1..STATUS_OF_MAKE.len() {
            let (first, second) = (format!("x{}…", &STATUS_OF_MAKE[..cut]), format!("…{}", &STATUS_OF_MAKE[cut..]));
            let (out, headings) = rendered(&[(Stdout, &first), (Stdout, &second)]);
            assert_eq!((out.as_str(), headings.len()), ("x\n$ make\n", 1), "cut at {cut}");
        }
    }

    #[test]
    fn what_a_job_prints_is_no_mark() {
        use LogStream::Stdout;
        for said in ["\u{1e}", "\u{1e}ffff 1 0\u{1e}$ make", "\u{1e}0a1b x 0\u{1e}", "\u{1e}0a1b 1 0 2\u{1e}", "$ make"]
        {
            let (out, headings) = rendered(&[(Stdout, said)]);
            assert_eq!((out, headings.len()), (format!("{said}\n"), 0));
        }
    }
}
