//! Speaking to the terminal. A terminal that went away is no reason to stop: what cannot be written is dropped.

use std::io::{self, Write};
use tradewind_model::fault::{Fault, Lang};

#[derive(Clone, Copy, Debug)]
pub struct Say {
    pub lang: Lang,
}

impl Say {
    pub fn out(self, line: impl AsRef<str>) {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{}", line.as_ref());
        let _ = out.flush();
    }
    pub fn err(self, line: impl AsRef<str>) {
        let _ = writeln!(io::stderr().lock(), "{}", line.as_ref());
    }

    /// A fault as people read it: where, code and what, then what to do.
    pub fn fault(self, fault: &Fault) {
        self.err(tradewind_cli::text::fault(fault, self.lang));
    }
}
