use crate::world::{World, service};
use std::time::Duration;
use tradewind_control::{ctx::Asker, housekeeping};
use tradewind_model::{
    id::{Commit, Digest},
    pipeline::Keep,
    release::{BundleRef, ReleaseManifest},
    time::Clock as _,
};
use tradewind_store::{Blobs, rows, transact};

#[tokio::test]
async fn old_artifacts_go_and_what_releases_are_made_of_stays() {
    let w = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path()).unwrap();
    let artifact = blobs.put_bytes("an artifact".into()).await.unwrap();
    let bundle = blobs.put_bytes("a bundle".into()).await.unwrap();
    let commit: Commit = "0".repeat(40).parse().unwrap();
    let manifest = ReleaseManifest {
        version: 1,
        service: service(),
        commit,
        bundle: BundleRef { digest: bundle, size: 8 },
        spec: String::new(),
        files: Vec::new(),
    };
    let stored: tradewind_control::Result<Digest> = transact!(w.ctx.store, tx => {
        tx.without_event("a test's release");
        Ok(rows::releases::insert(tx, &manifest, None).await?.0.digest)
    });
    stored.unwrap();

    assert_eq!(
        housekeeping::once(&w.ctx, &blobs, &Asker::system("collector"), None).await.unwrap(),
        housekeeping::Collected::default()
    );
    // Blobs bear the machine's time; the control plane's clock is far behind it here and is moved past it.
    w.pass(Duration::from_secs(20 * 365 * 24 * 3_600));
    // What was put a moment ago is not old, whatever a clock that jumps says.
    assert_eq!(
        housekeeping::once(&w.ctx, &blobs, &Asker::system("collector"), None).await.unwrap(),
        housekeeping::Collected::default()
    );
    assert!(blobs.exists(&artifact).await.unwrap());
    let blobs = Blobs::open(folder.path()).unwrap();
    let due = housekeeping::due(&w.ctx, &blobs).await.unwrap();
    assert_eq!((due.releases, due.artifacts), ((8, 1), (11, 1)));
    let done = housekeeping::once(&w.ctx, &blobs, &Asker::system("collector"), None).await.unwrap();
    assert_eq!((done.artifacts, done.artifact_bytes), (1, 11));
    assert_eq!(due.sum(), done, "what was said to go is what went");
    assert!(!blobs.exists(&artifact).await.unwrap());
    assert!(blobs.exists(&bundle).await.unwrap());
}

#[tokio::test]
async fn an_artifact_is_kept_as_long_as_the_most_patient_job_wants_it() {
    const DAY: Duration = housekeeping::DAY;
    let w = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path()).unwrap();
    let mut left = Vec::new();
    for keeps in [
        &[Keep::For(1_000)][..],
        &[Keep::AsUsual],
        &[Keep::For(1_000), Keep::For(30 * 86_400_000)],
        &[Keep::ForGood, Keep::AsUsual],
    ] {
        let digest = blobs.put_bytes(format!("{keeps:?}").into()).await.unwrap();
        for keep in keeps {
            let now = w.clock.now();
            let put: tradewind_control::Result<()> = transact!(w.ctx.store, tx => {
                tx.without_event("a test's artifact");
                Ok(rows::artifact_terms::keep(tx, &digest, housekeeping::kept(*keep, now)).await?)
            });
            put.unwrap();
        }
        left.push(digest);
    }
    let is_there = async |w: &World| {
        let blobs = Blobs::open(folder.path()).unwrap();
        housekeeping::once(&w.ctx, &blobs, &Asker::system("collector"), None).await.unwrap();
        let mut there = Vec::new();
        for digest in &left {
            there.push(blobs.exists(digest).await.unwrap());
        }
        there
    };
    assert_eq!(is_there(&w).await, [true; 4]);
    w.pass(DAY);
    assert_eq!(is_there(&w).await, [false, true, true, true]);
    w.pass(7 * DAY);
    assert_eq!(is_there(&w).await, [false, false, true, true]);
    w.pass(23 * DAY);
    assert_eq!(is_there(&w).await, [false, false, false, true]);
    w.pass(20 * 365 * DAY);
    assert_eq!(is_there(&w).await, [false, false, false, true]);
    let terms = rows::artifact_terms::all(&mut w.ctx.store.read().await.unwrap()).await.unwrap();
    assert_eq!(terms.into_keys().collect::<Vec<_>>(), left[3..], "of what is gone nothing is kept");
}
