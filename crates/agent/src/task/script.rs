//! The text a job's shell runs. Pure.

use tradewind_model::id::TaskId;

/// Which shell the host has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shell {
    Bash,
    /// Without `pipefail`: it is not in every sh.
    Sh,
}

impl Shell {
    /// bash where `path` has one.
    pub fn on(path: &str) -> Self {
        let has = path.split(':').any(|dir| std::path::Path::new(dir).join("bash").is_file());
        if has { Self::Bash } else { Self::Sh }
    }

    pub fn command(self, script: &str) -> Vec<String> {
        match self {
            Self::Bash => ["bash", "--noprofile", "--norc", script].map(Into::into).into(),
            Self::Sh => ["sh", script].map(Into::into).into(),
        }
    }
}

/// Begins and ends the mark before a command's heading. Nobody types it, and terminals show nothing for it.
pub const MARK: char = '\u{1e}';

/// What marks headings in the output of a task's scripts: not to be taken for something a job prints by chance.
pub fn tag(task: TaskId) -> String {
    let id = task.to_string();
    id[id.len() - 12..].to_owned()
}

/// Each command is said before it is run, as `$ command`; the first that fails ends the script. The mark before it names
/// the command by its place, and says how the one before it ended: `MARK TAG N STATUS MARK`.
pub fn text(shell: Shell, tag: &str, commands: &[String]) -> String {
    let mut script = String::from(match shell {
        Shell::Bash => "set -eo pipefail\n",
        Shell::Sh => "set -e\n",
    });
    for (n, command) in commands.iter().enumerate() {
        let mut lines = command.trim_end().lines();
        let first = lines.next().unwrap_or_default();
        let rest = if lines.next().is_some() { " # and more lines" } else { "" };
        let heading = quoted(&format!("$ {first}{rest}"));
        script.push_str(&format!("printf '\\036{tag} {n} %d\\036%s\\n' \"$?\" {heading}\n"));
        script.push_str(command.trim_end());
        script.push('\n');
    }
    script
}

/// One word for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_said_as_they_are_written() {
        let commands = ["echo 'it'\"'\"'s'".to_owned(), "if true; then\n  make\nfi\n".to_owned()];
        insta::assert_snapshot!(text(Shell::Bash, "0a1b", &commands), @r#"
        set -eo pipefail
        printf '\0360a1b 0 %d\036%s\n' "$?" '$ echo '\''it'\''"'\''"'\''s'\'''
        echo 'it'"'"'s'
        printf '\0360a1b 1 %d\036%s\n' "$?" '$ if true; then # and more lines'
        if true; then
          make
        fi
        "#);
        assert!(text(Shell::Sh, "0a1b", &commands).starts_with("set -e\n"));
    }
}
