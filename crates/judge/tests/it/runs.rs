//! What can be said of a schedule's runs before any has ended.

use tradewind_judge::{
    Params, Unchecked,
    runs::{Schedule, clean_runs, outlook},
};
use tradewind_model::fault::Lang;

fn floor(floor: f64) -> Params {
    Params::checked(Unchecked { floor, ..Unchecked::default() }).unwrap()
}

#[test]
fn as_many_clean_runs_are_needed_as_clean_units() {
    assert_eq!(clean_runs(&Params::default()), Some(321));
    assert_eq!([0.1, 0.2, 0.3].map(|f| clean_runs(&floor(f))), [Some(31), Some(15), Some(10)]);
    assert_eq!(clean_runs(&floor(0.0)), None, "without a floor there is only the ratio, and nothing failed");
}

#[test]
fn what_can_be_expected_is_told_in_both_languages() {
    let hour = Schedule { per_day: 288.0, canary: 1, baseline: 3, params: Params::default(), max_seconds: 1_800.0 };
    let cases = [
        ("every five minutes, half an hour", hour),
        ("every second", Schedule { per_day: 86_400.0, ..hour }),
        ("nightly, for a week", Schedule { per_day: 1.0, canary: 2, max_seconds: 604_800.0, ..hour }),
        ("weekly", Schedule { per_day: 1.0 / 7.0, ..hour }),
        ("no floor", Schedule { params: floor(0.0), ..hour }),
        ("yearly", Schedule { per_day: 0.0, ..hour }),
    ];
    let mut told = String::new();
    for (what, schedule) in cases {
        let o = outlook(&schedule);
        told += &format!("# {what}: {:?} {:?} hopeless: {}\n", o.found_s, o.clean, o.hopeless);
        told += &format!("{}\n{}\n\n", o.text.get(Lang::En), o.text.get(Lang::Zh));
    }
    insta::assert_snapshot!(told);
}
