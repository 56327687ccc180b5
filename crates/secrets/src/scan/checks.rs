//! What makes letters a key: chance, and a checksum where the format has one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Bits a letter, by how often each occurs; random hex comes close to 4, random base64 to 6 where it is long.
pub fn entropy(text: &str) -> f64 {
    let mut counts = [0u32; 256];
    text.bytes().for_each(|b| counts[usize::from(b)] += 1);
    let all = text.len() as f64;
    counts.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / all).map(|p| -p * p.log2()).sum()
}

/// Lets everything through: its prefix and length say enough.
pub fn any(_: &str) -> bool {
    true
}

/// Random enough for letters and digits.
pub fn random(key: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| key.as_bytes().iter().any(kind);
    let entropy = entropy(key);
    has(u8::is_ascii_alphabetic) && (entropy >= 3.8 || entropy >= 3.0 && has(u8::is_ascii_digit))
}

/// GitHub's tokens, npm's: the last six digits are the CRC-32 of those before, in base 62.
pub fn crc62(key: &str) -> bool {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some((_, token)) = key.split_once('_') else { return false };
    let Some((body, sum)) = token.split_at_checked(token.len().saturating_sub(6)) else { return false };
    let mut left = crc32(body.as_bytes());
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(left % 62) as usize];
        left /= 62;
    }
    digits == sum.as_bytes()
}

/// As in zip and PNG.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |mut sum: u32, byte| {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg());
        }
        sum
    })
}

/// Its head is JSON that names an algorithm.
pub fn jwt(key: &str) -> bool {
    let head = key.split('.').next().and_then(|head| URL_SAFE_NO_PAD.decode(head).ok());
    head.and_then(|head| String::from_utf8(head).ok())
        .is_some_and(|head| head.starts_with('{') && head.contains("\"alg\""))
}

/// Whether it stands for a key that the reader is to put there, or refers to one that is elsewhere.
pub fn is_example(key: &str) -> bool {
    const WORDS: [&str; 20] = [
        "example",
        "sample",
        "placeholder",
        "changeme",
        "change_me",
        "change-me",
        "your_",
        "your-",
        "yourkey",
        "dummy",
        "xxxxx",
        "redacted",
        "masked",
        "insert",
        "replace",
        "todo",
        "fake",
        "0123456789",
        "abcdefgh",
        "deadbeef",
    ];
    let lower = key.to_ascii_lowercase();
    let letters = |key: &str| {
        let mut seen = [false; 256];
        key.bytes().for_each(|b| seen[usize::from(b)] = true);
        seen.iter().filter(|s| **s).count()
    };
    let refers = ["${", "{{", "$(", "<%", "%(", "process.env", "os.environ", "getenv", "secrets."];
    WORDS.iter().any(|w| lower.contains(w))
        || refers.iter().any(|r| lower.contains(r))
        || lower.starts_with('$')
        || (key.starts_with('<') && key.ends_with('>'))
        || key.contains("...")
        || key.contains('…')
        || key.contains("***")
        // The word of a person who copies a page of documentation: `AKIA…EXAMPLE`.
        || (key.len() >= 8 && letters(key) <= 4)
}
