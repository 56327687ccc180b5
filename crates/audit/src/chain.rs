//! A walk along the chain: each event in turn, and the first thing that is not as it was written.
//!
//! The chain alone proves that nothing was altered by someone who could not rewrite all that follows. Against someone
//! who can, there are [`Mark`]s: what signed checkpoints saw. A chain that was cut at its beginning starts at a mark too,
//! its anchor, and an event in it has to say so.

use crate::record::{Record, Sealed, genesis};
use serde::Serialize;
use std::collections::VecDeque;
use tradewind_model::{
    fault::{Lang, Text},
    id::Digest,
};

/// The kind of the event that tells of a cut.
pub const PRUNED: &str = "audit.pruned";

/// A place in the chain and the hash that stands there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    pub seq: i64,
    pub hash: Digest,
}

impl Mark {
    /// Before the first event.
    pub fn genesis() -> Self {
        Self { seq: 0, hash: genesis() }
    }
}

/// The first thing that is not as it was written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Broken {
    /// The event is there and says something else.
    Altered { seq: i64, id: String },
    /// Events are gone: these numbers, both included.
    Removed { from: i64, to: i64 },
    /// The event is genuine but stands in another's place.
    Reordered { seq: i64, id: String },
    /// Something is gone or was put in before this event, and the numbers were made to fit.
    Renumbered { seq: i64, id: String },
    /// The head says the chain ends at `head`, and the events go on to `last`.
    HeadBehind { head: i64, last: i64 },
    /// The chain fits in itself and not with the checkpoint at `checkpoint`: something from `from` on was rewritten.
    Rewritten { from: i64, checkpoint: i64 },
    /// A checkpoint saw event `checkpoint`, and the chain ends at `last`.
    Truncated { last: i64, checkpoint: i64 },
    /// Events up to `until` are gone, and no event tells of a cut there.
    Unannounced { until: i64 },
}

impl Broken {
    /// Where: of several events, the first's number.
    pub fn seq(&self) -> i64 {
        match self {
            Self::Altered { seq, .. } | Self::Reordered { seq, .. } | Self::Renumbered { seq, .. } => *seq,
            Self::Removed { from, .. } | Self::Rewritten { from, .. } => *from,
            Self::HeadBehind { head, .. } => *head,
            Self::Truncated { last, .. } => last + 1,
            Self::Unannounced { .. } => 1,
        }
    }

    /// A sentence.
    pub fn detail(&self, lang: Lang) -> String {
        let say = |en, zh, args: &[(&str, String)]| Text { en, zh }.fill(lang, args);
        match self {
            Self::Altered { seq, id } => say(
                "event {seq} ({id}) says something else than it did",
                "事件 {seq}（{id}）的内容已被改动",
                &[("seq", seq.to_string()), ("id", id.clone())],
            ),
            Self::Removed { from, to } => say(
                "events {from} to {to} are gone",
                "事件 {from} 至 {to} 已丢失",
                &[("from", from.to_string()), ("to", to.to_string())],
            ),
            Self::Reordered { seq, id } => say(
                "event {id} stands in the place of number {seq}",
                "事件 {id} 占据了编号 {seq} 的位置",
                &[("seq", seq.to_string()), ("id", id.clone())],
            ),
            Self::Renumbered { seq, id } => say(
                "something is gone or was put in before event {seq} ({id}), and the numbers were made to fit",
                "事件 {seq}（{id}）之前有缺失或插入，且编号已被改成连续",
                &[("seq", seq.to_string()), ("id", id.clone())],
            ),
            Self::HeadBehind { head, last } => say(
                "the chain's recorded end is event {head}, and the events go on to {last}",
                "链尾记录为事件 {head}，而事件延续到 {last}",
                &[("head", head.to_string()), ("last", last.to_string())],
            ),
            Self::Rewritten { from, checkpoint } => say(
                "the events fit together and not with the checkpoint at {checkpoint}: some of {from} to {checkpoint} were rewritten after it was signed",
                "事件链自身完整，但与 {checkpoint} 处的检查点不符：{from} 至 {checkpoint} 中有事件在签名之后被改写",
                &[("from", from.to_string()), ("checkpoint", checkpoint.to_string())],
            ),
            Self::Truncated { last, checkpoint } => say(
                "the events end at {last}, and a signed checkpoint saw event {checkpoint}: the end was cut off",
                "事件止于 {last}，而已签名的检查点见过事件 {checkpoint}：末尾被截断",
                &[("last", last.to_string()), ("checkpoint", checkpoint.to_string())],
            ),
            Self::Unannounced { until } => say(
                "events up to {until} are gone, and no event tells that they were pruned",
                "事件 {until} 及之前的内容已消失，且没有事件记录这次清理",
                &[("until", until.to_string())],
            ),
        }
    }
}

