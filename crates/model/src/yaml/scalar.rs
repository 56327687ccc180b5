//! What an unquoted scalar means to YAML 1.1 as Ruby reads it, which is what pipeline files were written for.

use super::Scalar;
use std::fmt;

/// A scalar's meaning. `Display` gives its canonical text (`012345` → `5349`, `yes` → `true`, `~` → nothing).
#[derive(Clone, PartialEq, Debug)]
pub enum Resolved<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
}

impl fmt::Display for Resolved<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Bool(b) => b.fmt(f),
            Self::Int(i) => i.fmt(f),
            Self::Float(x) if x.is_nan() => f.write_str("NaN"),
            Self::Float(x) if x.is_infinite() => f.write_str(if *x > 0.0 { "Infinity" } else { "-Infinity" }),
            Self::Float(x) => write!(f, "{x:?}"),
            Self::Text(s) => f.write_str(s),
        }
    }
}

impl Scalar {
    /// Quoted scalars and those tagged `!!str` are text. Integers beyond 64 bits stay text.
    ///
    /// Octal begins with `0` (`012`), `_` may group digits, and `12:30` is a number of seconds (hours first).
    pub fn resolve(&self, tag: Option<&str>) -> Resolved<'_> {
        match tag {
            Some("!!str") => Resolved::Text(&self.text),
            _ if self.quoted => Resolved::Text(&self.text),
            _ => resolve_plain(&self.text),
        }
    }
}

fn resolve_plain(s: &str) -> Resolved<'_> {
    match s.to_ascii_lowercase().as_str() {
        "" | "~" | "null" => return Resolved::Null,
        "yes" | "true" | "on" => return Resolved::Bool(true),
        "no" | "false" | "off" => return Resolved::Bool(false),
        ".inf" | "+.inf" => return Resolved::Float(f64::INFINITY),
        "-.inf" => return Resolved::Float(f64::NEG_INFINITY),
        ".nan" => return Resolved::Float(f64::NAN),
        _ => {}
    }
    if let Some(i) = integer(s).or_else(|| sexagesimal(s)) {
        return Resolved::Int(i);
    }
    if let Some(x) = float(s) {
        return Resolved::Float(x);
    }
    Resolved::Text(s)
}

fn sign(s: &str) -> (i64, &str) {
    match s.as_bytes().first() {
        Some(b'-') => (-1, &s[1..]),
        Some(b'+') => (1, &s[1..]),
        _ => (1, s),
    }
}

fn integer(s: &str) -> Option<i64> {
    let (sign, digits) = sign(s);
    let (radix, digits) = if let Some(d) = digits.strip_prefix("0x") {
        (16, d)
    } else if let Some(d) = digits.strip_prefix("0b") {
        (2, d)
    } else if let Some(d) = digits.strip_prefix('0').filter(|d| !d.is_empty()) {
        (8, d)
    } else if digits.starts_with(|c: char| c.is_ascii_digit()) {
        (10, digits)
    } else {
        return None;
    };
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    i64::from_str_radix(&digits, radix).ok()?.checked_mul(sign)
}

/// `12:30` and `1:02:03`: hours, minutes, seconds.
fn sexagesimal(s: &str) -> Option<i64> {
    let (sign, rest) = sign(s);
    let mut parts = rest.split(':');
    let hours = parts.next().filter(|p| p.starts_with(|c: char| c.is_ascii_digit()))?;
    if !hours.chars().all(|c| c.is_ascii_digit() || c == '_') {
        return None;
    }
    let mut total = hours.replace('_', "").parse::<i64>().ok()?.checked_mul(3600)?;
    let mut unit = 60;
    let mut any = false;
    for part in parts {
        let small = matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit());
        let n = part.parse::<i64>().ok().filter(|n| small && *n < 60 && unit > 0)?;
        total = total.checked_add(n * unit)?;
        unit /= 60;
        any = true;
    }
    any.then_some(total * sign)
}

/// Needs a point; an exponent needs its sign.
fn float(s: &str) -> Option<f64> {
    let (sign, rest) = sign(s);
    let (whole, fraction) = rest.split_once('.')?;
    let (fraction, exponent) = match fraction.split_once(['e', 'E']) {
        Some((f, e)) => (f, Some(e)),
        None => (fraction, None),
    };
    let grouped = |s: &str| s.chars().all(|c| c.is_ascii_digit() || c == '_');
    let exponent_ok = exponent.is_none_or(|e| {
        e.strip_prefix(['+', '-']).is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
    });
    let whole_ok = whole.is_empty() || (whole.starts_with(|c: char| c.is_ascii_digit()) && grouped(whole));
    let fraction_ok = fraction.bytes().all(|b| b.is_ascii_digit());
    if !whole_ok || !fraction_ok || !exponent_ok || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let text = format!("0{}.{fraction}0e{}", whole.replace('_', ""), exponent.unwrap_or("0"));
    text.parse::<f64>().ok().map(|x| x * sign as f64)
}
