//! Hosts: machines with an agent.

use crate::{
    exit::Exit,
    failure::Failure,
    msg,
    session::Session,
    table::{Paint, Table, painted},
};
use tradewind_api::v1;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    List,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    match args.action {
        Action::List => {
            let page = client.hosts().await?;
            if session.json {
                session.out.json(&page);
            } else if page.items.is_empty() {
                session.out.line(msg::NO_HOSTS.get(session.lang));
            } else {
                list(session, &page.items);
            }
        }
    }
    Ok(Exit::Ok)
}

fn list(session: &Session, hosts: &[v1::Host]) {
    let lang = session.lang;
    let head = [&msg::H_NAME, &msg::H_AGENT, &msg::H_SEEN, &msg::H_INSTANCES, &msg::H_EDGE, &msg::H_ID];
    let mut table = Table::new(&msg::head(lang, &head));
    for h in hosts {
        let (paint, agent) =
            if h.connected { (Paint::Good, &msg::CONNECTED) } else { (Paint::Bad, &msg::NOT_CONNECTED) };
        let edge: Vec<String> = h.edge.iter().map(ToString::to_string).collect();
        table.row(vec![
            h.name.as_str().into(),
            painted(paint, agent.get(lang)),
            h.last_seen_at.map(|at| session.when().ago(at)).unwrap_or_default().into(),
            h.instances.to_string().into(),
            edge.join(", ").into(),
            h.id.to_string().into(),
        ]);
    }
    session.out.table(&table);
}