/// What is looked at of one event. Made apart from the walk, because hashing takes most of the time and needs no order.
#[derive(Clone, Debug)]
pub struct Link {
    seq: i64,
    id: String,
    prev: Option<Digest>,
    hash: Option<Digest>,
    genuine: bool,
    announces: Option<i64>,
}

impl Link {
    pub fn of(event: &Sealed) -> Self {
        let Sealed { seq, prev, hash, record } = event;
        let id = record.as_ref().map(|r| r.id.clone()).unwrap_or_default();
        let genuine = match (record, prev, hash) {
            (Some(record), Some(prev), Some(hash)) => record.hash(prev) == *hash,
            _ => false,
        };
        let announces = record.as_ref().filter(|r| genuine && r.kind == PRUNED).and_then(announced);
        Self { seq: *seq, id, prev: *prev, hash: *hash, genuine, announces }
    }

    /// Of an event whose content is not shown to the reader: its place is checked, what it says is not.
    pub fn unseen(seq: i64, prev: Digest, hash: Digest) -> Self {
        Self { seq, id: String::new(), prev: Some(prev), hash: Some(hash), genuine: true, announces: None }
    }

    pub fn seq(&self) -> i64 {
        self.seq
    }
    pub fn prev(&self) -> Option<Digest> {
        self.prev
    }
    pub fn hash(&self) -> Option<Digest> {
        self.hash
    }
}

fn announced(record: &Record) -> Option<i64> {
    let after: serde_json::Value = serde_json::from_str(record.after.as_deref()?).ok()?;
    after.get("until")?.as_i64()
}

/// What keeps an event from being the next one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    Broken(Broken),
    /// It is genuine and follows another event than the last one. Whether that one is somewhere in the log tells
    /// [`Broken::Reordered`] from [`Broken::Renumbered`]: see [`Stop::resolve`].
    OutOfPlace {
        seq: i64,
        id: String,
        follows: Digest,
    },
}

impl Stop {
    pub fn resolve(self, known: bool) -> Broken {
        match self {
            Self::Broken(b) => b,
            Self::OutOfPlace { seq, id, .. } if known => Broken::Reordered { seq, id },
            Self::OutOfPlace { seq, id, .. } => Broken::Renumbered { seq, id },
        }
    }
}

/// The walk. Give it every event in order, then [`Chain::end`].
#[derive(Clone, Debug)]
pub struct Chain {
    anchor: i64,
    last: Mark,
    announced: bool,
    /// It may begin and end anywhere.
    piece: bool,
    /// The end of what is known to be as some checkpoint saw it.
    vouched: i64,
    /// Ascending.
    marks: VecDeque<Mark>,
    /// Marks that were met.
    met: u64,
    /// Marks of what was cut off before the anchor.
    beyond: u64,
}

