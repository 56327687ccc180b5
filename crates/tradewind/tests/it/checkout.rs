//! A git checkout to push from.

use crate::harness::{Folder, Up, surround, text};
use std::{
    ffi::OsStr,
    fs,
    path::PathBuf,
    process::{Command, Output},
};

pub struct Checkout<'a> {
    folder: &'a Folder,
    dir: PathBuf,
}

impl<'a> Checkout<'a> {
    /// An empty one.
    pub fn new(folder: &'a Folder) -> Self {
        let this = Self { folder, dir: folder.tmp.path().join("work") };
        fs::create_dir(&this.dir).unwrap();
        this.git(&["init", "-q", "-b", "main"]);
        this
    }

    /// The one that is there.
    pub fn again(folder: &'a Folder) -> Self {
        Self { folder, dir: folder.tmp.path().join("work") }
    }

    /// With the code that `up` gives.
    pub fn log_in(&self, up: &Up) {
        let said = up.said.text();
        let login = said.lines().find_map(|l| l.trim().strip_prefix("tradewind ")).unwrap();
        assert_eq!(self.tradewind(login).1, Some(0));
    }

    pub fn run(&self, program: impl AsRef<OsStr>, args: &[&str]) -> Output {
        let mut command = Command::new(program);
        surround(&mut command, self.folder);
        command
            .args(args)
            .current_dir(&self.dir)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .output()
            .unwrap()
    }

    pub fn git(&self, args: &[&str]) -> String {
        let out = self.run("git", &[&["-c", "user.name=n", "-c", "user.email=n@example.com"], args].concat());
        assert!(out.status.success(), "git {args:?}: {}", text(&out.stderr));
        format!("{}{}", text(&out.stdout), text(&out.stderr))
    }

    pub fn commit(&self, title: &str, files: &[(&str, &str)]) {
        for (name, content) in files {
            let path = self.dir.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", title]);
    }

    /// What it said on stdout, and its exit code.
    pub fn tradewind(&self, words: &str) -> (String, Option<i32>) {
        let out = self.run(&self.folder.program, &words.split(' ').collect::<Vec<_>>());
        println!("tradewind {words}\n{}{}", text(&out.stdout), text(&out.stderr));
        (text(&out.stdout), out.status.code())
    }
}
