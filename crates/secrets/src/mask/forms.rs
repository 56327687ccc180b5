//! The forms a value is printed in.

use crate::SHORTEST_MASKED;
use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};
use std::{collections::BTreeSet, fmt::Write};

/// Lines of a value that are masked by themselves have this many bytes, blanks at their ends not counted.
const SHORTEST_LINE: usize = 8;
/// Longer forms are cut here: what is printed of such a value is masked by its lines and its beginning.
const LONGEST_FORM: usize = 60_000;

/// Without what is too short to be masked.
pub fn of(value: &str) -> Vec<Vec<u8>> {
    let mut forms = BTreeSet::new();
    for text in wholes(value) {
        add(text, &mut forms);
    }
    forms.retain(|form: &Vec<u8>| form.iter().filter(|b| !super::is_line_end(**b)).count() >= SHORTEST_MASKED);
    forms
        .into_iter()
        .map(|mut form| {
            form.truncate(LONGEST_FORM);
            form
        })
        .collect()
}

/// The value, as it is and without blanks around it, and its lines: an armoured key's frame is nobody's secret.
fn wholes(value: &str) -> BTreeSet<&str> {
    let mut texts = BTreeSet::new();
    if value.trim().len() >= SHORTEST_MASKED {
        texts.extend([value, value.trim()]);
    }
    let lines: Vec<&str> = value.lines().map(str::trim).collect();
    if lines.len() > 1 {
        texts.extend(lines.into_iter().filter(|l| l.len() >= SHORTEST_LINE && !l.starts_with("-----")));
    }
    texts
}

fn add(text: &str, forms: &mut BTreeSet<Vec<u8>>) {
    forms.insert(text.into());
    // For Python's `repr`, JavaScript and Rust's `{:?}` it is the same as in JSON but for what few values hold.
    for (ascii, page) in [(false, false), (true, false), (false, true), (true, true)] {
        let escaped = json(text, ascii, page);
        forms.insert(escaped.replace('/', "\\/").into());
        forms.insert(escaped.into());
    }
    forms.insert(text.replace('\'', "'\\''").into());
    forms.insert(html(text).into());
    for space in ["%20", "+"] {
        for kept in [UNRESERVED, ENCODE_URI] {
            forms.insert(percent(text, kept, space, false).into());
            forms.insert(percent(text, kept, space, true).into());
        }
    }
    forms.insert(hex::encode(text).into());
    forms.insert(hex::encode_upper(text).into());
    for offset in 0..3 {
        for alphabet in [&STANDARD, &URL_SAFE] {
            let coded = base64(text.as_bytes(), offset, alphabet);
            forms.insert(percent(&coded, UNRESERVED, "%20", false).into());
            forms.insert(coded.into());
        }
    }
}

/// RFC 3986; what `encodeURIComponent` and most libraries leave alone.
const UNRESERVED: &str = "-._~";
/// What `encodeURI` and those that quote paths leave alone too.
const ENCODE_URI: &str = "-._~!*'();/?:@&=+$,#";

fn percent(text: &str, kept: &str, space: &str, lower: bool) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        match byte {
            b' ' => out.push_str(space),
            b if b.is_ascii_alphanumeric() || kept.as_bytes().contains(&b) => out.push(char::from(b)),
            b if lower => write!(out, "%{b:02x}").expect("memory takes it"),
            b => write!(out, "%{b:02X}").expect("memory takes it"),
        }
    }
    out
}

/// Without the quotes around it. `ascii` escapes what is not, `page` what has a meaning in HTML: libraries differ.
fn json(text: &str, ascii: bool, page: bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => write!(out, "\\u{:04x}", u32::from(c)).expect("memory takes it"),
            '<' | '>' | '&' if page => write!(out, "\\u{:04x}", u32::from(c)).expect("memory takes it"),
            c if ascii && !c.is_ascii() => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").expect("memory takes it");
                }
            }
            c => out.push(c),
        }
    }
    out
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// What is sure to be there when the value is coded with `offset` other bytes before it (and any number after it):
/// letters that are made of the value's bits alone.
fn base64(bytes: &[u8], offset: usize, alphabet: &base64::alphabet::Alphabet) -> String {
    let padded = [&[0; 2][..offset], bytes].concat();
    let coded = GeneralPurpose::new(alphabet, NO_PAD).encode(&padded);
    let first = (offset * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    coded[first..last].to_owned()
}
