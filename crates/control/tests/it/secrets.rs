//! Secrets: set and kept sealed, found by scope, handed to whom they belong, sealed anew.

use crate::world::{World, asker, env, service};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};
use tradewind_control::{
    Ctx, Error, Result,
    rollouts::request,
    secrets::{
        self,
        handover::{Holder, give},
        rotate::rotate,
        vault::{KeySource, Vault},
    },
};
use tradewind_model::{
    fault::Lang,
    id::{HostId, InstanceId, TaskId},
    protocol::agent::DesiredPhase,
    rollout::plan::Kind,
    secret::{Scope, SecretName},
    time::Timestamp,
};
use tradewind_secrets::ring::Ring;
use tradewind_store::{events, rows};

const SPEC: &str = "version: 1\nservice: shop\nkind: worker\nrun:\n  command: [serve]\n  secrets: [DB_PASSWORD, { name: KEY, file: key.pem }]\n\
                    environments:\n  production: { branch: main, sites: [us, br] }\n";

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

fn scope(service: &str, env: &str, site: &str) -> Scope {
    Scope { service: service.parse().ok(), env: env.parse().ok(), site: site.parse().ok() }
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    match result.unwrap_err() {
        Error::Refused(fault) => fault.code.id,
        Error::Store(e) => panic!("{e}"),
    }
}

/// A world whose vault has a key in a folder of its own.
struct Vaulted {
    w: World,
    folder: tempfile::TempDir,
}

impl Vaulted {
    async fn new() -> Self {
        let (mut w, folder) = (World::new().await, tempfile::tempdir().unwrap());
        let source = KeySource::File(folder.path().join("vault.key"));
        let vault = secrets::open_vault(&w.ctx.store, source).await.unwrap();
        w.ctx = w.ctx.clone().with_vault(vault);
        Self { w, folder }
    }
    fn key(&self) -> std::path::PathBuf {
        self.folder.path().join("vault.key")
    }
    async fn set(&self, secret: &str, at: &Scope, value: &str) -> tradewind_api::v1::SecretSet {
        secrets::set(&self.w.ctx, &name(secret), at, value.into(), &asker()).await.unwrap()
    }
}

async fn told(ctx: &Ctx) -> String {
    events::Sealer::new(ctx.store.clone()).seal_now().await.unwrap();
    let all = events::after(&mut ctx.store.read().await.unwrap(), 0, &events::Filter::default(), 200).await.unwrap();
    all.iter().map(|e| format!("{e:?}\n")).collect()
}

#[tokio::test]
async fn a_value_is_kept_sealed_and_comes_back_to_nobody() {
    let v = Vaulted::new().await;
    let at = scope("shop", "production", "");
    let first = v.set("DB_PASSWORD", &at, "horse-battery").await;
    assert_eq!((first.secret.version, first.changed, first.maskable), (1, true, true));
    let same = v.set("DB_PASSWORD", &at, "horse-battery").await;
    assert_eq!((same.secret.version, same.changed), (1, false));
    let short = v.set("DB_PASSWORD", &at, "pin4").await;
    assert_eq!((short.secret.version, short.maskable), (2, false));
    assert_ne!(short.secret.fingerprint, first.secret.fingerprint);
    let back = secrets::restore(&v.w.ctx, &name("DB_PASSWORD"), &at, 1, &asker()).await.unwrap();
    assert_eq!((back.secret.version, &back.secret.fingerprint), (3, &first.secret.fingerprint));

    let list = serde_json::to_string(&secrets::list(&v.w.ctx, None, &asker()).await.unwrap()).unwrap();
    let history = secrets::history(&v.w.ctx, &name("DB_PASSWORD"), &at, &asker()).await.unwrap();
    assert_eq!(
        history.iter().map(|v| (v.version, v.in_force)).collect::<Vec<_>>(),
        [(3, true), (2, false), (1, false)]
    );
    let shown = format!("{list} {history:?} {}", told(&v.w.ctx).await);
    assert!(shown.contains("secret.set") && shown.contains("secret.restored"), "{shown}");
    for value in ["horse-battery", "pin4"] {
        assert!(!shown.contains(value), "{shown}");
    }
    let mut r = v.w.ctx.store.read().await.unwrap();
    for row in rows::secrets::versions(&mut r, first.secret.id).await.unwrap() {
        assert!(!row.sealed.windows(5).any(|w| w == b"horse" || w == b"pin4\0"));
    }
}

