//! Server-sent events, as the WHATWG HTML standard (section 9.2) frames them.

/// One dispatched event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Message {
    /// `message` unless the server named it.
    pub event: String,
    pub data: String,
}

/// Takes bytes as they come, gives messages as they are complete.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    event: String,
    data: Option<String>,
    id: Option<String>,
    /// Of the last dispatched event that had one.
    pub last_id: Option<String>,
}

impl Parser {
    /// At the start of a connection that resumes behind an event.
    pub fn behind(last_id: Option<String>) -> Self {
        Self { last_id, ..Self::default() }
    }

    pub fn push(&mut self, bytes: &[u8], out: &mut impl Extend<Message>) {
        for &b in bytes {
            if b == b'\n' {
                if self.line.last() == Some(&b'\r') {
                    self.line.pop();
                }
                let line = std::mem::take(&mut self.line);
                out.extend(self.line(&String::from_utf8_lossy(&line)));
            } else {
                self.line.push(b);
            }
        }
    }

    fn line(&mut self, line: &str) -> Option<Message> {
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "id" => self.id = Some(value.to_owned()),
            // Comments have an empty field name; `retry` is the client's own business.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Message> {
        let event = std::mem::take(&mut self.event);
        if let Some(id) = self.id.take() {
            self.last_id = Some(id);
        }
        let data = self.data.take()?;
        Some(Message { event: if event.is_empty() { "message".into() } else { event }, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_any_cut_of_the_stream() {
        let stream = ": hello\n\nid: 7\nevent: log\ndata: {\"a\":\ndata:  1}\n\ndata: 中\r\n\r\nid: 9\n\n";
        let mut whole = Vec::new();
        let mut parser = Parser::default();
        parser.push(stream.as_bytes(), &mut whole);
        assert_eq!(
            whole,
            [
                Message { event: "log".into(), data: "{\"a\":\n 1}".into() },
                Message { event: "message".into(), data: "中".into() }
            ]
        );
        assert_eq!(parser.last_id.as_deref(), Some("9"));
        for cut in 1..stream.len() {
            let mut parts = Vec::new();
            let mut parser = Parser::default();
            let (a, b) = stream.as_bytes().split_at(cut);
            parser.push(a, &mut parts);
            parser.push(b, &mut parts);
            assert_eq!(parts, whole, "cut at {cut}");
        }
    }
}
