//! Services: made, listed, shown.

use super::{Pages, freezes::line};
use crate::{
    exit::Exit,
    failure::Failure,
    fill, msg, remote,
    session::{Session, name},
    table::{Paint, Table, painted},
    words::Words,
};
use tradewind_api::v1;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    Create {
        name: String,
    },
    List {
        #[command(flatten)]
        pages: Pages,
    },
    Show {
        service: Option<String>,
    },
    Owner {
        service: String,
        owner: String,
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    match args.action {
        Action::Create { name: wanted } => {
            let made = client.create_service(&v1::CreateService { name: name(&wanted)? }).await?;
            if session.json {
                session.out.json(&made);
                return Ok(Exit::Ok);
            }
            session.out.line(fill!(session.lang, &msg::SERVICE_MADE, service = made.name));
            let here = session.checkout();
            if here.service().as_ref() == Some(&made.name) {
                remote::ensure(session, Some(&made.name))?;
                session.out.line(msg::PUSH_NEXT.get(session.lang));
            } else {
                session.out.line(fill!(session.lang, &msg::REMOTE_NEXT, url = remote::url(session, &made.name)));
            }
        }
        Action::Owner { service, owner, reason } => {
            let set = v1::SetOwner { owner, reason: reason.unwrap_or_default() };
            let service = client.set_owner(&name(&service)?, &set).await?;
            if session.json {
                session.out.json(&service);
            } else {
                session.out.line(fill!(session.lang, &msg::OWNER_SET, service = service.name, owner = service.owner));
            }
        }
        Action::List { pages } => {
            let page = client.services(&pages.paging()).await?;
            if session.json {
                session.out.json(&page);
                return Ok(Exit::Ok);
            }
            if page.items.is_empty() {
                session.out.line(msg::NO_SERVICES.get(session.lang));
                return Ok(Exit::Ok);
            }
            list(session, &page.items);
            Pages::more(session, page.next.as_ref());
        }
        Action::Show { service } => {
            let service = client.service(&session.service(service.as_deref(), "service show")?).await?;
            if session.json {
                session.out.json(&service);
            } else {
                show(session, &service);
            }
        }
    }
    Ok(Exit::Ok)
}

fn list(session: &Session, services: &[v1::Service]) {
    let mut table =
        Table::new(&msg::head(session.lang, &[&msg::H_SERVICE, &msg::H_KIND, &msg::H_ENVS, &msg::H_SINCE, &msg::H_BY]));
    for s in services {
        let envs: Vec<&str> = s.environments.iter().map(|e| e.name.as_str()).collect();
        table.row(vec![
            s.name.as_str().into(),
            s.kind.map(|k| k.say(session.lang)).unwrap_or_default().into(),
            envs.join(", ").into(),
            session.when().ago(s.created_at).into(),
            s.created_by.as_str().into(),
        ]);
    }
    session.out.table(&table);
}

fn show(session: &Session, s: &v1::Service) {
    let lang = session.lang;
    session.out.line(fill!(
        lang,
        &msg::SERVICE_IS,
        service = s.name,
        kind = s.kind.map(|k| k.say(lang)).unwrap_or("?"),
        by = s.created_by,
        since = session.when().ago(s.created_at)
    ));
    if !s.owner.is_empty() {
        session.out.line(fill!(lang, &msg::OWNED_BY, owner = s.owner));
    }
    session.out.line(fill!(lang, &msg::GIT_AT, url = remote::url(session, &s.name)));
    if s.environments.is_empty() {
        session.out.line(msg::NOTHING_PUSHED.get(lang));
        return;
    }
    let mut table = Table::new(&msg::head(lang, &[&msg::H_ENV, &msg::H_BRANCH, &msg::H_SITES, &msg::H_QUEUE]));
    for e in &s.environments {
        let sites: Vec<&str> = e.sites.iter().map(|x| x.as_str()).collect();
        let closed = e.frozen.iter().map(|f| {
            let since = session.when().ago(f.since);
            fill!(lang, &msg::FROZEN, since = since, reason = f.reason)
        });
        let held: Vec<String> = closed.chain(e.freezes.iter().map(|f| line(session, f))).collect();
        let queue = match held.as_slice() {
            [] => msg::OPEN.get(lang).into(),
            held => painted(Paint::Bad, held.join("; ")),
        };
        table.row(vec![
            e.name.as_str().into(),
            e.branch.clone().unwrap_or_default().into(),
            sites.join(", ").into(),
            queue,
        ]);
    }
    session.out.table(&table);
}
