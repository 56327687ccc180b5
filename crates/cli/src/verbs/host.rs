//! Hosts: machines with an agent.

use crate::{
    exit::Exit,
    failure::Failure,
    fill, msg,
    session::Session,
    table::{Paint, Table, painted},
    when,
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
    Remove {
        host: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
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
        Action::Remove { host, reason } => {
            client.remove_host(&host, &reason).await?;
            if session.json {
                session.out.json(&serde_json::json!({ "host": host, "removed": true }));
            } else {
                session.out.line(fill!(session.lang, &msg::HOST_REMOVED, host = host));
            }
        }
    }
    Ok(Exit::Ok)
}

fn list(session: &Session, hosts: &[v1::Host]) {
    let lang = session.lang;
    let head = [
        &msg::H_NAME,
        &msg::H_AGENT,
        &msg::H_SEEN,
        &msg::H_INSTANCES,
        &msg::H_PROGRAM,
        &msg::H_LOAD,
        &msg::H_MEMORY,
        &msg::H_DISK,
        &msg::H_EDGE,
        &msg::H_ID,
    ];
    let mut table = Table::new(&msg::head(lang, &head));
    for h in hosts {
        let (paint, agent) =
            if h.connected { (Paint::Good, &msg::CONNECTED) } else { (Paint::Bad, &msg::NOT_CONNECTED) };
        let of = |told: &dyn Fn(&v1::Machine) -> String| h.machine.as_ref().map(told).unwrap_or_default();
        let edge: Vec<String> = h.edge.iter().map(ToString::to_string).collect();
        table.row(vec![
            h.name.as_str().into(),
            painted(paint, agent.get(lang)),
            h.last_seen_at.map(|at| session.when().ago(at)).unwrap_or_default().into(),
            h.instances.to_string().into(),
            of(&|m| m.version.clone()).into(),
            of(&|m| format!("{:.1}/{}", m.load[0], m.cpus)).into(),
            of(&|m| free(m.memory_free_bytes, m.memory_bytes)).into(),
            of(&|m| free(m.disk_free_bytes, m.disk_bytes)).into(),
            edge.join(", ").into(),
            h.id.to_string().into(),
        ]);
    }
    session.out.table(&table);
}

/// `3.1 GiB / 7.7 GiB`: what is free, of how much.
fn free(left: u64, all: u64) -> String {
    format!("{} / {}", when::bytes(left), when::bytes(all))
}
