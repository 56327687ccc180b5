//! Steps of the schema: applied over what is there, or not at all.

use std::{path::Path, sync::Arc};
use tradewind_model::time::SystemClock;
use tradewind_store::{
    Store, StoreError, events,
    migrate::{FLOOR, STEPS, Schema, Step},
    rows,
};

use crate::{cluster::Cluster, fixture::add_service};

async fn open(at: &str, steps: &[Step]) -> Result<Store, StoreError> {
    open_as(at, steps, FLOOR).await
}

/// As a program that lets those work on the schema that know it up to `floor`.
async fn open_as(at: &str, steps: &[Step], floor: i64) -> Result<Store, StoreError> {
    Store::open_with(at, Arc::new(SystemClock), Schema { steps, floor }).await
}

fn and_then(text: &'static str) -> Vec<Step> {
    let next = i64::try_from(STEPS.len()).unwrap() + 1;
    STEPS.iter().cloned().chain([Step::new(next, "next", text)]).collect()
}

const EXPAND: &str = "ALTER TABLE services ADD COLUMN motto TEXT; CREATE TABLE extra (id {{serial}}, body {{bytes}});
    UPDATE services SET motto = 'fair winds';";
const BROKEN: &str = "ALTER TABLE services ADD COLUMN motto TEXT; UPDATE services SET motto = nothing_of_that_name;";

/// Steps are numbered from 1 without gaps, and each is applied over the rows of the state before it.
async fn steps_over_rows(at: &str) {
    assert!(STEPS.iter().map(|s| s.number).eq(1..=STEPS.len() as i64));
    let store = open(at, STEPS).await.unwrap();
    add_service(&store, &"shop".parse().unwrap()).await.unwrap();
    events::Sealer::new(store.clone()).seal_now().await.unwrap();
    store.close().await;

    let refused = open(at, &and_then(BROKEN)).await.expect_err("a step that fails");
    assert!(matches!(refused, StoreError::Statement { statement: "migrate", .. }), "{refused:?}");
    let store = open(at, STEPS).await.expect("half a step is no step");
    store.close().await;

    // Two servers start at once.
    let steps = and_then(EXPAND);
    let known = STEPS.len() as i64;
    let (a, b) = tokio::join!(open_as(at, &steps, known), open_as(at, &steps, known));
    let (a, b) = (a.unwrap(), b.unwrap());
    let kept = rows::services::list(&mut a.read().await.unwrap(), None, 9).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(events::verify(&mut b.read().await.unwrap(), vec![]).await.unwrap().broken, None);
    a.close().await;
    b.close().await;

    // The version before starts on it again, reads and writes, and leaves the book of steps alone.
    let back = open(at, STEPS).await.expect("the version before starts on it");
    add_service(&back, &"stock".parse().unwrap()).await.unwrap();
    events::Sealer::new(back.clone()).seal_now().await.unwrap();
    back.close().await;
    let again = open_as(at, &steps, known).await.unwrap();
    let kept = rows::services::list(&mut again.read().await.unwrap(), None, 9).await.unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(events::verify(&mut again.read().await.unwrap(), vec![]).await.unwrap().broken, None);
    again.close().await;

    // The version before that one does not, and neither does it once a later version has gone on.
    let refused = open(at, &STEPS[..STEPS.len() - 1]).await.expect_err("two versions behind");
    assert!(matches!(refused, StoreError::SchemaNewer { .. }), "{refused:?}");
    let further: Vec<Step> = steps
        .iter()
        .cloned()
        .chain([Step::new(known + 2, "further", "CREATE TABLE further (id {{serial}})")])
        .collect();
    open_as(at, &further, known + 1).await.unwrap().close().await;
    open_as(at, &steps, known).await.expect("one version behind").close().await;
    let refused = open(at, STEPS).await.expect_err("two versions behind");
    assert!(matches!(refused, StoreError::SchemaNewer { .. }), "{refused:?}");
    assert_eq!(refused.fault().code.id, "TW-STORE-006");
    let refused = open(at, &and_then("CREATE TABLE other (id {{serial}})")).await.expect_err("another text");
    assert!(matches!(refused, StoreError::SchemaAltered { .. }), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres() {
    let cluster = Cluster::start().await;
    steps_over_rows(&cluster.empty_database().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_with_a_way_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tradewind.db");
    steps_over_rows(path.to_str().unwrap()).await;

    let backup = folder.path().join(format!("tradewind.db.before-step-{}", STEPS.len() + 1));
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    // The way back that migrations/README.md describes.
    for tail in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(Path::new(&format!("{}{tail}", path.display())));
    }
    std::fs::rename(&backup, &path).unwrap();
    let store = open(path.to_str().unwrap(), STEPS).await.unwrap();
    assert_eq!(rows::services::list(&mut store.read().await.unwrap(), None, 9).await.unwrap().len(), 1);
    assert_eq!(events::verify(&mut store.read().await.unwrap(), vec![]).await.unwrap().intact, 1);
}
