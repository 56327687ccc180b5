//! Node.js: `package.json` says nearly everything.

use super::{Job, Kind, Recipe, Step, files::Files, on_the_host, port_unseen, scan, site};
use serde_json::Value;
use tradewind_model::{said, said::Said, workload::ServiceKind};

const MANIFEST: &str = "package.json";
/// Where a program begins, unless the manifest says it.
const ENTRIES: [&str; 8] =
    ["server.js", "index.js", "app.js", "main.js", "server.mjs", "index.mjs", "src/server.js", "src/index.js"];

struct Package(Value);

impl Package {
    fn of(files: &dyn Files) -> Self {
        let text = files.text(MANIFEST).unwrap_or_default();
        Self(serde_json::from_str(&text).unwrap_or_default())
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.0.pointer(path)?.as_str().filter(|s| !s.trim().is_empty())
    }

    fn script(&self, name: &str) -> Option<&str> {
        self.0.get("scripts")?.get(name)?.as_str().filter(|s| !s.trim().is_empty())
    }

    fn needs(&self, name: &str) -> bool {
        self.0.get("dependencies").is_some_and(|d| d.get(name).is_some())
    }

    fn has(&self, name: &str) -> bool {
        self.needs(name) || self.0.get("devDependencies").is_some_and(|d| d.get(name).is_some())
    }

    fn is_empty(&self) -> bool {
        ["dependencies", "devDependencies", "optionalDependencies"]
            .iter()
            .all(|k| self.0.get(k).and_then(Value::as_object).is_none_or(serde_json::Map::is_empty))
    }

    /// npm's own placeholder is no test.
    fn test(&self) -> Option<&str> {
        self.script("test").filter(|t| !t.contains("no test specified"))
    }

    /// What `start` means in production.
    fn start(&self) -> Option<(&'static str, &str)> {
        ["start:prod", "start"].into_iter().find_map(|name| Some((name, self.script(name)?)))
    }
}

/// A monorepo's root is no service by itself.
pub fn signs(files: &dyn Files) -> Vec<String> {
    let package = Package::of(files);
    let root = package.0.get("workspaces").is_some() || files.has("pnpm-workspace.yaml");
    let serves = package.start().is_some() || Framework::of(&package).is_some();
    if root && !serves { Vec::new() } else { files.which(&[MANIFEST]) }
}

/// Whether the manifest is of a program, and not of the tools for another one's assets.
pub fn serves(files: &dyn Files) -> bool {
    let package = Package::of(files);
    package.start().is_some() || Framework::of(&package).is_some_and(|f| f.0.kind() == Serves::Requests)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Framework {
    Next,
    Nuxt,
    Nest,
    Express,
    Koa,
    Fastify,
    Hono,
    Vite,
    ReactScripts,
    VueCli,
}

#[derive(PartialEq, Eq)]
enum Serves {
    Requests,
    /// Builds files for somebody to serve.
    Files(&'static str),
}

impl Framework {
    /// What a program is made with goes before what it uses.
    const ALL: [(Self, &'static str, &'static str); 10] = [
        (Self::Next, "next", "Next.js"),
        (Self::Nuxt, "nuxt", "Nuxt"),
        (Self::Nest, "@nestjs/core", "NestJS"),
        (Self::Express, "express", "Express"),
        (Self::Koa, "koa", "Koa"),
        (Self::Fastify, "fastify", "Fastify"),
        (Self::Hono, "hono", "Hono"),
        (Self::ReactScripts, "react-scripts", "Create React App"),
        (Self::VueCli, "@vue/cli-service", "Vue CLI"),
        (Self::Vite, "vite", "Vite"),
    ];

    fn of(package: &Package) -> Option<(Self, &'static str)> {
        Self::ALL.into_iter().find(|(_, name, _)| package.has(name)).map(|(f, _, shown)| (f, shown))
    }

    fn kind(self) -> Serves {
        match self {
            Self::Next | Self::Nuxt | Self::Nest | Self::Express | Self::Koa | Self::Fastify | Self::Hono => {
                Serves::Requests
            }
            Self::Vite | Self::VueCli => Serves::Files("dist"),
            Self::ReactScripts => Serves::Files("build"),
        }
    }

    /// Whether it listens on `PORT` without being told.
    fn hears_port(self) -> bool {
        matches!(self, Self::Next | Self::Nuxt)
    }
}

/// The program that installs what a package needs.
struct Manager {
    name: &'static str,
    all: &'static [&'static str],
    production: &'static [&'static str],
    run: &'static str,
    lock: Option<&'static str>,
    through_corepack: bool,
}