impl Chain {
    /// Begins behind `anchor`, and expects to meet the `marks`, in any order. Marks before the anchor cannot be met: they
    /// are counted.
    pub fn new(anchor: Mark, mut marks: Vec<Mark>) -> Self {
        marks.sort_by_key(|m| m.seq);
        let all = marks.len();
        // One at the anchor stays: it may disagree.
        marks.retain(|m| m.seq >= anchor.seq && m.seq > 0);
        let beyond = (all - marks.len()) as u64;
        Self {
            anchor: anchor.seq,
            last: anchor,
            announced: anchor.seq == 0,
            piece: false,
            vouched: anchor.seq,
            marks: marks.into(),
            met: 0,
            beyond,
        }
    }

    /// Of a piece that was taken out of the chain: it may begin and end anywhere.
    pub fn piece(anchor: Mark, marks: Vec<Mark>) -> Self {
        Self { piece: true, announced: true, ..Self::new(anchor, marks) }
    }

    /// One more mark, of the present place or a later one.
    pub fn expect(&mut self, mark: Mark) {
        if mark.seq < self.last.seq {
            self.beyond += 1;
            return;
        }
        let place = self.marks.partition_point(|m| m.seq <= mark.seq);
        self.marks.insert(place, mark);
    }

    /// Whether an event told of the cut, or there was none.
    pub fn is_announced(&self) -> bool {
        self.announced
    }

    /// # Errors
    /// What does not fit.
    pub fn next(&mut self, link: &Link) -> Result<(), Stop> {
        self.meet().map_err(Stop::Broken)?;
        let expected = self.last.seq + 1;
        let Link { seq, id, .. } = link;
        if *seq > expected {
            return Err(Stop::Broken(Broken::Removed { from: expected, to: seq - 1 }));
        }
        if *seq < expected {
            return Err(Stop::Broken(Broken::Renumbered { seq: *seq, id: id.clone() }));
        }
        let altered = || Stop::Broken(Broken::Altered { seq: *seq, id: id.clone() });
        let (Some(prev), Some(hash), true) = (link.prev, link.hash, link.genuine) else { return Err(altered()) };
        if prev != self.last.hash {
            return Err(Stop::OutOfPlace { seq: *seq, id: id.clone(), follows: prev });
        }
        self.last = Mark { seq: *seq, hash };
        self.announced |= link.announces == Some(self.anchor);
        self.meet().map_err(Stop::Broken)
    }

    /// Compares with the marks at the present place.
    fn meet(&mut self) -> Result<(), Broken> {
        while let Some(mark) = self.marks.front().copied().filter(|m| m.seq == self.last.seq) {
            if mark.hash != self.last.hash {
                return Err(Broken::Rewritten { from: self.vouched + 1, checkpoint: mark.seq });
            }
            self.marks.pop_front();
            self.met += 1;
            self.vouched = mark.seq;
        }
        Ok(())
    }

    /// After the last event; `head` is where the log says that it ends, where it says so.
    ///
    /// # Errors
    /// What is missing at the end or the beginning.
    pub fn end(&mut self, head: Option<Mark>) -> Result<(), Broken> {
        self.meet()?;
        let last = self.last.seq;
        if let Some(mark) = self.marks.back().filter(|_| !self.piece) {
            return Err(Broken::Truncated { last, checkpoint: mark.seq });
        }
        if let Some(head) = head {
            if last < head.seq {
                return Err(Broken::Removed { from: last + 1, to: head.seq });
            }
            if head != self.last {
                return Err(Broken::HeadBehind { head: head.seq, last });
            }
        }
        if !self.announced {
            return Err(Broken::Unannounced { until: self.anchor });
        }
        Ok(())
    }

    /// The last event that fits; the anchor before the first.
    pub fn last(&self) -> Mark {
        self.last
    }
    /// Where it began: 0 where nothing was cut off.
    pub fn anchor(&self) -> i64 {
        self.anchor
    }
    /// Checkpoints that were met and agree.
    pub fn met(&self) -> u64 {
        self.met
    }
    /// Checkpoints of what was cut off since.
    pub fn beyond(&self) -> u64 {
        self.beyond
    }
}
