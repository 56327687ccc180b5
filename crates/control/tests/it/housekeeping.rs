use crate::world::{World, service};
use std::time::Duration;
use tradewind_control::{ctx::Asker, housekeeping};
use tradewind_model::{
    id::{Commit, Digest},
    release::{BundleRef, ReleaseManifest},
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
