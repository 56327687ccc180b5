//! Faults as a person reads them in a terminal: place, what is wrong, the line with a mark under it, what to do.

use crate::fault::{Fault, Lang, Problem};

/// One block a fault, in the order given, with an empty line between them:
///
/// ```text
/// tradewind.yaml:5:3: TW-SPEC-003: `comand` is not a key of `run`
///   5 |   comand: [python3]
///     |   ^^^^^^
///     did you mean `command`?
/// ```
pub fn render_faults(faults: &[Fault], source: &str, lang: Lang) -> String {
    let lines: Vec<&str> = source.strip_prefix('\u{feff}').unwrap_or(source).lines().collect();
    let blocks: Vec<String> = faults.iter().map(|fault| block(fault, &lines, lang)).collect();
    blocks.join("\n")
}

/// All faults of a file as one answer of the API; `None` when there are none.
pub fn problem(faults: &[Fault], lang: Lang) -> Option<Problem> {
    let (first, rest) = faults.split_first()?;
    let more = rest.iter().map(|fault| fault.problem(lang)).collect();
    Some(Problem { more, ..first.problem(lang) })
}

fn block(fault: &Fault, lines: &[&str], lang: Lang) -> String {
    let show = |text: &str| text.chars().map(visible).collect::<String>();
    let what = format!("{}: {}\n", fault.code.id, show(&fault.what(lang)));
    let fix = show(&fault.fix(lang));
    let Some(at) = &fault.at else { return format!("{what}    {fix}\n") };
    let Some(line) = at.line.checked_sub(1).and_then(|i| lines.get(i)).filter(|l| !l.trim().is_empty()) else {
        return format!("{at}: {what}    {fix}\n");
    };
    let number = at.line.to_string();
    let before: String = line.chars().take(at.col.saturating_sub(1)).map(blank).collect();
    let from = line.char_indices().nth(at.col.saturating_sub(1)).map_or(line.len(), |(i, _)| i);
    let mark: usize = token(&line[from..]).chars().map(width).sum();
    let line = show(line);
    let margin = " ".repeat(number.len());
    format!("{at}: {what}  {number} | {line}\n  {margin} | {before}{}\n    {fix}\n", "^".repeat(mark.max(1)))
}

/// What stands at the place: a quoted text, or everything up to what ends a plain one.
fn token(rest: &str) -> &str {
    if let Some(quote @ ('"' | '\'')) = rest.chars().next() {
        return rest[1..].find(quote).map_or(rest, |end| &rest[..end + 2]);
    }
    if rest.starts_with(['[', '{']) {
        return &rest[..1];
    }
    let ends = |(i, c): (usize, char)| {
        let colon = c == ':' && !rest[i + 1..].starts_with(|c: char| !c.is_whitespace());
        (c.is_whitespace() || matches!(c, ',' | ']' | '}') || colon).then_some(i)
    };
    let end = rest.char_indices().find_map(ends).unwrap_or(rest.len());
    &rest[..end]
}

/// A file from outside must not steer the terminal it is shown in.
fn visible(c: char) -> char {
    if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }
}

/// As wide as the character, so that the mark stands below it.
fn blank(c: char) -> String {
    if c == '\t' { "\t".into() } else { " ".repeat(width(c)) }
}

/// Columns in a terminal: two for CJK and other wide characters.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}
