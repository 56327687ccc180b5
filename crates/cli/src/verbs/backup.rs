//! A backup over the API, into a file here: everything but the keys, which do not leave their host this way.

use crate::{exit::Exit, failure::Failure, faults, fill, msg, session::Session, when};
use std::{
    fs,
    io::{self, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};
use tradewind_model::fault::Fault;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Between two words about how far it is.
const TELL_BYTES: u64 = 32 << 20;

pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let file = session.around.dir.join(&args.file);
    if file.symlink_metadata().is_ok() {
        return Err(Fault::new(&faults::FILE_TAKEN).with("file", args.file.display()).into());
    }
    // Beside its name until it is whole: half a backup would pass for one.
    let half = PathBuf::from(format!("{}.part", file.display()));
    let cannot = |e: io::Error| -> Failure {
        Fault::new(&faults::CANNOT_WRITE).with("file", args.file.display()).with("why", e).into()
    };
    let done = fetch(session, &half).await;
    let bytes = match done {
        Ok(bytes) => bytes,
        Err(e) => {
            let _ = fs::remove_file(&half);
            return Err(e);
        }
    };
    fs::rename(&half, &file).map_err(cannot)?;
    if session.json {
        session.out.json(&serde_json::json!({ "file": args.file, "bytes": bytes, "keys": "left_out" }));
    } else {
        session.out.line(fill!(session.lang, &msg::BACKUP_IN, file = args.file.display(), size = when::bytes(bytes)));
        session.out.line(fill!(session.lang, &msg::BACKUP_NEXT, file = args.file.display()));
    }
    Ok(Exit::Ok)
}

async fn fetch(session: &Session, half: &Path) -> Result<u64, Failure> {
    let cannot = |e: io::Error| -> Failure {
        Fault::new(&faults::CANNOT_WRITE).with("file", half.display()).with("why", e).into()
    };
    let mut parts = session.client()?.backup().await?;
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(half).map_err(cannot)?;
    let mut out = BufWriter::new(file);
    let (mut bytes, mut told) = (0, 0);
    while let Some(part) = parts.next().await {
        let part = part?;
        out.write_all(&part).map_err(cannot)?;
        bytes += part.len() as u64;
        if bytes - told >= TELL_BYTES && !session.json {
            told = bytes;
            session.out.note(fill!(session.lang, &msg::BACKUP_SO_FAR, size = when::bytes(bytes)));
        }
    }
    out.into_inner().map_err(io::IntoInnerError::into_error).and_then(|f| f.sync_all()).map_err(cannot)?;
    Ok(bytes)
}
