//! What a preview says is what then happens, and asking makes nothing.

use crate::world::{World, asker, env, place, service};
use tradewind_api::v1::{Difference, Preview, SecretChange, SetFreeze, WaitKind};
use tradewind_control::{
    Error, freezes, policies,
    rollouts::{
        preview::{self, Wish},
        view,
    },
    secrets::{self, vault::KeySource},
};
use tradewind_model::{fault::Lang, secret::Scope};
use tradewind_store::rows;

const SPEC: &str = "version: 1\nservice: shop\nrun:\n  command: [serve]\n  health: { http: /healthz }\n  instances: 2\n\
                    \x20 env: { LOG_LEVEL: info, OLD: '1' }\n  limits: { memory: 256MiB }\n\
                    strategy: { type: blue_green }\nenvironments:\n  production: { branch: main }\n";
const NEXT: &str = "version: 1\nservice: shop\nrun:\n  command: [serve]\n  health: { http: /healthz }\n  instances: 3\n\
                    \x20 env: { LOG_LEVEL: debug, NEW: '1' }\n  secrets: [SHOPEE_KEY]\n  limits: { memory: 512MiB, cpu: 0.5 }\n\
                    strategy: { type: canary, steps: [10%, 50%, 100%] }\nenvironments:\n  production: { branch: main }\n";

async fn plan(w: &World, wish: Wish<'_>) -> Preview {
    preview::preview(&w.ctx, &service(), &env(), wish, &asker(), Lang::En).await.unwrap()
}

fn release(name: &str) -> Wish<'_> {
    Wish::Release { name, hotfix: false }
}

fn told(all: &[Difference]) -> Vec<(&str, Option<&str>, Option<&str>)> {
    all.iter().map(|d| (d.name.as_str(), d.before.as_deref(), d.after.as_deref())).collect()
}

/// How much there is of everything that a rollout makes.
async fn made(w: &World) -> (usize, usize, bool) {
    let mut r = w.ctx.store.read().await.unwrap();
    let rollouts = rows::rollouts::list(&mut r, &service(), None, rows::Page::first(50)).await.unwrap().len();
    let revisions = rows::revisions::of_place(&mut r, &place(), rows::Page::first(50)).await.unwrap().len();
    (rollouts, revisions, rows::environments::find(&mut r, &env()).await.unwrap().is_some())
}

#[tokio::test]
async fn a_rollout_goes_by_the_plan_that_was_shown_and_asking_makes_nothing() {
    let (mut w, keys) = (World::new().await, tempfile::tempdir().unwrap());
    let vault = secrets::open_vault(&w.ctx.store, KeySource::File(keys.path().join("vault.key"))).await.unwrap();
    w.ctx = w.ctx.clone().with_vault(vault);
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let (v1, v2) = (w.release(1, SPEC).await, w.release(2, NEXT).await);

    let first = plan(&w, release(&v1)).await;
    assert_eq!((first.from, first.refused, first.waits.len()), (None, None, 0));
    assert_eq!(made(&w).await, (0, 0, false));
    let id = w.deploy(&v1).await;
    w.see_through(&stay, id).await;

    let before = made(&w).await;
    let missing = plan(&w, release(&v2)).await;
    let refused = missing.refused.unwrap();
    assert_eq!(refused.code, "TW-SEC-006", "{}", refused.title);
    assert_eq!(missing.waves.len(), 3, "what it would change is said all the same");
    let name = "SHOPEE_KEY".parse().unwrap();
    secrets::set(&w.ctx, &name, &Scope::default(), "a-long-key".into(), &asker()).await.unwrap();
    let ready = plan(&w, release(&v2)).await;
    assert_eq!((ready.refused.as_ref(), ready.judged, ready.strategy.as_str()), (None, true, "canary"));
    assert_eq!(
        told(&ready.variables),
        [("LOG_LEVEL", Some("info"), Some("debug")), ("NEW", None, Some("1")), ("OLD", Some("1"), None)]
    );
    assert_eq!(
        told(&ready.limits),
        [("cpu", None, Some("0.5")), ("instances", Some("2"), Some("3")), ("memory", Some("256MiB"), Some("512MiB"))]
    );
    let [secret] = ready.secrets.as_slice() else { panic!("{:?}", ready.secrets) };
    assert_eq!((secret.change, secret.running, secret.version), (SecretChange::Added, None, Some(1)));
    assert_eq!(made(&w).await, before, "nothing was made");

    let id = w.deploy(&v2).await;
    let shown = view::show(&w.ctx, id, Lang::En).await.unwrap();
    let begun: Vec<_> = shown.waves.iter().map(|w| (w.number, w.steps[0].share)).collect();
    let planned: Vec<_> = ready.waves.iter().map(|w| (w.number, w.share)).collect();
    assert_eq!(begun, planned);
}

#[tokio::test]
async fn what_it_would_wait_for_is_said_beforehand() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let (v1, v2) = (w.release(1, SPEC).await, w.release(2, SPEC).await);
    let id = w.deploy(&v1).await;
    w.see_through(&stay, id).await;
    policies::set(&w.ctx, &env(), "approvals: { count: 2, from: [leads] }", "11.11", &asker()).await.unwrap();
    let freeze =
        SetFreeze { service: Some(service()), env: None, all: false, reason: "11.11".into(), until: None, for_s: None };
    freezes::set(&w.ctx, &freeze, &asker()).await.unwrap();
    let waits = plan(&w, release(&v2)).await.waits;
    assert_eq!(waits.iter().map(|w| w.kind).collect::<Vec<_>>(), [WaitKind::Freeze, WaitKind::Approval]);
    assert!(waits[0].text.contains("ming") && waits[1].text.contains("leads"), "{waits:?}");
    w.deploy(&v2).await;
    let behind = plan(&w, release(&v1)).await.waits.pop().unwrap();
    assert_eq!(behind.kind, WaitKind::Behind);
    let again = plan(&w, release(&v1)).await;
    assert_eq!(again.refused.unwrap().code, "TW-ROLL-021");
}

#[tokio::test]
async fn a_rollback_is_shown_as_it_will_go() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    for n in 1..=3 {
        let label = w.release(n, SPEC).await;
        let id = w.deploy(&label).await;
        w.see_through(&stay, id).await;
    }
    let before = made(&w).await;
    let usual = plan(&w, Wish::Back { to: None }).await;
    assert_eq!((usual.from.unwrap().label.as_str(), usual.to.label.as_str()), ("v3", "v2"));
    assert_eq!((usual.waits.len(), usual.refused, usual.waves.len()), (0, None, 1));
    let further = plan(&w, Wish::Back { to: Some("v1") }).await;
    assert_eq!(further.to.label, "v1");
    w.release(4, SPEC).await;
    let never = plan(&w, Wish::Back { to: Some("v4") }).await;
    assert_eq!(never.refused.unwrap().code, "TW-ROLL-024");
    assert_eq!(never.from.unwrap().label, "v3");
    assert_eq!(made(&w).await, before);

    let id = w.rollback().await;
    w.see_through(&stay, id).await;
    assert_eq!(w.route().await, [("v2".to_owned(), 10_000)]);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_planned() {
    let w = World::new().await;
    let code = async |wish: Wish<'_>| match preview::preview(&w.ctx, &service(), &env(), wish, &asker(), Lang::En).await
    {
        Err(Error::Refused(fault)) => fault.code.id,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(release("v9")).await, "TW-CTL-003");
    assert_eq!(code(Wish::Back { to: None }).await, "TW-CTL-005");
    assert_eq!(code(Wish::Promotion { from: &"staging".parse().unwrap() }).await, "TW-CTL-005");
}
