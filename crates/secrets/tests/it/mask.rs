use base64::{Engine, engine::general_purpose};
use proptest::prelude::*;
use tradewind_secrets::mask::{HOLD, Masks, Stream};

const VALUE: &str = "s3cr3t/Va+lue \"ü\" & <x>";

fn mask(values: &[&str], text: &str) -> String {
    let (masks, mut stream) = (Masks::new(values.iter().copied()), Stream::default());
    let mut out = stream.push(&masks, text.as_bytes());
    out.extend(stream.finish(&masks));
    String::from_utf8(out).unwrap()
}

/// In pieces that end at the given places.
fn mask_in_pieces(values: &[&str], text: &[u8], sizes: &[usize]) -> Vec<u8> {
    let (masks, mut stream) = (Masks::new(values.iter().copied()), Stream::default());
    let (mut out, mut rest) = (Vec::new(), text);
    for size in sizes {
        let (piece, more) = rest.split_at((*size).min(rest.len()));
        out.extend(stream.push(&masks, piece));
        rest = more;
    }
    out.extend(stream.push(&masks, rest));
    out.extend(stream.finish(&masks));
    out
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[test]
fn every_form_is_masked_and_what_is_around_it_stays() {
    let forms = [
        VALUE.to_owned(),
        general_purpose::STANDARD_NO_PAD.encode(VALUE),
        general_purpose::URL_SAFE_NO_PAD.encode(VALUE),
        percent(VALUE),
        percent(VALUE).replace("%20", "+"),
        percent(VALUE).to_lowercase().replace("va", "Va"),
        serde_json::to_string(VALUE).unwrap().trim_matches('"').to_owned() + "\"",
        VALUE.replace('"', "\\\"").replace('ü', "\\u00fc"),
        VALUE
            .replace('"', "\\\"")
            .replace('ü', "\\u00fc")
            .replace('&', "\\u0026")
            .replace('<', "\\u003c")
            .replace('>', "\\u003e"),
        "s3cr3t/Va+lue &quot;ü&quot; &amp; &lt;x&gt;".to_owned(),
        hex::encode(VALUE),
        hex::encode_upper(VALUE),
    ];
    for form in forms {
        let got = mask(&[VALUE], &format!("before {form} after\n"));
        assert!(got.starts_with("before [MASKED]") && got.ends_with(" after\n") && got.len() < 36, "{form}: {got}");
    }
    assert_eq!(mask(&[VALUE], "nothing here\n"), "nothing here\n");
}

#[test]
fn base64_is_found_wherever_the_value_stands_in_what_was_coded() {
    for before in ["", "u", "us", "user", "user:"] {
        for engine in [&general_purpose::STANDARD, &general_purpose::URL_SAFE] {
            let whole = engine.encode(format!("{before}{VALUE}@host"));
            let got = mask(&[VALUE], &whole);
            assert!(got.contains("[MASKED]"), "{before:?}: {whole} gave {got}");
            // Beside the mask there is no more of the value than a part of a letter on either side.
            let left = got.replace("[MASKED]", "").len();
            assert!(left <= (before.len() + 5) * 4 / 3 + 6, "{before:?}: {got}");
        }
    }
}

#[test]
fn what_was_broken_into_lines_is_masked_on_each() {
    let key: String = (0..200).map(|i| char::from(b'a' + (i * 7 % 26) as u8)).collect();
    let coded = general_purpose::STANDARD.encode(&key);
    let wrapped: String =
        coded.as_bytes().chunks(64).map(|l| format!("{}\n", std::str::from_utf8(l).unwrap())).collect();
    let got = mask(&[&key], &format!("key:\n{wrapped}end\n"));
    assert!(got.starts_with("key:\n[MASKED]\n[MASKED]\n[MASKED]\n"), "{got}");
    assert!(got.ends_with("\nend\n"), "{got}");
    assert_eq!(mask(&["hunter2-hunter2"], "a hunter2-\r\nhunter2 b"), "a [MASKED]\r\n[MASKED] b");
}

#[test]
fn a_value_of_several_lines_is_masked_line_by_line_but_for_its_frame() {
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n";
    assert_eq!(mask(&[key], "  hkiG9w0BAQEFAASC\n"), "  [MASKED]\n");
    assert_eq!(mask(&[key], "-----BEGIN PRIVATE KEY-----\n…\n"), "-----BEGIN PRIVATE KEY-----\n…\n");
    let json = serde_json::to_string(key).unwrap();
    assert_eq!(mask(&[key], &json), "\"[MASKED]\"");
    let whole = mask(&[key], key);
    assert!(!whole.contains("MII") && !whole.contains("hki"), "{whole}");
}

#[test]
fn values_that_overlap_or_contain_each_other_leave_nothing() {
    assert_eq!(mask(&["abcdef", "defghi"], "xabcdefghix"), "x[MASKED]x");
    assert_eq!(mask(&["abcdef", "abcdefghijkl"], "abcdefghijkl abcdefg!"), "[MASKED] [MASKED]g!");
    assert_eq!(mask(&["abcdef"], "abcdefabcdef"), "[MASKED]");
    assert_eq!(mask(&["aaaaaa"], "aaaaaaaaa!"), "[MASKED]!");
}

#[test]
fn what_is_too_short_is_left_alone() {
    assert_eq!(mask(&["abc12"], "abc12\n"), "abc12\n");
    assert_eq!(mask(&["  abc12 "], "  abc12 \n"), "  abc12 \n");
    assert!(Masks::new(["abc"]).is_empty());
}

#[test]
fn only_what_may_be_a_beginning_is_held_back_and_at_the_end_it_is_masked() {
    let masks = Masks::new(["horse-battery-staple"]);
    let mut stream = Stream::default();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    assert_eq!(text(stream.push(&masks, b"a line\nand hor")), "a line\nand hor");
    assert_eq!(text(stream.push(&masks, b"ace, horse-bat")), "ace, ");
    assert_eq!(text(stream.push(&masks, b"h horse-battery")), "horse-bath ");
    assert_eq!(text(stream.push(&masks, b"-staple!")), "[MASKED]!");
    assert_eq!(text(stream.push(&masks, b" horse")), " ");
    assert_eq!(text(stream.finish(&masks)), "[MASKED]");
}

#[test]
fn many_values_are_masked_in_little_memory() {
    let mut rng = fastrand::Rng::with_seed(7);
    let values: Vec<String> = (0..50).map(|_| (0..40).map(|_| rng.alphanumeric()).collect()).collect();
    let masks = Masks::new(values.iter().map(String::as_str));
    assert!(masks.weight() < 3 << 20, "{} bytes", masks.weight());
    for value in &values {
        assert_eq!(mask(&[value], &format!("<{value}>")), "<[MASKED]>");
    }
}

proptest! {
    /// However the text comes in and wherever lines are broken, no more of a value is left than what is not waited for.
    #[test]
    fn no_piece_of_a_value_gets_through(
        values in prop::collection::vec("[a-d]{6,12}", 1..4),
        text in prop::collection::vec(prop_oneof![3 => "[a-d \n]{0,6}".prop_map(Err), 2 => (0usize..4).prop_map(Ok)], 0..12),
        sizes in prop::collection::vec(0usize..9, 0..40),
    ) {
        let text: String = text.iter().map(|part| match part {
            Ok(index) => values[index % values.len()].clone(),
            Err(other) => other.clone(),
        }).collect();
        let all: Vec<&str> = values.iter().map(String::as_str).collect();
        let got = String::from_utf8(mask_in_pieces(&all, text.as_bytes(), &sizes)).unwrap();
        let flat = got.replace('\n', "");
        for value in &values {
            prop_assert!(!flat.contains(value.as_str()), "{value} in {got}");
        }
        // Whole at once, the text outside of values is as it was.
        if !values.iter().any(|v| text.replace('\n', "").contains(v.as_str())) && sizes.is_empty() {
            let kept = got.trim_end_matches("[MASKED]");
            prop_assert!(text.starts_with(kept) && (kept.len() == got.len() || text.len() - kept.len() >= HOLD));
        }
        // Line ends are never lost.
        prop_assert_eq!(got.matches('\n').count(), text.matches('\n').count());
    }
}
