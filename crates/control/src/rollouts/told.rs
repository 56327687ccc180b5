//! What happened in a rollout, in a sentence for each event.

use crate::{judging::outlook::Outlook, services};
use std::collections::BTreeMap;
use tradewind_api::v1::TimelineEntry;
use tradewind_model::{
    event::Event,
    fault::{Lang, Text},
    id::SiteName,
    rollout::{effect::Happened, reason::Reason, state::Phase},
};

/// A sentence for one event of a rollout.
///
/// `None` for a step in between: only the state moved on, to what is told when it is reached.
pub fn entry(e: &Event, lang: Lang) -> Option<TimelineEntry> {
    if e.fact.kind == "rollout.stepped" {
        return None;
    }
    let after = e.fact.after.clone().unwrap_or_default();
    let site: Option<SiteName> = after["site"].as_str().and_then(|s| s.parse().ok());
    let who = services::who(&e.fact.actor);
    let text = sentence(&e.fact.kind, &after, &who, lang);
    let figure = |name: &str| after[name].as_u64().and_then(|n| u32::try_from(n).ok());
    let wave = figure("wave").map(|n| n.saturating_add(1));
    let returned = e.fact.kind == "rollout.traffic_returned";
    let share = figure("share").or(returned.then_some(0));
    Some(TimelineEntry { at: e.at.into(), kind: e.fact.kind.clone(), site, wave, share, text })
}

fn sentence(kind: &str, after: &serde_json::Value, who: &str, lang: Lang) -> String {
    let mut tagged = after.clone();
    if let (Some(fields), Some(name)) = (tagged.as_object_mut(), kind.strip_prefix("rollout.")) {
        fields.insert("type".into(), name.into());
    }
    let release = after["release"].as_str().unwrap_or_default();
    let told = serde_json::from_value::<Happened>(tagged).ok();
    match (told, lang) {
        (Some(Happened::WaveStarted { wave, site, share }), Lang::En) => {
            format!("wave {} started: {site} to {} % on {release}", wave + 1, percent(share))
        }
        (Some(Happened::WaveStarted { wave, site, share }), Lang::Zh) => {
            format!("第 {} 波开始：{site} 将 {}% 交给 {release}", wave + 1, percent(share))
        }
        (Some(Happened::InstancesReady { site, instances }), Lang::En) => {
            let (s, are) = if instances == 1 { ("", "is") } else { ("s", "are") };
            format!("{instances} instance{s} of {release} {are} ready on {site}")
        }
        (Some(Happened::InstancesReady { site, instances }), Lang::Zh) => {
            format!("{site} 上 {release} 的 {instances} 个实例已就绪")
        }
        (Some(Happened::TrafficMoved { site, share }), Lang::En) => {
            format!("{} % of {site}'s traffic is on {release}", percent(share))
        }
        (Some(Happened::TrafficMoved { site, share }), Lang::Zh) => {
            format!("{site} 的 {}% 流量已在 {release}", percent(share))
        }
        (Some(Happened::ChangesWhole { site }), Lang::En) => {
            format!("{site} changes over whole: {release} divides its work otherwise than the release before")
        }
        (Some(Happened::ChangesWhole { site }), Lang::Zh) => {
            format!("{site} 整体切换：{release} 的工作划分与之前的版本不同")
        }
        (Some(Happened::ShardsMoved { site, share, shards }), Lang::En) => {
            format!("{shards} of {site}'s shards, {} %, are worked by {release}", percent(share))
        }
        (Some(Happened::ShardsMoved { site, share, shards }), Lang::Zh) => {
            format!("{site} 的 {shards} 个分片（{}%）已由 {release} 处理", percent(share))
        }
        (Some(Happened::Verified { site }), Lang::En) => format!("{release} is verified on {site}"),
        (Some(Happened::Verified { site }), Lang::Zh) => format!("{release} 在 {site} 上通过验证"),
        (Some(Happened::Promoted { wave, why, .. }), Lang::En) => {
            format!("wave {} is promoted by its evidence: {}", wave + 1, why.get(Lang::En))
        }
        (Some(Happened::Promoted { wave, why, .. }), Lang::Zh) => {
            format!("第 {} 波凭证据放行：{}", wave + 1, why.get(Lang::Zh))
        }
        (Some(Happened::Asks { wave, why, .. }), Lang::En) => {
            format!("wave {} waits for a person: {}", wave + 1, why.get(Lang::En))
        }
        (Some(Happened::Asks { wave, why, .. }), Lang::Zh) => {
            format!("第 {} 波等待人工决定：{}", wave + 1, why.get(Lang::Zh))
        }
        (Some(Happened::WentOn { wave, why, .. }), Lang::En) => {
            format!("wave {} went on without a verdict, as its spec says: {}", wave + 1, why.get(Lang::En))
        }
        (Some(Happened::WentOn { wave, why, .. }), Lang::Zh) => {
            format!("第 {} 波没有结论，按配置继续：{}", wave + 1, why.get(Lang::Zh))
        }
        (Some(Happened::WaveFinished { wave, .. }), Lang::En) => format!("wave {} finished", wave + 1),
        (Some(Happened::WaveFinished { wave, .. }), Lang::Zh) => format!("第 {} 波完成", wave + 1),
        (Some(Happened::WaveSkipped { wave, site, share, has }), Lang::En) => {
            let (share, has) = (percent(share), percent(has));
            format!("wave {} of {share} % is left out: {site} has {has} % on {release} already", wave + 1)
        }
        (Some(Happened::WaveSkipped { wave, site, share, has }), Lang::Zh) => {
            let (share, has) = (percent(share), percent(has));
            format!("跳过第 {} 波（{share}%）：{site} 已有 {has}% 在 {release}", wave + 1)
        }
        (Some(Happened::Returning { reason }), lang) => reason.what(lang),
        (Some(Happened::TrafficReturned { site }), Lang::En) => {
            format!("{site}'s traffic is back on the previous revision")
        }
        (Some(Happened::TrafficReturned { site }), Lang::Zh) => format!("{site} 的流量已回到之前的版本"),
        (Some(Happened::SiteReturned { site, remark }), lang) => {
            let back = match lang {
                Lang::En => format!("{site} is back on its previous revision"),
                Lang::Zh => format!("{site} 已回到之前的版本"),
            };
            remark.map_or(back.clone(), |r: Reason| format!("{back}{}{}", semicolon(lang), r.what(lang)))
        }
        (Some(Happened::Finished { phase, reason }), lang) => {
            let end = match (phase, lang) {
                (Phase::Completed, Lang::En) => format!("{release} is live"),
                (Phase::Completed, Lang::Zh) => format!("{release} 已上线"),
                (_, Lang::En) => phase.as_str().to_owned(),
                (Phase::Failed, Lang::Zh) => "已失败".into(),
                (Phase::Aborted, Lang::Zh) => "已中止".into(),
                (Phase::Superseded, Lang::Zh) => "已被取代".into(),
                (Phase::Queued | Phase::Running | Phase::Returning, Lang::Zh) => phase.as_str().to_owned(),
            };
            reason.map_or(end.clone(), |r| format!("{end}{}{}", colon(lang), r.what(lang)))
        }
        (None, lang) => plain(kind, after, release, who, lang),
    }
}

