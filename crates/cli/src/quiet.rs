//! A line from the terminal that is not shown while it is typed.

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::io::{self, Read, Stdin};

const INTERRUPT: u8 = 3;
const END: u8 = 4;
const BACKSPACES: [u8; 2] = [8, 0x7f];
const WHOLE_LINE: u8 = 21;

/// Gives the terminal back as it was.
struct Hidden<'a> {
    terminal: &'a Stdin,
    before: Termios,
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// Without its end.
///
/// # Errors
/// Of the kind `Interrupted` where the user gave up: signals are letters here, so that no terminal is left without echo.
pub fn read_line() -> io::Result<String> {
    let terminal = io::stdin();
    let before = tcgetattr(&terminal)?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
    quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
    quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(&terminal, OptionalActions::Flush, &quiet)?;
    let _hidden = Hidden { terminal: &terminal, before };
    take_line(&mut terminal.lock())
}

fn take_line(from: &mut impl Read) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while from.read(&mut byte)? == 1 {
        match byte[0] {
            b'\r' | b'\n' | END => break,
            INTERRUPT => return Err(io::ErrorKind::Interrupted.into()),
            WHOLE_LINE => line.clear(),
            b if BACKSPACES.contains(&b) => while line.pop().is_some_and(|b: u8| b & 0xC0 == 0x80) {},
            b => line.push(b),
        }
    }
    String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited_as_people_are_used_to() {
        let line = |typed: &str| take_line(&mut typed.as_bytes()).unwrap();
        assert_eq!(line("hunter2\rmore"), "hunter2");
        assert_eq!(line("hunt\u{7f}\u{7f}3\n"), "hu3");
        assert_eq!(line("店\u{7f}x\n"), "x");
        assert_eq!(line("wrong\u{15}right\n"), "right");
        assert_eq!(line("\u{7f}\u{4}"), "");
        assert_eq!(take_line(&mut "hun\u{3}".as_bytes()).unwrap_err().kind(), io::ErrorKind::Interrupted);
    }
}
