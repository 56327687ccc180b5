//! A first spec and pipeline for what is in a folder.
//!
//! Pure: [`Files`] answers what a folder holds, [`detect`] tells what it is, [`Kind::recipe`] how such a thing is built, run
//! and checked, [`render`] writes it down with the reasons. Whatever is guessed stands in the result with a comment.

mod dotnet;
pub mod files;
mod go;
mod java;
mod node;
mod php;
mod python;
pub mod render;
mod rust;
mod scan;
mod site;

use files::{Files, Under};
pub use scan::slug;
use tradewind_model::{said, said::Said, workload::ServiceKind};

/// What a project is made with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, clap::ValueEnum)]
pub enum Kind {
    Node,
    Python,
    Php,
    Java,
    Dotnet,
    Go,
    Rust,
    Static,
}

/// How such a project becomes a running service.
#[derive(Debug)]
pub struct Recipe {
    pub kind: Kind,
    /// As people call it: `Node.js, Express`.
    pub flavour: String,
    /// The project's own name.
    pub name: Option<String>,
    pub service: ServiceKind,
    /// What goes into the release; empty: everything.
    pub paths: Vec<String>,
    pub exclude: Vec<String>,
    pub prepare: Option<Step>,
    pub run: Step,
    pub env: Vec<(String, String)>,
    /// GET this path, or merely connect.
    pub health: Option<String>,
    /// Where the kind of program needs longer than usual.
    pub start_timeout: Option<&'static str>,
    pub job: Job,
    /// What a person has to look at.
    pub notes: Vec<Said>,
}

/// A program with its arguments, and why it is this one.
#[derive(Debug)]
pub struct Step {
    pub words: Vec<String>,
    pub why: Said,
}

#[derive(Debug)]
pub struct Job {
    pub name: &'static str,
    pub why: Said,
    pub script: Vec<String>,
    /// What of its files goes on.
    pub artifacts: Vec<String>,
}

impl Step {
    fn new(words: &[&str], why: Said) -> Self {
        Self { words: words.iter().map(|w| (*w).to_owned()).collect(), why }
    }

    /// A shell, for what needs `$PORT` among its arguments: it gives its place to the program, which then gets the signals.
    fn exec(line: &str, why: Said) -> Self {
        Self::new(&["sh", "-c", &format!("exec {line}")], why)
    }
}

impl Kind {
    pub const ALL: [Self; 8] =
        [Self::Node, Self::Python, Self::Php, Self::Java, Self::Dotnet, Self::Go, Self::Rust, Self::Static];

    pub fn name(self) -> &'static str {
        match self {
            Self::Node => "Node.js",
            Self::Python => "Python",
            Self::Php => "PHP",
            Self::Java => "Java",
            Self::Dotnet => ".NET",
            Self::Go => "Go",
            Self::Rust => "Rust",
            Self::Static => "static site",
        }
    }

    /// As `--kind` takes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Python => "python",
            Self::Php => "php",
            Self::Java => "java",
            Self::Dotnet => "dotnet",
            Self::Go => "go",
            Self::Rust => "rust",
            Self::Static => "static",
        }
    }

    /// What is looked for, for the message that nothing was found.
    pub fn looked_for(self) -> &'static str {
        match self {
            Self::Node => "package.json",
            Self::Python => "pyproject.toml, requirements.txt, manage.py, app.py, main.py",
            Self::Php => "composer.json, index.php, public/index.php",
            Self::Java => "pom.xml, build.gradle",
            Self::Dotnet => "*.csproj",
            Self::Go => "go.mod",
            Self::Rust => "Cargo.toml",
            Self::Static => "index.html",
        }
    }

    /// The files that say a folder is a service of this kind; none where it is none.
    fn signs(self, files: &dyn Files) -> Vec<String> {
        match self {
            Self::Node => node::signs(files),
            Self::Python => python::signs(files),
            Self::Php => php::signs(files),
            Self::Java => java::signs(files),
            Self::Dotnet => dotnet::signs(files),
            Self::Go => go::signs(files),
            Self::Rust => rust::signs(files),
            Self::Static => site::signs(files),
        }
    }

    /// Whatever is missing in the folder is as it usually is.
    pub fn recipe(self, files: &dyn Files) -> Recipe {
        match self {
            Self::Node => node::recipe(files),
            Self::Python => python::recipe(files),
            Self::Php => php::recipe(files),
            Self::Java => java::recipe(files),
            Self::Dotnet => dotnet::recipe(files),
            Self::Go => go::recipe(files),
            Self::Rust => rust::recipe(files),
            Self::Static => site::recipe(files),
        }
    }
}

