//! What a run's jobs left: which there are, and a copy of each.

use crate::{exit::Exit, failure::Failure, faults, fill, msg, session::Session, table::Table, when};
use std::{
    fs,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};
use tradewind_api::{
    Client,
    v1::{self, Artifact},
};
use tradewind_model::fault::Fault;

/// Lists them; with `save`, brings those that are still there into that folder.
pub async fn run(
    session: &Session,
    client: &Client,
    run: &v1::Run,
    job: Option<&v1::Job>,
    save: Option<&Path>,
) -> Result<Exit, Failure> {
    let mut all = client.artifacts(run.id).await?.items;
    all.retain(|a| job.is_none_or(|j| j.id == a.job));
    let mut saved = Vec::new();
    if let Some(folder) = save {
        for artifact in all.iter().filter(|a| a.size.is_some()) {
            saved.push(bring(session, client, run, artifact, folder).await?);
        }
    }
    if session.json {
        session.out.json(&serde_json::json!({ "items": all, "saved": saved }));
        return Ok(Exit::Ok);
    }
    list(session, run, &all);
    for file in saved {
        session.out.line(fill!(session.lang, &msg::SAVED, file = file.display()));
    }
    Ok(Exit::Ok)
}

fn list(session: &Session, run: &v1::Run, all: &[Artifact]) {
    let lang = session.lang;
    if all.is_empty() {
        session.out.line(fill!(lang, &msg::NO_ARTIFACTS, number = run.number));
        return;
    }
    let head = [&msg::H_JOB, &msg::H_FILE, &msg::H_SIZE, &msg::H_DIGEST, &msg::H_KEPT_UNTIL];
    let mut table = Table::new(&msg::head(lang, &head));
    for a in all {
        let gone = || msg::COLLECTED.get(lang).to_owned();
        table.row(vec![
            a.name.as_str().into(),
            a.file.as_str().into(),
            a.size.map_or_else(gone, when::bytes).into(),
            a.digest.short().into(),
            match (a.expires_at, a.size, run.finished_at) {
                (Some(at), _, _) => session.when().date(at).into(),
                (None, Some(_), Some(_)) => msg::FOR_GOOD.get(lang).into(),
                (None, _, _) => "".into(),
            },
        ]);
    }
    session.out.table(&table);
}

async fn bring(
    session: &Session,
    client: &Client,
    run: &v1::Run,
    artifact: &Artifact,
    folder: &Path,
) -> Result<PathBuf, Failure> {
    // The name comes from elsewhere: nothing of it leads out of the folder.
    let name = Path::new(&artifact.file).file_name().unwrap_or_default();
    let (named, file) = (folder.join(name), session.around.dir.join(folder).join(name));
    let cannot = |e: io::Error| -> Failure {
        Fault::new(&faults::CANNOT_WRITE).with("file", named.display()).with("why", e).into()
    };
    if file.symlink_metadata().is_ok() {
        return Err(Fault::new(&faults::FILE_TAKEN).with("file", named.display()).into());
    }
    fs::create_dir_all(session.around.dir.join(folder)).map_err(cannot)?;
    // Beside its name until it is whole.
    let half = PathBuf::from(format!("{}.part", file.display()));
    let done = fetch(client, run, artifact, &half, &cannot).await;
    if let Err(e) = done {
        let _ = fs::remove_file(&half);
        return Err(e);
    }
    fs::rename(&half, &file).map_err(cannot)?;
    Ok(named)
}

async fn fetch(
    client: &Client,
    run: &v1::Run,
    artifact: &Artifact,
    half: &Path,
    cannot: &impl Fn(io::Error) -> Failure,
) -> Result<(), Failure> {
    let mut parts = client.artifact(run.id, artifact.job).await?;
    let mut out = BufWriter::new(fs::File::create(half).map_err(cannot)?);
    while let Some(part) = parts.next().await {
        out.write_all(&part?).map_err(cannot)?;
    }
    out.flush().map_err(cannot)
}
