//! People and service accounts.

use super::role::{Where, granted};
use crate::{exit::Exit, failure::Failure, faults, fill, msg, session::Session, table::Table};
use tradewind_api::v1::{CreateAccount, Invite, RoleWish, User, UserKind};
use tradewind_model::{access::Bounds, fault::Fault, id::InvitationId};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    List,
    Invite {
        handle: String,
        email: String,
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        #[arg(long, value_name = "ROLE", value_parser = super::role::ROLES)]
        role: Option<String>,
        #[command(flatten)]
        at: Where,
    },
    Invitations,
    Uninvite {
        id: String,
    },
    Service {
        handle: String,
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
    },
    Disable {
        handle: String,
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
    },
    Enable {
        handle: String,
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
    },
    Erase {
        handle: String,
        /// It cannot be undone.
        #[arg(long)]
        yes: bool,
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
    },
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (client, lang) = (session.client()?, session.lang);
    match args.action {
        Action::List => {
            let users = client.users().await?;
            if session.json {
                session.json_list(users, None);
            } else {
                list(session, &users);
            }
        }
        Action::Invite { handle, email, name, role, at } => {
            let Bounds { service, env, site } = at.bounds()?;
            let roles = match role {
                Some(role) => vec![RoleWish { role: super::role::parse(&role)?, service, env, site }],
                None => Vec::new(),
            };
            let made = client.invite(&Invite { handle, email, name, roles }).await?;
            if session.json {
                session.out.json(&made);
            } else {
                let until = session.when().date(made.info.expires_at);
                session.out.note(fill!(
                    lang,
                    &msg::INVITED,
                    handle = made.info.handle,
                    email = made.info.email,
                    until = until
                ));
                session.out.line(fill!(
                    lang,
                    &msg::INVITED_NEXT,
                    server = session.server(),
                    email = made.info.email,
                    code = made.code
                ));
            }
        }
        Action::Invitations => {
            let open = client.invitations().await?;
            if session.json {
                session.json_list(open, None);
                return Ok(Exit::Ok);
            }
            let head = [&msg::H_NAME, &msg::H_EMAIL, &msg::H_BY, &msg::H_EXPIRES, &msg::H_ID];
            let mut table = Table::new(&msg::head(lang, &head));
            for i in &open {
                table.row(vec![
                    i.handle.as_str().into(),
                    i.email.as_str().into(),
                    i.by.as_str().into(),
                    session.when().date(i.expires_at).into(),
                    i.id.to_string().into(),
                ]);
            }
            session.out.table(&table);
        }
        Action::Uninvite { id } => {
            let bad = |_| Fault::new(&faults::NOT_AN_ID).with("value", &id).with("list", "tradewind user invitations");
            let id: InvitationId = id.parse().map_err(bad)?;
            client.revoke_invitation(id).await?;
            done(session, &serde_json::json!({ "id": id, "withdrawn": true }), msg::UNINVITED.get(lang));
        }
        Action::Service { handle, name } => {
            let made = client.create_service_account(&CreateAccount { handle, name }).await?;
            done(session, &made, &fill!(lang, &msg::ACCOUNT_MADE, handle = made.handle));
        }
        Action::Disable { handle, reason } => {
            let user = client.disable_user(&handle, &reason).await?;
            done(session, &user, &fill!(lang, &msg::USER_DISABLED, handle = handle));
        }
        Action::Erase { handle, yes, reason } => {
            if !yes {
                return Err(Fault::new(&faults::FOR_GOOD).with("handle", &handle).into());
            }
            let user = client.erase_user(&handle, &reason).await?;
            done(session, &user, &fill!(lang, &msg::USER_ERASED, handle = handle));
        }
        Action::Enable { handle, reason } => {
            let user = client.enable_user(&handle, &reason).await?;
            done(session, &user, &fill!(lang, &msg::USER_ENABLED, handle = handle));
        }
    }
    Ok(Exit::Ok)
}

pub(super) fn done(session: &Session, value: &impl serde::Serialize, text: &str) {
    if session.json {
        session.out.json(value);
    } else {
        session.out.line(text);
    }
}

fn list(session: &Session, users: &[User]) {
    let lang = session.lang;
    let head = [&msg::H_NAME, &msg::H_KIND, &msg::H_ROLES, &msg::H_SECOND, &msg::H_SEEN, &msg::H_STATE];
    let mut table = Table::new(&msg::head(lang, &head));
    for u in users {
        let kind = match u.kind {
            UserKind::Person => &msg::A_PERSON,
            UserKind::Service => &msg::A_SERVICE,
        };
        let roles = u.roles.iter().map(|g| granted(lang, g)).collect::<Vec<_>>().join(", ");
        let second = if u.second_factor { &msg::YES } else { &msg::NO };
        let state = if u.disabled_at.is_some() { msg::DISABLED.get(lang) } else { "" };
        table.row(vec![
            u.handle.as_str().into(),
            kind.get(lang).into(),
            roles.into(),
            second.get(lang).into(),
            u.last_seen_at.map(|x| session.when().ago(x)).unwrap_or_default().into(),
            state.into(),
        ]);
    }
    session.out.table(&table);
}
