use tradewind_api::v1::*;

#[test]
fn scopes_include_what_they_say_and_agents_stand_apart() {
    let table: Vec<_> = Scope::ALL.into_iter().map(|s| Scope::ALL.map(|wanted| s.includes(wanted))).collect();
    assert_eq!(
        table,
        [
            [true, false, false, false],
            [true, true, false, false],
            [true, true, true, false],
            [false, false, false, true],
        ]
    );
    assert!(Scope::ALL.into_iter().all(|s| s.as_str().parse::<Scope>().unwrap() == s));
}

#[test]
fn a_request_with_an_unknown_key_is_refused_and_defaults_are_filled_in() {
    let start: StartRollout = serde_json::from_str(r#"{"env":"production","release":"v3"}"#).unwrap();
    assert_eq!(start.kind, RolloutKind::Normal);
    assert!(serde_json::from_str::<StartRollout>(r#"{"env":"production","release":"v3","nota":"x"}"#).is_err());
    assert!(serde_json::from_str::<RollbackRequest>(r#"{"env":"../etc","reason":"x"}"#).is_err());
}

#[test]
fn updates_carry_their_type() {
    let update = RunUpdate::RolloutStarted {
        id: "01930000-0000-7000-8000-000000000000".parse().unwrap(),
        env: "production".parse().unwrap(),
        url: "/api/v1/rollouts/01930000-0000-7000-8000-000000000000".into(),
        outlook: None,
        waits_for: None,
    };
    let json = serde_json::to_value(&update).unwrap();
    assert_eq!(json["type"], "rollout_started");
    assert_eq!(serde_json::from_value::<RunUpdate>(json).unwrap(), update);
}
