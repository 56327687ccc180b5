//! For a terminal: block characters, at most 80 columns wide.

use super::{Picture, clock, power};

const COLUMNS: usize = 68;
const ROWS: usize = 12;
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Lines without colours, each with its end.
pub fn text(p: &Picture<'_>) -> String {
    let range = p.range();
    let column = |t: f64| ((t / range.until * (COLUMNS - 1) as f64).round().max(0.0) as usize).min(COLUMNS - 1);
    // A column shows the most that was reached in it, and goes on with the last where nothing was measured.
    let mut most: Vec<Option<f64>> = vec![None; COLUMNS];
    let mut last: Vec<Option<f64>> = vec![None; COLUMNS];
    for point in p.points {
        let (h, c) = (range.height(point.e), column(point.t));
        most[c] = Some(most[c].map_or(h, |m| m.max(h)));
        last[c] = Some(h);
    }
    let end = p.points.last().map(|l| column(l.t));
    let mut heights = vec![0.0; COLUMNS];
    let mut now = range.height(1.0);
    for c in 0..COLUMNS {
        if end.is_some_and(|end| c <= end) {
            heights[c] = most[c].unwrap_or(now);
        }
        now = last[c].unwrap_or(now);
    }
    let row_of = |h: f64| ((h * ROWS as f64) as usize).min(ROWS - 1);
    let bar = row_of(range.height(p.needed));
    let labels: Vec<(usize, String)> =
        (range.low..=range.high).map(|i| (row_of(range.height(10f64.powi(i))), power(i))).collect();
    let mut out = format!("{}\n", p.title);
    for row in (0..ROWS).rev() {
        let label = labels.iter().find(|(r, _)| *r == row).map_or("", |(_, l)| l.as_str());
        let mut line = format!("{label:>6} ┤");
        for h in &heights {
            let eighths = ((h * ROWS as f64 - row as f64) * 8.0).round();
            line.push(match eighths {
                e if e >= 1.0 => BLOCKS[(e as usize).min(8) - 1],
                _ if row == bar => '┄',
                _ => ' ',
            });
        }
        if row == bar {
            line += "┄";
        }
        out += line.trim_end();
        out.push('\n');
    }
    out += &axis(p, &|t| column(t));
    if !p.waves.is_empty() {
        let marks: Vec<(usize, String)> = p.waves.iter().map(|w| (column(w.t), format!("↑{}", p.wave(w)))).collect();
        out += &spread(&marks);
    }
    if let (Some((t, _)), Some(said)) = (p.decision, p.decided()) {
        let (at, behind) = (column(t), format!("▲ {}", said.get(p.lang)));
        let fits = at + wide(&behind) <= COLUMNS + 4;
        let before = format!("{} ▲", said.get(p.lang));
        out += &spread(&[if fits { (at, behind) } else { ((at + 1).saturating_sub(wide(&before)), before) }]);
    }
    out
}

fn axis(p: &Picture<'_>, column: &dyn Fn(f64) -> usize) -> String {
    let ticks = p.range().ticks();
    let mut line: Vec<char> = vec!['─'; COLUMNS];
    for t in &ticks {
        line[column(*t)] = '┴';
    }
    let marks: Vec<(usize, String)> = ticks.iter().map(|t| (column(*t), clock(*t, p.range().until))).collect();
    format!("{:>6} └{}\n{}", "", line.into_iter().collect::<String>(), spread(&marks))
}

/// Texts under their columns, as far as there is room: one that would cover another moves to the right, one that would leave
/// the page to the left.
fn spread(marks: &[(usize, String)]) -> String {
    let mut line = " ".repeat(8);
    let mut used = 0;
    for (column, text) in marks {
        let width = wide(text);
        let at = (*column).min((COLUMNS + 3).saturating_sub(width)).max(used);
        if at + width > COLUMNS + 4 {
            continue;
        }
        line += &" ".repeat(at - used);
        line += text;
        line.push(' ');
        used = at + width + 1;
    }
    format!("{}\n", line.trim_end())
}

/// Chinese takes two columns a character.
fn wide(text: &str) -> usize {
    text.chars().map(|c| if u32::from(c) >= 0x2E80 { 2 } else { 1 }).sum()
}
