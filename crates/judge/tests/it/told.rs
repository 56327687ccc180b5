//! What people read: sentences, forecasts, pictures.

use crate::world::{feed, one};
use tradewind_judge::{
    Arm, Judge, Kind, MetricSpec, Params, Sum, Verdict,
    control::Control,
    explain::{Names, Unit, sentence},
    forecast::{Forecast, forecast},
    picture::{Picture, Point, Wave, svg, text},
};
use tradewind_model::{fault::Lang, said, said::Said};

const NAMES: Names<'_> = Names { canary: "v3", baseline: "v2", unit: Unit::Customers };

fn both(said: &Said) -> String {
    format!("{}\n{}\n", said.get(Lang::En), said.get(Lang::Zh))
}

fn labelled(name: &str, kind: Kind, en_zh: Said) -> MetricSpec {
    MetricSpec { label: Some(en_zh), ..MetricSpec::new(name, kind) }
}

#[test]
fn a_verdict_is_one_plain_sentence() {
    let checkout = || labelled("errors", Kind::Error, said!("checkout errors", "结账错误"));
    let slow = || labelled("slow", Kind::Latency, said!("slower than 500 ms", "慢于 500 毫秒"));
    let orders = || labelled("orders", Kind::Business, said!("orders", "订单"));
    let judge = |metrics| Judge::new(Params::default(), metrics).unwrap();
    let mut told = String::new();
    let mut tell = |what: &str, judge: &Judge, names: &Names<'_>| {
        told += &format!("# {what}\n{}\n", both(&sentence(&judge.reading(), names)));
    };

    let mut worse = judge(vec![checkout()]);
    feed(&mut worse, 0, &[(0.0, (0, 0), (0, 0)), (41.0, (412, 31), (3_702, 3))]);
    tell("worse", &worse, &NAMES);

    let mut none_before = judge(vec![checkout(), slow()]);
    feed(&mut none_before, 0, &[(0.0, (0, 0), (0, 0)), (3_700.0, (412, 31), (3_702, 0))]);
    feed(&mut none_before, 1, &[(3_700.0, (412, 331), (3_702, 600))]);
    tell("two culprits, one without a case on the baseline", &none_before, &NAMES);

    let mut late = judge(vec![checkout()]);
    for i in 0..400 {
        let x = if i < 380 { u64::from(i % 4 == 0) } else { 3 };
        feed(&mut late, 0, &[(f64::from(i) * 10.0, (100, x), (900, 2 + u64::from(i % 4 == 0)))]);
    }
    tell("late, diluted by what was before", &late, &NAMES);

    let mut fewer = judge(vec![orders()]);
    feed(&mut fewer, 0, &[(0.0, (2_000, 25), (18_000, 900))]);
    tell("fewer orders", &fewer, &Names { unit: Unit::Sessions, ..NAMES });

    let own = || MetricSpec { of: Some(Said::plain("orders_found_total")), ..orders() };
    let mut skipped = judge(vec![own()]);
    feed(&mut skipped, 0, &[(0.0, (0, 0), (0, 0)), (9.0, (450, 360), (1_500, 1_500))]);
    tell("of what the service counts itself", &skipped, &Names { unit: Unit::Cycles, ..NAMES });
    tell("nothing of what the service counts itself", &judge(vec![own()]), &Names { unit: Unit::Cycles, ..NAMES });

    let mut slower = judge(vec![MetricSpec { site: Some("shopee-br".into()), ..slow() }]);
    feed(&mut slower, 0, &[(0.0, (1_000, 300), (9_000, 900))]);
    tell("slower, at a site", &slower, &Names { unit: Unit::Requests, ..NAMES });

    let mut watched = judge(vec![checkout()]);
    feed(&mut watched, 0, &[(0.0, (5_000, 25), (5_000, 25))]);
    watched.begin_watch(1.0, None);
    tell("watched", &watched, &NAMES);
    feed(&mut watched, 0, &[(90.0, (3_000, 300), (0, 0))]);
    tell("worse when watched", &watched, &NAMES);

    let mut fewer_than_elsewhere = judge(vec![orders()]);
    fewer_than_elsewhere.hold_against(0, &Control::Elsewhere);
    feed(&mut fewer_than_elsewhere, 0, &[(0.0, (0, 0), (0, 0)), (300.0, (4_000, 120), (18_000, 900))]);
    tell(
        "fewer orders than other sites lead to expect",
        &fewer_than_elsewhere,
        &Names { unit: Unit::Sessions, ..NAMES },
    );
    let mut fewer_than_ever = judge(vec![orders()]);
    fewer_than_ever.begin_watch(0.0, None);
    fewer_than_ever.hold_against(0, &Control::Past(vec![Sum { n: 90_000, x: 4_500 }]));
    feed(&mut fewer_than_ever, 0, &[(0.0, (0, 0), (0, 0)), (300.0, (4_000, 120), (0, 0))]);
    tell("fewer orders than in earlier weeks", &fewer_than_ever, &Names { unit: Unit::Sessions, ..NAMES });

    let mut better = judge(vec![checkout(), slow()]);
    feed(&mut better, 0, &[(0.0, (0, 0), (0, 0)), (35.0, (412, 0), (3_702, 3))]);
    feed(&mut better, 1, &[(35.0, (412, 31), (3_702, 300))]);
    tell("better", &better, &NAMES);

    tell("nothing yet", &judge(vec![checkout()]), &NAMES);
    let mut no_baseline = judge(vec![checkout()]);
    feed(&mut no_baseline, 0, &[(0.0, (10, 1), (0, 0))]);
    tell("no baseline", &no_baseline, &NAMES);
    let mut little = judge(vec![checkout()]);
    feed(&mut little, 0, &[(0.0, (80, 1), (700, 2))]);
    tell("too little", &little, &NAMES);
    let mut late_reading = little.reading();
    late_reading.verdict = late_reading.verdict.at_time_limit();
    assert_eq!(late_reading.verdict, Verdict::Inconclusive);
    told += &format!("# inconclusive\n{}\n", both(&sentence(&late_reading, &NAMES)));
    let optional = judge(vec![MetricSpec { required: false, ..checkout() }]);
    told += &format!("# nothing required\n{}\n", both(&sentence(&optional.reading(), &NAMES)));
    insta::assert_snapshot!(told);
}

