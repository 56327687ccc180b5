//! Keys without a format of their own: a name that says so, and a value that looks random.

use super::checks::entropy;

/// Of a value that is given to something called a password, a secret, a token or a key.
pub fn value(key: &str) -> bool {
    let kinds = [
        key.bytes().any(|b| b.is_ascii_digit()),
        key.bytes().any(|b| b.is_ascii_lowercase()),
        key.bytes().any(|b| b.is_ascii_uppercase()),
        key.bytes().any(|b| !b.is_ascii_alphanumeric()),
    ];
    let mixed = kinds.iter().filter(|k| **k).count() >= 2 && (kinds[0] || kinds.iter().all(|k| *k));
    let bar = if key.len() < 20 { 3.0 } else { 3.5 };
    let hex = key.bytes().all(|b| b.is_ascii_hexdigit());
    mixed && entropy(key) >= if hex { 3.0 } else { bar } && !is_reference(key) && !is_identifier(key)
}

/// A password in an address: what is no variable and not the word everybody puts there.
pub fn password(key: &str) -> bool {
    const USUAL: [&str; 13] = [
        "password", "passwd", "pass", "secret", "postgres", "mysql", "root", "admin", "guest", "user", "test", "redis",
        "rabbitmq",
    ];
    !USUAL.contains(&key.to_ascii_lowercase().as_str()) && !is_reference(key)
}

/// A path, an address, a function's call, a member of something.
fn is_reference(key: &str) -> bool {
    key.contains("://")
        || key.starts_with(['/', '.', '~', '$', '%', '{', '<', '@'])
        || key.contains(['(', ')', ' ', '[', '{'])
        || key.split('.').count() > 1
            && key.split('.').all(|p| p.bytes().next().is_some_and(|b| b.is_ascii_alphabetic()))
}

/// `get_access_token_v2`, `accessTokenForStore1`, `kebab-case-2`: words, and at most a number behind each.
fn is_identifier(key: &str) -> bool {
    let mut words = Vec::new();
    let (mut word, mut last) = (String::new(), ' ');
    for c in key.chars() {
        let parts = "_-./: ".contains(c);
        if parts || c.is_ascii_uppercase() && !last.is_ascii_uppercase() {
            words.push(std::mem::take(&mut word));
        }
        if !parts && !c.is_ascii_alphanumeric() {
            return false;
        }
        if !parts {
            word.push(c.to_ascii_lowercase());
        }
        last = c;
    }
    words.push(word);
    let is_word = |w: &String| {
        let letters = w.trim_end_matches(|c: char| c.is_ascii_digit());
        let vowel = letters.chars().any(|c| "aeiouy".contains(c));
        letters.chars().all(|c| c.is_ascii_alphabetic())
            && (vowel || letters.len() <= 3)
            && w.len() - letters.len() <= 4
    };
    let words: Vec<String> = words.into_iter().filter(|w| !w.is_empty()).collect();
    // Random letters fall into words of one or two; real ones are longer.
    let length: usize = words.iter().map(String::len).sum();
    words.iter().all(is_word) && length >= words.len() * 3
}
