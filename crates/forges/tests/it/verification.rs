use crate::sent::{NOW, SECRET, Sent, body, mac, proof};
use std::time::Duration;
use tradewind_forges::{HookSecret, Kind, Refused, WINDOW};

#[test]
fn each_forge_is_let_in_with_its_secret() {
    for kind in Kind::ALL {
        let verified = Sent::by(kind).arrives(SECRET, NOW).unwrap_or_else(|e| panic!("{kind}: {e}"));
        assert!(verified.event.to_lowercase().contains("push"), "{kind}");
        assert!(!verified.delivery.as_str().is_empty(), "{kind}");
        let binds_the_body = matches!(kind, Kind::Github | Kind::Gitea | Kind::Bitbucket);
        assert_eq!(verified.essence.is_some(), binds_the_body, "{kind}");
    }
}

/// Of GitHub's documentation.
#[test]
fn github_signs_as_it_says() {
    let mut sent = Sent::by(Kind::Github)
        .set("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    sent.body = b"Hello, World!".to_vec();
    sent.arrives("It's a Secret to Everybody", NOW).unwrap();
}

#[test]
fn forgejos_own_headers_count() {
    let gitea = Sent::by(Kind::Gitea);
    let signature = gitea.get("X-Gitea-Signature");
    let both = gitea.set("X-Forgejo-Event", "push").set("X-Forgejo-Delivery", "abc-1");
    both.clone().set("X-Forgejo-Signature", &signature).arrives(SECRET, NOW).unwrap();
    assert_eq!(both.clone().refused(), Refused::Unsigned, "a good one of the other name makes up for none");
    assert_eq!(both.set("X-Forgejo-Signature", &"0".repeat(64)).refused(), Refused::Signature);
}

#[test]
fn gitlab_signs_as_standard_webhooks_do() {
    for secret in [SECRET, HookSecret::of(&[7; 32]).expose()] {
        let sent = Sent::signed_by_gitlab(secret, NOW);
        assert!(sent.arrives(secret, NOW).unwrap().essence.is_some());
        // While a token is being exchanged there are two, and either is good.
        let both = format!("v1,{} {}", "AAAA", sent.get("webhook-signature"));
        sent.clone().set("webhook-signature", &both).arrives(secret, NOW).unwrap();
        let wrong = sent.clone().set("webhook-signature", "v1,AAAA").set("X-Gitlab-Token", secret);
        assert_eq!(wrong.arrives(secret, NOW), Err(Refused::Signature), "a token makes up for no signature");
        assert_eq!(sent.clone().set("webhook-id", "another").arrives(secret, NOW), Err(Refused::Signature));
        let asymmetric = sent.get("webhook-signature").replace("v1,", "v1a,");
        assert_eq!(sent.set("webhook-signature", &asymmetric).arrives(secret, NOW), Err(Refused::Signature));
    }
}

/// The example of the Standard Webhooks libraries.
#[test]
fn standard_webhooks_sign_as_they_say() {
    let at = tradewind_model::time::Timestamp::from_millis(1_614_265_330_000);
    let mut sent = Sent::by(Kind::Gitlab)
        .set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
        .set("webhook-timestamp", "1614265330")
        .set("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    sent.body = br#"{"test": 2432232314}"#.to_vec();
    sent.arrives("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", at).unwrap();
}

#[test]
fn a_time_that_is_told_has_to_be_near() {
    let (just, over) = (WINDOW, WINDOW + Duration::from_secs(1));
    for sent in [Sent::signed_by_gitlab(SECRET, NOW), Sent::by(Kind::Gitee)] {
        for now in [NOW.plus(just), NOW.minus(just)] {
            sent.arrives(SECRET, now).unwrap();
        }
        for now in [NOW.plus(over), NOW.minus(over)] {
            assert_eq!(sent.arrives(SECRET, now), Err(Refused::Stale), "{}", sent.kind);
        }
    }
    let forever = Sent::by(Kind::Gitee).set("X-Gitee-Token", SECRET).set("X-Gitee-Timestamp", &i64::MAX.to_string());
    assert_eq!(forever.refused(), Refused::Stale);
}

#[test]
fn gitee_may_send_a_password_or_an_escaped_signature() {
    let sent = Sent::by(Kind::Gitee);
    let token = sent.get("X-Gitee-Token");
    let escaped = token.replace('+', "%2B").replace('/', "%2f").replace('=', "%3D");
    let first = sent.arrives(SECRET, NOW).unwrap();
    assert_eq!(sent.clone().set("X-Gitee-Token", &escaped).arrives(SECRET, NOW), Ok(first.clone()));
    assert_eq!(sent.set("X-Gitee-Token", SECRET).arrives(SECRET, NOW), Ok(first), "the same delivery, the same name");
}

#[test]
fn a_secret_is_long_and_can_be_sent() {
    for bad in [
        "",
        "short",
        "with\nline break in it",
        " leading space here",
        "密钥密钥密钥密钥密钥密钥",
        "nul\0nul\0nul\0nul\0nul\0",
        &"x".repeat(201),
    ] {
        assert!(HookSecret::parse(bad).is_err(), "{bad:?}");
    }
    let made = HookSecret::of(&[255; 32]);
    assert_eq!(HookSecret::parse(made.expose()).unwrap().expose(), made.expose());
    assert_eq!(format!("{made:?}"), "HookSecret(…)");
}

/// What is signed stays the same when headers that are not signed are written anew.
#[test]
fn a_copy_under_another_name_is_known_by_what_is_signed() {
    for (kind, name) in
        [(Kind::Github, "X-GitHub-Delivery"), (Kind::Gitea, "X-Gitea-Delivery"), (Kind::Bitbucket, "X-Request-UUID")]
    {
        let first = Sent::by(kind).arrives(SECRET, NOW).unwrap();
        let second = Sent::by(kind).set(name, "another").arrives(SECRET, NOW).unwrap();
        assert_ne!(first.delivery, second.delivery);
        assert_eq!(first.essence, second.essence, "{kind}");
    }
}

#[test]
fn without_a_proof_nobody_is_let_in() {
    for kind in Kind::ALL {
        let sent = Sent::by(kind);
        assert_eq!(sent.clone().without(proof(kind)).without("X-Hub-Signature").refused(), Refused::Unsigned, "{kind}");
        let empty = sent.clone().set(proof(kind), "").refused();
        assert!(matches!(empty, Refused::Unsigned | Refused::Malformed), "{kind}: {empty}");
        let mut changed = sent.clone();
        changed.body.push(b' ');
        // Neither GitLab's token nor Gitee's signature say anything of the body.
        assert_eq!(changed.arrives(SECRET, NOW).is_ok(), matches!(kind, Kind::Gitlab | Kind::Gitee), "{kind}");
        assert_eq!(sent.arrives("another secret altogether", NOW), Err(Refused::Signature), "{kind}");
    }
}

#[test]
fn a_proof_that_occurs_twice_is_none() {
    for kind in Kind::ALL {
        let mut twice = Sent::by(kind);
        let good = twice.get(proof(kind));
        twice.headers.push((proof(kind).to_lowercase(), good.into_bytes()));
        assert!(twice.arrives(SECRET, NOW).is_err(), "{kind}");
    }
}

#[test]
fn sha1_is_never_enough() {
    let github = Sent::by(Kind::Github).without("X-Hub-Signature-256");
    assert_eq!(github.refused(), Refused::Weak);
    assert_eq!(Sent::by(Kind::Bitbucket).set("X-Hub-Signature", "sha1=7d38cdd6").refused(), Refused::Weak);
    let short = hex::encode(&mac(SECRET.as_bytes(), body(Kind::Gitea).as_bytes())[..20]);
    assert_eq!(Sent::by(Kind::Gitea).set("X-Gitea-Signature", &short).refused(), Refused::Malformed);
}

#[test]
fn a_delivery_of_another_forge_is_none_of_this_one() {
    for theirs in Kind::ALL {
        for ours in Kind::ALL.into_iter().filter(|k| *k != theirs) {
            let sent = Sent { kind: ours, ..Sent::by(theirs) };
            assert!(sent.arrives(SECRET, NOW).is_err(), "{theirs} at a link of {ours}");
        }
    }
    let disguised = Sent { kind: Kind::Github, ..Sent::by(Kind::Gitea) };
    assert_eq!(disguised.refused(), Refused::OtherForge, "Gitea sends GitHub's headers, too");
}
