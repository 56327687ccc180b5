//! Reads the whole log and holds it against every checkpoint: those stored, and those somebody kept.

use super::log;
use crate::Result;
use tradewind_api::v1::{AuditFinding, AuditProblem, AuditReport, ChainHead};
use tradewind_audit::{
    Checkpoint, Mark, Note, Verifier,
    checkpoint::trusted,
    faults::{OTHER_LOG, refused},
};
use tradewind_model::fault::{Fault, Lang, Text};
use tradewind_store::{Reader, Store, events, rows};

/// Checkpoints looked up in one go.
const PAGE: u32 = 1_000;

/// What to hold the log against.
#[derive(Clone, Debug, Default)]
pub struct Against {
    /// Public keys that are believed. None: every key that is stored, which whoever can write to the database can add to.
    pub roots: Vec<Verifier>,
    /// Checkpoints that were kept elsewhere: where from, and the text.
    pub kept: Vec<(String, String)>,
}

/// # Errors
/// Where one of `against.kept` is not a checkpoint, is not signed by a key that is believed, or is of another log.
pub async fn verify(store: &Store, against: &Against, lang: Lang) -> Result<AuditReport> {
    let mut r = store.read().await?;
    let stored = rows::audit::keys(&mut r).await?;
    let introductions: Vec<Note> = stored.iter().filter_map(|k| k.introduction.parse().ok()).collect();
    let known = if against.roots.is_empty() {
        stored.iter().filter_map(|k| k.verifier.parse().ok()).collect()
    } else {
        trusted(&against.roots, &introductions)
    };
    let mut marks = Vec::new();
    let ours = log(&mut r).await?;
    for (what, text) in &against.kept {
        let checkpoint = Checkpoint::open(text, &known).map_err(|e| refused(what, &e))?;
        if let Some(ours) = ours.filter(|ours| *ours != checkpoint.log) {
            let other = Fault::new(&OTHER_LOG).with("what", what).with("theirs", checkpoint.log).with("ours", ours);
            return Err(other.into());
        }
        marks.push(checkpoint.mark());
    }
    let forged = stored_marks(&mut r, &known, &mut marks).await?;
    let found = events::verify(&mut r, marks).await?;
    let finding = match (&found.broken, forged) {
        (Some(broken), _) => Some(AuditFinding::of(broken, lang)),
        (None, Some(seq)) => Some(AuditFinding { seq, problem: AuditProblem::Forged, detail: forgery(seq, lang) }),
        (None, None) => None,
    };
    Ok(AuditReport {
        ok: finding.is_none(),
        intact: found.intact,
        unsealed: found.unsealed,
        pruned: found.anchor,
        checkpoints: found.met,
        head: found.head.map(|(seq, hash)| ChainHead { seq, hash }),
        finding,
    })
}

/// The marks of every stored checkpoint that can be believed, and the first that cannot.
async fn stored_marks(r: &mut impl Reader, known: &[Verifier], marks: &mut Vec<Mark>) -> Result<Option<i64>> {
    let (mut after, mut forged) = (0, None);
    loop {
        let page = rows::audit::after(r, after, PAGE).await?;
        for kept in &page {
            after = kept.mark.seq;
            match Checkpoint::open(&kept.note, known) {
                Ok(checkpoint) if checkpoint.mark() == kept.mark => marks.push(kept.mark),
                _ => forged = forged.or(Some(kept.mark.seq)),
            }
        }
        if page.len() < PAGE as usize {
            return Ok(forged);
        }
    }
}

fn forgery(seq: i64, lang: Lang) -> String {
    let text = Text {
        en: "the stored checkpoint at {seq} is not one that a known key signed",
        zh: "存储的 {seq} 处检查点不是由已知公钥签名的",
    };
    text.fill(lang, &[("seq", seq.to_string())])
}
