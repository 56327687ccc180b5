//! Rights: what covers what, and that nothing is allowed by accident.

use proptest::prelude::*;
use tradewind_model::access::{Action, Bounds, Cap, Ceiling, Grant, Part, Principal, Refused, Rights, Role, Subject};

fn bounds(service: Option<&str>, env: Option<&str>, site: Option<&str>) -> Bounds {
    Bounds {
        service: service.map(|s| s.parse().unwrap()),
        env: env.map(|s| s.parse().unwrap()),
        site: site.map(|s| s.parse().unwrap()),
    }
}

fn rights(role: Role, bounds: Bounds) -> Rights {
    Rights::new(vec![Grant { role, bounds }])
}

fn shop(env: Option<&str>) -> Subject {
    Subject { env: Part::if_any(env.map(|e| e.parse().unwrap())), ..Subject::service("shop".parse().unwrap()) }
}

/// The table of the guide; a change of it is a change of what people were promised.
#[test]
fn roles_allow_these() {
    let row = |role: Role| {
        let allowed = Action::ALL.into_iter().filter(|a| role.allows(*a)).map(|a| a.as_str());
        format!("{role}: {}", allowed.collect::<Vec<_>>().join(" "))
    };
    insta::assert_snapshot!(Role::ALL.map(row).join("\n"), @r"
    viewer: read read_logs
    developer: read read_logs push run deploy revert
    release-manager: read read_logs push run deploy revert steer freeze approve secrets
    admin: read read_logs read_audit push run deploy revert steer freeze approve secrets policy access system
    auditor: read read_audit
    ");
    assert_eq!(Role::least(Action::Revert), Role::Developer);
    assert_eq!(Role::least(Action::ReadAudit), Role::Auditor);
    assert_eq!(Role::least(Action::System), Role::Admin);
}

#[test]
fn a_grant_holds_within_its_bounds() {
    let staging = rights(Role::Developer, bounds(None, Some("staging"), None));
    assert!(staging.may(Action::Deploy, &shop(Some("staging"))));
    assert!(staging.may(Action::Push, &shop(None)), "a feature branch leads nowhere");
    assert_eq!(staging.check(Action::Deploy, &shop(Some("production"))), Err(Refused::Unseen));
    let all = Subject { env: Part::Every, ..shop(None) };
    assert_eq!(staging.check(Action::Deploy, &all), Err(Refused::Role), "every environment is more than one");
    assert!(staging.may_somewhere(Action::Deploy) && !staging.may_somewhere(Action::Freeze));

    let brazil = rights(Role::Developer, bounds(Some("shop"), Some("production"), Some("shopee-br")));
    let at = |site: &str| shop(Some("production")).at(site.parse().unwrap());
    assert!(brazil.may(Action::Deploy, &at("shopee-br")) && !brazil.may(Action::Deploy, &at("shopee-my")));
    assert!(!brazil.may(Action::Deploy, &shop(Some("production")).everywhere()));
}

#[test]
fn a_token_is_a_part_of_its_owner() {
    let cap = |ceiling, bounds| Cap { ceiling, bounds };
    let developer = || rights(Role::Developer, Bounds::default());
    let read = developer().capped(cap(Ceiling::Read, Bounds::default()));
    assert!(read.may(Action::Read, &shop(None)));
    assert_eq!(read.check(Action::Push, &shop(None)), Err(Refused::Token));
    let narrow = developer().capped(cap(Ceiling::Admin, bounds(None, Some("staging"), None)));
    assert!(narrow.may(Action::Deploy, &shop(Some("staging"))));
    assert!(!narrow.may(Action::Deploy, &shop(Some("production"))));
    assert_eq!(narrow.check(Action::System, &shop(Some("staging"))), Err(Refused::Role), "a token adds nothing");
}

#[test]
fn principals_are_written_and_read_back() {
    for text in ["owner", "user/01930000-0000-7000-8000-000000000000", "token/01930000-0000-7000-8000-000000000000"] {
        assert_eq!(text.parse::<Principal>().unwrap().to_string(), text);
    }
    for bad in ["", "user", "user/x", "group/01930000-0000-7000-8000-000000000000", "owner/x"] {
        assert!(bad.parse::<Principal>().is_err(), "{bad}");
    }
}

fn name() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![Just(None), Just(Some("a")), Just(Some("b"))]
}

fn grant() -> impl Strategy<Value = Grant> {
    (prop::sample::select(Role::ALL.to_vec()), name(), name(), name())
        .prop_map(|(role, s, e, t)| Grant { role, bounds: bounds(s, e, t) })
}

fn part<T: std::str::FromStr<Err: std::fmt::Debug> + Clone + PartialEq + std::fmt::Debug + 'static>()
-> impl Strategy<Value = Part<T>> {
    prop_oneof![
        Just(Part::None),
        Just(Part::Every),
        prop_oneof![Just("a"), Just("b")].prop_map(|n| Part::Of(n.parse().unwrap())),
    ]
}

fn subject() -> impl Strategy<Value = Subject> {
    (part(), part(), part()).prop_map(|(service, env, site)| Subject { service, env, site })
}

proptest! {
    /// Whoever hands out what they have gives nobody a right they lack, wherever it is used.
    #[test]
    fn what_is_handed_out_was_there(own in prop::collection::vec(grant(), 0..4), given in grant(), subject in subject()) {
        let (own, theirs) = (Rights::new(own), Rights::new(vec![given.clone()]));
        if own.may_hand_out(&given) {
            for action in Action::ALL {
                prop_assert!(own.may(action, &subject) || !theirs.may(action, &subject), "{action} on {subject}");
            }
        }
    }

    /// More grants never take away; a cap never adds.
    #[test]
    fn rights_add_up_and_caps_take_away(
        some in prop::collection::vec(grant(), 0..3), more in grant(), subject in subject(),
        env in name(), ceiling in prop::sample::select(vec![Ceiling::Read, Ceiling::Deploy, Ceiling::Admin]),
    ) {
        let less = Rights::new(some.clone());
        let full = Rights::new(some.into_iter().chain([more]).collect());
        let capped = full.clone().capped(Cap { ceiling, bounds: bounds(None, env, None) });
        for action in Action::ALL {
            prop_assert!(full.may(action, &subject) || !less.may(action, &subject));
            prop_assert!(full.may(action, &subject) || !capped.may(action, &subject));
            if full.may(action, &Subject::ORGANISATION) {
                prop_assert!(full.may(action, &subject), "who may do it to all may do it to one");
            }
        }
    }
}
