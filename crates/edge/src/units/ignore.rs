//! Requests that are no units.

use crate::table::hosts::is_below;
use http::{header::USER_AGENT, request};
use tradewind_model::protocol::trial::Ignore;

#[derive(Debug)]
pub struct Ignored {
    /// Without a slash at the end.
    paths: Box<[Box<str>]>,
    agents: Parts,
}

/// Texts to be found within others, without regard to case.
#[derive(Debug)]
struct Parts {
    /// Lower case, not empty.
    texts: Box<[Box<[u8]>]>,
    /// Bytes that one of them begins with. Browsers' names are long: each of their bytes is looked at once, mostly.
    begins: [bool; 256],
}

impl Parts {
    fn of(texts: &[String]) -> Self {
        let texts: Box<[Box<[u8]>]> =
            texts.iter().filter(|t| !t.is_empty()).map(|t| t.to_ascii_lowercase().into_bytes().into()).collect();
        let mut begins = [false; 256];
        for text in &texts {
            begins[usize::from(text[0])] = true;
            begins[usize::from(text[0].to_ascii_uppercase())] = true;
        }
        Self { texts, begins }
    }

    fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    fn are_in(&self, whole: &[u8]) -> bool {
        let begins_at =
            |at: usize, text: &[u8]| whole.get(at..at + text.len()).is_some_and(|part| part.eq_ignore_ascii_case(text));
        whole
            .iter()
            .enumerate()
            .any(|(at, byte)| self.begins[usize::from(*byte)] && self.texts.iter().any(|text| begins_at(at, text)))
    }
}

impl Ignored {
    pub fn of(ignore: &Ignore) -> Self {
        Self {
            paths: ignore.paths.iter().map(|p| p.trim_end_matches('/').into()).collect(),
            agents: Parts::of(&ignore.agents),
        }
    }

    pub fn covers(&self, head: &request::Parts) -> bool {
        self.paths.iter().any(|p| is_below(head.uri.path(), p))
            || !self.agents.is_empty() && head.headers.get(USER_AGENT).is_some_and(|v| self.agents.are_in(v.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_by_segments_and_agents_by_parts_without_case() {
        let ignored = Ignored::of(&Ignore {
            paths: vec!["/healthz".into(), "/static/".into()],
            agents: vec!["GoogleBot".into(), "go-http".into(), String::new()],
        });
        let covers = |path: &str, agent: &str| {
            let request = http::Request::get(path).header("user-agent", agent).body(()).unwrap();
            ignored.covers(&request.into_parts().0)
        };
        for (path, agent) in
            [("/healthz", "x"), ("/static", "x"), ("/static/a.css?b", "x"), ("/", "my googlebot/2.1"), ("/", "GO-HTTP")]
        {
            assert!(covers(path, agent), "{path} {agent}");
        }
        for (path, agent) in
            [("/", ""), ("/healthz2", "x"), ("/a/healthz", "x"), ("/", "google bot"), ("/", "xGoogleBo")]
        {
            assert!(!covers(path, agent), "{path} {agent}");
        }
    }
}
