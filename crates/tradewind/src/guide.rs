//! The part of the guide's `cli.md` that is made from the program. A test keeps the pages equal to it;
//! `TRADEWIND_WRITE_GUIDE=1 cargo nextest run -p tradewind guide` writes them.

use crate::{cli, config::registry};
use clap::{Arg, Command};
use std::{fs, path::PathBuf};
use tradewind_cli::{client_settings, exit::Exit, setting::Setting};
use tradewind_model::fault::Lang;

const PAGES: [(&str, Lang); 2] = [("docs/guide/cli.md", Lang::En), ("docs/guide.zh-CN/cli.md", Lang::Zh)];
/// What stands above it is written by hand.
const MARK: &str = "<!-- made from the program from here on -->\n";
/// Explained once for all.
const COMMON: [&str; 5] = ["server", "token", "json", "lang", "help"];

#[test]
fn the_guides_command_reference_is_what_the_program_says() {
    for (file, lang) in PAGES {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
        let page = fs::read_to_string(&path).unwrap();
        let (by_hand, made) = page.split_once(MARK).unwrap_or_else(|| panic!("{file} lacks `{}`", MARK.trim()));
        let wanted = reference(lang);
        if std::env::var_os("TRADEWIND_WRITE_GUIDE").is_some() {
            fs::write(&path, format!("{by_hand}{MARK}{wanted}")).unwrap();
        } else {
            assert!(
                made == wanted,
                "{file} is out of date: TRADEWIND_WRITE_GUIDE=1 cargo nextest run -p tradewind guide"
            );
        }
    }
}

fn reference(lang: Lang) -> String {
    let mut out = String::from("\n");
    exits(lang, &mut out);
    settings(lang, &mut out);
    let (head, common) = match lang {
        Lang::En => (
            "## Commands",
            "Every command takes `--lang` and `--help`; those that talk to a server take `--server`, `--token` and `--json`.",
        ),
        Lang::Zh => (
            "## 命令",
            "所有命令都接受 `--lang` 与 `--help`；与服务器通信的命令还接受 `--server`、`--token` 与 `--json`。",
        ),
    };
    out += &format!("{head}\n\n{common}\n\n");
    let mut root = cli::grammar(lang);
    root.build();
    for command in root.get_subcommands().filter(|c| !c.is_hide_set()) {
        describe(command, "tradewind", lang, &mut out);
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn exits(lang: Lang, out: &mut String) {
    out.push_str(match lang {
        Lang::En => "## Exit codes\n\n| code | meaning |\n| --- | --- |\n",
        Lang::Zh => "## 退出码\n\n| 退出码 | 含义 |\n| --- | --- |\n",
    });
    for exit in Exit::ALL {
        *out += &format!("| {} | {} |\n", exit.code(), exit.about().get(lang));
    }
    out.push('\n');
}

fn settings(lang: Lang, out: &mut String) {
    let (head, columns, client) = match lang {
        Lang::En => (
            "## Settings",
            "| file | flag | variable | default | meaning |",
            "Of the command line; these have no line in the file:",
        ),
        Lang::Zh => ("## 配置项", "| 文件 | 命令行 | 环境变量 | 默认 | 含义 |", "命令行自身的配置项，不写在文件中："),
    };
    *out += &format!("{head}\n\n{columns}\n| --- | --- | --- | --- | --- |\n");
    for s in registry::ALL {
        let in_file = registry::in_file().any(|x| x.key == s.key);
        row(s, in_file, lang, out);
    }
    *out += &format!("\n{client}\n\n{columns}\n| --- | --- | --- | --- | --- |\n");
    for s in client_settings::ALL {
        row(s, false, lang, out);
    }
    out.push('\n');
}

fn row(s: &Setting, in_file: bool, lang: Lang, out: &mut String) {
    let file = if in_file { format!("`{}`", s.key) } else { String::new() };
    let default = s.default.map(|d| format!("`{d}`")).unwrap_or_default();
    let help = s.help.get(lang).replace('|', "\\|");
    *out += &format!("| {file} | `--{}` | `{}` | {default} | {help} |\n", s.flag(), s.var());
}

fn describe(command: &Command, parent: &str, lang: Lang, out: &mut String) {
    let path = format!("{parent} {}", command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let below: Vec<&Command> = command.get_subcommands().filter(|c| !c.is_hide_set()).collect();
    let end = match lang {
        Lang::En => '.',
        Lang::Zh => '。',
    };
    *out += &format!("### {path}\n\n{about}{end}\n\n");
    if below.is_empty() || !command.is_subcommand_required_set() {
        let is_setting = |a: &&Arg| registry::ALL.iter().any(|s| s.key == a.get_id().as_str());
        let takes_all = command.get_arguments().filter(is_setting).count() == registry::ALL.len();
        let args: Vec<&Arg> = command.get_arguments().filter(|a| is_own(a) && !(takes_all && is_setting(a))).collect();
        let more = if takes_all { " [--…]" } else { "" };
        *out += &format!("    {}{more}\n\n", usage(&path, &args));
        if takes_all {
            out.push_str(match lang {
                Lang::En => "It takes every [setting](#settings).\n\n",
                Lang::Zh => "接受所有[配置项](#配置项)。\n\n",
            });
        }
        if !args.is_empty() {
            out.push_str(match lang {
                Lang::En => "| argument | meaning |\n| --- | --- |\n",
                Lang::Zh => "| 参数 | 含义 |\n| --- | --- |\n",
            });
            for arg in args {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
                *out += &format!("| `{}` | {help} |\n", shown(arg).replace('|', "\\|"));
            }
            out.push('\n');
        }
    }
    for sub in below {
        describe(sub, &path, lang, out);
    }
}

fn is_own(arg: &Arg) -> bool {
    !arg.is_hide_set()
        && (!COMMON.contains(&arg.get_id().as_str()) || (!arg.is_global_set() && arg.get_id() == "token"))
}

fn value(arg: &Arg) -> String {
    arg.get_value_names()
        .and_then(|n| n.first())
        .map_or_else(|| arg.get_id().to_string().to_uppercase(), ToString::to_string)
}

fn shown(arg: &Arg) -> String {
    let Some(long) = arg.get_long() else { return value(arg) };
    let short = arg.get_short().map(|s| format!("-{s}, ")).unwrap_or_default();
    let value = if arg.get_action().takes_values() { format!(" {}", value(arg)) } else { String::new() };
    format!("{short}--{long}{value}")
}

/// What must be given stands as it is, what may be left out in brackets; places first, then flags.
fn usage(path: &str, args: &[&Arg]) -> String {
    let mut line = path.to_owned();
    let (places, flags): (Vec<&Arg>, Vec<&Arg>) = args.iter().copied().partition(|a| a.is_positional());
    for arg in places.iter().chain(flags.iter().filter(|a| a.is_required_set())) {
        let word = shown(arg);
        line += &if arg.is_required_set() { format!(" {word}") } else { format!(" [{word}]") };
    }
    for arg in flags.iter().filter(|a| !a.is_required_set()) {
        line += &format!(" [{}]", shown(arg).rsplit(", ").next().unwrap_or_default());
    }
    line
}
