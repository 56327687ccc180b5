//! Backups by the clock.

use crate::app::{TestApp, until};
use std::{fs, path::Path, time::Duration};
use tradewind_server::backup::{
    Schedule,
    schedule::{self, once},
    verify,
};
use tradewind_store::events::{self, Filter};

const DAY: Duration = Duration::from_secs(24 * 3_600);

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_is_made_when_it_is_due_and_the_oldest_go() {
    let app = TestApp::start().await;
    let to = app.data().parent().unwrap().join("backups");
    let passphrase = app.data().parent().unwrap().join("passphrase");
    fs::write(&passphrase, "fair winds and following seas\n").unwrap();
    let schedule = Schedule { every: DAY, to: to.clone(), keep: 2, passphrase: Some(passphrase) };
    let first = once(&app.app, &schedule).await.unwrap().expect("nothing was there");
    verify(&first, Some("fair winds and following seas"), Box::new(|_| {})).await.unwrap();
    assert!(once(&app.app, &schedule).await.unwrap().is_none(), "a day is not over");
    app.clock.forward(DAY / 2);
    assert!(once(&app.app, &schedule).await.unwrap().is_none());

    // What is not ours stays, whatever it is called.
    fs::write(to.join("tradewind-before-the-sale.tar.zst"), "").unwrap();
    fs::create_dir(to.join(".making-cut-short")).unwrap();
    for _ in 0..3 {
        app.clock.forward(DAY);
        once(&app.app, &schedule).await.unwrap().expect("a day is over");
    }
    let left = names(&to);
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(!left.contains(&first.file_name().unwrap().to_str().unwrap().to_owned()), "{left:?}");
    assert!(left.contains(&"tradewind-before-the-sale.tar.zst".to_owned()), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_cannot_be_made_leaves_the_others_and_is_told() {
    let app = TestApp::start().await;
    let to = app.data().parent().unwrap().join("backups");
    let mut schedule = Schedule { every: DAY, to: to.clone(), keep: 1, passphrase: None };
    let good = once(&app.app, &schedule).await.unwrap().unwrap();
    app.clock.forward(DAY);
    app.clock.forward(DAY);
    schedule.passphrase = Some(to.join("not-there"));
    let running = tokio::spawn(schedule::run(app.app.clone(), schedule));
    let failed = until("it is told", async || {
        let filter = Filter { kind: Some("admin.backup_failed".into()), ..Filter::default() };
        events::before(&mut app.app.store.read().await.unwrap(), i64::MAX, &filter, 9).await.unwrap().into_iter().next()
    })
    .await;
    running.abort();
    assert_eq!(failed.fact.after.unwrap()["code"], "TW-BACK-002");
    assert_eq!(names(&to), [good.file_name().unwrap().to_str().unwrap()]);
}
