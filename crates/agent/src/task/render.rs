//! From the lines of a process's log to the text of a job's log. Pure: the same lines give the same text, however they
//! are divided, so that a new agent can write the text again and send it on from anywhere.

use tradewind_model::protocol::agent::{LogLine, LogStream};

/// A long line, or one that was not finished within a second, comes in pieces that end and begin with this.
const PIECE: char = '…';

#[derive(Debug, Default)]
pub struct Renderer {
    /// A piece was written without its end.
    open: Option<LogStream>,
}

impl Renderer {
    pub fn render(&mut self, line: &LogLine, out: &mut String) {
        if line.stream == LogStream::System && is_routine(&line.text) {
            return;
        }
        let text = match self.open.take() {
            Some(stream) if stream == line.stream && line.text.starts_with(PIECE) => &line.text[PIECE.len_utf8()..],
            Some(_) => {
                out.push(PIECE);
                out.push('\n');
                &line.text
            }
            None => &line.text,
        };
        match text.strip_suffix(PIECE) {
            Some(piece) => {
                out.push_str(piece);
                self.open = Some(line.stream);
            }
            None => {
                out.push_str(text);
                out.push('\n');
            }
        }
    }

    /// After the last line.
    pub fn finish(&mut self, out: &mut String) {
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
    use tradewind_model::time::Timestamp;

    fn rendered(lines: &[(LogStream, &str)]) -> String {
        let (mut renderer, mut out) = (Renderer::default(), String::new());
        for (stream, text) in lines {
            renderer.render(&LogLine { at: Timestamp(0), stream: *stream, text: (*text).into() }, &mut out);
        }
        renderer.finish(&mut out);
        out
    }

    #[test]
    fn pieces_of_a_line_are_put_together() {
        use LogStream::{Stderr, Stdout, System};
        assert_eq!(rendered(&[(Stdout, "10%…"), (Stdout, "…20%…"), (Stdout, "…done"), (Stdout, "")]), "10%20%done\n\n");
        assert_eq!(rendered(&[(Stdout, "asks: …"), (Stderr, "warns")]), "asks: …\nwarns\n");
        assert_eq!(rendered(&[(Stdout, "prompt> …")]), "prompt> \n");
        let left_out = "the log has reached its limit: what follows is left out";
        assert_eq!(rendered(&[(System, "started: process 7"), (System, left_out)]), format!("{left_out}\n"));
    }
}