#[tokio::test]
async fn the_secrets_of_a_service_are_its_own_and_those_of_all() {
    let v = Vaulted::new().await;
    v.set("OWN", &scope("shop", "production", ""), "a-long-value").await;
    v.set("SHARED", &scope("", "production", ""), "a-long-value").await;
    v.set("OTHER", &scope("stock", "", ""), "a-long-value").await;
    let listed = async |of: Option<&tradewind_model::id::ServiceName>| {
        let all = secrets::list(&v.w.ctx, of, &asker()).await.unwrap();
        all.iter().map(|s| s.name.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(None).await, ["OTHER", "OWN", "SHARED"]);
    assert_eq!(listed(Some(&service())).await, ["OWN", "SHARED"]);
    let nobody = "nobody".parse().unwrap();
    assert_eq!(code(secrets::list(&v.w.ctx, Some(&nobody), &asker()).await), "TW-CTL-001");
}

#[tokio::test]
async fn what_is_no_value_or_no_scope_is_refused() {
    let v = Vaulted::new().await;
    let everywhere = Scope::default();
    let set =
        async |at: &Scope, value: &str| code(secrets::set(&v.w.ctx, &name("A"), at, value.into(), &asker()).await);
    assert_eq!(set(&everywhere, " \n").await, "TW-SEC-005");
    assert_eq!(set(&everywhere, "a\0b").await, "TW-SEC-005");
    assert_eq!(set(&everywhere, &"x".repeat((24 << 10) + 1)).await, "TW-SEC-005");
    assert_eq!(set(&scope("", "", "us"), "long enough").await, "TW-SEC-004");
    assert_eq!(code(secrets::restore(&v.w.ctx, &name("A"), &everywhere, 1, &asker()).await), "TW-SEC-002");
    v.set("A", &everywhere, "long enough").await;
    assert_eq!(code(secrets::restore(&v.w.ctx, &name("A"), &everywhere, 9, &asker()).await), "TW-SEC-003");
    secrets::remove(&v.w.ctx, &name("A"), &everywhere, &asker()).await.unwrap();
    assert_eq!(code(secrets::remove(&v.w.ctx, &name("A"), &everywhere, &asker()).await), "TW-SEC-009");
    assert_eq!(secrets::list(&v.w.ctx, None, &asker()).await.unwrap(), []);
    let back = secrets::restore(&v.w.ctx, &name("A"), &everywhere, 1, &asker()).await.unwrap();
    assert_eq!(back.secret.version, 2);
    assert_eq!(secrets::list(&v.w.ctx, None, &asker()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_vault_without_its_key_refuses_secrets_and_says_why_and_opens_when_it_is_back() {
    let v = Vaulted::new().await;
    assert_eq!(fs::metadata(v.key()).unwrap().permissions().mode() & 0o7777, 0o600);
    v.set("A", &Scope::default(), "long enough").await;
    let set = async || secrets::set(&v.w.ctx, &name("A"), &Scope::default(), "another one".into(), &asker()).await;
    let aside = v.folder.path().join("aside");

    fs::rename(v.key(), &aside).unwrap();
    let Err(Error::Refused(fault)) = set().await else { panic!("it was set") };
    assert_eq!(fault.code.id, "TW-SEC-001");
    assert!(fault.what(Lang::En).contains("its key is missing"), "{fault}");
    // No new key in place of the lost one, whoever starts a server now.
    let source = KeySource::File(v.key());
    let vault = secrets::open_vault(&v.w.ctx.store, source).await.unwrap();
    assert!(vault.ring().is_err() && !v.key().exists());
    assert_eq!(secrets::list(&v.w.ctx, None, &asker()).await.unwrap().len(), 1);

    fs::rename(&aside, v.key()).unwrap();
    fs::set_permissions(v.key(), fs::Permissions::from_mode(0o640)).unwrap();
    let Err(Error::Refused(fault)) = set().await else { panic!("it was set") };
    assert!(fault.what(Lang::En).contains("chmod 600"), "{fault}");

    fs::write(v.key(), Ring::generate().unwrap().render().as_bytes()).unwrap();
    fs::set_permissions(v.key(), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(code(set().await), "TW-SEC-001", "another key than the one that seals here");
    std::os::unix::fs::symlink("/dev/null", v.folder.path().join("link")).unwrap();
    assert!(Vault::new(KeySource::File(v.folder.path().join("link"))).ring().is_err());
}

async fn start(v: &mut Vaulted) -> Vec<InstanceId> {
    let label = v.w.release(1, SPEC).await;
    let agents = v.w.ctx.agents.clone();
    let (stay, _rx) = v.w.connect(&agents);
    let id = v.w.deploy(&label).await;
    assert_eq!(v.w.see_through(&stay, id).await.phase, "completed");
    let mut r = v.w.ctx.store.read().await.unwrap();
    rows::instances::on_host(&mut r, v.w.host).await.unwrap().iter().map(|i| i.id).collect()
}

#[tokio::test]
async fn a_rollout_does_not_begin_without_its_secrets_and_names_them_all() {
    let v = Vaulted::new().await;
    v.w.release(1, SPEC).await;
    v.set("KEY", &scope("", "production", "us"), "only for us").await;
    let wish = request::Wish::default();
    let done = request::deploy(&v.w.ctx, &service(), &env(), "v1", Kind::Normal, &wish, &asker()).await;
    let Err(Error::Refused(fault)) = done else { panic!("it began") };
    insta::assert_snapshot!("missing", format!("{}\n{}", fault.what(Lang::En), fault.fix(Lang::En)));
    insta::assert_snapshot!("missing_zh", format!("{}\n{}", fault.what(Lang::Zh), fault.fix(Lang::Zh)));
}

#[tokio::test]
async fn a_host_is_given_what_it_runs_by_the_closest_scope_and_nothing_else() {
    let mut v = Vaulted::new().await;
    v.set("DB_PASSWORD", &scope("shop", "", ""), "of the service").await;
    v.set("DB_PASSWORD", &scope("", "production", ""), "of production").await;
    v.set("KEY", &scope("shop", "production", ""), "of both").await;
    v.set("KEY", &scope("", "production", "br"), "of br").await;
    v.set("KEY", &scope("other", "production", "br"), "of another service").await;
    let ids = start(&mut v).await;
    assert!(!ids.is_empty());
    let id = ids[0];
    let handed = give(&v.w.ctx, v.w.host, Holder::Instance(id)).await.unwrap();
    let site = {
        let mut r = v.w.ctx.store.read().await.unwrap();
        rows::instances::on_host(&mut r, v.w.host).await.unwrap().into_iter().find(|i| i.id == id).unwrap().place.site
    };
    let values: Vec<_> =
        handed.values.iter().map(|h| (h.used.variable.as_str(), h.value.as_str(), h.version)).collect();
    let key = if site.as_str() == "br" { "of br" } else { "of both" };
    assert_eq!(values, [("DB_PASSWORD", "of production", 1), ("KEY", key, 1)]);
    assert_eq!(handed.values[1].used.file.as_deref(), Some("key.pem"));
    assert!(!format!("{handed:?}").contains("of production"));

    let stranger = HostId::at(Timestamp(7));
    assert_eq!(code(give(&v.w.ctx, stranger, Holder::Instance(id)).await), "TW-SEC-007");
    assert_eq!(code(give(&v.w.ctx, v.w.host, Holder::Task(TaskId::at(Timestamp(7)))).await), "TW-SEC-007");

    // Whoever sets another value learns who still has this one.
    let done = v.set("DB_PASSWORD", &scope("", "production", ""), "of production, anew").await;
    assert_eq!(done.stale.iter().map(|s| (s.instance, s.version)).collect::<Vec<_>>(), [(id, 1)]);
    assert!(
        secrets::list(&v.w.ctx, None, &asker())
            .await
            .unwrap()
            .iter()
            .any(|s| s.name == name("KEY") && s.used_at.is_some())
    );
    give(&v.w.ctx, v.w.host, Holder::Instance(id)).await.unwrap();
    let closer = v.set("DB_PASSWORD", &scope("shop", "production", ""), "of both").await;
    assert_eq!(closer.stale.iter().map(|s| s.instance).collect::<Vec<_>>(), [id], "a closer scope is another value");
    secrets::remove(&v.w.ctx, &name("KEY"), &scope("shop", "production", ""), &asker()).await.unwrap();
    if site.as_str() != "br" {
        assert_eq!(code(give(&v.w.ctx, v.w.host, Holder::Instance(id)).await), "TW-SEC-006");
    }
    let desired = serde_json::to_string(&v.w.desired().await).unwrap();
    assert!(desired.contains("DB_PASSWORD") && !desired.contains("of production"), "{desired}");
    assert!(desired.contains(&format!("{:?}", DesiredPhase::Run).to_lowercase()));
}

#[tokio::test]
async fn keys_are_changed_while_secrets_stay_readable_and_an_old_key_goes_last() {
    let v = Vaulted::new().await;
    for i in 0..7 {
        v.set(&format!("S{i}"), &Scope::default(), &format!("value number {i}")).await;
    }
    let before = fs::read_to_string(v.key()).unwrap();
    let first = v.w.ctx.vault.ring().unwrap().newest().clone();
    let done = rotate(&v.w.ctx, false, &asker()).await.unwrap();
    assert_eq!((done.resealed, done.damaged, &done.dropped[..]), (7, 0, &[first.clone()][..]));
    assert_ne!(done.key, first);
    let ring = v.w.ctx.vault.ring().unwrap();
    assert_eq!(ring.ids().collect::<Vec<_>>(), [&done.key]);
    assert!(!v.set("S3", &Scope::default(), "value number 3").await.changed, "the value is what it was");
    assert_eq!(rotate(&v.w.ctx, true, &asker()).await.unwrap().resealed, 0);

    // A server that was started with the old key only would seal what nobody opens: it is refused.
    let old = v.folder.path().join("old.key");
    write(&old, &before);
    let late = v.w.ctx.clone().with_vault(Arc::new(Vault::new(KeySource::File(old))));
    assert_eq!(
        code(secrets::set(&late, &name("T"), &Scope::default(), "long enough".into(), &asker()).await),
        "TW-SEC-001"
    );

    // From the environment: the newest last, and only sealing anew is ours.
    let both = format!("{}{}", *ring.render(), *Ring::generate().unwrap().render());
    let given = v.w.ctx.clone().with_vault(Arc::new(Vault::new(KeySource::Text(both))));
    let done = rotate(&given, false, &asker()).await.unwrap();
    assert_eq!((done.resealed, done.dropped.len()), (7, 0));
    let told = told(&v.w.ctx).await;
    assert!(told.contains("vault.key_changed") && told.contains("vault.resealed"), "{told}");
}

#[tokio::test]
async fn a_change_of_keys_that_broke_off_is_finished_and_what_is_damaged_keeps_the_old_key() {
    let v = Vaulted::new().await;
    v.set("A", &Scope::default(), "the first value").await;
    let ring = v.w.ctx.vault.ring().unwrap();
    // The file has its new key, and nothing more was done.
    v.w.ctx.vault.write(&ring.with_new_key().unwrap()).unwrap();
    v.set("B", &Scope::default(), "the second value").await;
    let done = rotate(&v.w.ctx, true, &asker()).await.unwrap();
    assert_eq!((done.resealed, done.dropped.len()), (1, 1));

    let a = secrets::list(&v.w.ctx, None, &asker()).await.unwrap().into_iter().find(|s| s.name == name("A")).unwrap();
    let row = rows::secrets::version(&mut v.w.ctx.store.read().await.unwrap(), a.id, 1).await.unwrap().unwrap();
    let mut sealed = row.sealed.clone();
    sealed[30] ^= 1;
    let broken = rows::secrets::NewSeal { key: row.key.clone(), sealed, fingerprint: row.fingerprint.clone() };
    let spoilt: Result<bool> = tradewind_store::transact!(v.w.ctx.store, tx => {
        tx.without_event("a test spoils a row");
        Ok(rows::secrets::reseal(tx, &row, &broken).await?)
    });
    assert!(spoilt.unwrap());
    let done = rotate(&v.w.ctx, false, &asker()).await.unwrap();
    assert_eq!((done.resealed, done.damaged, done.dropped.len()), (1, 1, 0));
    assert_eq!(v.w.ctx.vault.ring().unwrap().ids().count(), 2);
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
