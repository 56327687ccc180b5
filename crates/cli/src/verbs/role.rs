//! Roles: who may do what, and where.

use super::user::done;
use crate::{
    exit::Exit,
    failure::Failure,
    faults, fill, msg,
    session::{Session, env, name},
    table::Table,
};
use tradewind_api::v1::{AccessPolicy, GrantRole, Granted};
use tradewind_model::{
    access::{Bounds, Role},
    fault::{Fault, Lang},
    id::{GrantId, SiteName},
};

pub const ROLES: [&str; 5] = ["viewer", "developer", "release-manager", "admin", "auditor"];

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    List,
    #[command(group(clap::ArgGroup::new("who").required(true).args(["user", "group"])))]
    Grant {
        #[arg(value_parser = ROLES)]
        role: String,
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
        #[command(flatten)]
        at: Where,
    },
    Withdraw {
        id: String,
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
    },
    SecondFactor {
        #[arg(value_parser = ROLES)]
        role: Vec<String>,
        #[arg(long, conflicts_with = "role")]
        none: bool,
    },
}

/// Where a role holds.
#[derive(Debug, Default, clap::Args)]
pub struct Where {
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    #[arg(long, value_name = "SITE", requires = "env")]
    pub site: Option<String>,
}

impl Where {
    pub(super) fn bounds(&self) -> Result<Bounds, Failure> {
        let site = |s: &str| s.parse::<SiteName>().map_err(|_| Fault::new(&faults::BAD_NAME).with("value", s));
        Ok(Bounds {
            service: self.service.as_deref().map(name).transpose()?,
            env: self.env.as_deref().map(env).transpose()?,
            site: self.site.as_deref().map(site).transpose()?,
        })
    }
}

pub(super) fn parse(role: &str) -> Result<Role, Failure> {
    Ok(role.parse().map_err(|_| Fault::new(&faults::BAD_NAME).with("value", role))?)
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (client, lang) = (session.client()?, session.lang);
    match args.action {
        Action::List => {
            let all = client.grants().await?;
            if session.json {
                session.json_list(all, None);
            } else {
                list(session, &all);
            }
        }
        Action::Grant { role, user, group, at } => {
            let Bounds { service, env, site } = at.bounds()?;
            let wish = GrantRole { user, group, role: parse(&role)?, service, env, site };
            let given = client.grant_role(&wish).await?;
            done(session, &given, &fill!(lang, &msg::ROLE_GIVEN, who = holder(&given), what = granted(lang, &given)));
        }
        Action::Withdraw { id, reason } => {
            let bad = |_| Fault::new(&faults::NOT_AN_ID).with("value", &id).with("list", "tradewind role list");
            let id: GrantId = id.parse().map_err(bad)?;
            client.withdraw_role(id, &reason).await?;
            done(session, &serde_json::json!({ "id": id, "withdrawn": true }), msg::ROLE_WITHDRAWN.get(lang));
        }
        Action::SecondFactor { role, none } => {
            let policy = if role.is_empty() && !none {
                client.access_policy().await?
            } else {
                let second_factor = role.iter().map(|r| parse(r)).collect::<Result<_, _>>()?;
                client.set_access_policy(&AccessPolicy { second_factor }).await?
            };
            let named: Vec<_> = policy.second_factor.iter().map(|r| r.as_str()).collect();
            let text = if named.is_empty() {
                msg::NO_SECOND_FACTOR.get(lang).to_owned()
            } else {
                fill!(lang, &msg::SECOND_FACTOR_FOR, roles = named.join(", "))
            };
            done(session, &policy, &text);
        }
    }
    Ok(Exit::Ok)
}

fn holder(g: &Granted) -> &str {
    g.user.as_deref().or(g.group.as_deref()).unwrap_or_default()
}

/// `developer on shop/staging`, `admin of everything`.
pub(super) fn granted(lang: Lang, g: &Granted) -> String {
    let bounds = g.bounds();
    if bounds == Bounds::default() {
        fill!(lang, &msg::ROLE_EVERYWHERE, role = g.role)
    } else {
        fill!(lang, &msg::ROLE_ON, role = g.role, what = bounds)
    }
}

fn list(session: &Session, all: &[Granted]) {
    let lang = session.lang;
    let head = [&msg::H_WHO, &msg::H_ROLES, &msg::H_SINCE, &msg::H_BY, &msg::H_ID];
    let mut table = Table::new(&msg::head(lang, &head));
    for g in all {
        table.row(vec![
            holder(g).into(),
            granted(lang, g).into(),
            session.when().ago(g.at).into(),
            g.by.as_str().into(),
            g.id.to_string().into(),
        ]);
    }
    session.out.table(&table);
}
