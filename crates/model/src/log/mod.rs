//! Logs of jobs as text of any length: where their lines are ([`index`]) and where a word is ([`search`]). Sans-IO: bytes
//! come in pieces, cut anywhere, and nothing keeps a whole log.

pub mod index;
pub mod search;

pub use index::{Index, Mark, Place};
pub use search::{Hit, Search, Wanted};

const ESC: u8 = 0x1b;
const NEWLINE: u8 = b'\n';
/// Bytes of a line that are looked at for what they do to the lines behind it.
const LOOKED_AT: usize = 16 << 10;

/// A line as it is read: without colours and other orders to a terminal, without marks of sections.
fn plain(line: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while at < line.len() {
        let rest = &line[at..];
        let skip = match rest[0] {
            ESC => escape(rest),
            b's' if rest.starts_with(b"section_") => section(rest),
            _ => 0,
        };
        if skip == 0 {
            let next = rest[1..].iter().position(|b| matches!(*b, ESC | b's')).map_or(rest.len(), |n| n + 1);
            out.extend_from_slice(&rest[..next]);
            at += next;
        } else {
            at += skip;
        }
    }
}

/// Bytes of the escape sequence at the beginning: CSI, OSC, or a lone escape with what follows it.
fn escape(bytes: &[u8]) -> usize {
    match bytes.get(1) {
        Some(b'[') => {
            let end = bytes[2..].iter().position(|b| (0x40..=0x7e).contains(b));
            end.map_or(bytes.len(), |n| n + 3)
        }
        Some(b']') => {
            let body = &bytes[2..];
            let end = body.iter().enumerate().find_map(|(n, b)| match *b {
                0x07 => Some(n + 1),
                ESC if body.get(n + 1) == Some(&b'\\') => Some(n + 2),
                _ => None,
            });
            end.map_or(bytes.len(), |n| n + 2)
        }
        Some(_) => 2,
        None => 1,
    }
}

/// Bytes of the section's mark at the beginning; 0 where there is none.
fn section(bytes: &[u8]) -> usize {
    let Some(rest) = bytes.strip_prefix(b"section_start:").or_else(|| bytes.strip_prefix(b"section_end:")) else {
        return 0;
    };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let Some(rest) = rest[digits..].strip_prefix(b":").filter(|_| (1..=15).contains(&digits)) else { return 0 };
    let name = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')).count();
    if name == 0 {
        return 0;
    }
    let mut rest = &rest[name..];
    if rest.first() == Some(&b'[')
        && let Some(end) = rest.iter().position(|b| *b == b']')
    {
        rest = &rest[end + 1..];
    }
    let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
    bytes.len() - rest.len()
}

#[cfg(test)]
mod tests {
    use super::plain;

    fn read(line: &str) -> String {
        let mut out = Vec::new();
        plain(line.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn orders_to_a_terminal_are_not_read() {
        for (line, text) in [
            ("\u{1b}[31mer\u{1b}[0mror", "error"),
            ("\u{1b}]8;;https://x\u{7}link\u{1b}]8;;\u{1b}\\s", "links"),
            ("\u{1b}[0Ksection_start:12:build[collapsed=true]\r\u{1b}[0KBuild", "Build"),
            ("sections section_start: section_end:1:", "sections section_start: section_end:1:"),
            ("\u{1b}", ""),
            ("\u{1b}[31", ""),
            ("信风 ss", "信风 ss"),
        ] {
            assert_eq!(read(line), text);
        }
    }
}
