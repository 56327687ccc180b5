//! Metrics pages as services have them, and what is found on them.

use tradewind_agent::scrape::{
    parse::Page,
    pick::{MOST_SERIES, Picked, pick},
};
use tradewind_model::{
    fault::Lang,
    protocol::scrape::{MetricKind, Read, ScrapedMetric, Series},
    said::Said,
};

const PYTHON: &str = include_str!("pages/python.txt");
const GO: &str = include_str!("pages/go.txt");
const NODE: &str = include_str!("pages/node.txt");
const OPENMETRICS: &str = include_str!("pages/openmetrics.txt");

pub fn series(name: &str, labels: &[(&str, &str)]) -> Series {
    Series { name: name.into(), labels: labels.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect() }
}

pub fn metric(kind: MetricKind, read: Read) -> ScrapedMetric {
    ScrapedMetric { name: "it".into(), kind, read, required: true }
}

pub fn errors(count: Series, of: Series) -> ScrapedMetric {
    metric(MetricKind::Error, Read::Counters { count, of: Some(of) })
}

pub fn orders(count: Series) -> ScrapedMetric {
    metric(MetricKind::Business, Read::Counters { count, of: None })
}

pub fn slow(series: Series, bound_ms: u32) -> ScrapedMetric {
    metric(MetricKind::Latency, Read::Histogram { series, bound_ms })
}

fn picked(page: &str, metric: &ScrapedMetric) -> Result<Picked, Said> {
    pick(&Page::parse(page).unwrap(), metric, false)
}

/// `(n, x)` over all series, where nothing is missing.
fn sums(page: &str, metric: &ScrapedMetric) -> (u64, u64) {
    let picked = picked(page, metric).unwrap();
    assert_eq!((&picked.missing, picked.held), (&None, false));
    picked.counts.values().fold((0, 0), |(n, x), c| (n + c.n, x + c.x))
}

#[test]
fn what_is_judged_is_found_on_pages_of_every_make() {
    let sync = |labels: &[(&str, &str)]| series("sync_total", labels);
    assert_eq!(sums(PYTHON, &errors(sync(&[("status", "failed")]), sync(&[]))), (2_003, 3));
    let br = [("shop", "虾皮 \"BR\"\\1")];
    assert_eq!(sums(PYTHON, &errors(sync(&br), sync(&br))), (800, 800));
    assert_eq!(sums(PYTHON, &orders(series("orders_total", &[]))), (0, 1_043));
    assert_eq!(sums(PYTHON, &slow(series("sync_seconds", &[]), 5_000)), (2_003, 9));
    assert_eq!(sums(PYTHON, &slow(series("sync_seconds", &[("shop", "br")]), 500)), (800, 100));

    let requests = |labels: &[(&str, &str)]| series("http_requests_total", labels);
    assert_eq!(sums(GO, &errors(requests(&[("code", "500")]), requests(&[]))), (150_948, 10));
    assert_eq!(sums(GO, &slow(series("http_request_duration_seconds", &[]), 2_500)), (150_948, 614));
    // The parts of a summary are counters, too.
    assert_eq!(sums(GO, &orders(series("go_gc_duration_seconds_count", &[]))), (0, 12));

    assert_eq!(sums(NODE, &orders(series("node_cpu_seconds_total", &[("cpu", "0")]))), (0, 362_812 + 71_003));
    assert_eq!(sums(OPENMETRICS, &orders(series("sync_total", &[("shop", "br")]))), (0, 17));
    assert_eq!(sums(OPENMETRICS, &slow(series("sync_seconds", &[]), 1_000)), (17, 6));
    assert_eq!(sums(OPENMETRICS, &orders(series("cache.hits_total", &[]))), (0, 3));
}

#[test]
fn what_is_no_counter_is_refused_and_said() {
    let many: String = (0..=MOST_SERIES).map(|n| format!("many_total{{n=\"{n}\"}} 1\n")).collect();
    let wrong = [
        picked(PYTHON, &orders(series("process_virtual_memory_bytes", &[]))),
        picked(PYTHON, &slow(series("sync_seconds", &[]), 2_000)),
        picked(GO, &slow(series("go_gc_duration_seconds", &[]), 1_000)),
        picked(NODE, &orders(series("node_network_receive_errs_total", &[]))),
        picked(NODE, &orders(series("node_big_total", &[]))),
        picked(NODE, &orders(series("node_odd_total", &[]))),
        picked(NODE, &orders(series("node_twice_total", &[]))),
        picked(&many, &orders(series("many_total", &[]))),
    ];
    let said = wrong.map(|w| {
        let said = w.unwrap_err();
        [said.get(Lang::En).to_owned(), said.get(Lang::Zh).to_owned()]
    });
    insta::assert_json_snapshot!("refused_series", said);
    assert_eq!(sums(NODE, &orders(series("node_network_receive_errs_total", &[("device", "eth0")]))), (0, 0));
}

#[test]
fn what_is_not_there_is_said_and_is_no_good_news() {
    let none = series("nothing_total", &[]);
    let all = series("sync_total", &[]);
    let asked = [
        // Named on the page, or under other labels: it is 0.
        errors(series("refunds_total", &[]), all.clone()),
        errors(series("sync_total", &[("status", "lost")]), all.clone()),
        // Not named at all: it may be called otherwise, be it errors or orders.
        errors(none.clone(), all.clone()),
        orders(none.clone()),
        errors(all.clone(), none),
        errors(all, series("refunds_total", &[])),
        slow(series("nothing_seconds", &[]), 1_000),
        slow(series("sync_seconds", &[("shop", "nowhere")]), 1_000),
    ];
    let said = asked.map(|m| {
        let Picked { missing, held, .. } = picked(PYTHON, &m).unwrap();
        let missing = missing.unwrap();
        (held, [missing.get(Lang::En).to_owned(), missing.get(Lang::Zh).to_owned()])
    });
    insta::assert_json_snapshot!("missing_series", said);
    let refunds = orders(series("refunds_total", &[]));
    assert!(!picked(OPENMETRICS, &refunds).unwrap().held, "it is named, and has none so far");
    // What was there once is missing, whether or not the page still names it.
    for gone in [errors(series("refunds_total", &[]), series("sync_total", &[])), orders(series("nothing_total", &[]))]
    {
        let Picked { missing, held, shown, .. } = pick(&Page::parse(PYTHON).unwrap(), &gone, true).unwrap();
        assert!(held && !shown && missing.unwrap().get(Lang::En).contains("any more"));
    }
}
