//! Any bytes as a delivery: without the secret nothing is let in, and what is read of a payload is no more than names.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tradewind_forges::{Event, Head, HookSecret, Kind, read, verify};
use tradewind_model::time::Timestamp;

const KINDS: [Kind; 5] = [Kind::Github, Kind::Gitlab, Kind::Gitea, Kind::Gitee, Kind::Bitbucket];
const EVENTS: [&str; 5] = ["push", "Push Hook", "push", "Push Hook", "repo:push"];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let which = usize::from(*first) % KINDS.len();
    let kind = KINDS[which];
    if let Ok(Event::Pushes(pushes)) = read(kind, EVENTS[which], rest) {
        assert!(!pushes.is_empty());
        for push in &pushes {
            for text in [push.repository.as_str(), push.branch.as_str(), push.pusher.as_str()] {
                assert!(!text.contains(|c: char| c.is_control()), "{push:?}");
            }
            assert!(!push.branch.as_str().starts_with('-') && !push.branch.as_str().contains(".."), "{push:?}");
        }
    }
    // Headers a line each, then a blank line, then the body.
    let end = rest.windows(2).position(|w| w == b"\n\n").unwrap_or(rest.len());
    let (head, body) = rest.split_at(end);
    let lines = head.split(|b| *b == b'\n').filter_map(|line| {
        let at = line.iter().position(|b| *b == b':')?;
        Some((std::str::from_utf8(&line[..at]).ok()?, &line[at + 1..]))
    });
    let secret = HookSecret::of(&[7; 32]);
    let verified = verify(kind, &Head::of(lines), body, &secret, Timestamp(1_795_000_000_000_000));
    assert!(verified.is_err(), "let in without the secret: {verified:?}");
});
