//! The small notations of a spec: durations, sizes, cores, signals, names. Text in, number out, nothing else.

/// `500ms`, `10s`, `2m`, `1h`, `7d` and sums of them, largest unit first; milliseconds.
pub fn duration_ms(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    let mut rest = text;
    let mut total = 0_u64;
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let (number, tail) = digits(rest)?;
        let unit_len = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (_, factor) = *UNITS.iter().find(|(name, _)| *name == &tail[..unit_len])?;
        if factor >= last {
            return None;
        }
        last = factor;
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = &tail[unit_len..];
    }
    (last != u64::MAX).then_some(total)
}

/// The shortest form [`duration_ms`] reads back.
pub fn show_duration(ms: u64) -> String {
    let mut out = String::new();
    let mut rest = ms;
    for (unit, factor) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if rest >= factor {
            out.push_str(&format!("{}{unit}", rest / factor));
            rest %= factor;
        }
    }
    if out.is_empty() { "0s".into() } else { out }
}

/// `512KiB`, `256MiB`, `2GiB`, `1TiB`, and `KB` to `TB` for powers of a thousand; bytes.
pub fn size_bytes(text: &str) -> Option<u64> {
    let (number, unit) = digits(text)?;
    let factor = match unit {
        "B" => 1,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// The largest binary unit that divides it.
pub fn show_size(bytes: u64) -> String {
    let units = [("TiB", 1_u64 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.iter().find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor)) {
        Some((unit, factor)) => format!("{}{unit}", bytes / factor),
        None => format!("{bytes}B"),
    }
}

/// `2`, `0.5`, `1.25`: thousandths of a core; at most three decimals.
pub fn cpu_millis(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || fraction.len() > 3 {
        return None;
    }
    let thousandths = format!("{fraction:0<3}").parse::<u64>().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(thousandths)
}

/// Signals a service may be asked to end with, by their numbers on Linux.
pub const SIGNALS: [(&str, i32); 7] =
    [("SIGTERM", 15), ("SIGINT", 2), ("SIGQUIT", 3), ("SIGHUP", 1), ("SIGUSR1", 10), ("SIGUSR2", 12), ("SIGWINCH", 28)];

/// `10%`, `0.5%`, down to four decimals; millionths.
pub fn percent_ppm(text: &str) -> Option<u32> {
    decimal(text.strip_suffix('%')?, 4)
}

pub fn show_percent(ppm: u32) -> String {
    format!("{}%", show_decimal(ppm, 4))
}

/// `2`, `1.05`, down to three decimals; thousandths.
pub fn milli(text: &str) -> Option<u32> {
    decimal(text, 3)
}

pub fn show_milli(milli: u32) -> String {
    show_decimal(milli, 3)
}

fn decimal(text: &str, places: usize) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let sound = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !sound(whole) || !sound(part) || part.len() > places || text.ends_with('.') {
        return None;
    }
    format!("{whole}{part:0<places$}").parse().ok()
}

fn show_decimal(value: u32, places: usize) -> String {
    let digits = format!("{value:0>width$}", width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let part = part.trim_end_matches('0');
    if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") }
}

/// `SIGTERM` or `TERM`.
pub fn signal(text: &str) -> Option<i32> {
    SIGNALS.iter().find(|(name, _)| *name == text || name.strip_prefix("SIG") == Some(text)).map(|(_, n)| *n)
}

/// A DNS name in ASCII, lower case, `*.` allowed in front; or an IPv4 address.
pub fn is_host(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    (1..=253).contains(&text.len()) && name.split('.').all(label)
}

/// Begins with `/`, visible ASCII, no query and no fragment.
pub fn is_url_path(text: &str) -> bool {
    text.starts_with('/')
        && text.len() <= 1_024
        && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'\\'))
        && text.split('/').all(|part| part != "..")
}

/// A token of RFC 9110, as header and cookie names are.
pub fn is_token(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Relative, `/`-separated, and it never leaves its folder.
pub fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.starts_with('/')
        && !path.contains(['\\', '\0'])
        && path.split('/').all(|part| part != "..")
}

/// What git accepts as a branch, with `*` for any run of characters.
pub fn is_branch(text: &str) -> bool {
    let plain = |c: char| !c.is_control() && !matches!(c, ' ' | '~' | '^' | ':' | '?' | '[' | '\\');
    (1..=200).contains(&text.len())
        && !text.starts_with("refs/")
        && !text.contains("..")
        && !text.contains("@{")
        && text.chars().all(plain)
        && text.split('/').all(|part| !part.is_empty() && !part.starts_with(['.', '-']) && !part.ends_with(".lock"))
}

pub fn is_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The name of a series in the text format of Prometheus.
pub fn is_series(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':'))
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':'))
}

fn digits(text: &str) -> Option<(u64, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_and_shown_alike() {
        for (text, ppm) in [("10%", 100_000), ("0.5%", 5_000), ("100%", 1_000_000), ("0.0001%", 1)] {
            assert_eq!(percent_ppm(text), Some(ppm), "{text}");
            assert_eq!(show_percent(ppm), text);
        }
        assert_eq!((milli("2"), milli("1.05"), show_milli(1_050)), (Some(2_000), Some(1_050), "1.05".into()));
        for text in ["%", "10", "-1%", "1.%", ".5%", "1e2%", "0.00001%", "99999999999%", "٣%"] {
            assert_eq!(percent_ppm(text), None, "{text}");
        }
    }
}
