//! Requests that are no units.

use crate::table::hosts::is_below;
use http::{header::USER_AGENT, request};
use tradewind_model::protocol::trial::Ignore;

#[derive(Debug)]
pub struct Ignored {
    /// Without a slash at the end.
    paths: Box<[Box<str>]>,
    /// Lower case, not empty.
    agents: Box<[Box<[u8]>]>,
}

impl Ignored {
    pub fn of(ignore: &Ignore) -> Self {
        let agents = ignore.agents.iter().filter(|a| !a.is_empty());
        Self {
            paths: ignore.paths.iter().map(|p| p.trim_end_matches('/').into()).collect(),
            agents: agents.map(|a| a.to_ascii_lowercase().into_bytes().into()).collect(),
        }
    }

    pub fn covers(&self, head: &request::Parts) -> bool {
        self.paths.iter().any(|p| is_below(head.uri.path(), p))
            || !self.agents.is_empty()
                && head.headers.get(USER_AGENT).is_some_and(|v| self.agents.iter().any(|a| contains(v.as_bytes(), a)))
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|w| w.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_by_segments_and_agents_by_parts_without_case() {
        let ignored = Ignored::of(&Ignore {
            paths: vec!["/healthz".into(), "/static/".into()],
            agents: vec!["GoogleBot".into(), String::new()],
        });
        let covers = |path: &str, agent: &str| {
            let request = http::Request::get(path).header("user-agent", agent).body(()).unwrap();
            ignored.covers(&request.into_parts().0)
        };
        for (path, agent) in [("/healthz", "x"), ("/static", "x"), ("/static/a.css?b", "x"), ("/", "my googlebot/2.1")]
        {
            assert!(covers(path, agent), "{path} {agent}");
        }
        for (path, agent) in [("/", ""), ("/healthz2", "x"), ("/a/healthz", "x"), ("/", "google bot")] {
            assert!(!covers(path, agent), "{path} {agent}");
        }
    }
}
