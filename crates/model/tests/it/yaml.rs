use proptest::prelude::*;
use tradewind_model::{
    fault::{Lang, check_catalog},
    yaml::{MergeOrder, Node, Options, Resolved, Scalar, decode, faults, parse},
};

fn read(source: &str) -> Node {
    parse("f.yml", source, &Options::default()).unwrap_or_else(|f| panic!("{f}\n{source}"))
}
fn refused(source: &str) -> String {
    parse("f.yml", source, &Options::default()).expect_err("it was accepted").to_string()
}
fn text<'a>(node: &'a Node, path: &[&str]) -> &'a str {
    let mut at = node;
    for key in path {
        at = at.as_mapping().and_then(|m| m.get(key)).unwrap_or_else(|| panic!("no `{key}` in {at:?}"));
    }
    at.as_text().expect("a scalar")
}

#[test]
fn every_part_knows_where_it_stands() {
    let root = read("a: 1\nlist:\n  - x\n  - k: 'v'\n中文: 好\nblock: |\n  text\n");
    let m = root.as_mapping().unwrap();
    let places: Vec<String> = m
        .iter()
        .map(|(k, v)| format!("{} {}:{} {}:{}", k.as_str(), k.span.line, k.span.col, v.span.line, v.span.col))
        .collect();
    assert_eq!(places, ["a 1:1 1:4", "list 2:1 3:3", "中文 5:1 5:5", "block 6:1 7:3"]);
    let second = &m.get("list").unwrap().as_sequence().unwrap()[1];
    assert_eq!(second.at().to_string(), "f.yml:4:5");
    assert!(second.as_mapping().unwrap().get("k").unwrap().as_scalar().unwrap().quoted);
}

#[test]
fn anchors_aliases_and_merge_keys_are_expanded() {
    let source = "\
base: &base { image: a, retries: 1 }
other: &other { image: b, extra: 2 }
job:
  <<: [*base, *other]
  retries: 5
twice:
  <<: *base
  <<: *other
list: [*base, *base]
'<<': kept
";
    let root = read(source);
    assert_eq!(text(&root, &["job", "image"]), "a");
    assert_eq!(text(&root, &["job", "retries"]), "5");
    assert_eq!(text(&root, &["job", "extra"]), "2");
    assert_eq!(text(&root, &["twice", "image"]), "a");
    assert_eq!(text(&root, &["<<"]), "kept");
    assert_eq!(root.as_mapping().unwrap().get("list").unwrap().as_sequence().unwrap()[1].span.line, 1);
}

#[test]
fn later_keys_win_where_the_file_was_written_for_ruby() {
    let source = "b: &b { x: base, y: base }\nc: &c { x: c }\nj:\n  x: own\n  <<: [*b, *c]\n  y: own\n";
    let later = Options { merge: MergeOrder::LaterWins, ..Options::default() };
    let root = parse("f", source, &later).unwrap();
    assert_eq!((text(&root, &["j", "x"]), text(&root, &["j", "y"])), ("base", "own"));
    let root = read(source);
    assert_eq!((text(&root, &["j", "x"]), text(&root, &["j", "y"])), ("own", "own"));
}

#[test]
fn tags_are_kept() {
    let root = read("a: !reference [x, y]\nb: !!str 12\nc: !custom v\n");
    let m = root.as_mapping().unwrap();
    let tags: Vec<_> = m.iter().map(|(_, v)| v.tag.as_deref().unwrap()).collect();
    assert_eq!(tags, ["!reference", "!!str", "!custom"]);
    let b = m.get("b").unwrap();
    assert_eq!(b.as_scalar().unwrap().resolve(b.tag.as_deref()), Resolved::Text("12"));
}

#[test]
fn scalars_mean_what_they_mean_to_ruby() {
    let cases = [
        ("yes", "true"),
        ("On", "true"),
        ("OFF", "false"),
        ("no", "false"),
        ("y", "y"),
        ("~", ""),
        ("Null", ""),
        ("012345", "5349"),
        ("0o12", "0o12"),
        ("09", "09"),
        ("1_000", "1000"),
        ("-7", "-7"),
        ("+7", "7"),
        ("0x1F", "31"),
        ("0b101", "5"),
        ("12:30", "45000"),
        ("1:02:03", "3723"),
        ("12:60", "12:60"),
        ("1:2:3:4", "1:2:3:4"),
        ("1.50", "1.5"),
        (".5", "0.5"),
        ("1.", "1.0"),
        (".", "."),
        ("1e3", "1e3"),
        ("1.0e+3", "1000.0"),
        ("-.inf", "-Infinity"),
        (".NaN", "NaN"),
        ("1.2.3", "1.2.3"),
        ("99999999999999999999", "99999999999999999999"),
        ("-", "-"),
        ("0", "0"),
        ("_1", "_1"),
        ("2024-01-02", "2024-01-02"),
        ("v1", "v1"),
    ];
    for (text, meaning) in cases {
        let plain = Scalar { text: text.into(), quoted: false };
        assert_eq!(plain.resolve(None).to_string(), meaning, "plain {text}");
        let quoted = Scalar { text: text.into(), quoted: true };
        assert_eq!(quoted.resolve(None), Resolved::Text(text), "quoted {text}");
    }
    assert_eq!(Scalar { text: "-8".into(), quoted: false }.resolve(None), Resolved::Int(-8));
}

