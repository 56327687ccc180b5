//! What instances write, asked for from their hosts.

use crate::{
    App,
    http::{
        Params, Permission, Query, Refusal, Route,
        layers::RequestInfo,
        sse::{self, LastEventId, Update},
    },
};
use axum::{Extension, extract::State, response::Response};
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream, SelectAll},
};
use serde::Deserialize;
use tradewind_api::v1::{LogLine, LogUpdate, Scope};
use tradewind_control::{Ctx, Error, services};
use tradewind_model::{
    fault::{Lang, Text},
    id::{EnvName, HostId, InstanceId, ServiceName, SiteName},
    protocol::agent as wire,
    time::Timestamp,
};
use tradewind_store::rows;

const MOST_LINES: u64 = 10_000;

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
        Route::get("/api/v1/services/{service}/logs", Permission::Scope(Scope::Read), "read_logs", read)
            .about("Services", "The last lines of every instance in an environment and, with `follow`, what comes")
            .required_query("env", "string", "The environment")
            .query("site", "string", "Only of this site")
            .query("tail", "integer", "Lines of each instance: 0 to 10,000, 100 when left out")
            .query("follow", "boolean", "Go on with what comes")
            .streams::<LogUpdate>(),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogQuery {
    env: EnvName,
    site: Option<SiteName>,
    tail: Option<u64>,
    #[serde(default)]
    follow: bool,
}

async fn read(
    State(app): State<App>,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
    Query(q): Query<LogQuery>,
    LastEventId(last): LastEventId,
) -> Result<Response, Refusal> {
    let found = locate(&app.ctx, &service, &q.env, q.site.as_ref()).await?;
    // Lines up to here were seen before the connection broke.
    let seen = last.and_then(|id| id.parse().ok()).map_or(Timestamp(i64::MIN), Timestamp);
    let tail = q.tail.unwrap_or(100).min(MOST_LINES);
    let mut all = SelectAll::new();
    for one in found {
        all.push(instance(&app.ctx, one, tail, q.follow, info.lang).await);
    }
    let updates = if q.follow { all.flat_map(stream::iter).boxed() } else { sorted(all).boxed() };
    let fresh = updates.filter(move |u| {
        let keep = match u {
            LogUpdate::Line(line) => line.at.0 > seen,
            LogUpdate::Notice { .. } => true,
        };
        std::future::ready(keep)
    });
    let told = fresh.map(|data| {
        let id = match &data {
            LogUpdate::Line(line) => Some(line.at.0.0.to_string()),
            LogUpdate::Notice { .. } => None,
        };
        Update::Data { id, data }
    });
    Ok(sse::respond(told.chain(stream::iter([Update::End])), app.stop.clone()))
}

/// An instance, and where it is.
struct Located {
    id: InstanceId,
    site: SiteName,
    label: String,
    host: HostId,
    host_name: String,
}

async fn locate(
    ctx: &Ctx,
    service: &ServiceName,
    env: &EnvName,
    site: Option<&SiteName>,
) -> Result<Vec<Located>, Error> {
    let mut r = ctx.store.read().await?;
    services::get(&mut r, service).await?;
    let mut found = Vec::new();
    for place in rows::places::list(&mut r, Some(service)).await? {
        let place = place.place;
        if place.env != *env || site.is_some_and(|s| *s != place.site) {
            continue;
        }
        for instance in rows::instances::of_place(&mut r, &place).await? {
            found.push(Located {
                id: instance.id,
                site: place.site.clone(),
                label: rows::revisions::get(&mut r, instance.revision).await?.label,
                host: instance.host,
                host_name: rows::hosts::get(&mut r, instance.host).await?.name,
            });
        }
    }
    Ok(found)
}

/// Everything there is, in the order it was written.
fn sorted(all: SelectAll<BoxStream<'static, Vec<LogUpdate>>>) -> impl stream::Stream<Item = LogUpdate> + Send {
    let gathered = async move {
        let mut lines: Vec<LogUpdate> = all.concat().await;
        lines.sort_by_key(|u| match u {
            LogUpdate::Line(line) => line.at.0,
            LogUpdate::Notice { .. } => Timestamp(i64::MAX),
        });
        stream::iter(lines)
    };
    stream::once(gathered).flatten()
}

/// One instance's lines, as batches.
async fn instance(ctx: &Ctx, one: Located, tail: u64, follow: bool, lang: Lang) -> BoxStream<'static, Vec<LogUpdate>> {
    let Some((request, lines)) = ctx.agents.read_log(one.host, one.id, tail, follow).await else {
        return stream::iter([vec![notice(&AWAY, &one, lang)]]).boxed();
    };
    let reading = Reading { ctx: ctx.clone(), host: one.host, request };
    stream::unfold(Some((lines, one, reading)), move |state| async move {
        let (mut lines, one, reading) = state?;
        Some(match lines.recv().await {
            Some((batch, done)) => {
                let told = batch.into_iter().map(|l| LogUpdate::Line(line(l, &one))).collect();
                (told, (!done).then_some((lines, one, reading)))
            }
            None => (vec![notice(&LOST, &one, lang)], None),
        })
    })
    .boxed()
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

fn notice(text: &Text, one: &Located, lang: Lang) -> LogUpdate {
    let id = one.id.to_string();
    let args = [("instance", id.as_str()), ("label", one.label.as_str()), ("host", one.host_name.as_str())];
    LogUpdate::Notice { text: text.fill(lang, &args) }
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
