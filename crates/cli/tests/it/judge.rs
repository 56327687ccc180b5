//! `tradewind judge`: needs no server.

use crate::fake::Fake;
use serde_json::Value;
use tradewind_cli::exit::Exit;
use tradewind_model::fault::Lang;

fn sample(t: f64, kind: &str, canary: (u64, u64), baseline: (u64, u64)) -> String {
    format!(
        r#"{{"t":{t},"metric":"{kind}","kind":"{kind}","canary":{{"n":{},"x":{}}},"baseline":{{"n":{},"x":{}}}}}"#,
        canary.0, canary.1, baseline.0, baseline.1
    ) + "\n"
}

async fn answers(args: &str, input: &str) -> (Vec<Value>, Exit) {
    let said = Fake::start().await.fed(Lang::En, args, input).await;
    (said.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect(), said.exit)
}

#[tokio::test]
async fn each_line_is_answered_by_the_evidence_so_far() {
    let fake = Fake::start().await;
    let mut input = String::new();
    for t in 0..4 {
        input += &sample(f64::from(t) * 0.5, "error", (10, 3), (90, 0));
        input += &sample(f64::from(t) * 0.5, "business", (10, 2), (90, 17));
        input += "\n";
    }
    insta::assert_snapshot!("judge_eval", fake.fed(Lang::En, "judge eval", input).await);
    assert_eq!(fake.seen().len(), 0);
}

