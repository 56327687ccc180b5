//! Secrets: set from the terminal or standard input, never from an argument; listed without their values.

use crate::{
    exit::Exit,
    failure::Failure,
    faults, fill, msg,
    session::{Session, env, name},
    table::Table,
};
use std::io::{self, Read, Write};
use tradewind_api::v1::{RestoreSecret, Secret, SecretScope, SecretSet, SetSecret};
use tradewind_model::{
    fault::{Fault, Lang},
    secret::SecretName,
};

/// Longer than any value: what is more than this is no secret.
const MOST: u64 = 1 << 20;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    Set {
        #[command(flatten)]
        named: Named,
        /// Taken only to be refused: an error of the grammar would print it.
        #[arg(hide = true)]
        value: Option<String>,
    },
    History(Named),
    Remove(Named),
    Restore {
        #[command(flatten)]
        named: Named,
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
        version: i64,
    },
}

#[derive(Debug, clap::Args)]
pub struct Named {
    pub secret: String,
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    #[arg(long, value_name = "SITE", requires = "env")]
    pub site: Option<String>,
}

impl Named {
    fn read(&self) -> Result<(SecretName, SecretScope), Failure> {
        let secret: SecretName = match self.secret.split_once('=') {
            // What follows is not printed.
            Some((name, _)) => return Err(Fault::new(&faults::VALUE_AS_ARGUMENT).with("name", name).into()),
            None => {
                self.secret.parse().map_err(|_| Fault::new(&faults::BAD_SECRET_NAME).with("value", &self.secret))?
            }
        };
        let site = match self.site.as_deref() {
            None => None,
            Some(s) => Some(s.parse().map_err(|_| Fault::new(&faults::BAD_NAME).with("value", s))?),
        };
        let scope = SecretScope {
            service: self.service.as_deref().map(name).transpose()?,
            env: self.env.as_deref().map(env).transpose()?,
            site,
        };
        Ok((secret, scope))
    }
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    match args.action {
        Action::Set { named, value: argument } => {
            let (secret, scope) = named.read()?;
            if argument.is_some() {
                return Err(Fault::new(&faults::VALUE_AS_ARGUMENT).with("name", secret).into());
            }
            let value = value(session, &secret)?;
            let done = client.set_secret(&secret, &SetSecret { scope, value }).await?;
            told(session, &done);
        }
        Action::Restore { named, version } => {
            let (secret, scope) = named.read()?;
            let done = client.restore_secret(&secret, &RestoreSecret { scope, version }).await?;
            told(session, &done);
        }
        Action::Remove(named) => {
            let (secret, scope) = named.read()?;
            client.remove_secret(&secret, &scope).await?;
            if !session.json {
                let at = where_it_holds(session.lang, &scope);
                session.out.line(fill!(session.lang, &msg::SECRET_REMOVED, name = secret, scope = at));
            }
        }
        Action::History(named) => {
            let (secret, scope) = named.read()?;
            let versions = client.secret_versions(&secret, &scope).await?;
            if session.json {
                session.json_list(versions, None);
                return Ok(Exit::Ok);
            }
            let head = [&msg::H_VERSION, &msg::H_FINGERPRINT, &msg::H_SINCE, &msg::H_BY, &msg::H_USED, &msg::H_STATE];
            let mut table = Table::new(&msg::head(session.lang, &head));
            let when = session.when();
            for v in &versions {
                let state = if v.in_force { msg::IN_FORCE.get(session.lang) } else { "" };
                table.row(vec![
                    v.version.to_string().into(),
                    v.fingerprint.as_str().into(),
                    when.ago(v.set_at).into(),
                    v.set_by.as_str().into(),
                    v.used_at.map_or_else(|| msg::NEVER.get(session.lang).to_owned(), |t| when.ago(t)).into(),
                    state.into(),
                ]);
            }
            session.out.table(&table);
        }
    }
    Ok(Exit::Ok)
}

#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
}