#[test]
fn a_forecast_says_how_long_and_what_to_change() {
    let usual = Forecast {
        units_per_s: 100.0,
        share: 0.1,
        base_rate: 0.005,
        ratio: 2.0,
        alpha: 0.01,
        max_seconds: 600.0,
        clients: None,
    };
    assert_eq!(forecast(&usual).oracle_s.unwrap().round(), 273.0);
    let mut told = String::new();
    for f in [
        usual,
        Forecast { share: 0.01, ..usual },
        Forecast { units_per_s: 5.0, ratio: 1.5, ..usual },
        Forecast { units_per_s: 0.01, ..usual },
        Forecast { units_per_s: 0.0, ..usual },
        Forecast { base_rate: 0.0, ..usual },
        Forecast { clients: Some(200), ..usual },
        Forecast { clients: Some(20_000), ..usual },
    ] {
        f.check().unwrap();
        let o = forecast(&f);
        let seconds = |s: Option<f64>| s.map_or("never".into(), |s| format!("{s:.0} s"));
        told += &format!("{} of {}: {}\n", seconds(o.oracle_s), seconds(o.expected_s), both(&o.advice));
    }
    insta::assert_snapshot!(told);
    for bad in [
        Forecast { units_per_s: -1.0, ..usual },
        Forecast { share: 1.0, ..usual },
        Forecast { base_rate: f64::NAN, ..usual },
        Forecast { ratio: 1.0, ..usual },
        Forecast { alpha: 0.0, ..usual },
        Forecast { max_seconds: 0.0, ..usual },
    ] {
        assert!(bad.check().is_err(), "{bad:?}");
    }
}

/// A minute of health at a tenth, then a fault at a half.
fn course() -> (Vec<Point>, Vec<Wave>) {
    let mut judge = one(Kind::Error);
    let mut points = Vec::new();
    for i in 0..=150 {
        let t = f64::from(i);
        let (n_c, x_c) = if i < 60 { (10, 0) } else { (50, u64::from(i > 100 && i % 3 != 0)) };
        judge.observe(t, 0, Arm::of(n_c, x_c), Arm::of(100 - n_c, u64::from(i % 20 == 7))).unwrap();
        points.push(Point { t, e: judge.brief().e });
    }
    (points, vec![Wave { t: 0.0, share: 0.1, site: None }, Wave { t: 60.0, share: 0.5, site: None }])
}

#[test]
fn the_course_of_the_evidence_is_seen_in_a_terminal() {
    let (points, waves) = course();
    let decision = points.iter().find(|p| p.e >= 100.0).map(|p| (p.t, Verdict::Worse));
    let picture =
        Picture { title: "v3 against v2", points: &points, waves: &waves, needed: 100.0, decision, lang: Lang::En };
    insta::assert_snapshot!("picture_en", text(&picture));
    let sites = [Wave { site: Some("shopee-br".into()), ..waves[0].clone() }, Wave { t: 3.0, ..waves[1].clone() }];
    insta::assert_snapshot!(
        "picture_zh",
        text(&Picture { lang: Lang::Zh, title: "v3 对 v2", waves: &sites, ..picture.clone() })
    );
    let nothing = Picture { points: &[], waves: &[], decision: None, ..picture.clone() };
    insta::assert_snapshot!("picture_of_nothing", text(&nothing));
    let beyond: Vec<Point> = [0.0, f64::MAX, f64::INFINITY, f64::NAN].map(|e| Point { t: 1e9, e }).to_vec();
    for p in [&nothing, &Picture { points: &beyond, ..picture.clone() }, &picture] {
        assert!(text(p).lines().all(|l| l.chars().count() <= 80));
        assert!(!svg(p).contains("NaN") && !svg(p).contains("inf"));
    }
}

#[test]
fn the_picture_for_a_page_is_well_formed_and_carries_nothing_foreign() {
    let (points, waves) = course();
    let waves = [waves[0].clone(), Wave { site: Some("<b>\"&".into()), ..waves[1].clone() }];
    let title = "v3 <script>alert('1')</script> & \u{1}v2";
    let decision = Some((130.0, Verdict::Worse));
    let drawn = svg(&Picture { title, points: &points, waves: &waves, needed: 100.0, decision, lang: Lang::En });
    assert!(!drawn.contains("<script") && !drawn.contains("<b>") && !drawn.contains('\u{1}'));
    assert!(drawn.contains("prefers-color-scheme:dark") && drawn.contains("50%"));
    insta::assert_snapshot!(drawn);
}
