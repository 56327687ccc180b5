//! What a spec says of the service's own counters: where they are read, and which of them are judged.

use super::{
    Run, check, defaults, faults,
    keys::{KEYS, children},
    read::{Field, Notes, Section, listed},
    values,
};
use crate::{
    protocol::scrape::{MOST_METRICS, MetricKind, Read, Scrape, ScrapedMetric, Series},
    workload::{Port, ServiceKind},
};
use std::collections::BTreeMap;

const KINDS: [(&str, MetricKind); 3] =
    [("error", MetricKind::Error), ("latency", MetricKind::Latency), ("business", MetricKind::Business)];
const OF_COUNTERS: [&str; 3] = ["count", "of", "of_labels"];
const OF_HISTOGRAMS: [&str; 2] = ["histogram", "bound"];
const LONGEST_NAME: usize = 60;

/// `None` only with something noted.
pub(super) fn read(field: &Field<'_>, notes: &mut Notes) -> Option<Scrape> {
    let section = field.section(notes)?;
    let url = |text: &str| values::is_url_path(text).then(|| text.to_owned());
    let path =
        section.read("path", defaults::METRICS_PATH.to_owned(), notes, |f, n| f.parsed(&faults::BAD_URL_PATH, url, n));
    let every = section.read("interval", defaults::METRICS_INTERVAL_MS, notes, |f, n| f.duration(1_000..=300_000, n));
    let example = "orders: { kind: business, count: orders_total }";
    let metrics = section.require("judge", example, notes).and_then(|f| judged(&f, notes));
    Some(Scrape { path: path?, every_ms: every?, metrics: metrics? })
}

fn judged(field: &Field<'_>, notes: &mut Notes) -> Option<Vec<ScrapedMetric>> {
    let entries = field.named_entries(notes);
    if entries.len() > MOST_METRICS {
        notes.add(field.wrong(&faults::METRICS_MANY).with("most", MOST_METRICS));
    }
    if field.node.as_mapping().is_some_and(|m| m.entries.is_empty()) {
        let fault = field.node.fault(&faults::MISSING_KEY).with("key", "metrics.judge.NAME");
        notes.add(fault.with("example", "orders: { kind: business, count: orders_total }"));
    }
    let mut metrics = Vec::new();
    for (key, value) in &entries {
        if !is_name(key.as_str()) {
            notes.add(key.fault(&faults::METRIC_NAME).with("found", format!("`{}`", key.as_str())));
        }
        metrics.extend(metric(key.as_str(), value, notes));
    }
    (metrics.len() == entries.len()).then_some(metrics)
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.chars().count()) && text.trim() == text && !text.chars().any(char::is_control)
}

fn metric(name: &str, field: &Field<'_>, notes: &mut Notes) -> Option<ScrapedMetric> {
    let section = field.section(notes)?;
    let kind = section.require("kind", "kind: error", notes).and_then(|f| f.choice(&KINDS, notes));
    let required = section.get("required").map(|f| f.flag(notes));
    let required = required.unwrap_or(Some(kind != Some(MetricKind::Business)));
    let kind = kind?;
    let read = match kind {
        MetricKind::Error | MetricKind::Business => {
            unsuited(&section, kind, &OF_HISTOGRAMS, notes);
            counters(&section, notes)
        }
        MetricKind::Latency => {
            unsuited(&section, kind, &OF_COUNTERS, notes);
            histogram(&section, notes)
        }
    };
    Some(ScrapedMetric { name: name.to_owned(), kind, read: read?, required: required? })
}

/// Notes the keys that only another kind of metric has.
fn unsuited(section: &Section<'_>, kind: MetricKind, others: &[&str], notes: &mut Notes) {
    let known = children(KEYS, "metrics.judge.*").filter(|key| !others.contains(key));
    let word = KINDS.iter().find(|(_, k)| *k == kind).map_or("", |(word, _)| word);
    for field in others.iter().filter_map(|key| section.get(key)) {
        notes.add(field.wrong(&faults::METRIC_FORM).with("kind", word).with("known", listed(known.clone())));
    }
}

