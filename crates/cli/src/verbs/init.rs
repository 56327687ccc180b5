//! Writes a first `tradewind.yaml` and its pipeline file for what is in a folder; no server needed.

use crate::{
    checkout::{Checkout, SPEC},
    exit::Exit,
    failure::Failure,
    faults, fill,
    init::{
        self, Kind, Recipe, Sign,
        files::{Disk, Files},
        render::{self, Place},
    },
    msg, remote,
    session::{self, Session},
    text,
};
use serde::Serialize;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};
use tradewind_model::{
    fault::{Fault, Lang},
    id::ServiceName,
    pipeline, said,
    said::Said,
    spec::{Spec, defaults},
};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub dir: PathBuf,
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    #[arg(long, value_name = "KIND", hide_possible_values = true)]
    pub kind: Option<Kind>,
    #[arg(long)]
    pub print: bool,
    #[arg(long)]
    pub force: bool,
}

/// For the pipeline, where the usual name is taken by a file that is not understood.
const OTHER_PIPELINE: &str = "tradewind-ci.yml";
/// For a service whose project and folder have no name that could be one.
const NAMELESS: &str = "app";

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Made {
    kind: &'static str,
    flavour: String,
    service: ServiceName,
    /// What it was told by.
    found: Vec<String>,
    files: Vec<Written>,
    /// What a person has to look at.
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Written {
    path: String,
    content: String,
    written: bool,
}

pub fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let dir = session.around.dir.join(&args.dir);
    if !dir.is_dir() {
        return Err(Fault::new(&faults::NO_PROJECT).with("dir", args.dir.display()).into());
    }
    let disk = Disk::at(&dir);
    let (mut recipe, found) = choose(args, &disk, session.lang)?;
    let service = match &args.service {
        Some(name) => session::name(name)?,
        None => name(&recipe, &dir),
    };
    let here = Checkout::at(&dir, &session.around.var);
    let branch = here.branch().ok().flatten().unwrap_or_else(|| defaults::BRANCH.to_owned());
    let (pipeline, is_ours) = pipeline(args.force, &disk, &mut recipe.notes);
    let place = Place { service: &service, branch: &branch, pipeline };
    let mut made = vec![(SPEC, render::spec(&recipe, &place, session.lang))];
    if is_ours {
        made.push((pipeline, render::pipeline(&recipe, session.lang)));
    }
    sound(&made)?;
    if !args.print {
        write(&dir, args, &made)?;
    }
    let made = Made {
        kind: recipe.kind.word(),
        flavour: recipe.flavour,
        service,
        found,
        notes: recipe.notes.iter().map(|n| n.get(session.lang).to_owned()).collect(),
        files: made
            .into_iter()
            .map(|(name, content)| Written { path: shown(&args.dir, name), content, written: !args.print })
            .collect(),
    };
    if session.json {
        session.out.json(&made);
    } else if args.print {
        print(session, &made);
    } else {
        tell(session, &made, &here);
    }
    Ok(Exit::Ok)
}

/// What the folder is, or what was said it is.
fn choose(args: &Args, files: &dyn Files, lang: Lang) -> Result<(Recipe, Vec<String>), Failure> {
    if let Some(kind) = args.kind {
        return Ok((kind.recipe(files), Vec::new()));
    }
    match init::detect(files).as_slice() {
        [one] => Ok((one.kind.recipe(files), one.files.clone())),
        [] => match init::below(files).as_slice() {
            [] => {
                let kinds = Kind::ALL.map(|k| format!("{} ({})", k.name(), k.looked_for()));
                let fault = Fault::new(&faults::NOTHING_FOUND).with("dir", args.dir.display());
                let words = Kind::ALL.map(Kind::word).join(", ");
                Err(fault.with("kinds", kinds.join("; ")).with("words", words).into())
            }
            parts => {
                let listed: Vec<String> =
                    parts.iter().map(|(f, signs)| format!("{f}{}", text::aside(kinds(signs), lang))).collect();
                let first = args.dir.join(&parts[0].0);
                let fault = Fault::new(&faults::PARTS_FOUND).with("parts", listed.join(", "));
                Err(fault.with("first", first.strip_prefix(".").unwrap_or(&first).display()).into())
            }
        },
        several => {
            let words: Vec<&str> = several.iter().map(|s| s.kind.word()).collect();
            let fault = Fault::new(&faults::SEVERAL_FOUND).with("kinds", kinds(several));
            Err(fault.with("words", words.join(" | ")).into())
        }
    }
}

fn kinds(signs: &[Sign]) -> String {
    let all: Vec<String> = signs.iter().map(|s| format!("{}: {}", s.kind.name(), s.files.join(", "))).collect();
    all.join("; ")
}

/// The project's own name, else its folder's, where a service can be called so.
fn name(recipe: &Recipe, dir: &Path) -> ServiceName {
    let folder = dir.canonicalize().ok().and_then(|d| Some(d.file_name()?.to_string_lossy().into_owned()));
    let candidates = [recipe.name.clone(), folder, Some(NAMELESS.to_owned())];
    let mut names = candidates.into_iter().flatten().filter_map(|n| init::slug(&n)?.parse().ok());
    names.next().unwrap_or_else(|| unreachable!("`{NAMELESS}` is a name"))
}

