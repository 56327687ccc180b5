//! The text a job's shell runs. Pure.

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

/// Each command is said before it is run, as `$ command`; the first that fails ends the script.
pub fn text(shell: Shell, commands: &[String]) -> String {
    let mut script = String::from(match shell {
        Shell::Bash => "set -eo pipefail\n",
        Shell::Sh => "set -e\n",
    });
    for command in commands {
        let mut lines = command.trim_end().lines();
        let first = lines.next().unwrap_or_default();
        let rest = if lines.next().is_some() { " # and more lines" } else { "" };
        script.push_str(&format!("printf '%s\\n' {}\n", quoted(&format!("$ {first}{rest}"))));
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
        insta::assert_snapshot!(text(Shell::Bash, &commands), @r#"
        set -eo pipefail
        printf '%s\n' '$ echo '\''it'\''"'\''"'\''s'\'''
        echo 'it'"'"'s'
        printf '%s\n' '$ if true; then # and more lines'
        if true; then
          make
        fi
        "#);
        assert!(text(Shell::Sh, &commands).starts_with("set -e\n"));
    }
}
