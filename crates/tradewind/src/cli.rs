//! The command line: the roles' commands here, the verbs from their crate, both in two languages.

use crate::{
    admin, backup,
    config::{self, Config, registry as set},
    doctor, down, first,
    folder::Folder,
    help, msg, roles,
    say::Say,
    up,
};
use clap::{Arg, ArgAction, ArgMatches, Command, error::ErrorKind};
use std::{
    io::{BufReader, IsTerminal},
    sync::{Arc, Mutex},
    time::Duration,
};
use tradewind_cli::{Surroundings, Verb, client_settings, exit::Exit, fill, out::Out, setting::Setting, text};
use tradewind_model::{
    fault::{Fault, Lang},
    time::SystemClock,
};

/// How long a verb waits for a server that is being restarted.
const PATIENCE: Duration = Duration::from_secs(10);

pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

pub fn main() -> Exit {
    let mut args: Vec<String> = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    if let Some(name) = args.first_mut() {
        *name = "tradewind".into();
    }
    let lang = text::choose_lang(&args, var);
    let matches = match grammar(lang).try_get_matches_from(asked_for_help(args)) {
        Ok(m) => m,
        Err(e) => return usage(&e, lang),
    };
    let say = Say { lang };
    match dispatch(&matches, say) {
        Ok(exit) => exit,
        Err(e) => tell(&e, say),
    }
}

fn tell(e: &anyhow::Error, say: Say) -> Exit {
    if let Some(fault) = e.downcast_ref::<Fault>() {
        say.fault(fault);
        return Exit::Refused;
    }
    if let Some(told) = e.downcast_ref::<admin::Relayed>() {
        say.err(&told.text);
        return told.exit;
    }
    say.err(fill!(say.lang, &msg::INTERNAL, reason = format!("{e:#}")));
    Exit::Broken
}

/// `tradewind help rollout show` is `tradewind rollout show --help`.
fn asked_for_help(mut args: Vec<String>) -> Vec<String> {
    if args.get(1).is_some_and(|a| a == "help") {
        args.remove(1);
        args.push("--help".into());
    }
    args
}

