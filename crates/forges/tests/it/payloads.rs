use crate::sent::body;
use tradewind_forges::{Event, Kind, read};

#[test]
fn what_each_forge_says_of_a_push() {
    let mut told = String::new();
    for (kind, event) in [
        (Kind::Github, "push"),
        (Kind::Gitlab, "Push Hook"),
        (Kind::Gitea, "push"),
        (Kind::Gitee, "Push Hook"),
        (Kind::Bitbucket, "repo:push"),
    ] {
        let Event::Pushes(pushes) = read(kind, event, body(kind).as_bytes()).unwrap() else { panic!("{kind}") };
        for p in pushes {
            let short =
                |c: &Option<tradewind_model::id::Commit>| c.as_ref().map_or("-".into(), |c| c.short().to_owned());
            let (before, after) = (short(&p.before), short(&p.after));
            told += &format!(
                "{kind:<9} {:<18} {:<13} {before:>12} {after:>12} {}\n",
                p.repository,
                p.branch.as_str(),
                p.pusher
            );
        }
    }
    insta::assert_snapshot!(told);
}

#[test]
fn what_is_no_push_is_told_apart() {
    let ping = include_bytes!("payloads/github-ping.json");
    assert_eq!(read(Kind::Github, "ping", ping).unwrap(), Event::Ping);
    assert_eq!(read(Kind::Github, "issues", b"anything").unwrap(), Event::Other("issues".into()));
    let tag = body(Kind::Gitea).replace("refs/heads/main", "refs/tags/v1");
    assert_eq!(read(Kind::Gitea, "push", tag.as_bytes()).unwrap(), Event::Other("tag".into()));
    assert_eq!(read(Kind::Gitlab, "Tag Push Hook", b"").unwrap(), Event::Other("Tag Push Hook".into()));
    let gone = body(Kind::Gitlab).replace("da1560886d4f094c3e6c9ef40349f7d38b5d27d7", &"0".repeat(40));
    let Event::Pushes(pushes) = read(Kind::Gitlab, "Push Hook", gone.as_bytes()).unwrap() else { panic!() };
    assert_eq!(pushes[0].after, None);
}
