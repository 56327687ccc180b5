//! Reads `tradewind.yaml` and the pipeline file it names, and reports every fault with its place; no server needed.

use crate::{checkout::SPEC, exit::Exit, failure::Failure, faults, fill, msg, session::Session};
use std::{
    io,
    path::{Path, PathBuf},
};
use tradewind_model::{
    fault::Fault,
    pipeline,
    spec::{self, Spec},
    yaml,
};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(value_name = "FILE", default_value = SPEC)]
    pub file: PathBuf,
}

/// A file that was read, and what is wrong with it.
struct Checked {
    shown: String,
    source: String,
    faults: Vec<Fault>,
}

pub fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let mut files = Vec::new();
    let path = session.around.dir.join(&args.file);
    let shown = args.file.display().to_string();
    let source = read(&path, &shown)?.map_err(|e| no_file(&shown, &e))?;
    let spec = check(shown, source, Spec::parse, &mut files);
    if let Some((name, required)) = spec.as_ref().and_then(|s| pipeline_file(&s.pipeline)) {
        let path = path.parent().unwrap_or(Path::new(".")).join(&name);
        match read(&path, &name)? {
            Ok(source) => {
                check(name, source, pipeline::file::read, &mut files);
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound && !required => {}
            Err(e) => return Err(no_file(&name, &e).into()),
        }
    }
    Ok(report(session, &files))
}

/// The pipeline's file, and whether the spec insists on it.
fn pipeline_file(rule: &spec::Pipeline) -> Option<(String, bool)> {
    match rule {
        spec::Pipeline::IfPresent => Some((spec::defaults::PIPELINE_FILE.to_owned(), false)),
        spec::Pipeline::File(name) => Some((name.clone(), true)),
        spec::Pipeline::None => None,
    }
}

/// The text of a file, decoded; the inner error is the file system's.
fn read(path: &Path, shown: &str) -> Result<io::Result<String>, Failure> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Ok(yaml::decode(shown, &bytes)?.to_owned())),
        Err(e) => Ok(Err(e)),
    }
}

fn no_file(shown: &str, e: &io::Error) -> Fault {
    Fault::new(&faults::NO_FILE).with("file", shown).with("reason", e)
}

fn check<T>(
    shown: String,
    source: String,
    parse: impl FnOnce(&str, &str) -> Result<T, Vec<Fault>>,
    files: &mut Vec<Checked>,
) -> Option<T> {
    let (good, faults) = match parse(&shown, &source) {
        Ok(good) => (Some(good), Vec::new()),
        Err(faults) => (None, faults),
    };
    files.push(Checked { shown, source, faults });
    good
}

fn report(session: &Session, files: &[Checked]) -> Exit {
    let lang = session.lang;
    let all: usize = files.iter().map(|f| f.faults.len()).sum();
    if session.json {
        let problems: Vec<_> = files.iter().flat_map(|f| &f.faults).map(|f| f.problem(lang)).collect();
        session.json_list(problems, None);
    } else {
        for file in files {
            if file.faults.is_empty() {
                session.out.line(fill!(lang, &msg::CHECKED, file = file.shown));
            } else {
                session.out.text(&spec::render_faults(&file.faults, &file.source, lang));
            }
        }
        if all > 0 {
            session.out.line(fill!(lang, &msg::CHECKED_FAULTS, n = all));
        }
    }
    if all == 0 { Exit::Ok } else { Exit::Failed }
}
