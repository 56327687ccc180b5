use crate::chain::{record, ten};
use tradewind_audit::{Sealed, csv, line};

#[test]
fn a_line_is_the_event_byte_for_byte() {
    for event in ten() {
        assert_eq!(line::read(&line::write(&event)).unwrap(), event);
    }
    let mut event = ten().remove(0);
    let r = event.record.as_mut().unwrap();
    r.after = Some(r#"{"b":1.0,  "a":12345678901234567890,"b":[null,1e300,"\u001b[31m é"]}"#.into());
    r.before = Some("null".into());
    r.actor_name = "evil\u{1b}[2Jname\n\"quoted\"".into();
    r.at = i64::MAX;
    let text = line::write(&event);
    assert!(!text.contains('\n') && !text.contains('\u{1b}'), "{text}");
    assert_eq!(line::read(&text).unwrap(), event);
    for (kind, word) in [("system", "part"), ("agent", "host")] {
        event.record.as_mut().unwrap().actor_type = kind.into();
        let text = line::write(&event);
        assert!(text.contains(&format!("\"{word}\":")), "{text}");
        assert_eq!(line::read(&text).unwrap(), event);
    }
    let note = "a\n\n— b c\n";
    assert!(matches!(line::piece(&line::checkpoint(note)), Ok(line::Piece::Checkpoint(text)) if text == note));
    insta::assert_snapshot!(line::write(&ten()[0]));
    for bad in ["", "{}", "[]", r#"{"seq":1}"#, "{\"seq\":1,\"withheld\":false}"] {
        assert!(line::read(bad).is_err(), "{bad}");
    }
}

#[test]
fn no_cell_is_a_formula_or_a_command() {
    let mut event = ten().remove(0);
    let mut r = record(1);
    r.kind = "=HYPERLINK(\"http://evil\")".into();
    r.actor_name = "+1".into();
    r.subject = "@SUM(A1)".into();
    r.service = Some("-2".into());
    r.env = Some("＝1".into());
    r.cause = Some("  =1".into());
    r.before = Some("\u{1b}[2J\u{9b}31m\u{202e}".into());
    r.after = Some("a\r\nb, \"c\"".into());
    event.record = Some(r);
    let withheld = Sealed { record: None, ..event.clone() };
    insta::assert_snapshot!(format!("{}{}{}", csv::head(), csv::write(&event), csv::write(&withheld)));
}
