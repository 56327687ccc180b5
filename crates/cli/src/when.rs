//! Times and amounts as people say them.

use std::time::Duration;
use tradewind_api::v1::Time;
use tradewind_model::{fault::Lang, time::Timestamp};

/// Now and here.
#[derive(Clone, Debug)]
pub struct When {
    pub now: Timestamp,
    pub lang: Lang,
    pub zone: jiff::tz::TimeZone,
}

impl When {
    /// `just now`, `2 min ago`, `3 h ago`, `5 d ago`; beyond a month the date.
    pub fn ago(&self, at: Time) -> String {
        let secs = self.now.since(at.0).as_secs();
        let (n, en, zh) = match secs {
            0..5 => {
                return match self.lang {
                    Lang::En => "just now".into(),
                    Lang::Zh => "刚刚".into(),
                };
            }
            5..60 => (secs, "s", "秒"),
            60..3600 => (secs / 60, "min", "分钟"),
            3600..86_400 => (secs / 3600, "h", "小时"),
            86_400..2_592_000 => (secs / 86_400, "d", "天"),
            _ => return self.date(at),
        };
        match self.lang {
            Lang::En => format!("{n} {en} ago"),
            Lang::Zh => format!("{n} {zh}前"),
        }
    }

    /// `2026-11-11 08:00`.
    pub fn date(&self, at: Time) -> String {
        self.local(at, "%Y-%m-%d %H:%M")
    }

    /// `08:00:03.120`: for lines that come by.
    pub fn clock(&self, at: Time) -> String {
        self.local(at, "%H:%M:%S%.3f")
    }

    /// RFC 3339, or a date with or without a time of day, where the caller is.
    pub fn parse(&self, text: &str) -> Option<Time> {
        let at = match text.parse::<jiff::Timestamp>() {
            Ok(at) => at,
            Err(_) => text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(self.zone.clone()).ok()?.timestamp(),
        };
        Some(Time(Timestamp(at.as_microsecond())))
    }

    fn local(&self, at: Time, format: &str) -> String {
        match jiff::Timestamp::from_microsecond(at.0.0) {
            Ok(t) => t.to_zoned(self.zone.clone()).strftime(format).to_string(),
            Err(_) => at.to_string(),
        }
    }
}

/// This machine's time zone.
pub fn here() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::system()
}

pub fn utc() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::UTC
}

/// `0.8 ms`, and from ten on as a [`span`].
pub fn latency(ms: f64) -> String {
    match ms < 10.0 {
        true => format!("{ms:.1} ms"),
        false => span(Duration::from_secs_f64(ms / 1_000.0)),
    }
}

/// `87 ms`, `3.2 s`, `2 min 05 s`, `1 h 03 min`.
pub fn span(d: Duration) -> String {
    let ms = d.as_millis();
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        60_000..3_600_000 => format!("{} min {:02} s", ms / 60_000, ms / 1000 % 60),
        _ => format!("{} h {:02} min", ms / 3_600_000, ms / 60_000 % 60),
    }
}

/// `812 B`, `4.0 KiB`, `1.3 MiB`.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if n < 1024 {
        return format!("{n} B");
    }
    let mut tenths = u128::from(n) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// Basis points as `100 %`, `12.5 %`.
pub fn share(points: u32) -> String {
    match points % 100 {
        0 => format!("{} %", points / 100),
        rest if rest % 10 == 0 => format!("{}.{} %", points / 100, rest / 10),
        rest => format!("{}.{rest:02} %", points / 100),
    }
}

/// Evidence, which spans many magnitudes: `0.31`, `4.2`, `118`, `2e7`.
pub fn amount(v: f64) -> String {
    match v {
        v if v < 10.0 => format!("{v:.2}"),
        v if v < 100.0 => format!("{v:.1}"),
        v if v < 1e6 => format!("{v:.0}"),
        v => format!("{v:.0e}"),
    }
}

/// `90s`, `15m`, `12h`, `30d`.
pub fn parse_span(s: &str) -> Option<Duration> {
    let (number, unit) = s.split_at(s.find(|c: char| !c.is_ascii_digit())?);
    let factor = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        let now = Timestamp::from_millis(10_000_000_000);
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
        let en = When { now, lang: Lang::En, zone };
        let zh = When { lang: Lang::Zh, ..en.clone() };
        let back = |s: i64| Time(Timestamp(now.0 - s * 1_000_000));
        assert_eq!(en.ago(back(2)), "just now");
        assert_eq!(en.ago(back(125)), "2 min ago");
        assert_eq!(zh.ago(back(125)), "2 分钟前");
        assert_eq!(zh.ago(back(3 * 86_400)), "3 天前");
        assert_eq!(en.ago(back(-60)), "just now");
        assert_eq!(zh.ago(back(40 * 86_400)), "1970-03-18 01:46");
        assert_eq!(en.clock(back(0)), "01:46:40.000");
        assert_eq!((latency(0.84), latency(62.5), latency(1_250.0)), ("0.8 ms".into(), "62 ms".into(), "1.2 s".into()));
        assert_eq!(span(Duration::from_millis(87)), "87 ms");
        assert_eq!(span(Duration::from_millis(3_290)), "3.2 s");
        assert_eq!(span(Duration::from_secs(125)), "2 min 05 s");
        assert_eq!(span(Duration::from_secs(3_780)), "1 h 03 min");
    }

    #[test]
    fn amounts_round_down_and_spans_are_read() {
        assert_eq!(
            (bytes(812).as_str(), bytes(4096).as_str(), bytes(1_400_000).as_str()),
            ("812 B", "4.0 KiB", "1.3 MiB")
        );
        assert_eq!(bytes(u64::MAX), "16777215.9 TiB");
        assert_eq!([10_000, 1_250, 5, 0].map(share), ["100 %", "12.5 %", "0.05 %", "0 %"]);
        assert_eq!(parse_span("15m"), Some(Duration::from_secs(900)));
        for bad in ["", "15", "m", "1w", "-1s", "99999999999999999999d"] {
            assert_eq!(parse_span(bad), None, "{bad}");
        }
    }
}
