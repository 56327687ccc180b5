//! Python: what installs, which server, and where the application is.

use super::{Job, Kind, Recipe, Step, files::Files, on_the_host, port_unseen, scan};
use tradewind_model::{said, said::Said, workload::ServiceKind};

const MANIFESTS: [&str; 5] = ["pyproject.toml", "requirements.txt", "Pipfile", "setup.py", "manage.py"];
const ENTRIES: [&str; 6] = ["main.py", "app.py", "server.py", "wsgi.py", "asgi.py", "run.py"];

pub fn signs(files: &dyn Files) -> Vec<String> {
    let found = files.which(&MANIFESTS);
    if found.is_empty() { files.which(&ENTRIES) } else { found }
}

/// Who installs what the program needs, into `.venv` in the release's folder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manager {
    Uv,
    Poetry,
    Pipenv,
    Requirements,
    Project,
    /// The standard library is enough.
    Nothing,
}

impl Manager {
    fn of(files: &dyn Files, needs: &str) -> Self {
        let project = files.text("pyproject.toml").unwrap_or_default();
        match () {
            () if files.has("uv.lock") => Self::Uv,
            () if files.has("poetry.lock") || project.contains("[tool.poetry") => Self::Poetry,
            () if files.has("Pipfile") => Self::Pipenv,
            () if files.has("requirements.txt") && !is_empty(&files.text("requirements.txt").unwrap_or_default()) => {
                Self::Requirements
            }
            () if project.contains("dependencies") && project.contains("[project]") && !needs.is_empty() => {
                Self::Project
            }
            () => Self::Nothing,
        }
    }

    fn install(self, with_tools: bool) -> Option<Vec<&'static str>> {
        Some(match (self, with_tools) {
            (Self::Uv, false) => vec!["env", "UV_PYTHON_PREFERENCE=only-system", "uv", "sync", "--frozen", "--no-dev"],
            (Self::Uv, true) => vec!["env", "UV_PYTHON_PREFERENCE=only-system", "uv", "sync", "--frozen"],
            (Self::Poetry, false) => {
                vec![
                    "env",
                    "POETRY_VIRTUALENVS_IN_PROJECT=true",
                    "poetry",
                    "install",
                    "--only",
                    "main",
                    "--no-root",
                    "--no-interaction",
                ]
            }
            (Self::Poetry, true) => {
                vec!["env", "POETRY_VIRTUALENVS_IN_PROJECT=true", "poetry", "install", "--no-root", "--no-interaction"]
            }
            (Self::Pipenv, false) => vec!["env", "PIPENV_VENV_IN_PROJECT=1", "pipenv", "sync"],
            (Self::Pipenv, true) => vec!["env", "PIPENV_VENV_IN_PROJECT=1", "pipenv", "sync", "--dev"],
            (Self::Requirements, _) => {
                vec!["sh", "-c", "python3 -m venv .venv && .venv/bin/pip install --requirement requirements.txt"]
            }
            (Self::Project, _) => vec!["sh", "-c", "python3 -m venv .venv && .venv/bin/pip install ."],
            (Self::Nothing, _) => return None,
        })
    }
}

fn is_empty(requirements: &str) -> bool {
    requirements.lines().map(str::trim).all(|l| l.is_empty() || l.starts_with('#'))
}

/// The texts in which dependencies stand.
fn needs(files: &dyn Files) -> String {
    ["pyproject.toml", "requirements.txt", "Pipfile", "setup.py"].iter().filter_map(|f| files.text(f)).collect()
}

/// A Python file that an application may be in, as a path and as a module.
fn modules(files: &dyn Files) -> Vec<(String, String)> {
    let name = scan::toml(&needs(files), "project", "name").map(|n| n.replace('-', "_"));
    let mut folders = vec![String::new(), "app".into(), "src".into(), "src/app".into()];
    folders.extend(name.iter().flat_map(|n| [n.clone(), format!("src/{n}")]));
    let mut found = Vec::new();
    for folder in folders {
        for file in ENTRIES.iter().chain(&["__init__.py"]) {
            let path = if folder.is_empty() { (*file).to_owned() } else { format!("{folder}/{file}") };
            if files.has(&path) {
                let module = path.trim_end_matches(".py").trim_end_matches("/__init__").replace('/', ".");
                found.push((path, module));
            }
        }
    }
    found
}

/// The module and the name in it, of `app = FastAPI(…)`.
fn application(files: &dyn Files, class: &str) -> Option<(String, String, String)> {
    modules(files).into_iter().find_map(|(path, module)| {
        let text = files.text(&path)?;
        let made = format!("{class}(");
        let line = text.lines().find(|l| !l.starts_with([' ', '\t', '#']) && l.contains(&made))?;
        let name = line.split(['=', ':']).next()?.trim();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        is_name.then(|| (module, name.to_owned(), text.clone()))
    })
}

struct Served {
    flavour: &'static str,
    run: Step,
    health: Option<String>,
    notes: Vec<Said>,
}

fn add_server(name: &'static str) -> Said {
    said!(
        "add {name} to the dependencies: what is run here instead is made for development",
        "请把 {name} 加入依赖：这里暂用的是开发服务器",
        name = name
    )
}