pub async fn list(args: ListArgs, session: &Session) -> Result<Exit, Failure> {
    let (client, lang, when) = (session.client()?, session.lang, session.when());
    let service = args.service.as_deref().map(name).transpose()?;
    let all: Vec<Secret> = client.secrets(service.as_ref()).await?;
    if session.json {
        session.json_list(all, None);
        return Ok(Exit::Ok);
    }
    if all.is_empty() {
        session.out.line(msg::NO_SECRETS.get(lang));
        return Ok(Exit::Ok);
    }
    let head = [
        &msg::H_SECRET,
        &msg::H_SERVICE,
        &msg::H_ENV,
        &msg::H_SITE,
        &msg::H_VERSION,
        &msg::H_FINGERPRINT,
        &msg::H_SINCE,
        &msg::H_BY,
        &msg::H_USED,
    ];
    let mut table = Table::new(&msg::head(lang, &head));
    let every = msg::EVERY.get(lang);
    for s in &all {
        table.row(vec![
            s.name.as_str().into(),
            s.scope.service.as_ref().map_or(every, |s| s.as_str()).into(),
            s.scope.env.as_ref().map_or(every, |e| e.as_str()).into(),
            s.scope.site.as_ref().map_or(every, |s| s.as_str()).into(),
            s.version.to_string().into(),
            s.fingerprint.as_str().into(),
            when.ago(s.set_at).into(),
            s.set_by.as_str().into(),
            s.used_at.map_or_else(|| msg::NEVER.get(lang).to_owned(), |t| when.ago(t)).into(),
        ]);
    }
    session.out.table(&table);
    Ok(Exit::Ok)
}

fn where_it_holds(lang: Lang, scope: &SecretScope) -> String {
    let at = match (&scope.env, &scope.site) {
        (Some(env), Some(site)) => Some(format!("{env}/{site}")),
        (Some(env), None) => Some(env.to_string()),
        (None, _) => None,
    };
    match (&scope.service, at) {
        (Some(service), Some(at)) => fill!(lang, &msg::SERVICE_IN_ENV, service = service, env = at),
        (Some(service), None) => service.to_string(),
        (None, Some(at)) => at,
        (None, None) => msg::EVERYTHING.get(lang).to_owned(),
    }
}

fn told(session: &Session, done: &SecretSet) {
    let lang = session.lang;
    if session.json {
        session.out.json(done);
        return;
    }
    let Secret { name, scope, version, .. } = &done.secret;
    let text = if done.changed { &msg::SECRET_SET } else { &msg::SECRET_UNCHANGED };
    let at = where_it_holds(lang, scope);
    session.out.line(fill!(lang, text, name = name, scope = at, version = version));
    if !done.maskable {
        session.out.note(msg::SECRET_SHORT.get(lang));
    }
    let mut places: Vec<String> = done.stale.iter().map(|s| format!("{}/{}/{}", s.service, s.env, s.site)).collect();
    places.dedup();
    if !places.is_empty() {
        let n = done.stale.len();
        session.out.line(fill!(lang, &msg::SECRET_STALE, n = n, places = places.join(", ")));
    }
}

/// From the terminal without echo, or all of standard input but for one line's end.
fn value(session: &Session, name: &SecretName) -> Result<String, Failure> {
    if let Some(type_line) = session.around.typed {
        let mut err = io::stderr();
        let _ = write!(err, "{}", fill!(session.lang, &msg::ASK_SECRET, name = name));
        let _ = err.flush();
        let typed = type_line();
        let _ = writeln!(err);
        return match typed {
            Ok(line) => given(line, name),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Err(Failure::Interrupted),
            Err(e) => Err(Failure::machine("stdin")(e)),
        };
    }
    let mut text = String::new();
    let mut input = session.around.input.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    (&mut *input).take(MOST).read_to_string(&mut text).map_err(Failure::machine("stdin"))?;
    given(text, name)
}

fn given(text: String, name: &SecretName) -> Result<String, Failure> {
    let value = text.strip_suffix('\n').map(|t| t.strip_suffix('\r').unwrap_or(t)).unwrap_or(&text);
    if value.trim().is_empty() {
        return Err(Fault::new(&faults::NO_VALUE).with("name", name).into());
    }
    Ok(value.to_owned())
}