#[test]
fn what_would_hurt_is_refused_with_its_place() {
    let cases = [
        ("a: 1\nb: 2\na: 3\n", "f.yml:3:1: TW-YAML-002"),
        ("a: {b: 1, b: 2}\n", "f.yml:1:11: TW-YAML-002"),
        ("a: 1\n---\nb: 2\n", "f.yml:2:1: TW-YAML-006"),
        ("a: &x [1, *x]\n", "f.yml:1:11: TW-YAML-007"),
        ("a: *nowhere\n", "f.yml:1:4: TW-YAML-001"),
        ("? [a, b]\n: 1\n", "f.yml:1:3: TW-YAML-008"),
        (": 1\n", "f.yml:1:1: TW-YAML-008"),
        ("a: &x 1\nb:\n  <<: *x\n", "f.yml:3:7: TW-YAML-009"),
        ("a:\n\t- b\n", "f.yml:2:2: TW-YAML-001"),
        ("a: 'open\n", "f.yml:"),
        ("a: b: c\n", "f.yml:1:5: TW-YAML-001"),
    ];
    for (source, expected) in cases {
        let said = refused(source);
        assert!(said.starts_with(expected), "{source:?}: {said}");
    }
}

#[test]
fn bombs_go_off_before_they_are_copied() {
    let mut laughs = String::from("a0: &a0 [lol, lol]\n");
    for i in 1..40 {
        laughs.push_str(&format!("a{i}: &a{i} [*a{p}, *a{p}, *a{p}, *a{p}]\n", p = i - 1));
    }
    assert!(refused(&laughs).contains("TW-YAML-005"));
    let long = format!("a: &a '{}'\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(1_000));
    assert!(refused(&long).contains("TW-YAML-005"));
    let nested = (0..50).fold("x,".repeat(10_000), |inner, i| format!("&a{i} [{inner}]"));
    assert!(refused(&nested).contains("TW-YAML-005"));
    assert!(refused(&"[".repeat(500)).contains("TW-YAML-003"));
    let mut block = String::new();
    for i in 0..200 {
        block.push_str(&format!("{}a:\n", " ".repeat(i)));
    }
    assert!(refused(&block).contains("TW-YAML-003"));
    let chain = (1..100).fold(String::from("a0: &a0 [x]\n"), |s, i| format!("{s}a{i}: &a{i} [*a{}]\n", i - 1));
    assert!(refused(&chain).contains("TW-YAML-003"));
    assert!(refused(&"x".repeat(2 << 20)).contains("TW-YAML-004"));
    let merges = format!("a: &a {{{}}}\nb:\n{}", "k: 1", "  <<: *a\n".repeat(200_000 / 10));
    assert!(read(&merges).as_mapping().unwrap().get("b").unwrap().as_mapping().unwrap().get("k").is_some());
}

#[test]
fn an_empty_file_is_null_and_a_byte_order_mark_is_not_content() {
    assert!(read("").is_null());
    assert!(read("# nothing\n").is_null());
    assert_eq!(text(&read("\u{feff}a: 1\n"), &["a"]), "1");
    assert_eq!(decode("f", b"ok\n\xc3\xa9\xff").unwrap_err().to_string(), "f:2:2: TW-YAML-010: the file is not UTF-8");
}

#[test]
fn texts_are_complete() {
    assert_eq!(check_catalog(faults::ALL), Vec::<String>::new());
    assert!(parse("f", "a: [", &Options::default()).unwrap_err().what(Lang::Zh).contains("YAML"));
}

proptest! {
    #[test]
    fn no_text_panics(source in "[ \\n\\t\\-:#&*!|>'\"%@`{}\\[\\],?a-c0-9<~.\\\\é\u{feff}\r]{0,80}") {
        let _ = parse("f", &source, &Options::default());
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(source) = decode("f", &bytes) {
            let _ = parse("f", source, &Options::default());
        }
    }

    #[test]
    fn no_scalar_panics(text in "[-+0-9a-fxX_:.eE~]{0,12}") {
        let _ = Scalar { text: text.as_str().into(), quoted: false }.resolve(None).to_string();
    }
}
