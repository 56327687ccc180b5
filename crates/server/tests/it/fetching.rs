//! Bringing a branch here, and no more of it than was meant.

use crate::forge::Forge;
use std::{process::Command, time::Duration};
use tempfile::TempDir;
use tradewind_server::git::{
    Repos,
    fetch::{Bounds, FetchError, Source},
};
use zeroize::Zeroizing;

struct Here {
    folder: TempDir,
    repos: Repos,
    forge: Forge,
}

fn git(dir: &std::path::Path, args: &[&str]) -> String {
    let done = Command::new("git")
        .args(["-c", "user.name=x", "-c", "user.email=x@example.com"])
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

impl Here {
    async fn new() -> Self {
        let (folder, forge) = (tempfile::Builder::new().prefix("tw").tempdir().unwrap(), Forge::start().await);
        let (git, hooks) = (folder.path().join("git"), folder.path().join("hooks"));
        for path in [&git, &hooks] {
            std::fs::create_dir(path).unwrap();
        }
        Self { repos: Repos::new(git, hooks), forge, folder }
    }

    /// A commit on the forge's branch `main`.
    fn commit(&self, file: &str, content: &[u8]) -> String {
        let work = self.folder.path().join("work");
        if !work.exists() {
            git(self.folder.path(), &["init", "-q", "-b", "main", "work"]);
        }
        std::fs::write(work.join(file), content).unwrap();
        git(&work, &["add", "-A"]);
        git(&work, &["commit", "-q", "-m", "A change"]);
        git(&work, &["push", "-q", self.forge.path().to_str().unwrap(), "HEAD:main"]);
        git(&work, &["rev-parse", "HEAD"])
    }

    fn source(&self) -> Source {
        let addresses = vec!["127.0.0.1".parse().unwrap()];
        let url = format!("{}.git", self.forge.url()).parse().unwrap();
        Source { url, addresses, credential: None, bounds: Bounds::default() }
    }

    async fn fetch(&self, from: &Source) -> Result<String, FetchError> {
        let done = self.repos.fetch(&"shop".parse().unwrap(), from, &"main".parse().unwrap()).await;
        let left: Vec<_> = std::fs::read_dir(self.folder.path().join("git")).unwrap().collect();
        assert_eq!(left.len(), if done.is_ok() { 2 } else { 1 }, "nothing is left of one that failed");
        done.map(|staged| staged.tip.to_string())
    }
}

#[tokio::test]
async fn the_connection_goes_where_it_was_looked_at() {
    let here = Here::new().await;
    let commit = here.commit("a", b"a");
    // A name that no name server knows: the address that was given is the one that is used.
    let mut from = here.source();
    from.url.set_host(Some("forge.invalid")).unwrap();
    assert_eq!(here.fetch(&from).await.unwrap(), commit);
    from.addresses = vec!["127.0.0.2".parse().unwrap()];
    assert!(matches!(here.fetch(&from).await, Err(FetchError::Git(_))), "nobody listens there");
}

#[tokio::test]
async fn a_fetch_has_an_end_in_bytes_and_in_time() {
    let here = Here::new().await;
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as u8
    })
    .take(1 << 20)
    .collect();
    let commit = here.commit("noise", &noise);
    let small = Source { bounds: Bounds { bytes: 64 << 10, ..Bounds::default() }, ..here.source() };
    assert!(matches!(here.fetch(&small).await, Err(FetchError::Git(_))));
    let short = Source { bounds: Bounds { time: Duration::ZERO, ..Bounds::default() }, ..here.source() };
    assert!(matches!(here.fetch(&short).await, Err(FetchError::Late(_))));
    assert_eq!(here.fetch(&here.source()).await.unwrap(), commit);
}

#[tokio::test]
async fn a_credential_is_sent_to_whom_it_is_for() {
    let here = Here::new().await;
    let commit = here.commit("a", b"a");
    here.forge.wants("oauth2", "a-token");
    assert!(here.fetch(&here.source()).await.is_err());
    let with = Source { credential: Some(("oauth2", Zeroizing::new("a-token".into()))), ..here.source() };
    assert_eq!(here.fetch(&with).await.unwrap(), commit);
    let other = Forge::start().await;
    here.forge.sends_on_to(Some(other.origin()));
    assert!(here.fetch(&with).await.is_err());
}

#[tokio::test]
async fn what_git_would_not_take_in_a_push_it_does_not_take_here() {
    let here = Here::new().await;
    here.commit("a", b"a");
    let bare = here.forge.path();
    // A tree with a name that leads out of it.
    let blob = git(&bare, &["hash-object", "-w", "-t", "blob", "config"]);
    let mut tree = b"100644 ..\0".to_vec();
    tree.extend(hex::decode(&blob).unwrap());
    std::fs::write(bare.join("tree"), &tree).unwrap();
    let tree = git(&bare, &["hash-object", "-w", "-t", "tree", "--literally", "tree"]);
    let commit = git(&bare, &["commit-tree", "-m", "odd", &tree]);
    git(&bare, &["update-ref", "refs/heads/main", &commit]);
    let Err(FetchError::Harmful(why)) = here.fetch(&here.source()).await else { panic!("it was taken") };
    assert!(why.contains("hasDotdot"), "{why}");
}
