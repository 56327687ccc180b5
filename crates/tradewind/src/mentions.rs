//! Commands that texts tell people to type: each has to exist, with the flags it is told with. Looked for in backquotes,
//! behind a colon in a sentence, and in the code blocks of the pages.

use crate::cli;
use clap::Command;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tradewind_model::fault::Lang;

const NAME: &str = "tradewind ";

#[test]
fn every_command_that_a_text_mentions_exists_with_its_flags() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for (folder, kind) in [("crates", "rs"), ("docs", "md"), ("examples", "md")] {
        collect(&root.join(folder), kind, &mut files);
    }
    files.extend(["README.md", "README.zh-CN.md", "CONTRIBUTING.md"].map(|f| root.join(f)));
    let mut grammar = cli::grammar(Lang::En);
    grammar.build();
    let (mut seen, mut wrong) = (0, Vec::new());
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        for mention in mentions(&text, file.extension().is_some_and(|e| e == "md")) {
            seen += 1;
            if let Err(why) = check(&grammar, mention) {
                wrong.push(format!("{}: `{mention}`: {why}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 100, "only {seen} mentions were found: the search is broken");
}

fn collect(folder: &Path, kind: &str, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, kind, files);
        } else if path.extension().is_some_and(|e| e == kind) {
            files.push(path);
        }
    }
}

fn mentions(text: &str, is_page: bool) -> Vec<&str> {
    let mut found = Vec::new();
    for line in text.lines() {
        for (at, _) in line.match_indices(NAME) {
            let before = &line[..at];
            let rest = &line[at..];
            let end = if before.ends_with('`') {
                rest.find('`')
            } else if before.ends_with(": ") || before.ends_with('：') {
                rest.find(['"', ';', '，', '；', '。'])
            } else if is_page && before == "    " {
                rest.find(['#', '|', '&', '（']).or(rest.find("   ")).or(Some(rest.len()))
            } else {
                None
            };
            found.extend(end.map(|end| rest[..end].trim()));
        }
    }
    found
}

/// Walks down as far as words are commands; what follows are places and flags.
fn check(grammar: &Command, mention: &str) -> Result<(), String> {
    let mut words = mention.split_whitespace().skip(1).peekable();
    // `tradewind <verb>`, `tradewind help COMMAND`, `tradewind {verb} SERVICE`: any.
    if words.peek().is_none_or(|w| *w == "help" || !w.starts_with(|c: char| c.is_ascii_lowercase() || c == '-')) {
        return Ok(());
    }
    let mut command = grammar;
    while let Some(below) = words.peek().and_then(|w| command.find_subcommand(w)) {
        command = below;
        words.next();
    }
    if command.get_name() == grammar.get_name() {
        return Err("there is no such command".into());
    }
    for word in words {
        let flag = word.trim_matches(['[', ']', '…', ',', '.', ')', '"']);
        let known = |long: &str| command.get_arguments().any(|a| a.get_long() == Some(long));
        if let Some(long) = flag.strip_prefix("--").filter(|f| !f.is_empty())
            && !known(long.split('=').next().unwrap_or(long))
        {
            return Err(format!("it has no flag --{long}"));
        }
    }
    Ok(())
}
