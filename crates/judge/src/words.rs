//! Numbers as people read them, in both languages.

use tradewind_model::{fault::Text, said, said::Said};

/// `3,702`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(d);
    }
    out
}

/// `7.5 %`, `0.08 %`, `12 %`.
pub fn percent(rate: f64) -> String {
    let p = rate * 100.0;
    match p {
        0.0 => "0 %".into(),
        p if p < 0.001 => "< 0.001 %".into(),
        p if p < 0.01 => format!("{p:.3} %"),
        p if p < 1.0 => format!("{} %", short(p, 2)),
        p if p < 10.0 => format!("{} %", short(p, 1)),
        p => format!("{p:.0} %"),
    }
}

/// At most so many decimals, without noughts at the end.
fn short(v: f64, decimals: usize) -> String {
    let text = format!("{v:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `93`, `9.3`, `1.35`, `0.48`; with as many figures as mean something.
pub fn times(ratio: f64) -> String {
    match ratio {
        r if r >= 1e6 => "1,000,000".into(),
        r if r >= 10.0 => count(r.round() as u64),
        r if r >= 2.0 => short(r, 1),
        r => short(r, 2),
    }
}

/// `0.04`, `1.3`, `120`, `2 × 10^9`.
pub fn evidence(e: f64) -> String {
    match e {
        e if e >= 1e6 => {
            let power = e.log10().floor();
            format!("{:.0} × 10^{power}", e / 10f64.powf(power))
        }
        e if e >= 10.0 => count(e.round() as u64),
        e if e >= 1.0 => format!("{e:.1}"),
        e if e >= 0.01 => format!("{e:.2}"),
        _ => "< 0.01".into(),
    }
}

/// `41 s`, `12 min`, `2 h 5 min`.
pub fn duration(seconds: f64) -> Said {
    let s = seconds.max(0.0).round().min(1e12) as u64;
    let minutes = |s: u64| said!("{m} min", "{m} 分钟", m = s / 60);
    match s {
        0..=119 => said!("{s} s", "{s} 秒", s = s),
        120..=599 if s.is_multiple_of(60) => minutes(s),
        120..=599 => said!("{m} {s} s", "{m} {s} 秒", m = minutes(s), s = s % 60),
        600..=7_199 => minutes(s + 30),
        172_800.. => said!("{d} days", "{d} 天", d = (s + 43_200) / 86_400),
        _ if s % 3_600 < 60 => said!("{h} h", "{h} 小时", h = s / 3_600),
        _ => said!("{h} h {m}", "{h} 小时 {m}", h = s / 3_600, m = minutes(s % 3_600)),
    }
}

/// Between sentences of a sentence.
pub static SEMICOLON: Text = Text { en: "; ", zh: "；" };

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::fault::Lang;

    #[test]
    fn numbers_have_as_many_figures_as_mean_something() {
        assert_eq!([0, 999, 3_702, 1_234_567].map(count), ["0", "999", "3,702", "1,234,567"]);
        let rates = [0.0, 0.000_001, 0.000_08, 0.005, 0.0752, 0.3, 1.25].map(percent);
        assert_eq!(rates, ["0 %", "< 0.001 %", "0.008 %", "0.5 %", "7.5 %", "30 %", "125 %"]);
        assert_eq!([0.4812, 1.0, 1.35, 2.0, 9.31, 92.6].map(times), ["0.48", "1", "1.35", "2", "9.3", "93"]);
        let es = [0.001, 0.04, 1.26, 119.7, 2.4e9, f64::MAX].map(evidence);
        assert_eq!(es, ["< 0.01", "0.04", "1.3", "120", "2 × 10^9", "2 × 10^308"]);
    }

    #[test]
    fn times_are_told_in_their_own_units() {
        let all = [41.2, 119.0, 120.0, 125.0, 720.0, 7_500.0, 86_400.0, 200_000.0].map(duration);
        assert_eq!(
            all.each_ref().map(|d| d.en()),
            ["41 s", "119 s", "2 min", "2 min 5 s", "12 min", "2 h 5 min", "24 h", "2 days"]
        );
        assert_eq!(all[5].get(Lang::Zh), "2 小时 5 分钟");
    }
}
