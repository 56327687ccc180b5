//! What no name is, in every place a caller can put a word: made from the declarations, so that a route of tomorrow is tried too.

use crate::{
    app::http,
    rights::{World, body},
};
use serde_json::Value;
use std::{collections::BTreeSet, path::Path};
use tradewind_server::{http::route::Route, routes};

/// Shells, paths, headers, options, terminals, pages, other scripts.
fn words(canary: &Path) -> Vec<String> {
    let touch = format!("touch {}", canary.display());
    vec![
        format!("; {touch}"),
        format!("$({touch})`{touch}`"),
        format!("| {touch}\n{touch}"),
        format!("--upload-pack={touch}"),
        "../../../../etc/passwd".into(),
        "a\r\nx-injected: yes\r\n\r\n<html>".into(),
        "<script>alert(1)</script>\"'".into(),
        "\u{1b}]0;owned\u{7}\u{1b}[2J".into(),
        "pay\u{202e}lap\u{200b}\u{feff}".into(),
        "\0".into(),
        "x".repeat(70_000),
    ]
}

/// Every copy of a body with one of its texts replaced.
fn spoiled(body: &Value, word: &str) -> Vec<Value> {
    match body {
        Value::String(_) => vec![Value::String(word.to_owned())],
        Value::Array(all) => {
            let each = all.iter().enumerate();
            each.flat_map(|(at, one)| {
                spoiled(one, word).into_iter().map(move |bad| {
                    let mut copy = all.clone();
                    copy[at] = bad;
                    Value::Array(copy)
                })
            })
            .collect()
        }
        Value::Object(all) => {
            let each = all.iter();
            each.flat_map(|(key, one)| {
                spoiled(one, word).into_iter().map(move |bad| {
                    let mut copy = all.clone();
                    copy.insert(key.clone(), bad);
                    Value::Object(copy)
                })
            })
            .collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// As a client would write it: nothing of it is a separator any more.
fn escaped(word: &str) -> String {
    word.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// The route's addresses with one of their parts, or one of their questions, replaced.
fn addresses(world: &World, route: &Route, word: &str) -> Vec<String> {
    let path = world.path(route);
    let (bare, query) = path.split_once('?').unwrap_or((&path, ""));
    let parts: Vec<&str> = bare.split('/').collect();
    let named = route.path.split('/').enumerate().filter(|(_, p)| p.starts_with('{'));
    let mut all: Vec<String> = named
        .map(|(at, _)| {
            let mut copy: Vec<String> = parts.iter().map(|p| (*p).to_owned()).collect();
            copy[at] = escaped(word);
            format!("{}?{query}", copy.join("/"))
        })
        .collect();
    all.extend(route.doc.query.iter().map(|q| format!("{bare}?{}={}&{query}", q.name, escaped(word))));
    all
}

struct Tried {
    many: u32,
    refused: BTreeSet<u16>,
}

impl Tried {
    async fn send(&mut self, world: &World, route: &Route, address: &str, body: Option<&Value>) {
        // What would be too long for an address is for bodies.
        if address.len() > 8_000 {
            return;
        }
        let url = world.app.url(address);
        let request = http().request(route.method.clone(), url).bearer_auth(&world.app.admin.token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        assert!(status < 500, "{route:?} {address} {body:?}: {status} {}", answer.text().await.unwrap());
        assert!(!headers.contains_key("x-injected"), "{route:?} {address}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{route:?}");
        self.many += 1;
        if status >= 400 {
            self.refused.insert(status);
            let kind = headers.get("content-type").and_then(|t| t.to_str().ok()).unwrap_or_default();
            assert!(!kind.contains("html"), "{route:?}: {kind}");
            let text = answer.text().await.unwrap();
            let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
            assert!(!text.contains(steers), "{route:?} {address}: {text:?}");
        }
    }
}

#[tokio::test]
async fn no_word_is_more_than_a_word_anywhere() {
    let world = World::new().await;
    let folder = world.app.data().parent().unwrap().to_owned();
    let canary = folder.join("canary");
    let around =
        |folder: &Path| -> BTreeSet<_> { std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect() };
    let before = around(&folder);
    let mut tried = Tried { many: 0, refused: BTreeSet::new() };
    for word in words(&canary) {
        for route in routes::all() {
            let body = body(&route);
            for address in addresses(&world, &route, &word) {
                tried.send(&world, &route, &address, body.as_ref()).await;
            }
            for spoiled in body.iter().flat_map(|b| spoiled(b, &word)) {
                tried.send(&world, &route, &world.path(&route), Some(&spoiled)).await;
            }
        }
    }
    assert_eq!(around(&folder), before, "something was run, or written outside");
    assert!(tried.many > 1_000, "{}", tried.many);
    assert!(tried.refused.contains(&404) && tried.refused.contains(&422), "{:?}", tried.refused);
    // The log is whole, and who asked is still who they were.
    assert!(world.app.client().verify_audit().await.unwrap().ok);
}
