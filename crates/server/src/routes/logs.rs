//! What instances write, asked for from their hosts.

use crate::{
    auth::Scoped,
    http::{
        Params, Permission, Query, Refusal, Route,
        layers::RequestInfo,
        sse::{self, LastEventId, Update},
    },
};
use axum::{Extension, response::Response};
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream, SelectAll, Stream},
};
use serde::Deserialize;
use std::{
    cmp::Ordering,
    collections::{HashMap, VecDeque},
    time::Duration,
};
use tokio::{sync::watch, time::MissedTickBehavior};
use tradewind_api::v1::{LogLine, LogUpdate};
use tradewind_control::{Ctx, Error, releases, services};
use tradewind_model::{
    access::{Action, Subject},
    fault::{Lang, Text},
    id::{Digest, EnvName, HostId, InstanceId, ServiceName, SiteName},
    protocol::agent as wire,
    time::Timestamp,
};
use tradewind_store::rows;

const MOST_LINES: u64 = 10_000;
/// A follower sees instances that are new, or back, no later than this.
const LOOK_EVERY: Duration = Duration::from_secs(2);

const AWAY: Text = Text {
    en: "instance {instance} ({label}): its host {host} is not connected, so its log cannot be read now",
    zh: "实例 {instance}（{label}）：主机 {host} 未连接，暂时无法读取其日志",
};
const LOST: Text = Text {
    en: "instance {instance} ({label}): the connection to its host {host} broke, so lines may be missing",
    zh: "实例 {instance}（{label}）：与主机 {host} 的连接中断，可能缺少部分日志",
};

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/services/{service}/logs", Permission::May(Action::ReadLogs), "read_logs", read)
            .about("Services", "The last lines of every instance in an environment and, with `follow`, what comes")
            .required_query("env", "string", "The environment")
            .query("site", "string", "Only of this site")
            .query(
                "release",
                "string",
                "Only of this release (label or digest), and of its instances that ended within a day",
            )
            .query("tail", "integer", "Lines of each instance: 0 to 10,000, 100 when left out")
            .query("follow", "boolean", "Go on with what comes, of instances that start later too")
            .streams::<LogUpdate>(),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogQuery {
    env: EnvName,
    site: Option<SiteName>,
    release: Option<String>,
    tail: Option<u64>,
    #[serde(default)]
    follow: bool,
}

async fn read(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
    Query(q): Query<LogQuery>,
    LastEventId(last): LastEventId,
) -> Result<Response, Refusal> {
    let release = match q.release {
        Some(name) => Some(releases::named(&mut app.store.read().await?, &service, &name).await?.digest),
        None => None,
    };
    let scope = Where { service, env: q.env, site: q.site, release };
    let found = scope.instances(&app.ctx).await?;
    // Lines before this were seen on the connection that broke; of the same time, better twice than not at all.
    let seen = last.and_then(|id| id.parse().ok()).map_or(Timestamp(i64::MIN), Timestamp);
    let tail = q.tail.unwrap_or(100).min(MOST_LINES);
    let reader = Reader { ctx: app.ctx.clone(), tail, follow: q.follow, lang: info.lang, seen };
    let told = if q.follow { reader.follow(scope, found).boxed() } else { reader.once(found).boxed() };
    let updates = told.map(|data| {
        let id = match &data {
            LogUpdate::Line(line) => Some(line.at.0.0.to_string()),
            LogUpdate::Notice { .. } => None,
        };
        Update::Data { id, data }
    });
    Ok(sse::respond(updates.chain(stream::iter([Update::End])), app.stop.clone()))
}

/// Whose instances.
struct Where {
    service: ServiceName,
    env: EnvName,
    site: Option<SiteName>,
    release: Option<Digest>,
}

/// An instance, and where it is.
#[derive(Clone)]
struct Located {
    id: InstanceId,
    site: SiteName,
    label: String,
    host: HostId,
    host_name: String,
}