#[tokio::test]
async fn verdicts_are_readings_and_time_makes_them_inconclusive() {
    let input = [
        sample(0.0, "error", (1, 0), (9, 0)),
        sample(59.9, "error", (1, 0), (9, 0)),
        sample(60.0, "error", (1, 0), (9, 0)),
        sample(61.0, "error", (1000, 0), (9000, 0)),
        sample(62.0, "error", (100, 9), (900, 3)),
        sample(63.0, "error", (1000, 3), (9000, 450)),
    ]
    .concat();
    let verdicts = |all: &[Value]| all.iter().map(|a| a["verdict"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let (all, exit) = answers("judge eval --max-seconds 60", &input).await;
    assert_eq!(verdicts(&all), ["continue", "continue", "inconclusive", "better", "worse", "better"]);
    assert_eq!(exit, Exit::Ok);
    let (all, _) = answers("judge eval", &input).await;
    assert_eq!(verdicts(&all), ["continue", "continue", "continue", "better", "worse", "better"]);
    let (strict, _) = answers("judge eval --alpha 1e-9 --beta 1e-9 --floor 0", &input).await;
    assert!(verdicts(&strict)[..5].iter().all(|v| v == "continue"), "{strict:?}");
}

#[tokio::test]
async fn settings_change_what_is_evidence() {
    let input = sample(0.0, "error", (100, 8), (100, 2));
    let e = async |args: &str| answers(args, &input).await.0[0]["e"].as_f64().unwrap();
    assert!(e("judge eval").await > e("judge eval --r0 1.5").await);
    let said = Fake::start().await.fed(Lang::En, "judge eval --alpha 2", input.as_str()).await;
    insta::assert_snapshot!("judge_eval_bad_alpha", said);
    let said = Fake::start().await.fed(Lang::En, "judge eval --max-seconds 0", input.as_str()).await;
    assert_eq!((said.out.as_str(), said.exit), ("", Exit::Refused));
}

#[tokio::test]
async fn evidence_beyond_a_number_is_a_number_and_the_time_is_repeated_as_written() {
    let most = 1u64 << 53;
    let text = sample(0.0, "error", (most, most), (most, 1)).replace("\"t\":0", "\"t\":1e3");
    let said = Fake::start().await.fed(Lang::En, "judge eval", text).await;
    assert_eq!(said.out, "{\"t\":1000.0,\"e\":1.7976931348623157e+308,\"verdict\":\"worse\"}\n");
    let floats =
        r#"{"t":7,"metric":"m","kind":"error","canary":{"n":10.0,"x":0},"baseline":{"n":10,"x":0.0},"more":1}"#;
    let said = Fake::start().await.fed(Lang::En, "judge eval", floats).await;
    assert_eq!(said.out, "{\"t\":7,\"e\":1.0,\"verdict\":\"continue\"}\n");
}

/// Everything good is answered, everything else is told with its place, and counts for nothing.
#[tokio::test]
async fn bad_lines_are_told_with_their_place() {
    let good = sample(10.0, "error", (10, 1), (90, 0));
    let with = |from: &str, to: &str| good.replace(from, to);
    let mut input = good.clone();
    for bad in [
        with("\"x\":1}", "\"x\":NaN}"),
        with("\"x\":1}", "\"x\":-1}"),
        with("\"x\":1}", "\"x\":1.5}"),
        with("\"x\":1}", "\"x\":9007199254740993}"),
        with("\"x\":1}", "\"x\":1e300}"),
        with("\"x\":1}", "\"x\":\"1\"}"),
        with("\"n\":10,", ""),
        with("\"n\":10,", "\"n\":0,"),
        with("\"t\":10", "\"t\":9"),
        with("\"t\":10,", ""),
        with("\"t\":10", "\"t\":null"),
        with("\"kind\":\"error\"", "\"kind\":\"errors\""),
        with("\"kind\":\"error\"", "\"kind\":\"business\""),
        with("\"metric\":\"error\"", "\"metric\":\"\""),
        with("\"baseline\":{\"n\":90,\"x\":0}", "\"baseline\":7"),
        with(",\"baseline\":{\"n\":90,\"x\":0}", ""),
        sample(10.0, "latency", (10, 11), (90, 0)),
        "[1]\n".into(),
        "订单 {\n".into(),
        "{\"t\":1\n".into(),
        format!("{{\"metric\":\"{}\"}}\n", "x".repeat(3 << 20)),
    ] {
        input += &bad;
    }
    let mut bytes = input.into_bytes();
    bytes.extend_from_slice(b"\xff\xfe\n");
    bytes.extend_from_slice(good.as_bytes());
    let fake = Fake::start().await;
    let said = fake.fed(Lang::En, "judge eval", bytes.clone()).await;
    assert_eq!(said.exit, Exit::Usage);
    insta::assert_snapshot!("judge_eval_bad_lines", said);
    insta::assert_snapshot!("judge_eval_bad_lines_zh", fake.fed(Lang::Zh, "judge eval", bytes.clone()).await);
    let twice = fake.fed(Lang::En, "judge eval", good.repeat(2)).await;
    assert_eq!(said.out, twice.out);
    let json = fake.fed(Lang::En, "judge eval --json", bytes).await;
    let first: Value = serde_json::from_str(json.err.lines().next().unwrap()).unwrap();
    assert_eq!((first["code"].as_str(), first["at"]["line"].as_u64()), (Some("TW-CLI-026"), Some(2)));
}

#[tokio::test]
async fn the_suite_is_a_table_and_a_run_is_repeatable() {
    let fake = Fake::start().await;
    let said = fake.fed(Lang::En, "judge simulate --runs 3 --only errors-", "").await;
    insta::assert_snapshot!("judge_simulate", said);
    insta::assert_snapshot!(
        "judge_simulate_zh",
        fake.fed(Lang::Zh, "judge simulate --runs 3 --only errors-", "").await
    );
    let json = |said: crate::fake::Said| serde_json::from_str::<Value>(&said.out).unwrap();
    let page = json(fake.fed(Lang::En, "judge simulate --runs 3 --only errors- --json", "").await);
    assert_eq!(page["items"][0]["measured"]["runs"], 3);
    assert_eq!(page["items"][1]["passed"], true);
    let other = json(fake.fed(Lang::En, "judge simulate --runs 3 --seed 2 --only errors- --json", "").await);
    assert_ne!(page, other);
    let cost = json(fake.fed(Lang::En, "judge simulate --runs 1 --only cost --json", "").await);
    assert!(cost["items"][0]["measured"]["median"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn a_forecast_needs_no_server() {
    let fake = Fake::start().await;
    let usual = "judge forecast --units-per-second 100 --error-rate 0.005";
    let mut told = String::new();
    for more in [
        "--share 0.1",
        "--share 0.01 --max-time 15m",
        "--share 0.1 --clients 100",
        "--share 2",
        "--share 0.1 --max-time soon",
    ] {
        let args = format!("{usual} {more}");
        told +=
            &format!("{more}\n{}\n{}\n\n", fake.fed(Lang::En, &args, "").await, fake.fed(Lang::Zh, &args, "").await);
    }
    insta::assert_snapshot!("judge_forecast", told);
    let json = fake.fed(Lang::En, &format!("{usual} --share 0.1 --json"), "").await;
    let outlook: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((outlook["oracle_s"].as_f64().unwrap().round(), outlook["hopeless"].as_bool()), (273.0, Some(false)));
}
