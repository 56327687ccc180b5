//! Signed notes: text, an empty line, and a line for each signature. The form is C2SP's *signed note*
//! (<https://c2sp.org/signed-note>), as the Go checksum database uses it, so others' tools can read and check ours.

use crate::key::{KeyId, Signer, Verifier, is_name};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{fmt, str::FromStr};

/// No note of ours is as long.
const LONGEST: usize = 64 << 10;
const SIGNATURES: usize = 16;

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadNote {
    #[error("it is not text, an empty line and signatures")]
    Form,
    #[error("a line beginning with `—` is not a signature")]
    Signature,
    #[error("it has more than {LONGEST} bytes or {SIGNATURES} signatures")]
    TooLong,
}

/// What of a note's signatures does not hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotSigned {
    /// None is by a key that is known; these are.
    #[error("it is signed by {0:?} only, and none of them is known")]
    Unknown(Vec<KeyId>),
    /// It claims to be by this key and is not.
    #[error("the signature of key {0} does not hold")]
    False(KeyId),
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Signature {
    name: String,
    id: KeyId,
    bytes: Vec<u8>,
}

/// Text and the signatures under it, held or not: see [`Note::signed_by`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// `text` ends with a line break.
    pub fn sign(text: String, signers: &[&Signer]) -> Self {
        debug_assert!(text.ends_with('\n') && !text.contains("\n\n"));
        let signatures = signers
            .iter()
            .map(|s| Signature {
                name: s.verifier().name().to_owned(),
                id: s.verifier().id(),
                bytes: s.sign(text.as_bytes()),
            })
            .collect();
        Self { text, signatures }
    }

    /// What is signed, with its last line break.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whose signatures it claims to bear.
    pub fn claims(&self) -> impl Iterator<Item = KeyId> {
        self.signatures.iter().map(|s| s.id)
    }

    /// Who of the `known` signed it.
    ///
    /// # Errors
    /// [`NotSigned::False`] where a known key's signature does not hold, whoever else signed.
    pub fn signed_by<'k>(&self, known: &'k [Verifier]) -> Result<Vec<&'k Verifier>, NotSigned> {
        let mut found = Vec::new();
        for s in &self.signatures {
            let mut holders = known.iter().filter(|v| v.name() == s.name && v.id() == s.id).peekable();
            if holders.peek().is_none() {
                continue;
            }
            match holders.find(|v| v.holds(self.text.as_bytes(), &s.bytes)) {
                Some(verifier) => found.push(verifier),
                None => return Err(NotSigned::False(s.id)),
            }
        }
        if found.is_empty() { Err(NotSigned::Unknown(self.claims().collect())) } else { Ok(found) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for s in &self.signatures {
            let bytes = STANDARD.encode([&s.id.0[..], &s.bytes].concat());
            writeln!(f, "— {} {bytes}", s.name)?;
        }
        Ok(())
    }
}

impl FromStr for Note {
    type Err = BadNote;
    fn from_str(s: &str) -> Result<Self, BadNote> {
        if s.len() > LONGEST {
            return Err(BadNote::TooLong);
        }
        let (text, below) = s.rsplit_once("\n\n").ok_or(BadNote::Form)?;
        if text.is_empty() || text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(BadNote::Form);
        }
        let below = below.strip_suffix('\n').ok_or(BadNote::Form)?;
        let signatures: Vec<Signature> = below.split('\n').map(signature).collect::<Result<_, _>>()?;
        if signatures.len() > SIGNATURES {
            return Err(BadNote::TooLong);
        }
        Ok(Self { text: format!("{text}\n"), signatures })
    }
}

fn signature(line: &str) -> Result<Signature, BadNote> {
    let (name, bytes) = line.strip_prefix("— ").and_then(|l| l.split_once(' ')).ok_or(BadNote::Signature)?;
    let bytes = STANDARD.decode(bytes).map_err(|_| BadNote::Signature)?;
    let (id, rest) = bytes.split_first_chunk::<4>().ok_or(BadNote::Signature)?;
    if !is_name(name) || rest.is_empty() {
        return Err(BadNote::Signature);
    }
    Ok(Signature { name: name.to_owned(), id: KeyId(*id), bytes: rest.to_vec() })
}
