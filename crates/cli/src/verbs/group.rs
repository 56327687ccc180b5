//! Groups: a role given to one is held by everybody in it.

use super::user::done;
use crate::{exit::Exit, failure::Failure, fill, msg, session::Session, table::Table};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    List,
    Create { name: String },
    Remove { name: String },
    Add { group: String, user: String },
    Drop { group: String, user: String },
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (client, lang) = (session.client()?, session.lang);
    match args.action {
        Action::List => {
            let groups = client.groups().await?;
            if session.json {
                session.json_list(groups, None);
                return Ok(Exit::Ok);
            }
            let mut table = Table::new(&msg::head(lang, &[&msg::H_NAME, &msg::H_MEMBERS]));
            for g in &groups {
                table.row(vec![g.name.as_str().into(), g.members.join(", ").into()]);
            }
            session.out.table(&table);
        }
        Action::Create { name } => {
            let made = client.create_group(&name).await?;
            done(session, &made, &fill!(lang, &msg::GROUP_MADE, name = name));
        }
        Action::Remove { name } => {
            client.remove_group(&name).await?;
            let told = serde_json::json!({ "name": name, "removed": true });
            done(session, &told, &fill!(lang, &msg::GROUP_REMOVED, name = name));
        }
        Action::Add { group, user } => members(session, &client.add_group_member(&group, &user).await?),
        Action::Drop { group, user } => members(session, &client.remove_group_member(&group, &user).await?),
    }
    Ok(Exit::Ok)
}

fn members(session: &Session, group: &tradewind_api::v1::Group) {
    let all = group.members.join(", ");
    done(session, group, &fill!(session.lang, &msg::GROUP_MEMBERS, name = group.name, members = all));
}
