//! Questions at the terminal, or the lines of standard input.

use crate::{failure::Failure, session::Session};
use std::io::{self, Write as _};
use tradewind_model::fault::Fault;

/// Not shown while it is typed; where nobody sits at a terminal, the next line of standard input.
pub fn hidden(session: &Session, prompt: &str, missing: Fault) -> Result<String, Failure> {
    let given = match session.around.typed {
        Some(type_line) => {
            let mut err = io::stderr();
            let _ = write!(err, "{prompt}");
            let _ = err.flush();
            let typed = type_line();
            let _ = writeln!(err);
            match typed {
                Ok(line) => line,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => return Err(Failure::Interrupted),
                Err(e) => return Err(Failure::machine("stdin")(e)),
            }
        }
        None => {
            let mut line = String::new();
            let mut input = session.around.input.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            input.read_line(&mut line).map_err(Failure::machine("stdin"))?;
            line.trim_end_matches(['\n', '\r']).to_owned()
        }
    };
    if given.is_empty() { Err(missing.into()) } else { Ok(given) }
}
