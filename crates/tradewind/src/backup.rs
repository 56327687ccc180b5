//! `tradewind admin backup` and `tradewind admin restore`: for the owner of the data folder, with the server running or not.

use crate::{config::Config, faults, folder::Folder, msg, say::Say};
use clap::ArgMatches;
use serde::Serialize;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use tradewind_cli::{exit::Exit, fill, when};
use tradewind_control::ctx::Asker;
use tradewind_model::fault::Fault;
use tradewind_server::{
    admin,
    backup::{self, BackupError, Keys, KeysKind, Progress, Report, Tell, faults as refusals},
};

/// Characters of a passphrase that has to hold for years.
const SHORTEST_PASSPHRASE: usize = 12;

/// What `admin backup --json` prints.
#[derive(Debug, Serialize)]
struct Made<'a> {
    /// None: it went to stdout.
    file: Option<&'a Path>,
    files: u64,
    /// Before they were packed.
    bytes: u64,
    head: backup::Head,
    keys: KeysKind,
    vault_elsewhere: bool,
}

/// Files and bytes so far, on stderr, where somebody looks on.
fn teller(say: Say, json: bool) -> Tell {
    if json || !io::stderr().is_terminal() {
        return Box::new(|_| {});
    }
    Box::new(move |p: Progress| {
        say.err(fill!(say.lang, &msg::BACKUP_SO_FAR, files = p.files, size = when::bytes(p.bytes)))
    })
}

fn told(e: &BackupError) -> anyhow::Error {
    e.fault().into()
}

fn given<'a>(args: &'a ArgMatches, name: &str) -> Option<&'a String> {
    args.get_one::<String>(name)
}

fn file_of(args: &ArgMatches) -> PathBuf {
    given(args, "file").map(PathBuf::from).unwrap_or_default()
}

/// The first line of the file that `--passphrase-file` names.
fn passphrase(args: &ArgMatches) -> anyhow::Result<Option<String>> {
    let Some(path) = given(args, "passphrase-file") else { return Ok(None) };
    let unreadable = |e: io::Error| Fault::new(&faults::CONFIG_FILE).with("file", path).with("reason", e);
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let line = text.lines().next().unwrap_or_default().to_owned();
    if line.chars().count() < SHORTEST_PASSPHRASE {
        return Err(Fault::new(&refusals::SHORT_PASSPHRASE).with("file", path).into());
    }
    Ok(Some(line))
}

fn keys(args: &ArgMatches) -> anyhow::Result<Keys> {
    if let Some(passphrase) = passphrase(args)? {
        return Ok(Keys::Locked(passphrase));
    }
    match (args.get_flag("without-keys"), args.get_flag("keys-in-the-clear")) {
        (true, _) => Ok(Keys::LeftOut),
        (false, true) => Ok(Keys::Open),
        (false, false) => Err(Fault::new(&refusals::WHICH_KEYS).into()),
    }
}

fn owner() -> Asker {
    Asker::trusted(admin::owner())
}

pub fn run(action: &str, args: &ArgMatches, say: Say) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match (action, args.subcommand()) {
            ("backup", Some((_, own))) => verify(own, say).await,
            ("backup", None) => make(args, say).await,
            _ => restore(args, say).await,
        }
    })
}

async fn make(args: &ArgMatches, say: Say) -> anyhow::Result<Exit> {
    let config = Config::load(args, &crate::cli::var)?;
    let folder = Folder::open(config.data())?;
    let keys = keys(args)?;
    let json = args.get_flag("json");
    let server = crate::admin::server_config(&config)?;
    let store = crate::admin::store(&config).await?;
    let data = folder.root().to_owned();
    let made = if args.get_flag("to-stdout") {
        let out = BufWriter::new(io::stdout());
        let made = backup::take(&store, &data, &server.vault, keys, out, teller(say, json), &owner()).await;
        made.map(|made| made.manifest).map_err(|e| told(&e))
    } else {
        let file = file_of(args);
        into_file(&file, async |out| {
            let made = backup::take(&store, &data, &server.vault, keys, out, teller(say, json), &owner()).await;
            made.map(|made| (made.manifest, made.out)).map_err(|e| told(&e))
        })
        .await
    };
    store.close().await;
    let manifest = made?;
    let file = file_of(args);
    let file = (!args.get_flag("to-stdout")).then_some(&*file);
    let (files, bytes) = (manifest.files.len() as u64, manifest.bytes());
    if json {
        let made = Made {
            file,
            files,
            bytes,
            head: manifest.head,
            keys: manifest.keys,
            vault_elsewhere: manifest.vault_elsewhere,
        };
        let text = serde_json::to_string_pretty(&made)?;
        // What goes to stdout is the backup.
        if file.is_some() {
            say.out(text)
        } else {
            say.err(text)
        }
        return Ok(Exit::Ok);
    }
    let shown = file.map_or_else(|| "stdout".to_owned(), |f| f.display().to_string());
    let size = when::bytes(bytes);
    say.err(fill!(say.lang, &msg::BACKUP_MADE, file = shown, files = files, size = size, seq = manifest.head.seq));
    say.err(about_keys(manifest.keys).get(say.lang));
    if manifest.vault_elsewhere {
        say.err(msg::BACKUP_VAULT_ELSEWHERE.get(say.lang));
    }
    if let Some(file) = file {
        say.err(fill!(say.lang, &msg::BACKUP_NEXT, file = file.display()));
    }
    Ok(Exit::Ok)
}

