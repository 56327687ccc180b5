//! Services whose code lives on a forge: linked, shown, and what the forge delivered.

use super::Pages;
use crate::{
    ask,
    exit::Exit,
    failure::Failure,
    faults, fill, msg,
    session::Session,
    table::{Paint, Table, painted},
    text::Text,
};
use tradewind_api::v1::{
    ForgeDelivery, ForgeDeliveryState, ForgeKind, ForgeLink, LinkForge, LinkedForge, SetHookSecret,
};
use tradewind_model::fault::{Fault, Lang};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    Link {
        service: Option<String>,
        #[arg(long, value_name = "URL")]
        url: String,
        #[arg(long, value_name = "KIND", value_parser = clap::value_parser!(ForgeKind))]
        kind: Option<ForgeKind>,
        #[arg(long, value_name = "URL")]
        api: Option<String>,
        #[arg(long)]
        token_stdin: bool,
        #[arg(long)]
        secret_stdin: bool,
    },
    List,
    Show {
        service: Option<String>,
    },
    Deliveries {
        service: Option<String>,
        #[command(flatten)]
        pages: Pages,
    },
    RotateSecret {
        service: Option<String>,
        #[arg(long)]
        secret_stdin: bool,
    },
    Unlink {
        service: Option<String>,
    },
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (client, lang) = (session.client()?, session.lang);
    match args.action {
        Action::Link { service, url, kind, api, token_stdin, secret_stdin } => {
            let service = session.service(service.as_deref(), "forge link")?;
            let token = token_stdin.then(|| typed(session, &msg::ASK_FORGE_TOKEN, "token")).transpose()?;
            let secret = secret_stdin.then(|| typed(session, &msg::ASK_HOOK_SECRET, "secret")).transpose()?;
            let done = client.link_forge(&service, &LinkForge { url, kind, api, token, secret }).await?;
            told(session, &done);
        }
        Action::RotateSecret { service, secret_stdin } => {
            let service = session.service(service.as_deref(), "forge rotate-secret")?;
            let secret = secret_stdin.then(|| typed(session, &msg::ASK_HOOK_SECRET, "secret")).transpose()?;
            let done = client.set_forge_secret(&service, &SetHookSecret { secret }).await?;
            told(session, &done);
        }
        Action::Unlink { service } => {
            let service = session.service(service.as_deref(), "forge unlink")?;
            client.unlink_forge(&service).await?;
            if session.json {
                session.out.json(&serde_json::json!({ "service": service, "unlinked": true }));
            } else {
                session.out.line(fill!(lang, &msg::FORGE_UNLINKED, service = service));
            }
        }
        Action::List => {
            let all = client.forges().await?;
            if session.json {
                session.json_list(all, None);
            } else if all.is_empty() {
                session.out.line(msg::NO_FORGES.get(lang));
            } else {
                list(session, &all);
            }
        }
        Action::Show { service } => {
            let service = session.service(service.as_deref(), "forge show")?;
            let link = client.forge(&service).await?;
            if session.json {
                session.out.json(&link);
            } else {
                show(session, &link);
            }
        }
        Action::Deliveries { service, pages } => {
            let service = session.service(service.as_deref(), "forge deliveries")?;
            let page = client.forge_deliveries(&service, &pages.paging()).await?;
            if session.json {
                session.json_list(page.items, page.next);
            } else if page.items.is_empty() {
                session.out.line(fill!(lang, &msg::NO_DELIVERIES, service = service));
            } else {
                deliveries(session, &page.items);
                Pages::more(session, page.next.as_ref());
            }
        }
    }
    Ok(Exit::Ok)
}

/// At the terminal without echo, or the next line of standard input.
fn typed(session: &Session, prompt: &Text, what: &str) -> Result<String, Failure> {
    ask::hidden(session, prompt.get(session.lang), Fault::new(&faults::NO_FORGE_VALUE).with("what", what))
}

pub(super) fn title(kind: ForgeKind) -> &'static str {
    match kind {
        ForgeKind::Github => "GitHub",
        ForgeKind::Gitlab => "GitLab",
        ForgeKind::Gitea => "Gitea / Forgejo",
        ForgeKind::Gitee => "Gitee",
        ForgeKind::Bitbucket => "Bitbucket",
    }
}

/// Where a forge has its webhooks, and what to choose there.
fn place(kind: ForgeKind) -> (&'static Text, &'static Text) {
    match kind {
        ForgeKind::Github => (&msg::PLACE_GITHUB, &msg::CHOOSE_GITHUB),
        ForgeKind::Gitlab => (&msg::PLACE_GITLAB, &msg::CHOOSE_GITLAB),
        ForgeKind::Gitea => (&msg::PLACE_GITEA, &msg::CHOOSE_GITEA),
        ForgeKind::Gitee => (&msg::PLACE_GITEE, &msg::CHOOSE_GITEE),
        ForgeKind::Bitbucket => (&msg::PLACE_BITBUCKET, &msg::CHOOSE_BITBUCKET),
    }
}

fn address(session: &Session, link: &ForgeLink) -> Option<String> {
    let below_ours = || link.hook_path.as_ref().map(|path| format!("{}{path}", session.server()));
    link.hook_url.clone().or_else(below_ours)
}