impl Manager {
    fn of(files: &dyn Files, package: &Package) -> Self {
        let wanted = package.text("/packageManager").unwrap_or_default();
        let through_corepack = wanted.starts_with("pnpm@") || wanted.starts_with("yarn@");
        let of = |name, lock, all, production, run| Self { name, all, production, run, lock, through_corepack };
        if files.has("pnpm-lock.yaml") {
            let all = &["pnpm", "install", "--frozen-lockfile"][..];
            return of(
                "pnpm",
                Some("pnpm-lock.yaml"),
                all,
                &["pnpm", "install", "--frozen-lockfile", "--prod"],
                "pnpm run",
            );
        }
        if files.has("yarn.lock") {
            let classic = !files.has(".yarnrc.yml") && (wanted.is_empty() || wanted.starts_with("yarn@1"));
            let lock = Some("yarn.lock");
            return if classic {
                let all = &["yarn", "install", "--frozen-lockfile"][..];
                of("yarn", lock, all, &["yarn", "install", "--frozen-lockfile", "--production"], "yarn run")
            } else {
                let all = &["yarn", "install", "--immutable"][..];
                of("yarn", lock, all, &["yarn", "workspaces", "focus", "--production"], "yarn run")
            };
        }
        let lock = ["package-lock.json", "npm-shrinkwrap.json"].into_iter().find(|l| files.has(l));
        let npm = |all, production| Self { through_corepack: false, ..of("npm", lock, all, production, "npm run") };
        match lock {
            Some(_) => npm(&["npm", "ci"], &["npm", "ci", "--omit=dev"]),
            None => npm(&["npm", "install"], &["npm", "install", "--omit=dev"]),
        }
    }