/// What a person may type, in their language.
pub fn grammar(lang: Lang) -> Command {
    let taking = |settings: &[&'static Setting]| -> Vec<Arg> { settings.iter().map(|s| s.arg(lang)).collect() };
    let data = || set::DATA.arg(lang);
    let json = || Arg::new("json").long("json").action(ArgAction::SetTrue);
    let role = |name: &'static str| Command::new(name).args(taking(set::ALL));
    let up = role("up")
        .arg(Arg::new("detach").long("detach").short('d').action(ArgAction::SetTrue))
        .arg(Arg::new(up::DETACHED).long(up::DETACHED).action(ArgAction::SetTrue).hide(true).help("-"));
    let token = Command::new("token")
        .arg(data())
        .arg(Arg::new("name").long("name").value_name("NAME"))
        .arg(
            Arg::new("scope")
                .long("scope")
                .value_name("SCOPE")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .value_parser(["read", "deploy", "admin", "agent"]),
        )
        .arg(Arg::new("expires").long("expires").value_name("TIME"))
        .arg(json());
    let admin = Command::new("admin")
        .subcommand_required(true)
        .subcommand(token)
        .subcommand(Command::new("code").arg(data()).arg(json()))
        .subcommand(
            Command::new("rotate-key")
                .arg(data())
                .arg(set::VAULT_KEY_FILE.arg(lang))
                .arg(Arg::new("resume").long("resume").action(ArgAction::SetTrue))
                .arg(json()),
        )
        .subcommand(backup(lang))
        .subcommand(Command::new("restore").arg(file()).arg(data()).arg(passphrase_file()).arg(json()))
        .subcommand(Command::new("enrol").arg(data()).hide(true));
    let config = Command::new("config")
        .subcommand_required(true)
        .subcommand(Command::new("show").args(taking(set::ALL)).arg(json()));
    let root = Command::new("tradewind")
        .version(crate::role::VERSION)
        .disable_version_flag(true)
        .arg(Arg::new("version").short('V').long("version").action(ArgAction::Version))
        .arg(client_settings::LANG.arg(lang).global(true))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(up)
        .subcommand(Command::new("down").arg(data()))
        .subcommand(Command::new("doctor").args(taking(set::ALL)).arg(json()));
    let root = tradewind_cli::grammar(root, lang);
    let root = root
        .subcommand(admin)
        .subcommand(config)
        .subcommand(role("server"))
        .subcommand(role("agent"))
        .subcommand(role("edge"))
        .subcommand(role("edge-worker").hide(true))
        .subcommand(Command::new("shim").arg(Arg::new("dir").value_name("DIR").required(true)).hide(true))
        .subcommand(Command::new("git-hook").arg(Arg::new("hook").value_name("HOOK").required(true)).hide(true));
    tradewind_cli::help::localize(root, &[help::ROLES, tradewind_cli::help::VERBS], lang)
}

fn file() -> Arg {
    Arg::new("file").value_name("FILE").required(true)
}

fn passphrase_file() -> Arg {
    Arg::new("passphrase-file").long("passphrase-file").value_name("FILE")
}

fn backup(lang: Lang) -> Command {
    let json = || Arg::new("json").long("json").action(ArgAction::SetTrue);
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let verify = Command::new("verify").arg(file()).arg(passphrase_file()).arg(json());
    Command::new("backup")
        .args_conflicts_with_subcommands(true)
        .arg(file().required(false).required_unless_present("to-stdout"))
        .arg(set::DATA.arg(lang))
        .arg(set::VAULT_KEY_FILE.arg(lang))
        .arg(flag("to-stdout").conflicts_with("file"))
        .arg(passphrase_file())
        .arg(flag("without-keys").conflicts_with("passphrase-file"))
        .arg(flag("keys-in-the-clear").conflicts_with_all(["passphrase-file", "without-keys"]))
        .arg(json())
        .subcommand(verify)
}

fn dispatch(matches: &ArgMatches, say: Say) -> anyhow::Result<Exit> {
    if let Some(verb) = tradewind_cli::parse(matches) {
        return client(verb?, matches, say);
    }
    let Some((name, own)) = matches.subcommand() else { return Ok(Exit::Usage) };
    let load = || Config::load(own, &var);
    match name {
        "up" if first::is_first() => first::run(),
        "up" if own.get_flag("detach") => up::detach(&load()?, say),
        "up" => {
            let ground = if own.get_flag(up::DETACHED) { up::Ground::Background } else { up::Ground::Foreground };
            up::run(load()?, ground, say)
        }
        "down" => down::run(&Folder::open(load()?.data())?, say),
        "doctor" => Ok(doctor::run(&load()?, own.get_flag("json"), say)),
        "admin" => match own.subcommand() {
            Some((action @ ("backup" | "restore"), own)) => backup::run(action, own, say),
            Some((action, own)) => admin::run(action, own, &Config::load(own, &var)?, say),
            None => Ok(Exit::Usage),
        },
        "config" => match own.subcommand() {
            Some((_, own)) => Ok(config::show::run(&Config::load(own, &var)?, own.get_flag("json"), say)),
            None => Ok(Exit::Usage),
        },
        role => roles::run(role, &load()?),
    }
}

/// A verb, on a runtime of its own.
fn client(verb: Verb, matches: &ArgMatches, say: Say) -> anyhow::Result<Exit> {
    let around = Surroundings {
        var: Box::new(var),
        clock: Arc::new(SystemClock),
        zone: tradewind_cli::when::here(),
        dir: std::env::current_dir()?,
        out: Out::standard(),
        input: Mutex::new(Box::new(BufReader::new(std::io::stdin()))),
        typed: std::io::stdin().is_terminal().then_some(tradewind_cli::quiet::read_line),
        grammar,
        patience: PATIENCE,
        audit_folder: crate::audit::read,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(tradewind_cli::run(verb, matches, say.lang, around)))
}

/// A command line that is not understood, or a request for help.
fn usage(e: &clap::Error, lang: Lang) -> Exit {
    let said = tradewind_cli::help::usage_error(e, lang);
    match e.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Say { lang }.out(said.trim_end());
            Exit::Ok
        }
        _ => {
            Say { lang }.err(said.trim_end());
            Exit::Usage
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_holds_together_and_everything_in_it_is_explained_in_both_languages() {
        for lang in [Lang::En, Lang::Zh] {
            grammar(lang).debug_assert();
            let gaps = tradewind_cli::help::gaps(&grammar(lang), &[help::ROLES, tradewind_cli::help::VERBS]);
            assert_eq!(gaps, Vec::<String>::new());
        }
    }

    #[test]
    fn help_is_also_a_word() {
        let args = |s: &str| s.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(asked_for_help(args("tradewind help run list")), args("tradewind run list --help"));
        assert_eq!(asked_for_help(args("tradewind run help")), args("tradewind run help"));
    }
}
