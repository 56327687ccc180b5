//! Lengths of time as people write them: `90s`, `3 hours 30 minutes`, `1h30m`, `1:30:00`, a bare number of seconds.

/// Milliseconds. `None` for what is no length of time.
pub fn parse(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    if text.contains(':') {
        return clock(&text);
    }
    let mut total = 0f64;
    let mut any = false;
    let mut rest = text.as_str();
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        rest = rest.strip_prefix("and ").map_or(rest, str::trim_start);
        if rest.is_empty() {
            break;
        }
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        total += number * unit(&rest[..letters])?;
        rest = &rest[letters..];
        any = true;
    }
    let ms = total * 1000.0;
    (any && ms.is_finite() && ms < 1e15).then_some(ms as u64)
}

/// `MM:SS` or `HH:MM:SS`.
fn clock(text: &str) -> Option<u64> {
    let parts = text.split(':').map(|p| p.parse::<u64>().ok()).collect::<Option<Vec<_>>>()?;
    let seconds = match parts[..] {
        [m, s] if s < 60 => m.checked_mul(60)? + s,
        [h, m, s] if m < 60 && s < 60 => h.checked_mul(3600)? + m * 60 + s,
        _ => return None,
    };
    seconds.checked_mul(1000)
}

/// Seconds. A month is 30 days, a year 365.
fn unit(name: &str) -> Option<f64> {
    Some(match name {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "wk" | "wks" | "week" | "weeks" => 604_800.0,
        "mo" | "mos" | "mon" | "mons" | "mth" | "mths" | "month" | "months" => 2_592_000.0,
        "y" | "yr" | "yrs" | "year" | "years" => 31_536_000.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn people_write_time_in_many_ways() {
        for (text, seconds) in [
            ("3600", 3600),
            ("90s", 90),
            ("30 minutes", 1800),
            ("1 min", 60),
            ("3 hours 30 minutes", 12_600),
            ("3h 30m", 12_600),
            ("1h30m", 5400),
            ("2 days, 3 hrs and 4 mins", 183_840),
            ("1.5 hours", 5400),
            ("6 mos 1 day", 15_638_400),
            ("47 yrs", 1_482_192_000),
            ("1:30", 90),
            ("1:30:00", 5400),
        ] {
            assert_eq!(parse(text), Some(seconds * 1000), "{text}");
        }
        for bad in ["", "soon", "1 fortnight", "h", "1h x", "-5m", "1:99", "1:2:3:4", "99999999999999999999 years"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
