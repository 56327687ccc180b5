//! What Prometheus reads. Durations in seconds, counts since the worker began.

use crate::{counters::Counters, proxy::Proxy, switch::Switch, tls::Tls};
use std::{
    fmt::{Display, Write},
    sync::atomic::Ordering::Relaxed,
};
use tradewind_model::protocol::edge::{LATENCY_BOUNDS, SplitStats, TargetStats};

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The text format, version 0.0.4.
pub fn page(proxy: &Proxy, switch: &Switch, targets: &[TargetStats], tls: &Tls) -> String {
    let splits = switch.split_stats();
    let mut page = Page(String::with_capacity(4_096));

    page.family("requests_total", "counter", "Requests answered, by route, revision and class of the answer.");
    for s in &splits {
        for (class, n) in CLASSES.iter().zip(s.responses) {
            page.sample("requests_total", &format!("{},code=\"{class}\"", labels(s)), n);
        }
    }
    page.family("assigned_total", "counter", "Requests assigned to a revision.");
    for s in &splits {
        page.sample("assigned_total", &labels(s), s.requests);
    }
    page.family("request_duration_seconds", "histogram", "From a request's head to its answer's head.");
    for s in &splits {
        let labels = labels(s);
        let mut sum = 0;
        let bounds = LATENCY_BOUNDS.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
        for (bound, n) in bounds.zip(&s.latency) {
            sum += n;
            page.sample("request_duration_seconds_bucket", &format!("{labels},le=\"{bound}\""), sum);
        }
        page.sample("request_duration_seconds_sum", &labels, s.latency_sum_us as f64 / 1e6);
        page.sample("request_duration_seconds_count", &labels, sum);
    }
    page.family("upstream_failures_total", "counter", "Instances that gave no whole answer, by cause.");
    for s in &splits {
        for (cause, n) in &s.upstream_failures {
            page.sample("upstream_failures_total", &format!("{},cause=\"{cause}\"", labels(s)), n);
        }
    }
    page.family("client_aborts_total", "counter", "Clients that went away before their answer was whole.");
    for s in &splits {
        page.sample("client_aborts_total", &labels(s), s.client_aborts);
    }
    let mut counted = |name: &str, help: &str, read: fn(&Counters) -> u64| {
        page.family(name, "counter", help);
        for c in switch.counters() {
            page.sample(name, &labels(&c.snapshot()), read(c));
        }
    };
    counted("retries_total", "Requests sent again because not one byte of them had been.", Counters::retries);
    counted("drain_cut_total", "Requests closed because the drain time of their instance was over.", Counters::cuts);
    counted(
        "spilled_total",
        "Requests that went to another revision because theirs had no instance.",
        Counters::spills,
    );
    page.family("in_flight", "gauge", "Requests in flight, by instance.");
    for t in targets {
        page.sample("in_flight", &format!("instance=\"{}\",draining=\"{}\"", t.instance, t.draining), t.in_flight);
    }
    page.family("instance_healthy", "gauge", "1 when an instance passes the edge's checks.");
    for t in targets {
        page.sample("instance_healthy", &format!("instance=\"{}\"", t.instance), u8::from(t.healthy));
    }
    page.family("held", "gauge", "Requests that wait for a paused route.");
    for r in &proxy.live().routes {
        page.sample("held", &format!("route=\"{}\"", escape(&r.id)), r.held.load(Relaxed));
    }
    page.family("trial_clients", "gauge", "Clients remembered for a route's trial.");
    for (route, clients, _) in switch.trials().sizes() {
        page.sample("trial_clients", &format!("route=\"{}\"", escape(route)), clients);
    }
    page.family("trial_share_looked_at", "gauge", "Part of the clients a route's trial looks at: 1 is all.");
    for (route, _, sampled) in switch.trials().sizes() {
        page.sample("trial_share_looked_at", &format!("route=\"{}\"", escape(route)), 0.5f64.powi(sampled as i32));
    }
    let activity = &proxy.activity;
    page.single("unrouted_total", "counter", "Requests that came to no revision.", proxy.unrouted());
    page.single("connections", "gauge", "Client connections that are open.", activity.connections());
    page.single("connections_total", "counter", "Client connections accepted.", activity.accepted());
    page.single("connections_refused_total", "counter", "Client connections that were not taken.", proxy.refusals());
    page.single("tunnels", "gauge", "Connections that left HTTP and are open.", activity.tunnels());
    page.single(
        "instances_drained_total",
        "counter",
        "Instances that left the table and were drained.",
        switch.drained_total(),
    );
    page.single("tls_handshake_failures_total", "counter", "Clients with which no TLS came about.", tls.failures());
    page.family("certificate_expiry_seconds", "gauge", "When a certificate ends, in seconds since 1970.");
    for c in tls.served().all() {
        let names: Vec<_> = c.names.iter().map(|n| n.as_str()).collect();
        page.sample("certificate_expiry_seconds", &format!("names=\"{}\"", names.join(",")), c.not_after.0 / 1_000_000);
    }
    page.single("table_version", "gauge", "The table being served.", switch.serving());
    if let Some(log) = &proxy.log {
        page.single("access_log_dropped_total", "counter", "Lines the access log had no room for.", log.dropped());
    }
    page.0
}

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP tradewind_edge_{name} {help}\n# TYPE tradewind_edge_{name} {kind}\n");
    }
    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = match labels {
            "" => writeln!(self.0, "tradewind_edge_{name} {value}"),
            _ => writeln!(self.0, "tradewind_edge_{name}{{{labels}}} {value}"),
        };
    }
    fn single(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.family(name, kind, help);
        self.sample(name, "", value);
    }
}

fn labels(s: &SplitStats) -> String {
    format!("route=\"{}\",revision=\"{}\",label=\"{}\"", escape(&s.route), s.revision, escape(&s.label))
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
