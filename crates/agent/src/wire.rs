//! One JSON value a line, both ways, bounded.

use futures_util::StreamExt;
use serde::{Serialize, de::DeserializeOwned};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tradewind_model::protocol::agent::LONGEST_LINE;

pub struct Lines<R> {
    framed: FramedRead<R, LinesCodec>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub fn new(inner: R) -> Self {
        Self { framed: FramedRead::new(inner, LinesCodec::new_with_max_length(LONGEST_LINE)) }
    }

    /// The next message we know; `None` at the end. Message types we do not know are passed over.
    pub async fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        loop {
            let line = match self.framed.next().await {
                None => return Ok(None),
                Some(Ok(line)) => line,
                Some(Err(LinesCodecError::Io(e))) => return Err(e),
                Some(Err(LinesCodecError::MaxLineLengthExceeded)) => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!("a line over {LONGEST_LINE} bytes"),
                    ));
                }
            };
            match serde_json::from_str(&line) {
                Ok(message) => return Ok(Some(message)),
                Err(e) if e.is_data() => {
                    let kind = line.get(..64).unwrap_or(&line);
                    tracing::warn!(error = %e, message = kind, "a message this version does not know was passed over");
                }
                Err(e) => return Err(e.into()),
            }
        }
    }
}

/// Writes and flushes one message.
pub async fn send<W: AsyncWrite + Unpin, T: Serialize>(to: &mut W, message: &T) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    to.write_all(&line).await?;
    to.flush().await
}
