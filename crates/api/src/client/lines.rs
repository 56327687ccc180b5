use super::ApiError;
use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream::BoxStream};
use std::fmt;

/// A body of text, line by line as it comes, without their breaks.
pub struct Lines {
    pieces: BoxStream<'static, Result<Bytes, ApiError>>,
    rest: BytesMut,
    /// Of `rest`, what holds no break.
    searched: usize,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("rest", &self.rest.len()).finish_non_exhaustive()
    }
}

impl Lines {
    pub(super) fn of(pieces: impl Stream<Item = Result<Bytes, ApiError>> + Send + 'static) -> Self {
        Self { pieces: pieces.boxed(), rest: BytesMut::new(), searched: 0 }
    }

    /// None at the end. A body that broke off is an error, never an end.
    pub async fn next(&mut self) -> Option<Result<String, ApiError>> {
        loop {
            if let Some(at) = self.rest[self.searched..].iter().position(|b| *b == b'\n') {
                let line = self.rest.split_to(self.searched + at);
                self.rest.advance(1);
                self.searched = 0;
                let line = line.strip_suffix(b"\r").unwrap_or(&line);
                return Some(Ok(String::from_utf8_lossy(line).into_owned()));
            }
            self.searched = self.rest.len();
            match self.pieces.next().await {
                Some(Ok(piece)) => self.rest.extend_from_slice(&piece),
                Some(Err(e)) => return Some(Err(e)),
                None if self.rest.is_empty() => return None,
                None => {
                    let line = self.rest.split();
                    self.searched = 0;
                    return Some(Ok(String::from_utf8_lossy(&line).into_owned()));
                }
            }
        }
    }
}