impl Where {
    async fn instances(&self, ctx: &Ctx) -> Result<Vec<Located>, Error> {
        let mut r = ctx.store.read().await?;
        services::get(&mut r, &self.service).await?;
        let since = ctx.store.now().minus(wire::LOG_KEPT);
        let mut found = Vec::new();
        for place in rows::places::list(&mut r, Some(&self.service)).await? {
            let place = place.place;
            if place.env != self.env || self.site.as_ref().is_some_and(|s| *s != place.site) {
                continue;
            }
            if !ctx.sight.may(Action::ReadLogs, &Subject::place(&place)) {
                continue;
            }
            let instances = match self.release {
                Some(_) => rows::instances::of_place_since(&mut r, &place, since).await?,
                None => rows::instances::of_place(&mut r, &place).await?,
            };
            for instance in instances {
                let revision = rows::revisions::get(&mut r, instance.revision).await?;
                if self.release.is_some_and(|release| revision.release != release) {
                    continue;
                }
                found.push(Located {
                    id: instance.id,
                    site: place.site.clone(),
                    label: revision.label,
                    host: instance.host,
                    host_name: rows::hosts::get(&mut r, instance.host).await?.name,
                });
            }
        }
        Ok(found)
    }
}

/// What a host sent of one instance, or that it does not send any more.
enum Heard {
    Lines(Located, Vec<wire::LogLine>),
    Lost(Located),
}

struct Reader {
    ctx: Ctx,
    tail: u64,
    follow: bool,
    lang: Lang,
    /// Lines before this are not told.
    seen: Timestamp,
}

impl Reader {
    /// Everything there is, in the order it was written.
    fn once(self, found: Vec<Located>) -> impl Stream<Item = LogUpdate> + Send {
        let gathered = async move {
            let (mut lines, mut notices) = (Vec::new(), Vec::new());
            let mut all = SelectAll::new();
            for one in found {
                match self.open(&one).await {
                    Some(stream) => all.push(stream),
                    None => notices.push(self.notice(&AWAY, &one)),
                }
            }
            while let Some(heard) = all.next().await {
                match heard {
                    Heard::Lines(one, batch) => lines.extend(batch.into_iter().map(|l| line(l, &one))),
                    Heard::Lost(one) => notices.push(self.notice(&LOST, &one)),
                }
            }
            lines.retain(|l| l.at.0 >= self.seen);
            lines.sort_by_key(|l| l.at);
            stream::iter(lines.into_iter().map(LogUpdate::Line).chain(notices))
        };
        stream::once(gathered).flatten()
    }

    fn follow(self, scope: Where, found: Vec<Located>) -> impl Stream<Item = LogUpdate> + Send {
        let (commits, agents) = (self.ctx.store.commits(), self.ctx.agents.watch());
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (all, known, ready) = (SelectAll::new(), HashMap::new(), VecDeque::new());
        let following = Following { reader: self, scope, commits, agents, look, all, known, ready };
        stream::unfold((following, Some(found)), |(mut following, found)| async move {
            if let Some(found) = found {
                following.open(found).await;
            }
            let next = following.next().await;
            Some((next, (following, None)))
        })
    }

    /// One instance's lines; none where its host is not connected.
    async fn open(&self, one: &Located) -> Option<BoxStream<'static, Heard>> {
        let (request, lines) = self.ctx.agents.read_log(one.host, one.id, self.tail, self.follow).await?;
        let reading = Reading { ctx: self.ctx.clone(), host: one.host, request };
        let state = Some((lines, one.clone(), reading));
        let heard = stream::unfold(state, |state| async move {
            let (mut lines, one, reading) = state?;
            Some(match lines.recv().await {
                Some((batch, true)) => (Heard::Lines(one, batch), None),
                Some((batch, false)) => (Heard::Lines(one.clone(), batch), Some((lines, one, reading))),
                None => (Heard::Lost(one), None),
            })
        });
        Some(heard.boxed())
    }

    fn notice(&self, text: &Text, one: &Located) -> LogUpdate {
        let id = one.id.to_string();
        let args = [("instance", id.as_str()), ("label", one.label.as_str()), ("host", one.host_name.as_str())];
        LogUpdate::Notice { text: text.fill(self.lang, &args) }
    }
}

