//! The artifact store: immutable content under its digest. A folder by default; anything `object_store` speaks later.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt as _, stream::BoxStream};
use object_store::{
    GetOptions, ObjectStore, ObjectStoreExt as _, PutMultipartOptions, PutPayload, WriteMultipart,
    local::LocalFileSystem, path::Path as Key,
};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, UNIX_EPOCH},
};
use tokio::sync::Mutex;
use tradewind_model::{id::Digest, time::Timestamp};

use crate::error::{Result, StoreError};

/// Content up to this size is put in one piece.
const ONE_PIECE: usize = 8 << 20;

/// What was put is let be for so long, however old a clock that jumped makes it look: whoever put it may be about to say
/// what it is for.
const FRESH: Duration = Duration::from_secs(3_600);

/// Content by digest. Clones share the store.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    folder: PathBuf,
    /// Put by this process within [`FRESH`]. Held while something is discarded.
    fresh: Arc<Mutex<HashMap<Digest, Instant>>>,
}

/// One stored content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlobInfo {
    pub digest: Digest,
    pub size: u64,
    pub stored_at: Timestamp,
}

/// A part of an upload that broke off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unfinished {
    path: PathBuf,
    /// Bytes.
    pub size: u64,
}

impl Blobs {
    /// A folder, made where it does not exist. What is put there is on the disk when the put returns, whole or not at all.
    pub fn open(folder: &Path) -> Result<Self> {
        let failed = |e| StoreError::io(format!("{} cannot be used", folder.display()), e);
        fs::create_dir_all(folder).map_err(failed)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(refuse)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), folder: folder.to_owned(), fresh: Arc::default() })
    }

    /// Stores what comes and gives its digest and size. With `expected`, anything else is refused and nothing is kept.
    /// Content that is there already becomes as new: it is as old as its last put.
    ///
    /// # Errors
    /// [`StoreError::DigestMismatch`]; [`StoreError::Full`]; [`StoreError::Io`] with the stream's own error in it.
    pub async fn put<S, E>(&self, content: S, expected: Option<Digest>) -> Result<(Digest, u64)>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<crate::error::Source>,
    {
        let mut content = std::pin::pin!(content);
        let mut hash = Sha256::new();
        let mut size = 0;
        let mut head = BytesMut::new();
        let mut upload: Option<(Key, WriteMultipart)> = None;
        while let Some(piece) = content.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(e) => {
                    abort(upload).await;
                    return Err(StoreError::Io { what: "the content broke off".into(), source: e.into() });
                }
            };
            hash.update(&piece);
            size += piece.len() as u64;
            match &mut upload {
                Some((_, upload)) => {
                    upload.wait_for_capacity(4).await.map_err(refuse)?;
                    upload.put(piece);
                }
                None if head.len() + piece.len() <= ONE_PIECE => head.extend_from_slice(&piece),
                None => {
                    // Its name is not known before its end: it is written under another one first.
                    let key = Key::from(format!("incoming/{:016x}{:016x}", crate::store::random(), size));
                    let begun = self.store.put_multipart_opts(&key, PutMultipartOptions::default()).await;
                    let mut begun = WriteMultipart::new_with_chunk_size(begun.map_err(refuse)?, ONE_PIECE);
                    begun.put(head.split().freeze());
                    begun.put(piece);
                    upload = Some((key, begun));
                }
            }
        }
        let digest = Digest::from_bytes(hash.finalize().into());
        if let Some(expected) = expected.filter(|e| *e != digest) {
            abort(upload).await;
            return Err(StoreError::DigestMismatch { expected, found: digest });
        }
        self.fresh.lock().await.insert(digest, Instant::now());
        match upload {
            None => match self.store.put(&key(&digest), PutPayload::from(head.freeze())).await.map_err(refuse) {
                Err(StoreError::Full(_)) if self.exists(&digest).await? => {}
                put => drop(put?),
            },
            Some((incoming, upload)) => {
                upload.finish().await.map_err(refuse)?;
                self.store.rename(&incoming, &key(&digest)).await.map_err(refuse)?;
            }
        }
        Ok((digest, size))
    }

    /// [`Blobs::put`] for what is in memory.
    pub async fn put_bytes(&self, content: Bytes) -> Result<Digest> {
        let one = futures_util::stream::iter([Ok::<_, io::Error>(content)]);
        Ok(self.put(one, None).await?.0)
    }

    /// The content, piece by piece, and its size.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; on the way, [`StoreError::DigestMismatch`] as the last item where what is stored is not
    /// what was put.
    pub async fn get(&self, digest: &Digest) -> Result<(BoxStream<'static, Result<Bytes>>, u64)> {
        let found = self.store.get(&key(digest)).await.map_err(|e| named(e, digest))?;
        let size = found.meta.size;
        let checked = Checked {
            inner: found.into_stream().map_err(refuse).boxed(),
            hash: Some(Sha256::new()),
            expected: *digest,
        };
        let pieces = futures_util::stream::unfold(checked, Checked::next);
        Ok((pieces.boxed(), size))
    }

    /// A part of the content, unchecked: bytes from `range.start` to before `range.end`, which has to be within it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get_range(&self, digest: &Digest, range: Range<u64>) -> Result<BoxStream<'static, Result<Bytes>>> {
        let options = GetOptions { range: Some(range.into()), ..GetOptions::default() };
        let found = self.store.get_opts(&key(digest), options).await.map_err(|e| named(e, digest))?;
        Ok(found.into_stream().map_err(refuse).boxed())
    }

    /// What is known of a content without reading it; `None` where there is none.
    pub async fn info(&self, digest: &Digest) -> Result<Option<BlobInfo>> {
        match self.store.head(&key(digest)).await {
            Ok(meta) => Ok(Some(BlobInfo {
                digest: *digest,
                size: meta.size,
                stored_at: Timestamp(meta.last_modified.timestamp_micros()),
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(refuse(e)),
        }
    }

    /// All of it, in memory.
    pub async fn get_bytes(&self, digest: &Digest) -> Result<Bytes> {
        let (pieces, _) = self.get(digest).await?;
        let all: Vec<Bytes> = pieces.try_collect().await?;
        Ok(all.concat().into())
    }

    pub async fn exists(&self, digest: &Digest) -> Result<bool> {
        match self.store.head(&key(digest)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(e) => Err(refuse(e)),
        }
    }

    /// Deleting what is not there is no error.
    pub async fn delete(&self, digest: &Digest) -> Result<()> {
        match self.store.delete(&key(digest)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(refuse(e)),
        }
    }

    /// Deletes it unless it was put a moment ago; whether it did.
    pub async fn discard(&self, digest: &Digest) -> Result<bool> {
        let mut fresh = self.fresh.lock().await;
        fresh.retain(|_, put| put.elapsed() < FRESH);
        if fresh.contains_key(digest) {
            return Ok(false);
        }
        self.delete(digest).await?;
        Ok(true)
    }

    /// It was put a moment ago: [`Blobs::discard`] would leave it.
    pub async fn is_fresh(&self, digest: &Digest) -> bool {
        self.fresh.lock().await.get(digest).is_some_and(|put| put.elapsed() < FRESH)
    }

    /// What uploads left behind that ended with their process before `before`.
    pub async fn unfinished(&self, before: Timestamp) -> Result<Vec<Unfinished>> {
        let folder = self.folder.clone();
        let found = tokio::task::spawn_blocking(move || {
            let mut found = Vec::new();
            unfinished(&folder, before, &mut found).map(|()| found)
        });
        let found = found.await.unwrap_or_else(|e| Err(io::Error::other(e)));
        found.map_err(|e| StoreError::io(format!("{} cannot be looked through", self.folder.display()), e))
    }

    /// Removes one; false where it is gone already.
    pub async fn drop_unfinished(&self, one: &Unfinished) -> Result<bool> {
        match tokio::fs::remove_file(&one.path).await {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(StoreError::io(format!("{} cannot be removed", one.path.display()), e)),
        }
    }

    /// Everything that is stored, with its age: what collection chooses from.
    pub fn list(&self) -> BoxStream<'static, Result<BlobInfo>> {
        let all = self.store.list(Some(&Key::from("sha256")));
        all.map_err(refuse)
            .try_filter_map(async |meta| {
                let digest = meta.location.filename().and_then(|name| format!("sha256:{name}").parse().ok());
                Ok(digest.map(|digest| BlobInfo {
                    digest,
                    size: meta.size,
                    stored_at: Timestamp(meta.last_modified.timestamp_micros()),
                }))
            })
            .boxed()
    }
}

/// `sha256/ab/abcd…`: folders stay small.
fn key(digest: &Digest) -> Key {
    let hex = digest.hex();
    Key::from(format!("sha256/{}/{hex}", &hex[..2]))
}

/// What is being written has a `#` in its name until it is whole; large content is whole in `incoming/` for a moment.
fn unfinished(folder: &Path, before: Timestamp, found: &mut Vec<Unfinished>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let meta = match entry.metadata() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            meta => meta?,
        };
        if meta.is_dir() {
            unfinished(&entry.path(), before, found)?;
            continue;
        }
        let is_part = folder.ends_with("incoming") || entry.file_name().to_string_lossy().contains('#');
        let age = meta.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        if is_part && Timestamp(0).plus(age) < before {
            found.push(Unfinished { path: entry.path(), size: meta.len() });
        }
    }
    Ok(())
}