fn about_keys(keys: KeysKind) -> &'static tradewind_cli::text::Text {
    match keys {
        KeysKind::LeftOut => &msg::BACKUP_NO_KEYS,
        KeysKind::Open => &msg::BACKUP_OPEN_KEYS,
        KeysKind::Locked => &msg::BACKUP_LOCKED_KEYS,
    }
}

/// Written beside its name, for its owner alone, and there only when it is whole.
async fn into_file<T>(
    file: &Path,
    write: impl AsyncFnOnce(BufWriter<File>) -> anyhow::Result<(T, BufWriter<File>)>,
) -> anyhow::Result<T> {
    let taken = || Fault::new(&refusals::TAKEN).with("file", file.display());
    if file.symlink_metadata().is_ok() {
        return Err(taken().into());
    }
    let half = PathBuf::from(format!("{}.part-{}", file.display(), std::process::id()));
    let cannot = |e: io::Error| Fault::new(&refusals::CANNOT).with("what", half.display()).with("why", e);
    let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&half).map_err(cannot)?;
    let done = write(BufWriter::with_capacity(1 << 20, open)).await.and_then(|(answer, mut out)| {
        out.flush().and_then(|()| out.get_ref().sync_all()).map_err(cannot)?;
        // A link and not a rename: whoever was faster keeps the name.
        match fs::hard_link(&half, file) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Err(taken().into()),
            linked => linked.map_err(cannot)?,
        }
        Ok(answer)
    });
    let _ = fs::remove_file(&half);
    done
}

async fn verify(args: &ArgMatches, say: Say) -> anyhow::Result<Exit> {
    let (file, json) = (file_of(args), args.get_flag("json"));
    let passphrase = passphrase(args)?;
    let report = backup::verify(&file, passphrase.as_deref(), teller(say, json)).await.map_err(|e| told(&e))?;
    if json {
        say.out(serde_json::to_string_pretty(&report)?);
    } else {
        say.out(fill!(say.lang, &msg::BACKUP_SOUND, file = file.display()));
        describe(&report, say);
    }
    Ok(Exit::Ok)
}

fn describe(report: &Report, say: Say) {
    let at = crate::admin::local(report.made_at);
    say.out(fill!(say.lang, &msg::BACKUP_FROM, at = at, version = report.version, schema = report.schema));
    say.out(fill!(
        say.lang,
        &msg::BACKUP_HOLDS,
        files = report.files,
        size = when::bytes(report.bytes),
        releases = report.releases,
        repositories = report.repositories
    ));
    say.out(fill!(
        say.lang,
        &msg::BACKUP_CHAIN,
        events = report.events,
        seq = report.head.seq,
        hash = report.head.hash
    ));
    say.out(about_keys(report.keys).get(say.lang));
    if report.vault_elsewhere {
        say.out(msg::BACKUP_VAULT_ELSEWHERE.get(say.lang));
    }
}

async fn restore(args: &ArgMatches, say: Say) -> anyhow::Result<Exit> {
    let (file, json) = (file_of(args), args.get_flag("json"));
    let config = Config::load(args, &crate::cli::var)?;
    let passphrase = passphrase(args)?;
    let report = backup::restore(&file, config.data(), passphrase.as_deref(), teller(say, json), &owner())
        .await
        .map_err(|e| told(&e))?;
    if json {
        say.out(serde_json::to_string_pretty(&report)?);
        return Ok(Exit::Ok);
    }
    say.out(fill!(say.lang, &msg::RESTORED, data = config.data().display()));
    describe(&report, say);
    say.out(msg::RESTORED_MEANS.get(say.lang));
    say.out(fill!(say.lang, &msg::RESTORED_NEXT, data = config.data().display()));
    Ok(Exit::Ok)
}
