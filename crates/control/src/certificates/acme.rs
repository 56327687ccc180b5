//! Certificates from an authority (RFC 8555), one for each host name that a route has and nobody brought a certificate for.
//!
//! An order is a row: the challenge in it goes to every host as desired state, and the authority is asked to look only once
//! every host that is there says that its edge answers; so it does not matter at which of them the authority arrives. The first
//! attempt is over HTTP, the next over TLS, and so on in turn. After a failure a host waits, longer each time: authorities
//! count failures, too.

use super::{ACME, Keeper, names_of, put, touch_all};
use crate::{Ctx, Result, ctx::Asker, rollouts::places::RouteBody, rounds::Loop};
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, OrderStatus,
    RetryPolicy,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{collections::BTreeSet, path::PathBuf, time::Duration};
use tradewind_model::{
    event::NewEvent,
    protocol::{agent::Observed, edge::KeyedChain},
};
use tradewind_secrets::ring::Sealed;
use tradewind_store::{Json, Reader, rows, rows::certificates::Order, transact};
use tradewind_tls::Name;

/// Between two looks at what is due.
const EVERY: Duration = Duration::from_secs(30);
/// An order that nothing was heard of for this long is begun anew: the server was restarted in the middle of it.
const CLAIM: Duration = Duration::from_secs(600);
const FIRST_PAUSE: Duration = Duration::from_secs(900);
const LONGEST_PAUSE: Duration = Duration::from_secs(86_400);
/// For every edge to answer a challenge.
const SHOWN_LIMIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// One that has less than this left is renewed, or less than a third of its life if that is shorter.
const RENEW: Duration = Duration::from_secs(30 * 86_400);
const ACCOUNT: &str = "acme_account";

