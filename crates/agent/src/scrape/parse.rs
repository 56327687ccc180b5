//! The text format of Prometheus, version 0.0.4, and what of OpenMetrics differs from it in a line.
//!
//! A page that is not understood as a whole is not read at all: half of one would count wrong. What is beyond the format is
//! taken where its meaning is plain: names in quotes, exemplars, times with a fraction, CRLF.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// In the order of the page.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Page<'a> {
    pub samples: Vec<Sample<'a>>,
    /// By the name of the family, as in its `# TYPE` line.
    types: BTreeMap<&'a str, &'a str>,
    /// Names in `# HELP` and `# TYPE` lines.
    declared: BTreeSet<&'a str>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Sample<'a> {
    pub name: Cow<'a, str>,
    /// As written; a name is there once.
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub value: f64,
}

/// The first line that is none of the format, from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line} is not in the text format of Prometheus")]
pub struct Unreadable {
    pub line: usize,
}

impl<'a> Page<'a> {
    pub fn parse(text: &'a str) -> Result<Self, Unreadable> {
        let mut page = Self::default();
        for (i, line) in text.split('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line).trim_matches([' ', '\t']);
            if let Some(comment) = line.strip_prefix('#') {
                if comment.trim() == "EOF" {
                    break;
                }
                page.comment(comment);
            } else if !line.is_empty() {
                page.samples.push(sample(line).ok_or(Unreadable { line: i + 1 })?);
            }
        }
        Ok(page)
    }

    fn comment(&mut self, text: &'a str) {
        let mut words = text.split_ascii_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some("TYPE"), Some(name), Some(kind)) => {
                self.types.insert(name, kind);
                self.declared.insert(name);
            }
            (Some("HELP"), Some(name), _) => {
                self.declared.insert(name);
            }
            _ => {}
        }
    }

    /// Samples of one name.
    pub fn of<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p Sample<'a>> {
        self.samples.iter().filter(move |s| s.name == name)
    }

    /// What its `# TYPE` line says of a series; OpenMetrics leaves `_total` out of the family's name.
    pub fn type_of(&self, series: &str) -> Option<&'a str> {
        let family = series.strip_suffix("_total");
        self.types.get(series).or_else(|| self.types.get(family?)).copied()
    }

    /// Whether the page names it at all, be it without a sample.
    pub fn knows(&self, series: &str) -> bool {
        let family = series.strip_suffix("_total");
        self.declared.contains(series)
            || family.is_some_and(|f| self.declared.contains(f))
            || self.of(series).next().is_some()
    }
}

impl Sample<'_> {
    /// Empty where there is no such label, which is the same to Prometheus.
    pub fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }
}

/// `name{label="value",…} value [time]`, or `{"name",label="value",…} value [time]`.
fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(['{', ' ', '\t']).unwrap_or(line.len());
    let (bare, mut rest) = line.split_at(end);
    let mut name = (!bare.is_empty()).then_some(Cow::Borrowed(bare));
    if name.as_ref().is_some_and(|n| !is_name(n)) {
        return None;
    }
    let mut labels = Vec::new();
    if let Some(inside) = rest.trim_start_matches([' ', '\t']).strip_prefix('{') {
        rest = inside;
        rest = read_labels(rest, &mut name, &mut labels)?;
    }
    let mut words = rest.split_ascii_whitespace();
    let value = words.next()?.parse().ok()?;
    match words.next() {
        None | Some("#") => {}
        Some(time) => {
            let _: f64 = time.parse().ok()?;
            // An exemplar may follow, and nothing else.
            if words.next().is_some_and(|word| word != "#") {
                return None;
            }
        }
    }
    Some(Sample { name: name?, labels, value })
}

type Labels<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// From behind the opening brace; what follows the closing one.
fn read_labels<'a>(mut rest: &'a str, name: &mut Option<Cow<'a, str>>, labels: &mut Labels<'a>) -> Option<&'a str> {
    loop {
        rest = skip(rest);
        if let Some(after) = rest.strip_prefix('}') {
            return Some(after);
        }
        let (key, after) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside)?,
            None => {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))?;
                let (key, after) = rest.split_at(end);
                if !is_name(key) || !skip(after).starts_with('=') {
                    return None;
                }
                (Cow::Borrowed(key), after)
            }
        };
        rest = skip(after);
        match rest.strip_prefix('=') {
            Some(after) => {
                let (value, after) = quoted(skip(after).strip_prefix('"')?)?;
                if labels.iter().any(|(k, _)| *k == key) {
                    return None;
                }
                labels.push((key, value));
                rest = skip(after);
            }
            // A name in quotes.
            None if name.is_none() && labels.is_empty() => *name = Some(key),
            None => return None,
        }
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None => return None,
        }
    }
}

