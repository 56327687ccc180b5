//! The artifact store: content under its digest, whole or not at all.

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::{io, path::Path};
use tradewind_model::{id::Digest, time::Timestamp};
use tradewind_store::{Blobs, StoreError, blobs::BlobInfo};

fn pieces(all: &[u8], size: usize) -> impl futures_util::Stream<Item = Result<Bytes, io::Error>> + Send + use<> {
    let pieces: Vec<_> = all.chunks(size).map(|p| Ok(Bytes::copy_from_slice(p))).collect();
    stream::iter(pieces)
}

async fn listed(blobs: &Blobs) -> Vec<BlobInfo> {
    blobs.list().try_collect().await.unwrap()
}

fn files_under(folder: &Path) -> usize {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|p| if p.is_dir() { files_under(&p) } else { 1 })
        .sum()
}

#[tokio::test]
async fn small_and_large_contents_come_back_as_they_were_put() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(&folder.path().join("made")).unwrap();
    // Empty; small; just one piece; more than one; not a multiple of anything.
    for size in [0, 1, 100_000, 8 << 20, (8 << 20) + 1, (25 << 20) + 17] {
        let content: Vec<u8> = (0..size).map(|n: usize| (n * 31 % 251) as u8).collect();
        let expected = Digest::of(&content);
        assert!(!blobs.exists(&expected).await.unwrap());
        let put = blobs.put(pieces(&content, 300_007), Some(expected)).await.unwrap();
        assert_eq!(put, (expected, size as u64));
        assert!(blobs.exists(&expected).await.unwrap());
        let (stream, told) = blobs.get(&expected).await.unwrap();
        assert_eq!(told, size as u64);
        let back: Vec<Bytes> = stream.try_collect().await.unwrap();
        assert!(back.concat() == content, "{size}");
        // Again is no error, and no second copy.
        blobs.put(pieces(&content, 1 << 20), None).await.unwrap();
    }
    let all = listed(&blobs).await;
    assert_eq!(all.len(), 6);
    assert!(all.iter().all(|b| b.stored_at.0 > 0));
    assert_eq!(files_under(folder.path()), 6, "nothing else is left behind");
}

#[tokio::test]
async fn what_is_not_what_was_announced_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path()).unwrap();
    let announced = Digest::of(b"something else");
    for size in [10, 20 << 20] {
        let content = vec![3; size];
        let refused = blobs.put(pieces(&content, 1 << 20), Some(announced)).await.unwrap_err();
        assert!(matches!(refused, StoreError::DigestMismatch { expected, .. } if expected == announced));
        let broken = pieces(&content, 1 << 20).chain(stream::iter([Err(io::ErrorKind::ConnectionReset.into())]));
        let refused = blobs.put(broken, None).await.unwrap_err();
        assert!(matches!(refused, StoreError::Io { .. }), "{refused:?}");
    }
    assert!(listed(&blobs).await.is_empty());
    assert_eq!(files_under(folder.path()), 0);
}

#[tokio::test]
async fn what_was_changed_on_the_disk_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path()).unwrap();
    let digest = blobs.put_bytes(Bytes::from_static(b"a bundle")).await.unwrap();
    let hex = digest.hex();
    std::fs::write(folder.path().join("sha256").join(&hex[..2]).join(&hex), b"a bungle").unwrap();
    let noticed = blobs.get_bytes(&digest).await.unwrap_err();
    assert!(matches!(noticed, StoreError::DigestMismatch { expected, .. } if expected == digest));
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_may_be_deleted_again() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path()).unwrap();
    let digest = blobs.put_bytes(Bytes::from_static(b"a bundle")).await.unwrap();
    blobs.delete(&digest).await.unwrap();
    blobs.delete(&digest).await.unwrap();
    assert!(!blobs.exists(&digest).await.unwrap());
    let gone = blobs.get(&digest).await.err().unwrap();
    assert!(matches!(gone, StoreError::NotFound { .. }), "{gone:?}");
}

#[tokio::test]
async fn what_uploads_left_behind_is_swept_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path()).unwrap();
    let kept = blobs.put_bytes(Bytes::from_static(b"a bundle")).await.unwrap();
    let hex = kept.hex();
    std::fs::write(folder.path().join("sha256").join(&hex[..2]).join(format!("{hex}#1")), b"half").unwrap();
    std::fs::create_dir_all(folder.path().join("incoming")).unwrap();
    std::fs::write(folder.path().join("incoming/abc"), b"half").unwrap();
    assert_eq!(blobs.unfinished(Timestamp(0)).await.unwrap(), [], "they are too young");
    let left = blobs.unfinished(Timestamp(i64::MAX)).await.unwrap();
    assert_eq!(left.len(), 2);
    for one in &left {
        assert!(blobs.drop_unfinished(one).await.unwrap());
        assert!(!blobs.drop_unfinished(one).await.unwrap(), "it is gone");
    }
    assert_eq!(files_under(folder.path()), 1);
    assert_eq!(&blobs.get_bytes(&kept).await.unwrap()[..], b"a bundle");
}

#[tokio::test]
async fn what_is_put_again_is_as_new() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path()).unwrap();
    let digest = blobs.put_bytes(Bytes::from_static(b"made again")).await.unwrap();
    let file = folder.path().join("sha256").join(&digest.hex()[..2]).join(digest.hex());
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    std::fs::File::options().write(true).open(file).unwrap().set_modified(long_ago).unwrap();
    let age = listed(&blobs).await[0].stored_at;
    assert_eq!(age, Timestamp(1_000_000_000_000));
    // As by a server that began since.
    let blobs = Blobs::open(folder.path()).unwrap();
    blobs.put_bytes(Bytes::from_static(b"made again")).await.unwrap();
    assert!(listed(&blobs).await[0].stored_at > age);
    assert!(!blobs.discard(&digest).await.unwrap(), "somebody is about to use it");
    assert!(Blobs::open(folder.path()).unwrap().discard(&digest).await.unwrap());
    assert!(!blobs.exists(&digest).await.unwrap());
}
