//! Takes secrets out of text that is about to be stored.
//!
//! [`Masks`] knows every form a value is likely to be printed in (see `forms.rs`) and finds them all in one pass. Line
//! ends do not count while it looks, so what `base64` or a terminal has broken into lines is found too. What is printed in
//! parts is found as long as the parts come one after another: text that may be the beginning of a secret is held back
//! until it is known ([`Look::held`]).
//!
//! A beginning shorter than [`HOLD`] bytes is not held back: nearly every line ends with a letter that some secret
//! begins with. So at most that many bytes of a secret that is printed in two parts get through; the rest is masked.

mod automaton;
mod forms;

use automaton::Automaton;
use std::{borrow::Cow, ops::Range};

/// What stands in a secret's place.
pub const MASK: &str = "[MASKED]";
/// Bytes of a beginning that are not waited for.
pub const HOLD: usize = 4;

/// What is to be masked. Cheap to use from several streams, each with a [`Flow`] of its own.
#[derive(Default)]
pub struct Masks(Option<Box<Automaton>>);

impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_empty() { "Masks(none)" } else { "Masks(…)" })
    }
}

/// Where one stream is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flow {
    state: u32,
    /// So many bytes of what comes next were seen to be secret.
    ahead: usize,
    /// What was stored last is [`MASK`].
    masked: bool,
}

/// What was found in some bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Look {
    /// Rising, apart from each other.
    spans: Vec<Range<usize>>,
    /// From here on it may be the beginning of a secret: to be looked at again when more has come. The length of all
    /// where nothing is.
    pub held: usize,
    /// Where the beginning of a secret starts that the bytes end with, held back or not; the length of all where they end
    /// with none, `None` where it starts before them.
    begun: Option<usize>,
    state: u32,
}

impl Masks {
    /// Of values in the clear. What is too short is left out; see [`Value::is_maskable`](crate::Value::is_maskable).
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let forms: Vec<Vec<u8>> = values.into_iter().flat_map(forms::of).collect();
        Self((!forms.is_empty()).then(|| Box::new(Automaton::new(&forms))))
    }

    /// Whether there is nothing to mask.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Bytes of memory it takes.
    pub fn weight(&self) -> usize {
        self.0.as_ref().map_or(0, |a| a.weight())
    }

    /// Looks through what comes next in a stream.
    pub fn look(&self, flow: Flow, bytes: &[u8]) -> Look {
        let Some(automaton) = &self.0 else {
            return Look { held: bytes.len(), begun: Some(bytes.len()), ..Look::default() };
        };
        let mut spans = Vec::new();
        add(&mut spans, 0..flow.ahead.min(bytes.len()));
        let (state, depth) =
            automaton.run(flow.state, bytes, |end, length| add(&mut spans, back(bytes, end, length).0..end));
        let (begun, missing) = back(bytes, bytes.len(), depth);
        let held = if depth >= HOLD { begun } else { bytes.len() };
        Look { spans, held, begun: (missing == 0).then_some(begun), state }
    }

    /// The text with [`MASK`] in the place of what was found, up to `upto`; line ends stay. Then the stream goes on
    /// at `upto`: at [`Look::held`] or before, or at the end of what was looked at, and then what was held back is masked.
    pub fn store<'a>(&self, flow: &mut Flow, mut look: Look, bytes: &'a [u8], upto: usize) -> Cow<'a, [u8]> {
        let Some(automaton) = &self.0 else { return Cow::Borrowed(&bytes[..upto]) };
        if upto > look.held {
            add(&mut look.spans, look.held..bytes.len());
        }
        let text = replace(flow.masked, &bytes[..upto], &look.spans);
        if upto > 0 {
            // A mask does not go on over a line's end.
            flow.masked = !is_line_end(bytes[upto - 1]) && look.spans.iter().any(|s| s.start < upto && upto <= s.end);
        }
        // Those that begin later are found again.
        let begun = look.spans.iter().find(|s| s.start < upto && upto < s.end);
        flow.ahead = begun.map_or(flow.ahead.saturating_sub(upto), |s| s.end - upto);
        // What ended before the last byte was found; only what the bytes end with can go on.
        flow.state = match look.begun {
            _ if upto == bytes.len() => look.state,
            Some(start) if start >= upto => automaton::ROOT,
            Some(start) => automaton.run(automaton::ROOT, &bytes[start..upto], |_, _| {}).0,
            None => automaton.run(flow.state, &bytes[..upto], |_, _| {}).0,
        };
        text
    }
}

/// The start of the last `length` bytes before `end`, line ends not counted, and how many of them came before the first.
fn back(bytes: &[u8], end: usize, mut length: usize) -> (usize, usize) {
    let mut start = end;
    while length > 0 && start > 0 {
        start -= 1;
        if !is_line_end(bytes[start]) {
            length -= 1;
        }
    }
    (start, length)
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Ends rise from call to call; a span that begins before earlier ones swallows them.
fn add(spans: &mut Vec<Range<usize>>, mut new: Range<usize>) {
    if new.is_empty() {
        return;
    }
    while let Some(last) = spans.last().filter(|last| last.end >= new.start) {
        new = last.start.min(new.start)..last.end.max(new.end);
        spans.pop();
    }
    spans.push(new);
}

/// `masked`: what came before ended with a mask.
fn replace<'a>(masked: bool, bytes: &'a [u8], spans: &[Range<usize>]) -> Cow<'a, [u8]> {
    if spans.first().is_none_or(|s| s.start >= bytes.len()) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len() + MASK.len());
    let (mut at, mut masked) = (0, masked);
    for span in spans.iter().filter(|s| s.start < bytes.len()) {
        masked &= span.start == at;
        out.extend_from_slice(&bytes[at..span.start]);
        at = span.end.min(bytes.len());
        for byte in &bytes[span.start..at] {
            if is_line_end(*byte) {
                out.push(*byte);
                masked = false;
            } else if !masked {
                out.extend_from_slice(MASK.as_bytes());
                masked = true;
            }
        }
    }
    out.extend_from_slice(&bytes[at..]);
    Cow::Owned(out)
}

/// Masks a stream that is pushed piece by piece, for those who do not keep what is held back themselves.
#[derive(Debug, Default)]
pub struct Stream {
    flow: Flow,
    waiting: Vec<u8>,
}

impl Stream {
    /// What may be stored by now.
    pub fn push(&mut self, masks: &Masks, bytes: &[u8]) -> Vec<u8> {
        self.waiting.extend_from_slice(bytes);
        let look = masks.look(self.flow, &self.waiting);
        let upto = look.held;
        let out = masks.store(&mut self.flow, look, &self.waiting, upto).into_owned();
        self.waiting.drain(..upto);
        out
    }

    /// What was held back, masked: nothing more comes.
    pub fn finish(mut self, masks: &Masks) -> Vec<u8> {
        let look = masks.look(self.flow, &self.waiting);
        masks.store(&mut self.flow, look, &self.waiting, self.waiting.len()).into_owned()
    }
}
