//! Reading long logs: any line by its number, any word by its line, without carrying the log to whoever asks.
//!
//! An index is made when it is first asked for, by reading the log through once, and grows with the log after that. It is
//! never stored: what it says is in the log.

use super::{Runs, error::Result, faults, logs::Log};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use tradewind_api::v1;
use tradewind_model::{
    fault::Fault,
    id::TaskId,
    log::{Index, Search, Wanted, search::LONGEST_WORD},
};

/// Indexes that are kept.
const KEPT: usize = 32;
/// Bytes read at a time.
const PIECE: usize = 1 << 20;
/// Bytes that are searched for one page, about.
const PAGE: u64 = 64 << 20;
/// Searches at once.
const SEARCHES: usize = 2;
/// Hits of a page.
pub const MOST_HITS: usize = 1_000;

type Shared = Arc<AsyncMutex<Index>>;

/// Indexes of logs that were read lately.
pub struct Indexes {
    /// The one used last comes last.
    kept: Mutex<Vec<(TaskId, Shared)>>,
    searches: Semaphore,
}

impl Default for Indexes {
    fn default() -> Self {
        Self { kept: Mutex::default(), searches: Semaphore::new(SEARCHES) }
    }
}

impl Indexes {
    fn of(&self, task: TaskId) -> Shared {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|(id, _)| *id == task).map(|at| kept.remove(at).1);
        let index = found.unwrap_or_default();
        kept.push((task, index.clone()));
        if kept.len() > KEPT {
            kept.remove(0);
        }
        index
    }
}

/// What is searched for, and where from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked<'a> {
    pub word: &'a str,
    /// Capital and small letters differ.
    pub exact: bool,
    /// Only behind this line, from 1; 0: from the beginning.
    pub after: u64,
    /// Hits at most.
    pub limit: usize,
}

impl Runs {
    /// As far as the log goes now; of places and marks those behind line `after`, from 1.
    pub async fn log_index(&self, log: &Log, after: u64) -> Result<v1::LogIndex> {
        let Some(task) = log.task else { return Ok(shown(&Index::default(), log.ended, after)) };
        let index = self.indexes.of(task);
        let mut index = index.lock().await;
        self.grow(task, &mut index).await?;
        Ok(shown(&index, log.ended, after))
    }

    async fn grow(&self, task: TaskId, index: &mut Index) -> Result<()> {
        loop {
            let piece = self.logs.read(task, index.size(), PIECE).await?;
            index.append(&piece);
            if piece.len() < PIECE {
                return Ok(());
            }
        }
    }

    /// The lines that have a word, page by page.
    ///
    /// # Errors
    /// [`faults::BAD_SEARCH`].
    pub async fn search_log(&self, log: &Log, asked: &Asked<'_>) -> Result<v1::LogHits> {
        let bad = || Fault::new(&faults::BAD_SEARCH).with("max", LONGEST_WORD);
        let wanted = Wanted::new(asked.word, asked.exact).ok_or_else(bad)?;
        let Some(task) = log.task else { return Ok(v1::LogHits { hits: Vec::new(), next: None }) };
        // Never closed.
        let _turn = self.indexes.searches.acquire().await;
        let (mut at, lines) = {
            let index = self.indexes.of(task);
            let mut index = index.lock().await;
            self.grow(task, &mut index).await?;
            if asked.after >= index.lines() {
                return Ok(v1::LogHits { hits: Vec::new(), next: None });
            }
            let place = index.before(asked.after);
            (Lines { offset: place.offset, skip: asked.after - place.line }, index.lines())
        };
        let first = at.offset;
        let mut search = Search::new(wanted, asked.after, asked.limit.clamp(1, MOST_HITS));
        loop {
            let piece = self.logs.read(task, at.offset, PIECE).await?;
            at.offset += piece.len() as u64;
            let more = search.append(at.take(&piece));
            let next = Some(search.line()).filter(|line| *line < lines);
            if !more {
                return Ok(found(search.into_hits(), next));
            }
            if piece.len() < PIECE {
                return Ok(found(search.finish(), None));
            }
            // A line is looked at whole, or every page would begin with it again.
            if at.offset - first >= PAGE && search.line() > asked.after {
                return Ok(found(search.into_hits(), next));
            }
        }
    }
}

/// Where reading is, and how many lines are to be passed over yet.
struct Lines {
    offset: u64,
    skip: u64,
}

impl Lines {
    fn take<'a>(&mut self, mut piece: &'a [u8]) -> &'a [u8] {
        while self.skip > 0 {
            let Some(end) = piece.iter().position(|b| *b == b'\n') else { return &[] };
            piece = &piece[end + 1..];
            self.skip -= 1;
        }
        piece
    }
}

fn found(hits: Vec<tradewind_model::log::Hit>, next: Option<u64>) -> v1::LogHits {
    let hit = |h: tradewind_model::log::Hit| v1::LogHit { line: h.line + 1, count: h.count, excerpt: h.excerpt };
    v1::LogHits { hits: hits.into_iter().map(hit).collect(), next }
}

fn shown(index: &Index, ended: bool, after: u64) -> v1::LogIndex {
    let place =
        |p: &tradewind_model::log::Place| v1::LogPlace { line: p.line + 1, offset: p.offset, style: p.style.clone() };
    let mark = |m: &tradewind_model::log::Mark| v1::LogMark { line: m.line + 1, text: m.text.clone() };
    v1::LogIndex {
        size: index.size(),
        lines: index.lines(),
        ended,
        places: index.places().iter().filter(|p| p.line >= after).map(place).collect(),
        marks: index.marks().iter().filter(|m| m.line >= after).map(mark).collect(),
        marks_left_out: index.marks_left_out(),
    }
}