fn skip(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

fn is_name(text: &str) -> bool {
    tradewind_model::spec::values::is_series(text)
}

/// From behind the opening quote: the text, and what follows the closing one.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut chars = text.char_indices();
    let mut owned: Option<String> = None;
    while let Some((i, c)) = chars.next() {
        match c {
            '"' => return Some((owned.map_or(Cow::Borrowed(&text[..i]), Cow::Owned), &text[i + 1..])),
            '\\' => {
                let out = owned.get_or_insert_with(|| text[..i].to_owned());
                match chars.next()?.1 {
                    'n' => out.push('\n'),
                    escaped @ ('\\' | '"') => out.push(escaped),
                    other => out.extend(['\\', other]),
                }
            }
            c => {
                if let Some(out) = &mut owned {
                    out.push(c);
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Name, labels, value.
    type Told = (String, Vec<(String, String)>, f64);

    fn one(line: &str) -> Option<Told> {
        let page = Page::parse(line).ok()?;
        let [s] = page.samples.as_slice() else { panic!("{page:?}") };
        let labels = s.labels.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        Some((s.name.to_string(), labels, s.value))
    }

    fn labels(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_sample_is_read_in_all_its_forms() {
        for (line, name, of, value) in [
            ("a 1", "a", labels(&[]), 1.0),
            ("a{} 1.5e3", "a", labels(&[]), 1_500.0),
            ("  a:b_c\t {x=\"1\"}\t2\t", "a:b_c", labels(&[("x", "1")]), 2.0),
            ("a{x=\"1\", y = \"2\" ,} +3 1700000000123", "a", labels(&[("x", "1"), ("y", "2")]), 3.0),
            (
                r#"a{p="C:\\DIR\\F",e="no \"f\"\n",u="中\d"} 4"#,
                "a",
                labels(&[("p", r"C:\DIR\F"), ("e", "no \"f\"\n"), ("u", r"中\d")]),
                4.0,
            ),
            (r#"a_bucket{le="+Inf"} 17 # {trace_id="a1b2"} 0.67"#, "a_bucket", labels(&[("le", "+Inf")]), 17.0),
            (r#"a 17 1700000000.789 # {t="x"} 0.67 1700000000.1"#, "a", labels(&[]), 17.0),
            (r#"{"my.metric", x="}"} 5"#, "my.metric", labels(&[("x", "}")]), 5.0),
            (r#"a{"l.x"="1"} 6"#, "a", labels(&[("l.x", "1")]), 6.0),
            ("a 0\r", "a", labels(&[]), 0.0),
        ] {
            assert_eq!(one(line), Some((name.to_owned(), of, value)), "{line}");
        }
        for (line, value) in [("a +Inf", f64::INFINITY), ("a -Inf", f64::NEG_INFINITY), ("a -1", -1.0)] {
            assert_eq!(one(line).unwrap().2, value);
        }
        assert!(one("a NaN").unwrap().2.is_nan());
    }

    #[test]
    fn what_is_no_sample_is_refused_with_its_line() {
        for line in [
            "a",
            "a{x=\"1\"",
            "a{x=1} 1",
            "a{x} 1",
            "1a 1",
            "a-b 1",
            "a one",
            "a 1 2 3",
            "a 1 then",
            "a{x=\"1\"y=\"2\"} 1",
            "a{x=\"1\",x=\"1\"} 1",
            "a{,} 1",
            "a{x=\"\\",
            "a{\"b\"} 1",
            "{x=\"1\"} 1",
            "{} 1",
            "<html>",
            "{\"ok\": true}",
            "a{x=\"1\"}",
        ] {
            let page = format!("# HELP a b\n\nb 1\n{line}\n");
            assert_eq!(Page::parse(&page), Err(Unreadable { line: 4 }), "{line}");
        }
    }

    #[test]
    fn comments_declare_and_an_end_ends() {
        let text = "# HELP a_total What.\n# TYPE a_total counter\n#TYPE g gauge\n# just a word\n# TYPE b counter\n#\nb_total 1\n# EOF\nnonsense here\n";
        let page = Page::parse(text).unwrap();
        assert_eq!(
            (page.type_of("a_total"), page.type_of("b_total"), page.type_of("c")),
            (Some("counter"), Some("counter"), None)
        );
        assert!(page.knows("a_total") && page.knows("b_total") && !page.knows("c_total") && page.knows("g"));
        assert_eq!(page.samples.len(), 1);
        assert_eq!(Page::parse(""), Ok(Page::default()));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([a-z_]{0,3}[{]?(\"?[a-z]{0,2}\"?[=]?\"?[a-z\\\\\"中]{0,3}\"?[,]?){0,2}[}]?[ \t]?[0-9.eEx+-]{0,4}(NaN|Inf)?[ #]{0,2}\r?\n|# ?(TYPE|HELP|EOF)? ?[a-z]{0,3}\n|.{0,12}\n){0,6}") {
            let _ = Page::parse(&text);
        }

        #[test]
        fn what_is_written_by_the_format_is_read_back(values in prop::collection::btree_map("[a-zA-Z_][a-zA-Z0-9_]{0,4}", ".{0,12}", 0..4), n in 0u64..1 << 53) {
            let escaped = |v: &str| v.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let written: Vec<String> = values.iter().map(|(k, v)| format!("{k}=\"{}\"", escaped(v))).collect();
            let line = format!("a_total{{{}}} {n}\n", written.join(","));
            let (name, read, value) = one(&line).unwrap();
            prop_assert_eq!((name.as_str(), value), ("a_total", n as f64));
            prop_assert_eq!(read, values.into_iter().collect::<Vec<_>>());
        }
    }
}