fn served(files: &dyn Files, needs: &str, bin: &str, python: &str) -> Served {
    let with_port = || {
        said!(
            "A shell puts the port in and gives its place to the server.",
            "由 shell 填入端口，并把自己替换为服务器。"
        )
    };
    let gunicorn = scan::mentions(needs, "gunicorn");
    let exec = |line: String| Step::exec(&line, with_port());
    if let Some(manage) = files.text("manage.py") {
        let settings = manage.split("DJANGO_SETTINGS_MODULE").nth(1).and_then(|rest| rest.split(['"', '\'']).nth(2));
        let project = settings.and_then(|s| s.split('.').next()).unwrap_or("project");
        let mut notes = vec![said!(
            "Django answers only for names in ALLOWED_HOSTS; the health check asks 127.0.0.1. Migrations are not run: add them to a job or run them by hand",
            "Django 只应答 ALLOWED_HOSTS 中的主机名；健康检查访问 127.0.0.1。数据库迁移不会自动执行：请放进任务或手动执行"
        )];
        let run = if gunicorn {
            exec(format!("{bin}gunicorn {project}.wsgi --bind \"127.0.0.1:$PORT\" --workers 2"))
        } else {
            notes.push(add_server("gunicorn"));
            exec(format!("{python} manage.py runserver --noreload \"127.0.0.1:$PORT\""))
        };
        return Served { flavour: "Python, Django", run, health: None, notes };
    }
    if let Some((module, name, text)) = application(files, "FastAPI") {
        let run = exec(format!("{bin}uvicorn {module}:{name} --host 127.0.0.1 --port \"$PORT\""));
        let notes = if scan::mentions(needs, "uvicorn") || needs.contains("fastapi[") {
            Vec::new()
        } else {
            vec![add_server("uvicorn")]
        };
        return Served { flavour: "Python, FastAPI", run, health: scan::health_path(&text), notes };
    }
    if let Some((module, name, text)) = application(files, "Flask") {
        let (run, notes) = if gunicorn {
            (exec(format!("{bin}gunicorn {module}:{name} --bind \"127.0.0.1:$PORT\" --workers 2")), Vec::new())
        } else {
            let line = format!("{python} -m flask --app {module}:{name} run --host 127.0.0.1 --port \"$PORT\"");
            (exec(line), vec![add_server("gunicorn")])
        };
        return Served { flavour: "Python, Flask", run, health: scan::health_path(&text), notes };
    }
    plain(files, python)
}

/// A program that listens by itself.
fn plain(files: &dyn Files, python: &str) -> Served {
    let package = files.folders("").into_iter().find(|f| files.has(&format!("{f}/__main__.py")));
    let (words, file) = match (files.first(&ENTRIES), package) {
        (Some(entry), _) => (vec![python, "-u"], entry),
        (None, Some(package)) => (vec![python, "-u", "-m"], package),
        (None, None) => (vec![python, "-u"], "main.py".to_owned()),
    };
    let source = files.text(&file).or_else(|| files.text(&format!("{file}/__main__.py"))).unwrap_or_default();
    let words: Vec<&str> = words.into_iter().chain([file.as_str()]).collect();
    let notes = if source.contains("PORT") { Vec::new() } else { vec![port_unseen(&file)] };
    let why = said!("`-u`: what it prints is in the log at once.", "`-u`：输出立即进入日志。");
    Served { flavour: "Python", run: Step::new(&words, why), health: scan::health_path(&source), notes }
}

pub fn recipe(files: &dyn Files) -> Recipe {
    let needs = needs(files);
    let manager = Manager::of(files, &needs);
    let (bin, python) = match manager {
        Manager::Nothing => ("python3 -m ", "python3"),
        Manager::Uv | Manager::Poetry | Manager::Pipenv | Manager::Requirements | Manager::Project => {
            (".venv/bin/", ".venv/bin/python")
        }
    };
    let served = served(files, &needs, bin, python);
    let project = files.text("pyproject.toml").unwrap_or_default();
    let name = scan::toml(&project, "project", "name").or_else(|| scan::toml(&project, "tool.poetry", "name"));
    let prepare = manager.install(false).map(|words| Step::new(&words, said!(
        "What the program needs, installed once per release and host, where it will run: a virtual environment cannot be moved.",
        "程序的依赖：每个版本在每台主机上只安装一次，就在运行的位置——虚拟环境不能移动。"
    )));
    Recipe {
        kind: Kind::Python,
        flavour: served.flavour.into(),
        name,
        service: ServiceKind::Web,
        paths: Vec::new(),
        exclude: ["tests"].into_iter().filter(|t| files.has(t)).map(|t| format!("{t}/**")).collect(),
        prepare,
        run: served.run,
        env: Vec::new(),
        health: served.health,
        start_timeout: None,
        job: job(files, &needs, manager, python),
        notes: served.notes,
    }
}

fn job(files: &dyn Files, needs: &str, manager: Manager, python: &str) -> Job {
    let has_tests = files.has("tests") || files.names("").iter().any(|n| n.starts_with("test_") && n.ends_with(".py"));
    let requirements = files.text("requirements-dev.txt").is_some();
    let dev = format!("{needs}{}", files.text("requirements-dev.txt").unwrap_or_default());
    let mut script = Vec::new();
    let pytest = has_tests && scan::mentions(&dev, "pytest");
    if let Some(words) = manager.install(true).filter(|_| has_tests) {
        // Words of `sh -c` are a line already.
        script.push(if words[0] == "sh" { words[2].to_owned() } else { words.join(" ") });
        if requirements {
            script.push(".venv/bin/pip install --requirement requirements-dev.txt".into());
        }
    }
    script.push(match (has_tests, pytest) {
        (true, true) => format!("{python} -m pytest"),
        (true, false) if files.has("tests/__init__.py") => format!("{python} -m unittest discover -s tests -t ."),
        (true, false) if files.has("tests") => format!("{python} -m unittest discover -s tests"),
        (true, false) => format!("{python} -m unittest"),
        (false, _) => "python3 -m compileall -q .".into(),
    });
    Job { name: "test", why: on_the_host("python3"), script, artifacts: Vec::new() }
}
