//! For a page: no script, its own colours in light and dark, and letters that are read on a telephone.

use super::{Picture, clock, power};
use crate::Verdict;
use std::fmt::Write;
use tradewind_model::said;

const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 250.0;
/// The plot within it.
const LEFT: f64 = 42.0;
const RIGHT: f64 = 388.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 212.0;

const STYLE: &str = "\
.tw-e{font:12px system-ui,sans-serif;width:100%;max-width:720px;height:auto;background:#fff;color:#1c2430}\
.tw-e text{fill:currentColor}.tw-e .t{font-weight:600;font-size:13px}.tw-e .s{opacity:.75}\
.tw-e .g{stroke:currentColor;opacity:.15}.tw-e .w{stroke:currentColor;opacity:.45;stroke-dasharray:2 3}\
.tw-e .b{stroke:#b3261e;stroke-dasharray:6 4}.tw-e .bt{fill:#b3261e}\
.tw-e .l{fill:none;stroke:#1f5fbf;stroke-width:2;stroke-linejoin:round}\
.tw-e .d-worse{fill:#b3261e}.tw-e .d-better{fill:#1b7f4b}.tw-e .d-other{fill:#8a6d00}\
@media (prefers-color-scheme:dark){.tw-e{background:#12161c;color:#e6eaf0}.tw-e .b{stroke:#ff8a80}.tw-e .bt{fill:#ff8a80}\
.tw-e .l{stroke:#7fb0ff}.tw-e .d-worse{fill:#ff8a80}.tw-e .d-better{fill:#6fd39b}.tw-e .d-other{fill:#e6c34d}}";

/// A whole document, which may also stand within a page.
pub fn svg(p: &Picture<'_>) -> String {
    let mut out = String::with_capacity(4_096 + p.points.len() * 12);
    // Writing into a string does not fail.
    let _ = draw(p, &mut out);
    out
}

fn draw(p: &Picture<'_>, out: &mut String) -> std::fmt::Result {
    let range = p.range();
    let x = |t: f64| LEFT + (t / range.until).clamp(0.0, 1.0) * (RIGHT - LEFT);
    let y = |e: f64| BOTTOM - range.height(e) * (BOTTOM - TOP);
    let title = escaped(p.title);
    write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tw-e\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"{title}\"><title>{title}</title><style>{STYLE}</style>"
    )?;
    write!(out, "<text class=\"t\" x=\"8\" y=\"18\">{title}</text>")?;
    for i in range.low..=range.high {
        let at = y(10f64.powi(i));
        write!(out, "<path class=\"g\" d=\"M{LEFT} {at:.1}H{RIGHT}\"/>")?;
        write!(
            out,
            "<text class=\"s\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 5.0,
            at + 4.0,
            power(i)
        )?;
    }
    for t in range.ticks() {
        let at = x(t);
        let label = clock(t, range.until);
        write!(out, "<path class=\"g\" d=\"M{at:.1} {BOTTOM}v4\"/>")?;
        let anchor = if at > RIGHT - 16.0 { "end" } else { "middle" };
        let (at, down) = (if anchor == "end" { RIGHT + 8.0 } else { at }, BOTTOM + 18.0);
        write!(out, "<text class=\"s\" x=\"{at:.1}\" y=\"{down}\" text-anchor=\"{anchor}\">{label}</text>")?;
    }
    let mut free = 0.0;
    for wave in p.waves {
        let at = x(wave.t);
        write!(out, "<path class=\"w\" d=\"M{at:.1} {TOP}V{BOTTOM}\"/>")?;
        let label = p.wave(wave);
        // Labels that would lie on one another are left out; the line says that a wave began.
        let width = 7.0 * label.chars().count() as f64;
        let from = (at + 3.0).min(RIGHT - width);
        if from >= free {
            write!(out, "<text x=\"{from:.1}\" y=\"{}\">{}</text>", TOP - 4.0, escaped(&label))?;
            free = from + width + 4.0;
        }
    }
    let bar = y(p.needed);
    let needed = said!("worse from here on", "由此判为变差");
    write!(out, "<path class=\"b\" d=\"M{LEFT} {bar:.1}H{RIGHT}\"/>")?;
    write!(
        out,
        "<text class=\"bt\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        RIGHT - 2.0,
        bar - 4.0,
        needed.get(p.lang)
    )?;
    if !p.points.is_empty() {
        out.push_str("<path class=\"l\" d=\"");
        for (i, point) in p.points.iter().enumerate() {
            write!(out, "{}{:.1} {:.1}", if i == 0 { 'M' } else { 'L' }, x(point.t), y(point.e))?;
        }
        out.push_str("\"/>");
    }
    if let (Some((t, verdict)), Some(said)) = (p.decision, p.decided()) {
        let class = match verdict {
            Verdict::Worse => "d-worse",
            Verdict::Better => "d-better",
            Verdict::Continue | Verdict::Inconclusive => "d-other",
        };
        let e = p.points.iter().rev().find(|point| point.t <= t).map_or(1.0, |point| point.e);
        write!(out, "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\"/>", x(t), y(e))?;
        write!(
            out,
            "<text class=\"{class} t\" x=\"{LEFT}\" y=\"{}\">{}</text>",
            HEIGHT - 5.0,
            escaped(said.get(p.lang))
        )?;
    }
    out.push_str("</svg>\n");
    Ok(())
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // What XML does not allow at all.
            c if c.is_control() => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}
