//! One line of `judge eval`, read with care: what is wrong with it is told with its place.

use crate::faults;
use serde_json::{Map, Number, Value};
use tradewind_judge::{Arm, Kind, MOST};
use tradewind_model::{
    fault::{At, Fault},
    said,
    said::Said,
};

/// The counts of one metric in one batch.
#[derive(Debug)]
pub struct Sample {
    /// As it was written, to be repeated.
    pub t: Number,
    pub metric: String,
    pub kind: Kind,
    pub canary: Arm,
    pub baseline: Arm,
}

/// What is wrong with a line, and at which byte of it.
pub struct Wrong {
    pub byte: usize,
    pub why: Said,
}

impl Wrong {
    pub fn fault(self, line: usize, text: &str) -> Fault {
        Fault::new(&faults::JUDGE_LINE).with("why", self.why).at(at(line, text, self.byte))
    }
}

/// A place in a line, in characters.
pub fn at(line: usize, text: &str, byte: usize) -> At {
    let before = text.char_indices().take_while(|(i, _)| *i < byte).count();
    At { file: "stdin".into(), line, col: before + 1 }
}

/// Where the value of a key begins, as far as that can be told from the text; the line's beginning otherwise.
pub fn byte_of(text: &str, path: &[&str]) -> usize {
    let mut found = text.len() - text.trim_start().len();
    for key in path {
        let quoted = format!("\"{key}\"");
        match text[found..].find(&quoted) {
            Some(i) => found += i,
            None => break,
        }
    }
    found
}

pub fn read(text: &str) -> Result<Sample, Wrong> {
    let value: Value = serde_json::from_str(text).map_err(|e| Wrong {
        byte: e.column().saturating_sub(1).min(text.len()),
        why: if e.is_eof() {
            said!("it ends too early to be JSON", "JSON 不完整")
        } else {
            said!("it is not JSON (NaN and Infinity are not, either)", "不是合法的 JSON（NaN 与 Infinity 也不是）")
        },
    })?;
    let Value::Object(line) = value else {
        return Err(Wrong { byte: byte_of(text, &[]), why: said!("it is no object", "不是 JSON 对象") });
    };
    let fields = Fields { text, path: Vec::new(), map: &line };
    let t = match fields.get("t")? {
        Value::Number(t) => t.clone(),
        _ => return Err(fields.wrong("t", said!("`t` is no number of seconds", "`t` 不是秒数"))),
    };
    let metric = match fields.get("metric")? {
        Value::String(s) if !s.is_empty() => s.clone(),
        _ => return Err(fields.wrong("metric", said!("`metric` is no name", "`metric` 不是名称"))),
    };
    let kind = match fields.get("kind")?.as_str() {
        Some("error") => Kind::Error,
        Some("latency") => Kind::Latency,
        Some("business") => Kind::Business,
        _ => {
            let why = said!("`kind` is none of error, latency and business", "`kind` 不是 error、latency 或 business");
            return Err(fields.wrong("kind", why));
        }
    };
    Ok(Sample { t, metric, kind, canary: arm(&fields, "canary")?, baseline: arm(&fields, "baseline")? })
}

fn arm(line: &Fields<'_>, name: &'static str) -> Result<Arm, Wrong> {
    let Value::Object(map) = line.get(name)? else {
        return Err(
            line.wrong(name, said!("`{name}` is no object with n and x", "`{name}` 不是含 n 与 x 的对象", name = name))
        );
    };
    let fields = Fields { text: line.text, path: vec![name], map };
    let arm = Arm { n: fields.count("n")?, x: fields.count("x")?, units: None };
    let units = map.contains_key("units").then(|| fields.count("units")).transpose()?;
    Ok(Arm { units, ..arm })
}

/// The members of an object, and where it stands.
struct Fields<'a> {
    text: &'a str,
    path: Vec<&'static str>,
    map: &'a Map<String, Value>,
}

impl Fields<'_> {
    fn get(&self, name: &'static str) -> Result<&Value, Wrong> {
        self.map.get(name).ok_or_else(|| {
            let place = [&self.path[..], &[name]].concat().join(".");
            let why = said!("`{place}` is missing", "缺少 `{place}`", place = place);
            Wrong { byte: byte_of(self.text, &self.path), why }
        })
    }

    fn wrong(&self, name: &'static str, why: Said) -> Wrong {
        Wrong { byte: byte_of(self.text, &[&self.path[..], &[name]].concat()), why }
    }

    /// A whole number, also when it is written as 12.0.
    fn count(&self, name: &'static str) -> Result<u64, Wrong> {
        let place = [&self.path[..], &[name]].concat().join(".");
        let why = match self.get(name)? {
            Value::Number(number) => match (number.as_u64(), number.as_f64()) {
                (Some(n), _) => return Ok(n),
                (None, Some(f)) if f < 0.0 => said!("`{place}` is negative", "`{place}` 为负数", place = place),
                (None, Some(f)) if f > MOST as f64 => {
                    said!(
                        "`{place}` is more than can be counted exactly (2^53)",
                        "`{place}` 超出可精确计数的范围（2^53）",
                        place = place
                    )
                }
                (None, Some(f)) if f.fract() == 0.0 => return Ok(f as u64),
                _ => said!("`{place}` is not a whole number", "`{place}` 不是整数", place = place),
            },
            _ => said!("`{place}` is no number", "`{place}` 不是数字", place = place),
        };
        Err(self.wrong(name, why))
    }
}
