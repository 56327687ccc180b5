//! What must not hurt: a damaged file, a foreign file, a newer schema, a kill at any moment, a full disk.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};
use tradewind_model::{
    fault::Lang,
    id::{Digest, ServiceName},
    time::SystemClock,
};
use tradewind_store::{Blobs, Json, Logs, Store, StoreError, events, rows, transact};

use crate::fixture::{Fixture, add_service, event};

async fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(path.to_str().unwrap(), Arc::new(SystemClock)).await
}

/// A closed database with enough rows to have pages to damage.
async fn filled(folder: &Path) -> PathBuf {
    let path = folder.join("tradewind.db");
    let store = open(&path).await.unwrap();
    for n in 0..30 {
        add_service(&store, &format!("s{n}").parse().unwrap()).await.unwrap();
    }
    events::Sealer::new(store.clone()).seal_now().await.unwrap();
    store.close().await;
    path
}

fn files(folder: &Path) -> Vec<(String, Digest)> {
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap())
        .map(|e| (e.file_name().into_string().unwrap(), Digest::of(&std::fs::read(e.path()).unwrap())))
        .filter(|(name, _)| !["-shm", "-wal", ".reserve"].iter().any(|end| name.ends_with(end)))
        .collect();
    all.sort();
    all
}

async fn refused(path: &Path) -> StoreError {
    let folder = path.parent().unwrap();
    let before = files(folder);
    let refused = open(path).await.expect_err("it was opened");
    assert_eq!(files(folder), before, "something was written");
    refused
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path()).await;
    let whole = std::fs::read(&path).unwrap();
    let mut pages = whole.clone();
    for page in pages.chunks_mut(4096).skip(3).step_by(2) {
        page[..64].fill(0xff);
    }
    let cases = [
        ("empty", vec![]),
        ("cut", whole[..10].to_vec()),
        ("text", b"hello, this is not a database at all".to_vec()),
        ("half", whole[..whole.len() / 2 / 4096 * 4096].to_vec()),
        ("pages", pages),
    ];
    for (name, content) in cases {
        std::fs::write(&path, content).unwrap();
        let fault = refused(&path).await;
        assert!(matches!(fault, StoreError::Corrupt { .. }), "{name}: {fault:?}");
        let fault = fault.fault();
        assert_eq!(fault.code.id, "TW-STORE-005");
        assert!(fault.what(Lang::Zh).starts_with("存储的数据已损坏"));
    }
    std::fs::write(&path, whole).unwrap();
    assert_eq!(
        rows::services::list(&mut open(&path).await.unwrap().read().await.unwrap(), None, 99).await.unwrap().len(),
        30
    );
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    use sqlx::ConnectOptions as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tradewind.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut c = options.connect().await.unwrap();
    sqlx::raw_sql("CREATE TABLE orders (id INTEGER)").execute(&mut c).await.unwrap();
    sqlx::Connection::close(c).await.unwrap();
    assert!(
        matches!(refused(&path).await, StoreError::Corrupt { what, .. } if what.contains("not a database of Tradewind"))
    );
}

#[tokio::test]
async fn a_schema_that_is_not_ours_is_refused_and_left_as_it_is() {
    let f = Fixture::sqlite().await;
    f.store.close().await;
    let path = PathBuf::from(&f.at);
    f.tamper("INSERT INTO schema_steps VALUES (99, 'future', 'x', 0); UPDATE schema_floor SET oldest = 98").await;
    let fault = refused(&path).await;
    assert!(matches!(fault, StoreError::SchemaNewer { found: 99, .. }), "{fault:?}");
    f.tamper("DELETE FROM schema_steps WHERE number = 99; UPDATE schema_steps SET checksum = 'other' WHERE number = 1")
        .await;
    let fault = refused(&path).await;
    assert!(matches!(fault, StoreError::SchemaAltered { step: 1 }), "{fault:?}");
}

#[tokio::test]
async fn a_start_that_was_cut_short_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tradewind.db");
    for leftover in ["tradewind.db.new", "tradewind.db.new-journal"] {
        std::fs::write(folder.path().join(leftover), "half of something").unwrap();
    }
    open(&path).await.unwrap().close().await;
    assert_eq!(files(folder.path()).len(), 1);
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_said() {
    let fault = open(Path::new("/nowhere/at/all/tradewind.db")).await.unwrap_err();
    assert!(matches!(&fault, StoreError::Io { what, .. } if what.contains("/nowhere/at/all")), "{fault:?}");
}

const CHILD: &str = "TRADEWIND_STORE_TEST_CHILD";

/// Not a test: the process that [`a_kill_loses_nothing_acknowledged`] kills. Says each name once it is committed, and
/// has a transaction open all the while that never commits.
#[test]
#[ignore = "started and killed by a test"]
fn child() {
    let Some(at) = std::env::var_os(CHILD) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = open(Path::new(&at)).await.unwrap();
        tokio::spawn(events::Sealer::new(store.clone()).run(std::future::pending()));
        for n in 0.. {
            let name: ServiceName = format!("s{n}").parse().unwrap();
            add_service(&store, &name).await.unwrap();
            println!("committed {name}");
            let never: Result<(), StoreError> = transact!(store, tx => {
                rows::settings::put(tx, &format!("half-{n}"), &Json::empty()).await?;
                tx.event(event("setting.changed", "setting/half")).await?;
                std::io::stdout().flush().unwrap();
                if n % 7 == 6 {
                    println!("holding");
                    std::future::pending::<()>().await;
                }
                Err(StoreError::Aborted)
            });
            never.unwrap_err();
        }
    });
}

