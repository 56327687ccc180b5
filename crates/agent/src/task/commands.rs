//! How far a script is, by the headings in its output. Pure: an agent that begins anew reads the same headings and finds
//! the same.

use super::render::Heading;
use tradewind_model::{
    protocol::{
        agent::Exit,
        command::{CommandRun, MOST_COMMANDS},
    },
    time::Timestamp,
};

/// The commands of one script that its shell came to.
#[derive(Debug)]
pub struct Commands {
    after: bool,
    list: Vec<CommandRun>,
    /// There were more than are reported.
    beyond: bool,
}

impl Commands {
    pub fn of_script() -> Self {
        Self { after: false, list: Vec::new(), beyond: false }
    }

    pub fn of_after_script() -> Self {
        Self { after: true, ..Self::of_script() }
    }

    pub fn begin(&mut self, heading: Heading, line: Option<u64>) {
        if !self.beyond
            && let Some(before) = self.list.last_mut()
        {
            (before.finished_at, before.exit_code) = (Some(heading.said_at), Some(heading.before));
        }
        if self.list.len() >= MOST_COMMANDS {
            self.beyond = true;
            return;
        }
        self.list.push(CommandRun {
            n: heading.n,
            after: self.after,
            text: heading.text,
            started_at: heading.said_at,
            finished_at: None,
            exit_code: None,
            line,
        });
    }

    /// The script ended: by the exit code of its last command.
    pub fn end(mut self, at: Timestamp, exit: &Exit) -> Vec<CommandRun> {
        if !self.beyond
            && let Some(last) = self.list.last_mut()
        {
            last.finished_at = Some(at);
            last.exit_code = match exit {
                Exit::Code { code } => Some(*code),
                Exit::Signal { .. } | Exit::Unknown | Exit::NotStarted { .. } => None,
            };
        }
        self.list
    }

    pub fn so_far(&self) -> &[CommandRun] {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heading(n: u32, before: i32, at: i64) -> Heading {
        Heading { at: 0, n, before, text: format!("step {n}"), said_at: Timestamp(at) }
    }

    fn told(commands: &[CommandRun]) -> Vec<(u32, Option<i64>, Option<i32>)> {
        commands.iter().map(|c| (c.n, c.finished_at.map(|t| t.0), c.exit_code)).collect()
    }

    #[test]
    fn each_ends_where_the_next_begins_and_the_last_with_the_script() {
        let mut commands = Commands::of_script();
        commands.begin(heading(0, 0, 10), Some(2));
        commands.begin(heading(1, 3, 30), Some(5));
        assert_eq!(told(commands.so_far()), [(0, Some(30), Some(3)), (1, None, None)]);
        let ended = commands.end(Timestamp(90), &Exit::Signal { signal: 9 });
        assert_eq!(told(&ended), [(0, Some(30), Some(3)), (1, Some(90), None)]);
    }

    #[test]
    fn of_very_many_the_first_are_reported() {
        let mut commands = Commands::of_after_script();
        for n in 0..=MOST_COMMANDS as u32 + 1 {
            commands.begin(heading(n, 0, i64::from(n)), None);
        }
        let ended = commands.end(Timestamp(9_999), &Exit::Code { code: 1 });
        let last = ended.last().map(|c| (c.after, c.finished_at, c.exit_code));
        assert_eq!((ended.len(), last), (MOST_COMMANDS, Some((true, Some(Timestamp(1000)), Some(0)))));
    }
}
