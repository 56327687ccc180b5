use super::SinkError;
use std::{fs, io, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

/// Writes it where nothing of that name is; what is there already must say the same.
pub async fn keep(folder: PathBuf, name: String, note: String) -> Result<(), SinkError> {
    let shown = folder.join(&name).display().to_string();
    let done = tokio::task::spawn_blocking(move || write(&folder, &name, &note)).await;
    match done.unwrap_or_else(|e| Err(io::Error::other(e))) {
        Ok(true) => Ok(()),
        Ok(false) => Err(SinkError::Other { path: shown }),
        Err(source) => Err(SinkError::File { path: shown, source }),
    }
}

fn write(folder: &std::path::Path, name: &str, note: &str) -> io::Result<bool> {
    let path = folder.join(name);
    match fs::read(&path) {
        Ok(there) => return Ok(there == note.as_bytes()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    fs::create_dir_all(folder)?;
    let half = folder.join(format!(".{name}.part"));
    let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o444).open(&half)?;
    file.write_all(note.as_bytes())?;
    file.sync_all()?;
    // A link is made or not, and never over another file.
    match fs::hard_link(&half, &path) {
        Ok(()) => fs::remove_file(&half)?,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(&half)?;
            return Ok(fs::read(&path)? == note.as_bytes());
        }
        // Some network disks know no links.
        Err(_) => fs::rename(&half, &path)?,
    }
    fs::File::open(folder)?.sync_all()?;
    Ok(true)
}