/// A kind, and the files that tell it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sign {
    pub kind: Kind,
    pub files: Vec<String>,
}

/// The kinds that a folder may be, of which one is left where one clearly is the service: a `package.json` beside a program
/// of another language builds its assets, and an `index.html` beside anything is its page.
pub fn detect(files: &dyn Files) -> Vec<Sign> {
    let mut found: Vec<Sign> = Kind::ALL
        .into_iter()
        .map(|kind| Sign { kind, files: kind.signs(files) })
        .filter(|sign| !sign.files.is_empty())
        .collect();
    if found.len() > 1 {
        found.retain(|s| s.kind != Kind::Static);
    }
    if found.len() > 1 && !node::serves(files) {
        found.retain(|s| s.kind != Kind::Node);
    }
    found
}

/// Folders that hold what others made, or what is no service.
const NOT_OURS: [&str; 12] =
    ["node_modules", "vendor", "target", "dist", "build", "out", "bin", "obj", "venv", "__pycache__", "tests", "docs"];

/// Services in the folders below, two levels deep.
pub fn below(files: &dyn Files) -> Vec<(String, Vec<Sign>)> {
    let mut found = Vec::new();
    let mut look = |folder: &str| {
        let signs = detect(&Under { files, folder });
        let is_one = !signs.is_empty();
        if is_one {
            found.push((folder.to_owned(), signs));
        }
        is_one
    };
    let ours = |folder: &str| -> Vec<String> {
        let all = files.folders(folder).into_iter();
        all.filter(|n| !n.starts_with('.') && !NOT_OURS.contains(&n.as_str())).collect()
    };
    for folder in ours("") {
        if !look(&folder) {
            for inner in ours(&folder) {
                look(&format!("{folder}/{inner}"));
            }
        }
    }
    found
}

/// Where the source does not mention the variable that holds the port.
fn port_unseen(file: &str) -> Said {
    said!(
        "{file} does not mention PORT: the program has to listen on 127.0.0.1 and the port in this variable",
        "{file} 中没有出现 PORT：程序必须监听 127.0.0.1 上该变量给出的端口",
        file = file
    )
}

/// One program, `app`, that the host's `tool` builds from source; `assets` are the folders it reads at run time.
fn built(
    kind: Kind,
    name: Option<String>,
    source: &str,
    assets: Vec<String>,
    tool: &'static str,
    script: Vec<String>,
    notes: Vec<Said>,
) -> Recipe {
    let mut paths = vec!["app".to_owned()];
    paths.extend(assets.into_iter().map(|f| format!("{f}/**")));
    Recipe {
        kind,
        flavour: kind.name().into(),
        name,
        service: ServiceKind::Web,
        paths,
        exclude: Vec::new(),
        prepare: None,
        run: Step::new(&["./app"], said!("What the pipeline built.", "流水线构建出的程序。")),
        env: Vec::new(),
        health: scan::health_path(source),
        start_timeout: None,
        job: Job { name: "build", why: on_the_host(tool), script, artifacts: vec!["app".into()] },
        notes,
    }
}

/// Why the build runs with what the host has.
fn on_the_host(program: &'static str) -> Said {
    said!(
        "It runs on the host with the host's {program}, which has to be in /usr/local/bin or /usr/bin there.",
        "在主机上运行，使用主机的 {program}；它须位于 /usr/local/bin 或 /usr/bin。",
        program = program
    )
}