/// A follower's view: instances come, go, and are lost sight of.
struct Following {
    reader: Reader,
    scope: Where,
    commits: watch::Receiver<u64>,
    agents: watch::Receiver<u64>,
    look: tokio::time::Interval,
    all: SelectAll<BoxStream<'static, Heard>>,
    known: HashMap<InstanceId, Told>,
    ready: VecDeque<LogUpdate>,
}

/// What was told of an instance.
struct Told {
    reading: bool,
    /// The last line's time, and how many lines had it.
    last: (Timestamp, u32),
    /// In a log that was opened again: what `last` was then.
    before: Option<(Timestamp, u32)>,
}

impl Told {
    fn is_new(&mut self, at: Timestamp) -> bool {
        if let Some((last, same)) = &mut self.before {
            match at.cmp(last) {
                Ordering::Less => return false,
                Ordering::Equal if *same > 0 => {
                    *same -= 1;
                    return false;
                }
                Ordering::Equal | Ordering::Greater => self.before = None,
            }
        }
        self.last = if at == self.last.0 { (at, self.last.1 + 1) } else { (at, 1) };
        true
    }
}

impl Following {
    async fn next(&mut self) -> LogUpdate {
        loop {
            if let Some(update) = self.ready.pop_front() {
                return update;
            }
            tokio::select! {
                Some(heard) = self.all.next() => self.hear(heard),
                _ = self.look.tick() => self.look_again().await,
            }
        }
    }

    /// Instances may have changed when something was committed, or an agent came.
    async fn look_again(&mut self) {
        let changed = |w: &watch::Receiver<u64>| w.has_changed().unwrap_or(false);
        if !changed(&self.commits) && !changed(&self.agents) {
            return;
        }
        self.commits.mark_unchanged();
        self.agents.mark_unchanged();
        match self.scope.instances(&self.reader.ctx).await {
            Ok(found) => self.open(found).await,
            Err(error) => tracing::warn!(%error, "instances could not be looked up"),
        }
    }

    async fn open(&mut self, found: Vec<Located>) {
        for one in found {
            let first = !self.known.contains_key(&one.id);
            let new = || Told { reading: false, last: (self.reader.seen, 0), before: None };
            let told = self.known.entry(one.id).or_insert_with(new);
            if told.reading {
                continue;
            }
            match self.reader.open(&one).await {
                Some(stream) => {
                    told.reading = true;
                    told.before = Some(told.last);
                    self.all.push(stream);
                }
                None if first => self.ready.push_back(self.reader.notice(&AWAY, &one)),
                None => {}
            }
        }
    }

    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Lines(one, batch) => {
                let Some(told) = self.known.get_mut(&one.id) else { return };
                let new = batch.into_iter().filter(|l| told.is_new(l.at));
                self.ready.extend(new.map(|l| LogUpdate::Line(line(l, &one))));
            }
            Heard::Lost(one) => {
                if let Some(told) = self.known.get_mut(&one.id) {
                    told.reading = false;
                }
                self.ready.push_back(self.reader.notice(&LOST, &one));
            }
        }
    }
}

fn line(l: wire::LogLine, one: &Located) -> LogLine {
    LogLine {
        at: l.at.into(),
        instance: one.id,
        site: one.site.clone(),
        label: one.label.clone(),
        stream: l.stream.into(),
        text: l.text,
    }
}

/// Tells the agent to stop when the reader goes away.
struct Reading {
    ctx: Ctx,
    host: HostId,
    request: u64,
}

impl Drop for Reading {
    fn drop(&mut self) {
        let (ctx, host, request) = (self.ctx.clone(), self.host, self.request);
        tokio::spawn(async move { ctx.agents.stop_log(host, request).await });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_opened_again_is_told_on_where_it_broke_off_even_within_one_microsecond() {
        let lines = [5, 5, 7, 7, 7, 9].map(Timestamp);
        for cut in 0..=lines.len() {
            let mut told = Told { reading: true, last: (Timestamp(0), 0), before: None };
            let first = lines[..cut].iter().filter(|at| told.is_new(**at)).count();
            told.before = Some(told.last);
            let second = lines.iter().filter(|at| told.is_new(**at)).count();
            assert_eq!((first, second), (cut, lines.len() - cut));
        }
    }
}
