//! Tokens: scoped, expiring, shown once.

use super::{Pages, role::Where};
use crate::{exit::Exit, failure::Failure, faults, fill, msg, session::Session, table::Table, when};
use tradewind_api::v1::{self, Scope};
use tradewind_model::{access::Bounds, fault::Fault, id::TokenId};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    List {
        #[command(flatten)]
        pages: Pages,
    },
    Create {
        name: String,
        #[arg(long, value_name = "SCOPE", value_delimiter = ',', required = true, value_parser = ["read", "deploy", "admin", "agent"])]
        scope: Vec<String>,
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        #[arg(long = "for", value_name = "ACCOUNT")]
        owner: Option<String>,
        #[command(flatten)]
        at: Where,
    },
    Revoke {
        id: String,
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
    },
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (client, lang) = (session.client()?, session.lang);
    match args.action {
        Action::List { pages } => {
            let page = client.tokens(&pages.paging()).await?;
            if session.json {
                session.out.json(&page);
            } else {
                list(session, &page.items);
                Pages::more(session, page.next.as_ref());
            }
        }
        Action::Create { name, scope, expires, owner, at } => {
            let Bounds { service, env, site } = at.bounds()?;
            let expires_in_s = match expires {
                None => None,
                Some(s) => match when::parse_span(&s) {
                    Some(d) => Some(d.as_secs()),
                    None => return Err(Fault::new(&faults::BAD_DURATION).with("value", s).into()),
                },
            };
            let scopes: Vec<Scope> = scope.iter().filter_map(|s| s.parse().ok()).collect();
            let made =
                client.create_token(&v1::CreateToken { name, scopes, expires_in_s, owner, service, env, site }).await?;
            if session.json {
                session.out.json(&made);
            } else {
                session.out.note(fill!(
                    lang,
                    &msg::TOKEN_MADE,
                    name = made.info.name,
                    scopes = reach(&made.info),
                    until = until(session, &made.info)
                ));
                session.out.line(&made.token);
            }
        }
        Action::Revoke { id, reason } => {
            let bad = |_| Fault::new(&faults::NOT_AN_ID).with("value", &id).with("list", "tradewind token list");
            let id: TokenId = id.parse().map_err(bad)?;
            client.revoke_token(id, &reason).await?;
            if session.json {
                session.out.json(&serde_json::json!({ "id": id, "revoked": true }));
            } else {
                session.out.line(fill!(lang, &msg::TOKEN_REVOKED, id = id));
            }
        }
    }
    Ok(Exit::Ok)
}

/// `deploy`, `deploy (shop/staging)`.
pub(super) fn reach(t: &v1::Token) -> String {
    let scopes = t.scopes.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(",");
    let bounds = t.bounds();
    if bounds == Bounds::default() { scopes } else { format!("{scopes} ({bounds})") }
}

fn until(session: &Session, t: &v1::Token) -> String {
    t.expires_at.map_or_else(|| msg::FOREVER.get(session.lang).to_owned(), |x| session.when().date(x))
}

fn list(session: &Session, tokens: &[v1::Token]) {
    let head = [&msg::H_NAME, &msg::H_OWNER, &msg::H_SCOPES, &msg::H_SINCE, &msg::H_EXPIRES, &msg::H_USED, &msg::H_ID];
    let mut table = Table::new(&msg::head(session.lang, &head));
    for t in tokens {
        table.row(vec![
            t.name.as_str().into(),
            t.owner.clone().unwrap_or_default().into(),
            reach(t).into(),
            session.when().ago(t.created_at).into(),
            until(session, t).into(),
            t.last_used_at.map(|x| session.when().ago(x)).unwrap_or_default().into(),
            t.id.to_string().into(),
        ]);
    }
    session.out.table(&table);
}