async fn abort(upload: Option<(Key, WriteMultipart)>) {
    if let Some((_, upload)) = upload
        && let Err(e) = upload.abort().await
    {
        tracing::warn!(error = %e, "a broken upload left a file behind");
    }
}

struct Checked {
    inner: BoxStream<'static, Result<Bytes>>,
    /// None once the end was reached.
    hash: Option<Sha256>,
    expected: Digest,
}

impl Checked {
    async fn next(mut self) -> Option<(Result<Bytes>, Self)> {
        let hash = self.hash.as_mut()?;
        match self.inner.next().await {
            Some(Ok(piece)) => {
                hash.update(&piece);
                Some((Ok(piece), self))
            }
            Some(Err(e)) => {
                self.hash = None;
                Some((Err(e), self))
            }
            None => {
                let found = Digest::from_bytes(self.hash.take()?.finalize().into());
                let expected = self.expected;
                (found != expected).then(|| (Err(StoreError::DigestMismatch { expected, found }), self))
            }
        }
    }
}

fn named(e: object_store::Error, digest: &Digest) -> StoreError {
    match e {
        object_store::Error::NotFound { .. } => StoreError::not_found("blob", digest),
        e => refuse(e),
    }
}

fn refuse(e: object_store::Error) -> StoreError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&e);
    while let Some(c) = cause {
        if c.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::StorageFull) {
            return StoreError::Full(Box::new(e));
        }
        cause = c.source();
    }
    StoreError::Io { what: "the artifact store failed".into(), source: Box::new(e) }
}