fn counters(section: &Section<'_>, notes: &mut Notes) -> Option<Read> {
    let count = section.require("count", "count: orders_total", notes).and_then(|f| series(&f, notes));
    let count_labels = section.read("labels", BTreeMap::new(), notes, labels);
    let of_labels = section.read("of_labels", BTreeMap::new(), notes, labels);
    let of = match section.get("of") {
        Some(field) => series(&field, notes).map(Some),
        None if section.get("of_labels").is_some() => {
            section.require("of", "of: sessions_total", notes);
            None
        }
        None => Some(None),
    };
    let (count, of, of_labels) = (Series { name: count?, labels: count_labels? }, of?, of_labels?);
    Some(Read::Counters { count, of: of.map(|name| Series { name, labels: of_labels }) })
}

fn histogram(section: &Section<'_>, notes: &mut Notes) -> Option<Read> {
    let name = section.require("histogram", "histogram: sync_seconds", notes).and_then(|f| series(&f, notes));
    let with = section.get("labels");
    let labels = section.read("labels", BTreeMap::new(), notes, labels);
    for (key, field) in with.iter().flat_map(|f| f.named_entries(&mut Notes::default())) {
        if key.as_str() == "le" {
            notes.add(field.wrong(&faults::LABEL_LE));
        }
    }
    let bound = section.require("bound", "bound: 5s", notes).and_then(|f| f.duration(1..=600_000, notes));
    let bound_ms = u32::try_from(bound?).ok()?;
    Some(Read::Histogram { series: Series { name: name?, labels: labels? }, bound_ms })
}

fn series(field: &Field<'_>, notes: &mut Notes) -> Option<String> {
    field.parsed(&faults::BAD_SERIES, |text| values::is_series(text).then(|| text.to_owned()), notes)
}

fn labels(field: &Field<'_>, notes: &mut Notes) -> Option<BTreeMap<String, String>> {
    let mut out = BTreeMap::new();
    let entries = field.named_entries(notes);
    for (key, value) in &entries {
        if !values::is_variable(key.as_str()) {
            let fault = key.fault(&faults::BAD_LABEL).with("key", &field.path);
            notes.add(fault.with("found", format!("`{}`", key.as_str())));
            continue;
        }
        if let Some(text) = value.text(notes) {
            out.insert(key.as_str().to_owned(), text.to_owned());
        }
    }
    (out.len() == entries.len()).then_some(out)
}

/// What has to hold between them and the rest of the spec.
pub(super) fn check(top: &Section<'_>, kind: ServiceKind, run: Option<&Run>, notes: &mut Notes) {
    let Some(field) = top.get("metrics") else { return };
    match kind {
        ServiceKind::Web | ServiceKind::Worker => {}
        // They are refused as a whole.
        ServiceKind::Cron => return,
    }
    if kind == ServiceKind::Worker && run.is_some_and(|run| run.port == Port::None) {
        notes.add(field.wrong(&faults::METRICS_NEED_PORT));
    }
    let quiet = &mut Notes::default();
    let judge = field.section(quiet).and_then(|section| section.get("judge"));
    for (key, value) in judge.map(|f| f.named_entries(quiet)).unwrap_or_default() {
        let name = key.as_str();
        if kind == ServiceKind::Web && (name == "errors" || name.starts_with("slower_than_")) {
            notes.add(key.fault(&faults::METRIC_TAKEN).with("found", name));
        }
        let Some(section) = value.section(quiet).filter(|_| kind == ServiceKind::Worker) else { continue };
        let counts = section.get("count").is_some();
        if counts && ["of", "of_labels"].iter().all(|key| section.get(key).is_none()) {
            notes.add(value.wrong(&faults::OF_NEEDED).with("kind", check::word(kind)));
        }
    }
}
