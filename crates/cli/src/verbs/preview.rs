//! `--dry-run`: what a rollout, a promotion or a rollback would do. Nothing is made.

use crate::{
    exit::Exit,
    failure::Failure,
    fill, msg,
    session::Session,
    table::{Table, painted},
    text,
    when::{self, span},
    words::Words as _,
};
use std::time::Duration;
use tradewind_api::v1::{Difference, Preview, ReleaseDiff, SecretChange};
use tradewind_model::id::{EnvName, ServiceName};

/// Shows the plan; ends as the refusal would, where there is one.
pub async fn run(
    session: &Session,
    service: &ServiceName,
    env: &EnvName,
    what: &[(&'static str, String)],
) -> Result<Exit, Failure> {
    let client = session.client()?;
    let plan = client.plan(service, env, what).await?;
    if session.json {
        session.out.json(&plan);
    } else {
        let diff = match &plan.from {
            Some(from) if from.digest != plan.to.digest => {
                Some(client.diff(service, &from.label, &plan.to.label, None, false).await?)
            }
            Some(_) | None => None,
        };
        show(session, service, &plan, diff.as_ref());
    }
    match plan.refused {
        Some(problem) if !session.json => {
            session.out.note(text::problem(&problem, session.lang));
            Ok(Exit::Refused)
        }
        Some(_) => Ok(Exit::Refused),
        None => Ok(Exit::Ok),
    }
}

fn show(session: &Session, service: &ServiceName, plan: &Preview, diff: Option<&ReleaseDiff>) {
    let lang = session.lang;
    let say = |line: String| session.out.line(line);
    let from = plan.from.as_ref().map_or("-", |r| r.label.as_str());
    say(fill!(
        lang,
        &msg::PLAN_HEAD,
        what = plan.kind.say(lang),
        service = service,
        env = plan.env,
        from = from,
        to = plan.to.label,
        strategy = plan.strategy
    ));
    for wait in &plan.waits {
        say(fill!(lang, &msg::WAITS, text = wait.text));
    }
    if let Some(outlook) = &plan.outlook {
        say(format!("  {outlook}"));
    }
    waves(session, plan);
    for s in plan.sites.iter().filter(|s| s.stays) {
        say(fill!(lang, &msg::PLAN_STAYS, site = s.site, release = s.to.label));
    }
    if let Some(diff) = diff {
        commits(session, diff);
        say(fill!(lang, &msg::PLAN_FILES, n = diff.files.len()));
    }
    let changes: Vec<&Difference> = plan.variables.iter().chain(&plan.limits).collect();
    if !changes.is_empty() {
        let mut table = Table::new(&msg::head(lang, &[&msg::H_SETTING, &msg::H_BEFORE, &msg::H_AFTER]));
        for c in changes {
            let value = |v: &Option<String>| v.clone().unwrap_or_default().into();
            table.row(vec![c.name.as_str().into(), value(&c.before), value(&c.after)]);
        }
        session.out.table(&table);
    }
    secrets(session, plan);
    say(msg::PLAN_ONLY.get(lang).to_owned());
}

fn waves(session: &Session, plan: &Preview) {
    let head = [&msg::H_WAVE, &msg::H_SITE, &msg::H_SHARE, &msg::H_INSTANCES, &msg::H_LEAST, &msg::H_MOST];
    let mut table = Table::new(&msg::head(session.lang, &head));
    for w in &plan.waves {
        let time = |ms: u64| span(Duration::from_millis(ms));
        table.row(vec![
            w.number.to_string().into(),
            w.site.to_string().into(),
            when::share(w.share).into(),
            w.instances.to_string().into(),
            Some(w.least_ms).filter(|ms| *ms > 0).map(time).unwrap_or_default().into(),
            w.most_ms.map(time).unwrap_or_default().into(),
        ]);
    }
    if !table.is_empty() {
        session.out.table(&table);
    }
}

/// Commits that come in and go out, newest first.
pub fn commits(session: &Session, diff: &ReleaseDiff) {
    const SHOWN: usize = 20;
    let lang = session.lang;
    let Some(history) = &diff.history else { return };
    for (head, commits) in [(&msg::COMMITS_IN, &history.added), (&msg::COMMITS_OUT, &history.undone)] {
        if commits.is_empty() {
            continue;
        }
        session.out.line(fill!(lang, head, n = commits.len()));
        for c in commits.iter().take(SHOWN) {
            session.out.line(format!("  {} {}  {}", c.commit.short(), c.subject, c.author));
        }
        if commits.len() > SHOWN || history.more {
            session.out.line(format!("  {}", msg::AND_OLDER.get(lang)));
        }
    }
}

fn secrets(session: &Session, plan: &Preview) {
    let lang = session.lang;
    let head = [&msg::H_SECRET, &msg::H_VARIABLE, &msg::H_CHANGE, &msg::H_BEFORE, &msg::H_AFTER];
    let mut table = Table::new(&msg::head(lang, &head));
    for s in plan.secrets.iter().filter(|s| s.change != SecretChange::Same) {
        let version = |v: Option<i64>| v.map(|v| v.to_string()).unwrap_or_default();
        table.row(vec![
            s.name.to_string().into(),
            s.variable.as_str().into(),
            painted(s.change.paint(), s.change.say(lang)),
            version(s.running).into(),
            version(s.version).into(),
        ]);
    }
    if !table.is_empty() {
        session.out.table(&table);
    }
}
