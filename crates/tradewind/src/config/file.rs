//! `config.yaml` of the data folder: one level of keys, each a setting. Unknown keys are refused.

use super::{Source, Value, registry};
use crate::faults;
use std::{collections::BTreeMap, io, path::Path};
use tradewind_model::{fault::Fault, yaml};

pub const NAME: &str = "config.yaml";

/// The settings in the file; none when there is no file.
pub fn read(path: &Path) -> Result<BTreeMap<&'static str, Value>, Fault> {
    let shown = path.display().to_string();
    let bytes = match std::fs::read(path) {
        Ok(b) => b,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(e) => return Err(Fault::new(&faults::CONFIG_FILE).with("file", shown).with("reason", e)),
    };
    parse(&shown, &bytes)
}

fn parse(file: &str, bytes: &[u8]) -> Result<BTreeMap<&'static str, Value>, Fault> {
    let root = yaml::parse(file, yaml::decode(file, bytes)?, &yaml::Options::default())?;
    let mut values = BTreeMap::new();
    if root.is_null() {
        return Ok(values);
    }
    let Some(mapping) = root.as_mapping() else {
        return Err(root.fault(&faults::CONFIG_SHAPE).with("found", root.shown()));
    };
    for (key, node) in mapping.iter() {
        let Some(setting) = registry::in_file().find(|s| s.key == key.as_str()) else {
            return Err(key.fault(&faults::UNKNOWN_SETTING).with("key", key.as_str()).with("hint", hint(key.as_str())));
        };
        let Some(text) = node.as_text().filter(|_| !node.is_null()) else {
            return Err(node.fault(&faults::CONFIG_SHAPE).with("found", node.shown()));
        };
        values.insert(setting.key, Value { text: text.to_owned(), source: Source::File(node.at()) });
    }
    Ok(values)
}

fn hint(key: &str) -> String {
    let near = registry::in_file().map(|s| (strsim::osa_distance(s.key, key), s.key)).min();
    near.filter(|(distance, _)| *distance <= 3).map(|(_, k)| format!(" → `{k}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::fault::Lang;

    #[test]
    fn settings_are_read_with_their_place_and_an_empty_file_is_none() {
        let got = parse("config.yaml", b"# ours\nlisten: 127.0.0.1:9000\nlog: debug\n").unwrap();
        assert_eq!(got["listen"].text, "127.0.0.1:9000");
        let Source::File(at) = &got["listen"].source else { panic!("{:?}", got["listen"]) };
        assert_eq!((at.line, at.col), (2, 9));
        assert!(parse("config.yaml", b"# nothing\n").unwrap().is_empty());
    }

    #[test]
    fn what_is_not_a_setting_is_refused_where_it_stands() {
        let e = parse("c.yaml", b"lisen: x\n").unwrap_err();
        assert_eq!(format!("{e}"), "c.yaml:1:1: TW-CFG-001: `lisen` is not a setting → `listen`?");
        for bad in ["data: /x\n", "listen: [a]\n", "listen:\n", "- a\n"] {
            let e = parse("c.yaml", bad.as_bytes()).unwrap_err();
            assert!(e.at.is_some() && !e.fix(Lang::Zh).is_empty(), "{bad}: {e}");
        }
    }
}
