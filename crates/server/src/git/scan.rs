//! Hard-coded keys in what is pushed: looked for in every commit that is new here, before anything of it runs.
//!
//! What is found rejects the push unless somebody said that it is none (beside the line or in a list of the repository) or
//! takes the responsibility for this push with a reason. Either way it is told, and an event.

use super::{
    Quarantine,
    commit::Complaint,
    push::Push,
    repo::Blob,
    wire::{Ask, Update},
};
use crate::{App, faults, http::Refusal};
use serde_json::json;
use std::sync::{Arc, OnceLock};
use tradewind_control::{Error, Result as Done};
use tradewind_model::{
    event::NewEvent,
    fault::{At, Fault, Text},
    said,
    said::Said,
};
use tradewind_secrets::scan::{ALLOW_FILE, AllowList, Scanner, diff};
use tradewind_store::transact;

/// Bytes of patches that are looked through; what comes behind them is told not to have been.
const MOST: usize = 32 << 20;
/// Findings that are told one by one.
const TOLD: usize = 20;
const LIST_LIMIT: u64 = 64 << 10;
/// `git push -o tradewind.allow-secrets="reason"`.
const OPTION: &str = "tradewind.allow-secrets";
/// Characters of a reason that are kept.
const REASON: usize = 500;

const ALLOWED: Text = Text {
    en: "Let through: {file}:{line} looks like a key ({format}); {who}: {why}",
    zh: "已放行：{file}:{line} 疑似密钥（{format}）；{who}：{why}",
};
const NOT_ALL: Text = Text {
    en: "Only the first {mib} MiB of changes were looked through for keys.",
    zh: "只检查了前 {mib} MiB 改动中的密钥。",
};
const MORE: Text = Text { en: "… and {n} more.", zh: "……另有 {n} 处。" };

/// What is to be said of a push.
#[derive(Default)]
pub struct Scanned {
    /// Reject it with these.
    pub complaints: Vec<Complaint>,
    /// Keys that go through, by whose word.
    passed: Vec<Passed>,
    cut: bool,
    more: usize,
}

struct Passed {
    found: diff::InCommit,
    who: Said,
    why: String,
}

fn scanner() -> Arc<Scanner> {
    static SCANNER: OnceLock<Arc<Scanner>> = OnceLock::new();
    SCANNER.get_or_init(Arc::default).clone()
}

pub async fn scan(
    app: &App,
    push: &Push,
    ask: &Ask,
    updates: &[Update],
    quarantine: Option<&Quarantine>,
) -> Result<Scanned, Refusal> {
    let mut out = Scanned::default();
    let reason = reason(&ask.options);
    let repos = &app.git.repos;
    let new: Vec<_> = updates.iter().filter(|u| !u.is_deletion()).map(|u| u.new.clone()).collect();
    let Some(tip) = new.last() else { return Ok(out) };
    let (patches, cut) = repos.patches(&push.service, &new, MOST, quarantine).await?;
    out.cut = cut;
    let list = match repos.file(&push.service, tip, ALLOW_FILE, LIST_LIMIT, quarantine).await? {
        Blob::Content(bytes) => AllowList::parse(&String::from_utf8_lossy(&bytes)).0,
        Blob::Missing | Blob::TooLarge(_) => AllowList::default(),
    };
    let look = move || diff::added(&scanner(), &String::from_utf8_lossy(&patches), &list);
    let found = tokio::task::spawn_blocking(look).await.map_err(Refusal::internal)?;
    let mut rejected = 0;
    for found in found {
        let finding = &found.finding;
        let (who, why) = match (&finding.allowed, &reason) {
            (Some(allowed), _) => {
                let who = match allowed.listed {
                    Some(line) => {
                        said!("allowed by {file}:{line}", "由 {file}:{line} 允许", file = ALLOW_FILE, line = line)
                    }
                    None => said!("allowed by a comment", "由注释允许"),
                };
                (who, allowed.reason.clone())
            }
            (None, Some(reason)) => (
                said!("allowed for this push by {who}", "本次推送由 {who} 允许", who = push.caller.name),
                reason.clone(),
            ),
            (None, None) => {
                rejected += 1;
                if rejected <= TOLD {
                    out.complaints.push(Complaint::one(complaint(&found)));
                }
                continue;
            }
        };
        out.passed.push(Passed { found, who, why });
    }
    out.more = rejected.saturating_sub(TOLD);
    Ok(out)
}

fn complaint(found: &diff::InCommit) -> Fault {
    let finding = &found.finding;
    Fault::new(&faults::KEY_PUSHED)
        .with("format", finding.format.name)
        .with("hint", &finding.hint)
        .with("commit", found.commit.get(..10).unwrap_or_default())
        .with("option", OPTION)
        .at(At { file: finding.file.clone(), line: finding.line, col: 1 })
}

/// One line of what was said; none where nothing was.
fn reason(options: &[String]) -> Option<String> {
    let given = options.iter().find_map(|o| o.strip_prefix(OPTION)?.strip_prefix('='))?;
    let plain: String = given.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON).collect();
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then_some(line)
}

impl Scanned {
    /// Lines for the pusher's terminal beside the complaints.
    pub fn lines(&self, push: &Push) -> Vec<String> {
        let lang = push.lang;
        let mut lines: Vec<String> = self
            .passed
            .iter()
            .take(TOLD)
            .map(|p| {
                let f = &p.found.finding;
                let (line, format, who) = (f.line.to_string(), f.format.name.get(lang), p.who.get(lang));
                ALLOWED.fill(
                    lang,
                    &[("file", f.file.as_str()), ("line", &line), ("format", format), ("who", who), ("why", &p.why)],
                )
            })
            .collect();
        if self.more > 0 {
            lines.push(MORE.fill(lang, &[("n", self.more.to_string())]));
        }
        if self.cut {
            lines.push(NOT_ALL.fill(lang, &[("mib", (MOST >> 20).to_string())]));
        }
        lines
    }

    /// Writes down what goes through, before anything runs.
    pub async fn audit(&self, app: &App, push: &Push) -> Done<()> {
        if self.passed.is_empty() {
            return Ok(());
        }
        let by = push.caller.asker(Some(format!("request/{}", push.request)));
        let keys: Vec<_> = self
            .passed
            .iter()
            .take(100)
            .map(|p| {
                let f = &p.found.finding;
                json!({ "commit": p.found.commit, "file": f.file, "line": f.line, "format": f.format.id, "by": p.who, "reason": p.why })
            })
            .collect();
        let after = json!({ "found": self.passed.len(), "keys": keys });
        let store = app.store.for_org(push.caller.org.clone());
        transact!(store, tx => {
                    let event = NewEvent {
                                                                        service: Some(push.service.to_string()),
                        after: Some(after.clone()),
        ..by.event("push.keys_allowed", format!("service/{}", push.service))};
                    tx.event(event).await?;
                    Ok::<(), Error>(())
                })
    }
}