fn told(session: &Session, done: &LinkedForge) {
    let (lang, link) = (session.lang, &done.link);
    if session.json {
        session.out.json(done);
        return;
    }
    let line = |text| session.out.line(text);
    line(fill!(lang, &msg::FORGE_LINKED, service = link.service, url = link.url, account = link.account));
    if let (Some(secret), Some(url)) = (&done.secret, address(session, link)) {
        let (place, choose) = place(link.kind);
        line(fill!(lang, &msg::HOOK_IN, forge = title(link.kind), place = place.get(lang)));
        line(fill!(lang, &msg::HOOK_URL, url = url));
        line(fill!(lang, &msg::HOOK_SECRET, secret = secret));
        line(format!("  {}", choose.get(lang)));
    }
    if !link.has_token {
        session.out.note(fill!(lang, &msg::NO_FORGE_TOKEN, service = link.service, url = link.url));
    }
}

fn list(session: &Session, all: &[ForgeLink]) {
    let lang = session.lang;
    let head = [&msg::H_SERVICE, &msg::H_FORGE, &msg::H_REPOSITORY, &msg::H_LAST, &msg::H_STATE, &msg::H_REFUSED];
    let mut table = Table::new(&msg::head(lang, &head));
    let when = session.when();
    for l in all {
        let last = l.last.as_ref();
        let state = last.map(|d| state(lang, d)).unwrap_or_default();
        table.row(vec![
            l.service.as_str().into(),
            l.kind.as_str().into(),
            l.url.as_str().into(),
            last.map_or_else(|| msg::NEVER.get(lang).to_owned(), |d| when.ago(d.received_at)).into(),
            if last.is_some_and(|d| d.state == ForgeDeliveryState::Failed) {
                painted(Paint::Bad, state)
            } else {
                state.into()
            },
            l.refused.to_string().into(),
        ]);
    }
    session.out.table(&table);
}

fn show(session: &Session, l: &ForgeLink) {
    let (lang, when) = (session.lang, session.when());
    let line = |text: String| session.out.line(text);
    line(fill!(lang, &msg::FORGE_IS, service = l.service, forge = title(l.kind), url = l.url));
    line(fill!(lang, &msg::FORGE_BY, by = l.linked_by, since = when.ago(l.linked_at), account = l.account));
    if let Some(url) = address(session, l) {
        line(fill!(lang, &msg::HOOK_URL, url = url));
    }
    if l.has_token {
        line(fill!(lang, &msg::STATUSES_TO, api = l.api));
    } else {
        line(fill!(lang, &msg::NO_FORGE_TOKEN, service = l.service, url = l.url));
    }
    if let Some(problem) = &l.status_problem {
        line(fill!(lang, &msg::STATUS_PROBLEM, why = problem));
    }
    match &l.last {
        None => line(msg::NOTHING_DELIVERED.get(lang).to_owned()),
        Some(d) => {
            let (since, state) = (when.ago(d.received_at), state(lang, d));
            let branch = d.branch.as_deref().unwrap_or("-");
            line(fill!(lang, &msg::LAST_DELIVERY, since = since, by = d.pusher, branch = branch, state = state));
            for text in d.why.iter().flat_map(|w| w.lines()) {
                line(format!("    {text}"));
            }
        }
    }
    if let (Some(at), Some(why)) = (l.refused_at, &l.refused_why) {
        line(fill!(lang, &msg::REFUSED_DELIVERIES, n = l.refused, since = when.ago(at), why = why));
    }
}

fn deliveries(session: &Session, all: &[ForgeDelivery]) {
    let (lang, when) = (session.lang, session.when());
    let head = [&msg::H_SINCE, &msg::H_BRANCH, &msg::H_COMMIT, &msg::H_PUSHER, &msg::H_STATE, &msg::H_DELIVERY];
    let mut table = Table::new(&msg::head(lang, &head));
    for d in all {
        let state = state(lang, d);
        table.row(vec![
            when.ago(d.received_at).into(),
            d.branch.as_deref().unwrap_or("-").into(),
            d.after.as_ref().map_or("-", |c| c.short()).into(),
            d.pusher.as_str().into(),
            if d.state == ForgeDeliveryState::Failed { painted(Paint::Bad, state) } else { state.into() },
            d.delivery.as_str().into(),
        ]);
    }
    session.out.table(&table);
    for d in all.iter().filter(|d| d.state != ForgeDeliveryState::Done) {
        for text in d.why.iter().flat_map(|w| w.lines().take(1)) {
            session.out.line(format!("{}: {text}", d.delivery));
        }
    }
}

fn state(lang: Lang, d: &ForgeDelivery) -> String {
    let word = match d.state {
        ForgeDeliveryState::Waiting if d.tries > 0 => return fill!(lang, &msg::DELIVERY_AGAIN, n = d.tries),
        ForgeDeliveryState::Waiting => &msg::DELIVERY_WAITING,
        ForgeDeliveryState::Done => &msg::DELIVERY_DONE,
        ForgeDeliveryState::Failed => &msg::DELIVERY_FAILED,
        ForgeDeliveryState::Stale => &msg::DELIVERY_STALE,
        ForgeDeliveryState::Ignored => &msg::DELIVERY_IGNORED,
    };
    word.get(lang).to_owned()
}