/// The pipeline's file, and whether it is to be made: one that is there and understood stays as it is.
fn pipeline(force: bool, files: &dyn Files, notes: &mut Vec<Said>) -> (&'static str, bool) {
    let usual = defaults::PIPELINE_FILE;
    match files.text(usual).filter(|_| !force) {
        None => (usual, true),
        Some(theirs) => match pipeline::file::read(usual, &theirs) {
            Ok(_) => (usual, false),
            Err(wrong) => {
                notes.push(said!(
                    "{usual} has {n} thing(s) that Tradewind does not run, so the pipeline is in {other}; `tradewind check` names them when `pipeline` names {usual}",
                    "{usual} 中有 {n} 处信风不支持，因此流水线写在 {other}；把 `pipeline` 改为 {usual} 后，`tradewind check` 会逐一指出",
                    usual = usual, n = wrong.len(), other = OTHER_PIPELINE
                ));
                (OTHER_PIPELINE, true)
            }
        },
    }
}

/// Nothing is written that `tradewind check` would find fault with.
fn sound(made: &[(&'static str, String)]) -> Result<(), Failure> {
    let wrong = made.iter().find_map(|(name, content)| {
        let checked = if *name == SPEC {
            Spec::parse(name, content).map(drop)
        } else {
            pipeline::file::read(name, content).map(drop)
        };
        checked.err()?.into_iter().next()
    });
    wrong.map_or(Ok(()), |fault| Err(fault.into()))
}

/// All of it, or nothing: each file is whole beside its place before the first one gets there.
fn write(dir: &Path, args: &Args, made: &[(&'static str, String)]) -> Result<(), Failure> {
    let taken: Vec<String> = made
        .iter()
        .filter(|(name, _)| dir.join(name).symlink_metadata().is_ok())
        .map(|(name, _)| shown(&args.dir, name))
        .collect();
    if !args.force && !taken.is_empty() {
        return Err(Fault::new(&faults::FILE_EXISTS).with("file", taken.join(", ")).into());
    }
    // Nothing takes a folder's place: found out before anything is written.
    if let Some((name, _)) = made.iter().find(|(name, _)| dir.join(name).is_dir()) {
        let fault = Fault::new(&faults::CANNOT_WRITE).with("file", shown(&args.dir, name));
        return Err(fault.with("why", io::Error::from(io::ErrorKind::IsADirectory)).into());
    }
    let fresh = |name: &str| dir.join(format!(".{}.new-{}", name.trim_start_matches('.'), std::process::id()));
    let put = || -> Result<(), (String, io::Error)> {
        for (name, content) in made {
            beside(&fresh(name), content).map_err(|e| (shown(&args.dir, name), e))?;
        }
        // The spec last: it is what names the other.
        for (name, _) in made.iter().rev() {
            fs::rename(fresh(name), dir.join(name)).map_err(|e| (shown(&args.dir, name), e))?;
        }
        Ok(())
    };
    let done = put();
    for (name, _) in made {
        // There only where something went wrong.
        let _ = fs::remove_file(fresh(name));
    }
    done.map_err(|(file, e)| Fault::new(&faults::CANNOT_WRITE).with("file", file).with("why", e).into())
}

fn beside(path: &Path, content: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

/// A file as one would name it from where one stands.
fn shown(dir: &Path, name: &str) -> String {
    let path = dir.join(name);
    path.strip_prefix(".").unwrap_or(&path).display().to_string()
}

fn print(session: &Session, made: &Made) {
    for (n, file) in made.files.iter().enumerate() {
        session.out.line(format!("{}# {}", if n > 0 { "\n" } else { "" }, file.path));
        session.out.raw(&file.content);
    }
    for note in &made.notes {
        session.out.note(fill!(session.lang, &msg::INIT_LOOK, note = note));
    }
}

fn tell(session: &Session, made: &Made, here: &Checkout) {
    let (lang, out) = (session.lang, &session.out);
    let told_by = match made.found.as_slice() {
        [] => String::new(),
        found => text::aside(found.join(", "), lang),
    };
    let paths: Vec<&str> = made.files.iter().map(|f| f.path.as_str()).collect();
    out.line(fill!(lang, &msg::INIT_IS, service = made.service, flavour = made.flavour, found = told_by));
    out.line(fill!(lang, &msg::INIT_WROTE, files = paths.join(", ")));
    for note in &made.notes {
        out.line(fill!(lang, &msg::INIT_LOOK, note = note));
    }
    out.line(msg::INIT_NEXT.get(lang));
    let above = here.ask(["rev-parse", "--show-prefix"]).ok().flatten();
    let mut steps = Vec::new();
    if above.is_none() {
        steps.push("git init -b main".to_owned());
    }
    let added = if above.is_none() { "-A".to_owned() } else { paths.join(" ") };
    steps.push(format!("git add {added} && git commit -m \"Deploy with Tradewind\""));
    if session.token().is_none() {
        steps.push(format!("tradewind login --server {}", session.server()));
    }
    let prefix = above.filter(|p| !p.is_empty());
    let url = remote::url(session, &made.service);
    match &prefix {
        None => steps.push("tradewind push".to_owned()),
        Some(prefix) => steps.push(format!("git subtree push --prefix={} {url} main", prefix.trim_end_matches('/'))),
    }
    for step in steps {
        out.line(format!("  {step}"));
    }
    match prefix {
        None => out.line(fill!(lang, &msg::INIT_OR, remote = remote::NAME, url = url)),
        Some(_) => out.line(msg::INIT_BELOW.get(lang)),
    }
}