#[tokio::test]
async fn a_kill_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let path = folder.path().join(format!("{round}.db"));
        let mut killed = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "faults::child", "--ignored", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = Vec::new();
        for line in BufReader::new(killed.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            said.extend(line.strip_prefix("committed ").map(str::to_owned));
            // In the middle of a transaction, or of whatever it is doing after so many.
            if line == "holding" || said.len() == 2 + round {
                break;
            }
        }
        killed.kill().unwrap();
        killed.wait().unwrap();

        let store = open(&path).await.unwrap();
        events::Sealer::new(store.clone()).seal_now().await.unwrap();
        let mut r = store.read().await.unwrap();
        let services = rows::services::list(&mut r, None, 1000).await.unwrap();
        for name in &said {
            assert!(services.iter().any(|s| s.name.as_str() == name), "{name} was acknowledged");
        }
        assert!(rows::settings::list(&mut r).await.unwrap().is_empty(), "nothing of what never committed is there");
        let told = events::after(&mut r, 0, &events::Filter::default(), 1000).await.unwrap();
        assert_eq!(told.len(), services.len(), "log and rows agree");
        let whole = events::verify(&mut r, vec![]).await.unwrap();
        assert_eq!((whole.broken, whole.unsealed), (None, 0));
        drop(r);
        store.close().await;
    }
}

/// A small file system of memory, unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder.path())
            .status()
            .is_ok_and(|s| s.success());
        if !mounted {
            eprintln!("not tried: file systems cannot be mounted here");
        }
        mounted.then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves no byte free, until the file is removed.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut file = std::fs::File::create(&path).unwrap();
        let piece = [1; 4096];
        while file.write_all(&piece).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_has_room_for_a_rollback() {
    let Some(disk) = SmallDisk::mount("64m") else { return };
    let path = disk.path().join("tradewind.db");
    let store = open(&path).await.unwrap();
    let reserve = disk.path().join("tradewind.db.reserve");
    assert!(reserve.exists());
    let filler = disk.fill();
    let put = async |urgent: bool, key: &str| -> Result<(), StoreError> {
        transact!(store, tx => {
            if urgent {
                tx.urgent();
            }
            tx.event(event("setting.changed", "setting/x")).await?;
            rows::settings::put(tx, key, &Json::of(&"x".repeat(100_000))).await
        })
    };
    let mut n = 0;
    while put(false, &format!("{n}")).await.is_ok() {
        n += 1;
        assert!(n < 1000, "the disk never fills");
    }
    assert!(reserve.exists(), "what is not urgent leaves it alone");
    put(true, "rollback").await.unwrap();
    assert!(!reserve.exists());
    let kept = rows::settings::get(&mut store.read().await.unwrap(), "rollback").await.unwrap();
    assert!(kept.is_some());
    store.close().await;

    // With a disk that is still all but full, nothing is taken from it; with room, the reserve comes back.
    let store = open(&path).await.unwrap();
    assert!(!reserve.exists());
    store.close().await;
    std::fs::remove_file(filler).unwrap();
    open(&path).await.unwrap().close().await;
    assert!(reserve.exists());
}

#[tokio::test]
async fn a_full_disk_changes_nothing_and_says_so() {
    let Some(disk) = SmallDisk::mount("4m") else { return };
    let path = disk.path().join("tradewind.db");
    let store = open(&path).await.unwrap();
    let first: ServiceName = "first".parse().unwrap();
    add_service(&store, &first).await.unwrap();
    let blobs = Blobs::open(&disk.path().join("blobs")).unwrap();
    let logs = Logs::open(&disk.path().join("logs")).unwrap();
    let task = tradewind_model::id::TaskId::at(store.now());
    logs.append(task, 0, "begun\n".into()).await.unwrap();

    let filler = disk.fill();
    let mut made = Vec::new();
    let full = loop {
        let name: ServiceName = format!("s{}", made.len()).parse().unwrap();
        match add_service(&store, &name).await {
            Ok(()) => made.push(name),
            Err(e) => break e,
        }
        assert!(made.len() < 10_000, "the disk never fills");
    };
    assert!(matches!(full, StoreError::Full(_)), "{full:?}");
    assert_eq!(full.fault().code.id, "TW-STORE-008");
    let full = blobs.put_bytes(vec![7; 100_000].into()).await.unwrap_err();
    assert!(matches!(full, StoreError::Full(_)), "{full:?}");
    let full = logs.append(task, 6, vec![b'x'; 100_000].into()).await.unwrap_err();
    assert!(matches!(full, StoreError::Full(_)), "{full:?}");

    // Reading goes on.
    let mut r = store.read().await.unwrap();
    assert_eq!(rows::services::list(&mut r, None, 10_000).await.unwrap().len(), made.len() + 1);
    drop(r);
    assert_eq!(&logs.read(task, 0, 6).await.unwrap()[..], b"begun\n");

    std::fs::remove_file(filler).unwrap();
    add_service(&store, &"after".parse().unwrap()).await.unwrap();
    let sealed = events::Sealer::new(store.clone()).seal_now().await.unwrap();
    assert_eq!(sealed as usize, made.len() + 2);
    assert_eq!(events::verify(&mut store.read().await.unwrap(), vec![]).await.unwrap().broken, None);
    let digest = blobs.put_bytes(vec![7; 100_000].into()).await.unwrap();
    assert_eq!(blobs.get_bytes(&digest).await.unwrap().len(), 100_000);
    store.close().await;
}
