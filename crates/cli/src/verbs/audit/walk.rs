//! The walk over lines of an export, whoever they come from.

use crate::{failure::Failure, faults};
use tradewind_api::v1::{AuditFinding, AuditReport, ChainHead};
use tradewind_audit::{
    Chain, Checkpoint, Link, Mark, Verifier,
    chain::Stop,
    faults::{OTHER_LOG, refused},
    line::{self, Piece},
};
use tradewind_model::fault::{Fault, Lang};

pub struct Walk {
    known: Vec<Verifier>,
    /// Where from, and what they say.
    kept: Vec<(String, Checkpoint)>,
    /// The checkpoint the lines begin behind, where they say so.
    anchor: Option<Checkpoint>,
    /// None until the first event.
    chain: Option<Chain>,
    /// It may begin and end anywhere, as an archive does.
    piece: bool,
    /// What does not fit, and whether the event it follows was seen.
    stop: Option<(Stop, bool)>,
    number: u64,
}

/// Whether more lines could change what is found.
#[derive(PartialEq, Eq, Debug)]
pub enum Next {
    More,
    Enough,
}

impl Walk {
    /// # Errors
    /// Where one of `kept` is not a checkpoint that one of the `known` keys signed.
    pub fn new(known: Vec<Verifier>, kept: &[(String, String)], piece: bool) -> Result<Self, Failure> {
        let open = |(what, text): &(String, String)| {
            let found = Checkpoint::open(text, &known).map_err(|e| refused(what, &e))?;
            Ok::<_, Failure>((what.clone(), found))
        };
        let kept = kept.iter().map(open).collect::<Result<_, _>>()?;
        Ok(Self { known, kept, anchor: None, chain: None, piece, stop: None, number: 0 })
    }

    /// # Errors
    /// Where the line is neither an event nor a checkpoint, or a checkpoint is not to be believed.
    pub fn take(&mut self, text: &str) -> Result<Next, Failure> {
        self.number += 1;
        let what = format!("{}", self.number);
        let bad = |e: line::BadLine| Fault::new(&faults::BAD_LINE).with("line", &what).with("reason", e.to_string());
        match line::piece(text).map_err(bad)? {
            Piece::Event(link) => self.event(&link),
            Piece::Checkpoint(note) => {
                let found = Checkpoint::open(&note, &self.known).map_err(|e| refused(&what, &e))?;
                match &mut self.chain {
                    None => self.anchor = Some(found),
                    Some(chain) => chain.expect(found.mark()),
                }
                Ok(Next::More)
            }
        }
    }

    fn event(&mut self, link: &Link) -> Result<Next, Failure> {
        if let Some((Stop::OutOfPlace { follows, .. }, known)) = &mut self.stop {
            *known |= link.hash() == Some(*follows);
            return Ok(if *known { Next::Enough } else { Next::More });
        }
        let mut chain = match self.chain.take() {
            Some(chain) => chain,
            None => self.begin(Some(link))?,
        };
        let stepped = chain.next(link);
        self.chain = Some(chain);
        Ok(match stepped {
            Ok(()) => Next::More,
            Err(stop @ Stop::Broken(_)) => {
                self.stop = Some((stop, false));
                Next::Enough
            }
            // What it follows comes later, or never: an earlier event has a follower already.
            Err(stop @ Stop::OutOfPlace { .. }) => {
                self.stop = Some((stop, false));
                Next::More
            }
        })
    }

    fn begin(&self, first: Option<&Link>) -> Result<Chain, Failure> {
        let said = self.anchor.as_ref().map(Checkpoint::mark);
        let log = match (&self.anchor, first) {
            (Some(anchor), _) => Some(anchor.log),
            (None, Some(first)) if first.seq() == 1 => first.hash(),
            (None, _) => None,
        };
        for (what, kept) in &self.kept {
            if let Some(ours) = log.filter(|ours| *ours != kept.log) {
                let other = Fault::new(&OTHER_LOG).with("what", what).with("theirs", kept.log).with("ours", ours);
                return Err(other.into());
            }
        }
        let marks = self.kept.iter().map(|(_, c)| c.mark()).collect();
        if !self.piece {
            return Ok(Chain::new(said.unwrap_or_else(Mark::genesis), marks));
        }
        // A piece that does not say what it follows is taken at its word.
        let follows = first.and_then(|f| Some(Mark { seq: f.seq() - 1, hash: f.prev()? }));
        Ok(Chain::piece(said.or(follows).unwrap_or_else(Mark::genesis), marks))
    }

    pub fn report(mut self, lang: Lang) -> Result<AuditReport, Failure> {
        let mut chain = match self.chain.take() {
            Some(chain) => chain,
            None => self.begin(None)?,
        };
        let broken = match self.stop {
            Some((stop, known)) => Some(stop.resolve(known)),
            None => chain.end(None).err(),
        };
        let last = chain.last();
        Ok(AuditReport {
            ok: broken.is_none(),
            intact: last.seq - chain.anchor(),
            unsealed: 0,
            pruned: if self.piece { 0 } else { chain.anchor() },
            checkpoints: chain.met(),
            head: (last.seq > 0).then_some(ChainHead { seq: last.seq, hash: last.hash }),
            finding: broken.as_ref().map(|b| AuditFinding::of(b, lang)),
        })
    }
}
