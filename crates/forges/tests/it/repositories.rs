use tradewind_forges::{Kind, Repository};

fn repo(s: &str) -> Repository {
    s.parse().unwrap_or_else(|e| panic!("{s}: {e}"))
}

#[test]
fn an_address_is_read_once_and_written_one_way() {
    for (given, shown, git) in [
        ("https://github.com/haixin/shop", "https://github.com/haixin/shop", "https://github.com/haixin/shop.git"),
        ("https://GitHub.com/haixin/shop.git/", "https://github.com/haixin/shop", "https://github.com/haixin/shop.git"),
        (
            "https://git.haixin.example:8443/erp/sync/shop.git",
            "https://git.haixin.example:8443/erp/sync/shop",
            "https://git.haixin.example:8443/erp/sync/shop.git",
        ),
        ("http://10.0.0.7:3000/ops/prices", "http://10.0.0.7:3000/ops/prices", "http://10.0.0.7:3000/ops/prices.git"),
        ("https://[2001:db8::1]/a/b", "https://[2001:db8::1]/a/b", "https://[2001:db8::1]/a/b.git"),
    ] {
        let r = repo(given);
        assert_eq!((r.to_string().as_str(), r.fetched_from().as_str()), (shown, git));
        assert_eq!(repo(&r.to_string()), repo(&r.to_string()));
    }
}

#[test]
fn what_could_be_more_than_an_address_is_none() {
    for bad in [
        "",
        "shop",
        "git@github.com:haixin/shop.git",
        "ssh://git@github.com/haixin/shop.git",
        "file:///etc/passwd",
        "ext::sh -c id",
        "git://github.com/a/b",
        "https://user@github.com/a/b",
        "https://user:password@github.com/a/b",
        "https://github.com/a/b?x=1",
        "https://github.com/a/b#x",
        "https://github.com/a",
        "https://github.com/",
        "https://github.com/a/../b",
        "https://github.com/a/%2e%2e/b",
        "https://github.com/a/./b",
        "https://github.com/a//b",
        "https://github.com/-a/b",
        "https://github.com/a/--upload-pack=id",
        "https://github.com/a/b;id",
        "https://github.com/a/$(id)",
        "https://github.com/a/`id`",
        "https://github.com/a/b|c",
        "https://github.com/a\\b/c",
        "https://github.com/a/b\nHost: x",
        "https://github.com/a/ b",
        "https://github.com/a/b\t",
        "https://gıthub.com/a/b",
        "https://github.com/a/\u{202e}b",
        "https://evil.example\\@github.com/a/b",
        "--upload-pack=id",
        "https://",
        &format!("https://github.com/a/{}", "b".repeat(400)),
    ] {
        assert!(bad.parse::<Repository>().is_err(), "{bad:?}");
    }
}

#[test]
fn a_delivery_has_to_name_it() {
    let r = repo("https://git.haixin.example/code/erp/shop");
    for same in ["code/erp/shop", "Code/ERP/Shop", "erp/shop", "/erp/shop/"] {
        assert!(r.is_named(same), "{same}");
    }
    for other in ["", "/", "p/shop", "erp/shop2", "erp", "other/code/erp/shop", "项目/shop"] {
        assert!(!r.is_named(other), "{other}");
    }
}

#[test]
fn forges_are_known_by_their_hosts() {
    for (host, kind) in
        [("github.com", Some(Kind::Github)), ("codeberg.org", Some(Kind::Gitea)), ("github.com.evil.example", None)]
    {
        assert_eq!(Kind::of_host(host), kind);
    }
    assert_eq!("forgejo".parse::<Kind>(), Ok(Kind::Gitea));
    assert_eq!(
        "svn\n".parse::<Kind>().unwrap_err().to_string(),
        "`svn` is not a forge: expected github, gitlab, gitea (also for Forgejo), gitee or bitbucket"
    );
    assert_eq!(repo("https://github.com/a/b").api(Kind::Github), "https://api.github.com");
    assert_eq!(repo("https://ghe.example/a/b").api(Kind::Github), "https://ghe.example/api/v3");
}