/// Facts that are not decisions: wishes and interventions.
fn plain(kind: &str, after: &serde_json::Value, release: &str, who: &str, lang: Lang) -> String {
    let known: BTreeMap<&str, Text> = [
        ("rollout.requested", Text { en: "requested", zh: "已请求" }),
        ("rollout.begun", Text { en: "begun", zh: "已开始" }),
        ("rollout.paused", Text { en: "{who} paused it", zh: "{who} 已暂停" }),
        ("rollout.resumed", Text { en: "{who} lets it go on", zh: "{who} 已继续" }),
        ("rollout.promote_requested", Text { en: "{who} lets {wave} go on", zh: "{who} 放行{wave}" }),
        (
            "rollout.share_set",
            Text {
                en: "{who} changes the share of {wave} from {from} % to {to} %",
                zh: "{who} 将{wave}的份额从 {from}% 改为 {to}%",
            },
        ),
        ("rollout.abort_requested", Text { en: "{who} takes it back", zh: "{who} 请求退回" }),
        ("rollout.superseded", Text { en: "superseded by a rollback", zh: "被回滚取代" }),
    ]
    .into();
    let share = |name: &str| after[name].as_u64().and_then(|n| u32::try_from(n).ok()).map_or(0.0, percent).to_string();
    let wave = match (after["wave"].as_u64(), lang) {
        (Some(n), Lang::En) => format!("wave {}", n + 1),
        (Some(n), Lang::Zh) => format!("第 {} 波", n + 1),
        (None, Lang::En) => "the wave".into(),
        (None, Lang::Zh) => "这一波".into(),
    };
    let args = [("who", who), ("wave", &wave), ("from", &share("from")), ("to", &share("share"))];
    let word = known.get(kind).map_or_else(|| kind.to_owned(), |text| text.fill(lang, &args));
    let why = after["reason"].as_str().or_else(|| after["note"].as_str()).filter(|why| !why.is_empty());
    match (why, kind) {
        (Some(why), _) => format!("{word}{}{why}", colon(lang)),
        (None, "rollout.begun") if !after["outlook"].is_null() => {
            let outlook =
                serde_json::from_value::<Outlook>(after["outlook"].clone()).map(|o| o.text.get(lang).to_owned());
            format!("{release}{}{word}{}{}", colon(lang), semicolon(lang), outlook.unwrap_or_default())
        }
        (None, "rollout.requested" | "rollout.begun") => format!("{release}{}{word}", colon(lang)),
        (None, _) => word,
    }
}

/// Of basis points.
fn percent(share: u32) -> f64 {
    f64::from(share) / 100.0
}

pub fn colon(lang: Lang) -> &'static str {
    match lang {
        Lang::En => ": ",
        Lang::Zh => "：",
    }
}

pub fn semicolon(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "; ",
        Lang::Zh => "；",
    }
}
