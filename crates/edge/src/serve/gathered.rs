//! Small writes of one poll as one: what a connection's streams answer at once is one TLS record and one system call.
//!
//! HTTP/2 flushes after each piece of an answer. Here that is put off until the poll that asked for it is over, so a
//! connection is polled through [`Gathered::around`] only.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A TLS record's worth. What is larger by itself is not copied.
const FULL: usize = 16 << 10;

/// Clones are the same stream; one task uses them, one at a time.
pub struct Gathered<S>(Arc<Mutex<Inner<S>>>);

struct Inner<S> {
    stream: S,
    waiting: Vec<u8>,
    /// How much of `waiting` is written.
    written: usize,
    is_flushed: bool,
}

impl<S> Clone for Gathered<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Gathered<S> {
    pub fn new(stream: S) -> Self {
        Self(Arc::new(Mutex::new(Inner { stream, waiting: Vec::new(), written: 0, is_flushed: true })))
    }

    /// `inner`, which has the stream, with all that it writes sent by the end of each poll.
    pub fn around<F>(self, inner: F) -> Around<S, F> {
        Around { stream: self, inner }
    }

    fn inner(&self) -> MutexGuard<'_, Inner<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncWrite + Unpin> Inner<S> {
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.waiting.len() {
            let n = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.waiting[self.written..]))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += n;
        }
        self.waiting.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        if !self.is_flushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }
}

pub struct Around<S, F> {
    stream: Gathered<S>,
    inner: F,
}

impl<S, F> Around<S, F> {
    pub fn inner(self: Pin<&mut Self>) -> Pin<&mut F> {
        // SAFETY: `inner` is pinned with its owner and never moved out of it.
        unsafe { self.map_unchecked_mut(|this| &mut this.inner) }
    }
}

impl<S, F> Future for Around<S, F>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let polled = self.as_mut().inner().poll(cx);
        // A client that does not take it wakes us when it does. An error is said again to the next who writes.
        let _ = self.stream.inner().poll_flush(cx);
        polled
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gathered<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut inner.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Gathered<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut inner = self.inner();
        inner.is_flushed = false;
        if inner.waiting.len() + buf.len() > FULL {
            ready!(inner.poll_send(cx))?;
            if buf.len() >= FULL {
                return Pin::new(&mut inner.stream).poll_write(cx, buf);
            }
        }
        inner.waiting.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.inner();
        ready!(inner.poll_flush(cx))?;
        Pin::new(&mut inner.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    /// Counts what is written to the stream below.
    struct Counting(DuplexStream, Arc<Mutex<Vec<usize>>>);

    impl AsyncRead for Counting {
        fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Counting {
        fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            let n = ready!(Pin::new(&mut self.0).poll_write(cx, buf))?;
            self.1.lock().unwrap().push(n);
            Poll::Ready(Ok(n))
        }
        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }
        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }

    fn gathered(room: usize) -> (Gathered<Counting>, DuplexStream, Arc<Mutex<Vec<usize>>>) {
        let (near, far) = tokio::io::duplex(room);
        let writes = Arc::default();
        (Gathered::new(Counting(near, Arc::clone(&writes))), far, writes)
    }

    #[tokio::test]
    async fn what_one_poll_writes_leaves_as_one() {
        let (stream, mut far, writes) = gathered(1 << 20);
        let mut own = stream.clone();
        let connection = async move {
            for _ in 0..2 {
                for piece in [&b"head"[..], b"body", b"end."] {
                    own.write_all(piece).await.unwrap();
                    own.flush().await.unwrap();
                }
                tokio::task::yield_now().await;
            }
            own.write_all(&[7; 2 * FULL]).await.unwrap();
            std::future::pending::<()>().await;
        };
        let _alive = tokio::spawn(stream.around(connection));
        let mut came = vec![0; 24 + 2 * FULL];
        far.read_exact(&mut came).await.unwrap();
        assert_eq!(came[..24], b"headbodyend.headbodyend."[..]);
        assert_eq!(*writes.lock().unwrap(), [12, 12, 2 * FULL], "and what is large is not copied");
    }

    #[tokio::test]
    async fn who_takes_nothing_holds_the_writer_up_and_misses_nothing() {
        let (stream, mut far, _) = gathered(1_000);
        let said: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        let (mut own, all) = (stream.clone(), said.clone());
        let passed = Arc::new(Mutex::new(0));
        let connection = {
            let passed = passed.clone();
            async move {
                for piece in all.chunks(300) {
                    own.write_all(piece).await.unwrap();
                    *passed.lock().unwrap() += piece.len();
                }
                own.shutdown().await.unwrap();
            }
        };
        let connection = tokio::spawn(stream.around(connection));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let held = *passed.lock().unwrap();
        assert!(held <= FULL + 1_000, "{held} bytes are held for one who reads nothing");
        let mut came = Vec::new();
        far.read_to_end(&mut came).await.unwrap();
        assert!(came == said);
        connection.await.unwrap();
    }

    #[tokio::test]
    async fn a_client_that_left_is_an_error_to_whoever_writes() {
        let (stream, far, _) = gathered(1_000);
        let mut own = stream.clone();
        let connection = async move {
            let mut failed = None;
            while failed.is_none() {
                failed = own.write_all(&[0; 300]).await.err();
                tokio::task::yield_now().await;
            }
            failed.unwrap().kind()
        };
        drop(far);
        assert_eq!(stream.around(connection).await, io::ErrorKind::BrokenPipe);
    }
}
