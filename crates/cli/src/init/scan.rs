//! Looking into manifests without understanding all of them: a wrong guess costs a comment, and is seen.

/// `key = "value"` below `[section]`.
pub fn toml(text: &str, section: &str, key: &str) -> Option<String> {
    let mut here = section.is_empty();
    for line in text.lines().map(str::trim) {
        if let Some(head) = line.strip_prefix('[') {
            here = head.trim_start_matches('[').split(']').next() == Some(section);
        } else if here
            && let Some((k, v)) = line.split_once('=')
            && k.trim() == key
        {
            let quoted = v.trim().trim_start_matches(['"', '\'']);
            return quoted.split(['"', '\'']).next().map(str::to_owned);
        }
    }
    None
}

/// The text of the first `<tag>`.
pub fn xml<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{tag}>"))?;
    rest.split('<').next().map(str::trim)
}

/// Whether a name stands in the text as a whole one: `flask`, not `flask-cors` or `myflask`.
pub fn mentions(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '/');
    text.match_indices(&name).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// Words of a command that a shell would take as they stand.
pub fn words(command: &str) -> Option<Vec<String>> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '=' | ',' | ' ');
    let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    let first = words.first()?;
    (command.chars().all(plain) && !first.contains('=') && !first.starts_with('-')).then_some(words)
}

/// The path of a health check that stands in the source as a text of its own.
pub fn health_path(source: &str) -> Option<String> {
    const USUAL: [&str; 8] =
        ["/healthz", "/health", "/readyz", "/ready", "/livez", "/ping", "/api/healthz", "/api/health"];
    let quoted = |path: &str| ['"', '\'', '`'].iter().any(|q| source.contains(&format!("{q}{path}{q}")));
    // Go's router takes the method in front.
    let of_go = |path: &str| source.contains(&format!("\"GET {path}\""));
    USUAL.into_iter().find(|p| quoted(p) || of_go(p)).map(str::to_owned)
}

/// A service's name out of a project's: `@acme/Shop_API` gives `shop-api`. None where nothing of it is left.
pub fn slug(name: &str) -> Option<String> {
    let last = name.rsplit(['/', ':']).next()?;
    let mut out = String::new();
    for c in last.chars().map(|c| c.to_ascii_lowercase()) {
        let c = if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
        let doubled = c == '-' && out.ends_with('-');
        if !doubled && (!out.is_empty() || c.is_ascii_lowercase()) {
            out.push(c);
        }
    }
    out.truncate(40);
    let out = out.trim_end_matches('-');
    (!out.is_empty()).then(|| out.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_as_far_as_needed() {
        let cargo = "[package]\nname = \"shop\" # ours\n[[bin]]\nname = 'sync'\n[dependencies]\nname = \"x\"\n";
        assert_eq!(toml(cargo, "package", "name").as_deref(), Some("shop"));
        assert_eq!(toml(cargo, "bin", "name").as_deref(), Some("sync"));
        assert_eq!(toml(cargo, "lib", "name"), None);
        assert_eq!(xml("<a><artifactId> shop </artifactId></a>", "artifactId"), Some("shop"));
        assert!(mentions("Flask==3.0\n", "flask") && mentions("\"fastapi[standard]>=1\"", "fastapi"));
        assert!(!mentions("flask-cors", "flask") && !mentions("@nestjs/core-x", "@nestjs/core"));
    }

    #[test]
    fn only_what_a_shell_would_not_change_is_words() {
        assert_eq!(words("node --enable-source-maps dist/main").unwrap().len(), 3);
        for not in ["NODE_ENV=production node x", "node a && node b", "node $X", "", "node 'a b'"] {
            assert_eq!(words(not), None, "{not}");
        }
    }

    #[test]
    fn names_become_names_of_services() {
        for (name, slugged) in [
            ("@acme/Shop_API", Some("shop-api")),
            ("github.com/acme/order-sync", Some("order-sync")),
            ("123 go", Some("go")),
            ("订单", None),
            ("--", None),
        ] {
            assert_eq!(slug(name).as_deref(), slugged, "{name}");
            assert!(slug(name).is_none_or(|s| s.parse::<tradewind_model::id::ServiceName>().is_ok()));
        }
        assert_eq!(slug(&"x-".repeat(40)).unwrap().len(), 39);
    }
}
