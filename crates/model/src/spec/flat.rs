//! A spec as `key.path -> text`, for comparing two of them.

use crate::yaml::{self, Node, Value};
use std::collections::BTreeMap;

/// `run.env.LOG_LEVEL -> info`; items of a list are `run.command[0]`. A text that is no YAML has no keys.
pub fn flatten(source: &str) -> BTreeMap<String, String> {
    let mut flat = BTreeMap::new();
    if let Ok(root) = yaml::parse("tradewind.yaml", source, &yaml::Options::default()) {
        walk(&root, String::new(), &mut flat);
    }
    flat
}

fn walk(node: &Node, path: String, flat: &mut BTreeMap<String, String>) {
    match &node.value {
        Value::Scalar(s) => {
            flat.insert(path, s.text.to_string());
        }
        Value::Sequence(items) => {
            for (i, item) in items.iter().enumerate() {
                walk(item, format!("{path}[{i}]"), flat);
            }
        }
        Value::Mapping(m) => {
            for (key, value) in m.iter() {
                let path = if path.is_empty() { key.as_str().to_owned() } else { format!("{path}.{}", key.as_str()) };
                walk(value, path, flat);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn values_are_found_by_their_path() {
        let flat = super::flatten("run:\n  command: [python3, app.py]\n  env: { LOG_LEVEL: info }\n");
        assert_eq!(flat["run.command[1]"], "app.py");
        assert_eq!(flat["run.env.LOG_LEVEL"], "info");
    }
}