/// Whom to ask.
#[derive(Clone, Debug)]
pub struct Authority {
    /// The address of its directory.
    pub directory: String,
    /// Whom it may write to.
    pub email: String,
    /// PEM, of one that is not publicly trusted.
    pub root: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error(transparent)]
    Control(#[from] crate::Error),
    #[error("the authority: {0}")]
    Authority(#[from] instant_acme::Error),
    #[error("the authority does not offer a check over {0}")]
    NotOffered(&'static str),
    #[error(
        "the authority did not find the name to be ours; it has to lead to this host, ports 80 and 443 to the edge"
    )]
    NotOurs,
    #[error("the edge of a host did not answer the challenge within {} s", SHOWN_LIMIT.as_secs())]
    NotShown,
    #[error("a request could not be made")]
    Request(#[from] tradewind_tls::MadeError),
    #[error("the account with the authority cannot be read")]
    Account(#[from] serde_json::Error),
}

impl From<tradewind_store::StoreError> for OrderError {
    fn from(e: tradewind_store::StoreError) -> Self {
        Self::Control(e.into())
    }
}

/// Runs until it is dropped.
pub async fn run(ctx: Ctx, keeper: Keeper, authority: Authority) {
    loop {
        let done = once(&ctx, &keeper, &authority).await;
        ctx.rounds.note(Loop::Authority, ctx.now(), EVERY, &done);
        if let Err(e) = done {
            tracing::error!(error = &e as &dyn std::error::Error, "certificates could not be looked after");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Asks for every certificate that is due; how many came.
///
/// # Errors
/// Those of the store. What the authority says is kept with the host's order.
pub async fn once(ctx: &Ctx, keeper: &Keeper, authority: &Authority) -> Result<usize> {
    let mut came = 0;
    for order in due(ctx).await? {
        let host = order.host.clone();
        claim(ctx, &order).await?;
        match obtain(ctx, keeper, authority, &order).await {
            Ok(()) => {
                came += 1;
                end(ctx, &host).await?;
            }
            Err(error) => {
                let wrong = told(&error);
                tracing::warn!(host, wrong, "no certificate came");
                fail(ctx, order, wrong).await?;
            }
        }
    }
    Ok(came)
}

/// With what was beneath.
fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(below) = next {
        let said = below.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = below.source();
    }
    text
}

/// Hosts to ask for now, with what is known of earlier attempts.
async fn due(ctx: &Ctx) -> Result<Vec<Order>> {
    let now = ctx.now();
    let mut r = ctx.store.read().await?;
    let mut covered: Vec<(Vec<Name>, bool)> = Vec::new();
    for row in rows::certificates::list(&mut r).await? {
        let names = names_of(&row)?.iter().filter_map(|n| Name::parse(n)).collect();
        let life = row.not_after.since(row.not_before);
        let is_renewed = row.origin == ACME;
        let good = if is_renewed { row.not_after > now.plus(RENEW.min(life / 3)) } else { row.not_after > now };
        covered.push((names, good));
    }
    let has = |host: &str| covered.iter().any(|(names, good)| *good && names.iter().any(|n| n.covers(host)));
    let orders = rows::certificates::orders(&mut r).await?;
    let mut due = Vec::new();
    for host in hosts(&mut r).await?.into_iter().filter(|h| !has(h)) {
        match orders.iter().find(|o| o.host == host) {
            Some(order) if order.next_at <= now => due.push(order.clone()),
            Some(_) => {}
            None => due.push(Order { host, challenge: None, failures: 0, next_at: now, wrong: None }),
        }
    }
    Ok(due)
}

/// Names of routes that an authority on the internet could know.
async fn hosts(r: &mut impl Reader) -> Result<BTreeSet<String>> {
    let mut hosts = BTreeSet::new();
    for row in rows::routes::list(r, None).await? {
        let body: RouteBody = row.body.read()?;
        let is_public = |h: &String| {
            let last = h.rsplit('.').next().unwrap_or_default();
            Name::parse(h).is_some_and(|n| !n.is_wildcard())
                && h.contains('.')
                && !matches!(last, "local" | "localhost" | "internal" | "lan" | "home")
                && last.bytes().any(|b| b.is_ascii_alphabetic())
        };
        hosts.extend(body.hosts.into_iter().filter(is_public));
    }
    Ok(hosts)
}

async fn claim(ctx: &Ctx, order: &Order) -> Result<()> {
    let claimed = Order { next_at: ctx.now().plus(CLAIM), ..order.clone() };
    transact!(ctx.store, tx => {
        tx.without_event("an order is begun; what comes of it is told of");
        Ok(rows::certificates::put_order(tx, &claimed).await?)
    })
}

async fn end(ctx: &Ctx, host: &str) -> Result<()> {
    transact!(ctx.store, tx => {
        tx.without_event("the certificate's own event told of it");
        rows::certificates::end_order(tx, host).await?;
        touch_all(tx).await
    })
}

async fn fail(ctx: &Ctx, order: Order, wrong: String) -> Result<()> {
    let pause = FIRST_PAUSE.saturating_mul(1 << order.failures.min(7)).min(LONGEST_PAUSE);
    let failed = Order {
        challenge: None,
        failures: order.failures + 1,
        next_at: ctx.now().plus(pause),
        wrong: Some(wrong.clone()),
        host: order.host,
    };
    transact!(ctx.store, tx => {
        rows::certificates::put_order(tx, &failed).await?;
        touch_all(tx).await?;
        tx.event(NewEvent {
            kind: "certificate.refused".into(),
            schema: 1,
            actor: Asker::system(ACME).actor,
            subject: format!("host/{}", failed.host),
            cause: None,
            service: None,
            env: None,
            before: None,
            after: Some(json!({ "why": wrong, "failures": failed.failures })),
        })
        .await?;
        Ok(())
    })
}

async fn obtain(ctx: &Ctx, keeper: &Keeper, authority: &Authority, order: &Order) -> Result<(), OrderError> {
    let (kind, way) = match order.failures % 2 {
        0 => (ChallengeType::Http01, "HTTP"),
        _ => (ChallengeType::TlsAlpn01, "TLS"),
    };
    let account = account(ctx, keeper, authority).await?;
    let identifiers = [Identifier::Dns(order.host.clone())];
    let mut asked = account.new_order(&NewOrder::new(&identifiers)).await?;
    let mut authorizations = asked.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let mut challenge = authorization.challenge(kind.clone()).ok_or(OrderError::NotOffered(way))?;
        let (token, answer) = (challenge.token.clone(), challenge.key_authorization().as_str().to_owned());
        show(ctx, order, &token, &answer).await?;
        challenge.set_ready().await?;
    }
    if asked.poll_ready(&RetryPolicy::default()).await? != OrderStatus::Ready {
        return Err(OrderError::NotOurs);
    }
    let name = Name::parse(&order.host).ok_or(OrderError::NotOurs)?;
    let made = tradewind_tls::request(&[name])?;
    asked.finalize_csr(&made.request).await?;
    let chain = asked.poll_certificate(&RetryPolicy::default()).await?;
    put(ctx, keeper, &KeyedChain { chain, key: made.key }, ACME, &Asker::system(ACME)).await?;
    Ok(())
}

/// Has every edge answer, and waits until those that are there say that they do.
async fn show(ctx: &Ctx, order: &Order, token: &str, answer: &str) -> Result<(), OrderError> {
    let challenge = Some((token.to_owned(), answer.to_owned()));
    let shown = Order { challenge, next_at: ctx.now().plus(CLAIM), ..order.clone() };
    let put: Result<()> = transact!(ctx.store, tx => {
        tx.without_event("a challenge that edges answer for as long as the authority asks");
        rows::certificates::put_order(tx, &shown).await?;
        touch_all(tx).await
    });
    put?;
    let all_answer = async {
        while !is_answered(ctx, token).await? {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    };
    tokio::time::timeout(SHOWN_LIMIT, all_answer).await.map_err(|_| OrderError::NotShown)?
}

async fn is_answered(ctx: &Ctx, token: &str) -> Result<bool, OrderError> {
    let mut r = ctx.store.read().await?;
    let mut answered = false;
    for row in rows::observed::list(&mut r).await? {
        if !ctx.agents.is_present(row.host) {
            continue;
        }
        let observed: Observed = row.body.read()?;
        let answers = observed.challenges.iter().any(|t| t == token);
        if observed.edge.is_some() && !answers {
            return Ok(false);
        }
        answered |= answers;
    }
    Ok(answered)
}

/// The account as it is kept, its key sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    directory: String,
    key_id: String,
    sealed: Vec<u8>,
}

async fn account(ctx: &Ctx, keeper: &Keeper, authority: &Authority) -> Result<Account, OrderError> {
    let builder = || match &authority.root {
        Some(root) => Account::builder_with_root(root),
        None => Account::builder(),
    };
    let mut r = ctx.store.read().await?;
    let org = r.org().clone();
    let kept = rows::settings::get(&mut r, ACCOUNT).await?.map(|j| j.read::<Kept>()).transpose()?;
    drop(r);
    if let Some(kept) = kept.filter(|k| k.directory == authority.directory) {
        let key = kept.key_id.parse().map_err(super::keeper::closed).map_err(crate::Error::from)?;
        let text = keeper.unseal(&org, ACCOUNT, &Sealed { key, bytes: kept.sealed })?;
        let credentials: AccountCredentials = serde_json::from_str(&text)?;
        return Ok(builder()?.from_credentials(credentials).await?);
    }
    let contact = format!("mailto:{}", authority.email);
    let new = NewAccount { contact: &[&contact], terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder()?.create(&new, authority.directory.clone(), None).await?;
    let sealed = keeper.seal(&org, ACCOUNT, &serde_json::to_string(&credentials)?)?;
    let kept = Kept { directory: authority.directory.clone(), key_id: sealed.key.to_string(), sealed: sealed.bytes };
    let put: Result<()> = transact!(ctx.store, tx => {
        rows::settings::put(tx, ACCOUNT, &Json::of(&kept)).await?;
        tx.event(made(&authority.directory)).await?;
        Ok(())
    });
    put?;
    Ok(account)
}

fn made(directory: &str) -> NewEvent {
    NewEvent {
        kind: "certificate.account".into(),
        schema: 1,
        actor: Asker::system(ACME).actor,
        subject: "acme".into(),
        cause: None,
        service: None,
        env: None,
        before: None,
        after: Some(json!({ "directory": directory })),
    }
}
