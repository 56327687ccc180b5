//! Logs grow by pieces that may come twice, late or at once.

use tradewind_model::{id::TaskId, time::Timestamp};
use tradewind_store::{Logs, logs::Appended};

#[tokio::test]
async fn pieces_are_put_once_wherever_they_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(&folder.path().join("logs")).unwrap();
    let task = TaskId::at(Timestamp(1));
    assert_eq!(logs.size(task).await.unwrap(), 0);
    assert!(logs.read(task, 0, 100).await.unwrap().is_empty());
    let append = async |offset, text: &'static str| logs.append(task, offset, text.into()).await.unwrap();
    assert_eq!(append(0, "one\n").await, Appended::Upto(4));
    assert_eq!(append(0, "one\n").await, Appended::Upto(4), "again");
    assert_eq!(append(2, "e\ntwo\n").await, Appended::Upto(8), "overlapping");
    assert_eq!(append(1, "ne").await, Appended::Upto(8), "inside");
    assert_eq!(append(20, "late").await, Appended::Gap { size: 8 });
    assert_eq!(append(8, "").await, Appended::Upto(8));
    assert_eq!(&logs.read(task, 0, 100).await.unwrap()[..], b"one\ntwo\n");
    assert_eq!(&logs.read(task, 4, 3).await.unwrap()[..], b"two");
    assert!(logs.read(task, 99, 3).await.unwrap().is_empty());
    logs.sync(task).await.unwrap();
    logs.delete(task).await.unwrap();
    logs.delete(task).await.unwrap();
    logs.sync(task).await.unwrap();
    assert_eq!(logs.size(task).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_pieces_sent_by_two_connections_make_one_log() {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(folder.path()).unwrap();
    let task = TaskId::at(Timestamp(1));
    let whole: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    let senders: Vec<_> = (0..4)
        .map(|s| {
            let (logs, whole) = (logs.clone(), whole.clone());
            tokio::spawn(async move {
                let mut offset = 0;
                while offset < whole.len() {
                    let end = whole.len().min(offset + 1000 + s * 377);
                    let piece = bytes::Bytes::copy_from_slice(&whole[offset..end]);
                    offset = match logs.append(task, offset as u64, piece).await.unwrap() {
                        Appended::Upto(_) => end,
                        Appended::Gap { size } => size as usize,
                    };
                }
            })
        })
        .collect();
    for s in senders {
        s.await.unwrap();
    }
    assert!(logs.read(task, 0, usize::MAX).await.unwrap() == whole);
}