    fn words(&self, words: &[&'static str]) -> Vec<String> {
        let corepack = self.through_corepack.then_some("corepack");
        corepack.into_iter().chain(words.iter().copied()).map(str::to_owned).collect()
    }

    fn line(&self, words: &[&'static str]) -> String {
        self.words(words).join(" ")
    }

    fn script(&self, name: &str) -> String {
        let corepack = if self.through_corepack { "corepack " } else { "" };
        format!("{corepack}{} {name}", self.run)
    }
}

pub fn recipe(files: &dyn Files) -> Recipe {
    let package = Package::of(files);
    let framework = Framework::of(&package);
    let manager = Manager::of(files, &package);
    let served = framework.map(|(f, _)| f.kind());
    let static_output = match served {
        Some(Serves::Files(folder)) if package.start().is_none() => Some(folder),
        _ if files.any_says(&["next.config.js", "next.config.mjs", "next.config.ts"], "'export'") => Some("out"),
        _ => None,
    };
    let name = package.text("/name").map(str::to_owned);
    let flavour =
        framework.map_or_else(|| Kind::Node.name().to_owned(), |(_, f)| format!("{}, {f}", Kind::Node.name()));
    if let Some(folder) = static_output {
        let job = job(&package, &manager, &[folder], files);
        return Recipe { name, flavour, job, ..site::built(folder, Kind::Node) };
    }
    let run = run(files, &package, framework.map(|f| f.0));
    let output = output(&package, framework.map(|f| f.0), &run.step.words);
    let mut notes = run.notes;
    let built = package.script("build").is_some();
    if !package.is_empty() && manager.lock.is_none() {
        notes.push(said!(
            "there is no lock file: commit package-lock.json, so that every build gets the same packages",
            "没有锁文件：请提交 package-lock.json，使每次构建得到相同的依赖"
        ));
    }
    let outputs: Vec<&str> = if built { vec![output.as_str()] } else { Vec::new() };
    let prepare = (!package.is_empty() && framework.map(|f| f.0) != Some(Framework::Nuxt)).then(|| Step {
        words: manager.words(if run.needs_tools { manager.all } else { manager.production }),
        why: said!(
            "What the program needs, installed once per release and host, where it will run. An instance cannot change it.",
            "程序的依赖：每个版本在每台主机上只安装一次，就在运行的位置；实例无法修改。"
        ),
    });
    Recipe {
        kind: Kind::Node,
        flavour,
        name,
        service: ServiceKind::Web,
        paths: Vec::new(),
        exclude: ["tests/**", "test/**"].into_iter().filter(|t| files.has(&t[..t.len() - 3])).map(Into::into).collect(),
        prepare,
        run: run.step,
        env: vec![("NODE_ENV".into(), "production".into())],
        health: run.health,
        start_timeout: None,
        job: job(&package, &manager, &outputs, files),
        notes,
    }
}

struct Run {
    step: Step,
    health: Option<String>,
    notes: Vec<Said>,
    /// It is started with what only developers install.
    needs_tools: bool,
}

fn run(files: &dyn Files, package: &Package, framework: Option<Framework>) -> Run {
    let plain = |step, health: &str| Run { step, health: Some(health.into()), notes: Vec::new(), needs_tools: false };
    match framework {
        Some(Framework::Next) => {
            let step = Step::new(
                &["node_modules/.bin/next", "start", "--hostname", "127.0.0.1"],
                said!("Next.js listens on PORT by itself.", "Next.js 会自行监听 PORT。"),
            );
            return plain(step, "/");
        }
        Some(Framework::Nuxt) => {
            let why = said!("Nuxt's build is whole; it listens on PORT.", "Nuxt 的构建产物是完整的，并监听 PORT。");
            return plain(Step::new(&["node", ".output/server/index.mjs"], why), "/");
        }
        Some(
            Framework::Nest
            | Framework::Express
            | Framework::Koa
            | Framework::Fastify
            | Framework::Hono
            | Framework::Vite
            | Framework::ReactScripts
            | Framework::VueCli,
        )
        | None => {}
    }
    let entry = package.text("/main").filter(|m| files.has(m)).map(str::to_owned).or_else(|| files.first(&ENTRIES));
    let (words, why, needs_tools) = match package.start() {
        Some((name, line)) => started(package, name, line),
        None => {
            let entry = match (&entry, framework) {
                (_, Some(Framework::Nest)) => "dist/main.js",
                (Some(entry), _) => entry,
                (None, _) => "server.js",
            };
            (vec!["node".into(), entry.into()], said!("Where the program begins.", "程序的入口。"), false)
        }
    };
    let source =
        words.iter().rev().find_map(|w| source_of(files, w)).or_else(|| Some((entry.clone()?, files.text(&entry?)?)));
    let mut notes = Vec::new();
    match &source {
        Some((file, text)) if !text.contains("PORT") && !framework.is_some_and(Framework::hears_port) => {
            notes.push(port_unseen(file));
        }
        Some(_) => {}
        None => notes.push(said!(
            "look at `run.command`: the file where the program begins was not found",
            "请检查 `run.command`：没有找到程序的入口文件"
        )),
    }
    let health = source.and_then(|(_, text)| scan::health_path(&text));
    Run { step: Step { words, why }, health, notes, needs_tools }
}

/// The command behind a script of the manifest, without npm in between where that is possible: a signal then reaches the
/// program itself.
fn started(package: &Package, name: &str, line: &str) -> (Vec<String>, Said, bool) {
    match scan::words(line) {
        Some(mut words) => {
            let tool = words[0].clone();
            if tool != "node" && !tool.contains('/') {
                words[0] = format!("node_modules/.bin/{tool}");
            }
            let why = said!(
                "`{name}` of package.json, without npm in between: signals reach the program itself.",
                "即 package.json 的 `{name}`，中间不经过 npm：信号能直接到达程序。",
                name = name
            );
            (words, why, tool != "node" && !package.needs(&tool))
        }
        None => {
            let why = said!(
                "Through npm, because `{name}` of package.json needs a shell; without one, signals reach the program sooner.",
                "package.json 的 `{name}` 需要 shell，所以经由 npm；不用 shell 时信号能更快到达程序。",
                name = name
            );
            (vec!["npm".into(), "run".into(), name.into()], why, true)
        }
    }
}

/// A compiled file's source, if that is the one in the repository.
fn source_of(files: &dyn Files, word: &str) -> Option<(String, String)> {
    let stem = word.trim_start_matches("./").trim_end_matches(".js");
    let of_source = |s: &str| s.split_once('/').map(|(_, rest)| format!("src/{rest}.ts"));
    [
        Some(word.trim_start_matches("./").to_owned()),
        Some(format!("{stem}.js")),
        Some(format!("{stem}.ts")),
        of_source(stem),
    ]
    .into_iter()
    .flatten()
    .find_map(|file| Some((file.clone(), files.text(&file)?)))
}

/// Where the build leaves what it made.
fn output(package: &Package, framework: Option<Framework>, command: &[String]) -> String {
    match framework {
        Some(Framework::Next) => return ".next".into(),
        Some(Framework::Nuxt) => return ".output".into(),
        Some(_) | None => {}
    }
    let main = package.text("/main").map(str::to_owned);
    let first = |path: &String| {
        let (folder, _) = path.trim_start_matches("./").split_once('/')?;
        ["dist", "build", "lib", "out"].contains(&folder).then(|| folder.to_owned())
    };
    command.iter().chain(&main).find_map(first).unwrap_or_else(|| "dist".into())
}

fn job(package: &Package, manager: &Manager, outputs: &[&str], files: &dyn Files) -> Job {
    let mut script = Vec::new();
    if !package.is_empty() {
        script.push(manager.line(manager.all));
    }
    if package.test().is_some() {
        script.push(manager.script("test"));
    }
    if package.script("build").is_some() {
        script.push(manager.script("build"));
    }
    if script.is_empty() {
        script.push(
            files.first(&ENTRIES).map_or_else(|| "node --version".into(), |entry| format!("node --check {entry}")),
        );
    }
    let wants = package.text("/engines/node");
    let why = match wants {
        Some(version) => said!(
            "It runs on the host with the host's node ({manager}), which has to be in /usr/local/bin or /usr/bin there. package.json wants node {version}.",
            "在主机上运行，使用主机的 node（{manager}）；它须位于 /usr/local/bin 或 /usr/bin。package.json 要求 node {version}。",
            manager = manager.name,
            version = version
        ),
        None => on_the_host("node"),
    };
    Job {
        name: if outputs.is_empty() { "test" } else { "build" },
        why,
        script,
        artifacts: outputs.iter().map(|o| format!("{o}/")).collect(),
    }
}
