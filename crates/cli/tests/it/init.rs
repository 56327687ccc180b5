//! `tradewind init`: what it makes of projects, and that `tradewind check` agrees with every one of them.

use crate::fake::Fake;
use std::{fs, path::Path};
use tradewind_cli::exit::Exit;
use tradewind_model::fault::Lang;

type Project = (&'static str, &'static [(&'static str, &'static str)]);

const MANAGE: &str = "os.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"shop.settings\")\n";
const POM: &str = "<project><parent><artifactId>spring-boot-starter-parent</artifactId></parent>
<artifactId>order-sync</artifactId><version>1.2</version>
<dependencies><dependency><artifactId>spring-boot-starter-actuator</artifactId></dependency></dependencies></project>";

/// Every kind, and what differs within one.
const PROJECTS: &[Project] = &[
    (
        "node-plain",
        &[
            ("package.json", r#"{ "name": "@acme/Shop_API", "scripts": { "start": "node server.js" } }"#),
            ("server.js", "http.createServer(answer).listen(process.env.PORT) // '/healthz'"),
        ],
    ),
    (
        "node-express",
        &[
            (
                "package.json",
                r#"{ "name": "shop", "engines": { "node": ">=20" }, "dependencies": { "express": "^5" },
                  "devDependencies": { "tsx": "1" },
                  "scripts": { "start": "tsx src/index.ts", "build": "tsc", "test": "node --test" } }"#,
            ),
            ("src/index.ts", "app.listen(3000)"),
            ("tests/a.test.js", ""),
            ("package-lock.json", "{}"),
        ],
    ),
    (
        "node-nest-pnpm",
        &[
            (
                "package.json",
                r#"{ "name": "api", "packageManager": "pnpm@9.1.0", "dependencies": { "@nestjs/core": "11" },
                  "scripts": { "build": "nest build", "start": "nest start", "start:prod": "node dist/main" } }"#,
            ),
            ("src/main.ts", "await app.listen(process.env.PORT ?? 3000); // '/health'"),
            ("pnpm-lock.yaml", ""),
        ],
    ),
    (
        "node-next-yarn",
        &[
            (
                "package.json",
                r#"{ "dependencies": { "next": "15", "react": "19" }, "scripts": { "build": "next build", "start": "next start" } }"#,
            ),
            ("yarn.lock", ""),
        ],
    ),
    (
        "node-nuxt",
        &[(
            "package.json",
            r#"{ "name": "front", "dependencies": { "nuxt": "4" }, "scripts": { "build": "nuxt build" } }"#,
        )],
    ),
    (
        "node-vite",
        &[
            (
                "package.json",
                r#"{ "name": "admin", "devDependencies": { "vite": "7" }, "scripts": { "build": "vite build" } }"#,
            ),
            ("index.html", "<!doctype html>"),
            ("package-lock.json", "{}"),
        ],
    ),
    (
        "node-shell-start",
        &[("package.json", r#"{ "name": "x", "scripts": { "start": "NODE_ENV=production node 'a b.js' && true" } }"#)],
    ),
    ("python-plain", &[("main.py", "serve(int(os.environ['PORT'])) # '/healthz'")]),
    (
        "python-django",
        &[("manage.py", MANAGE), ("requirements.txt", "Django>=5\ngunicorn\npytest\n"), ("tests/test_a.py", "")],
    ),
    ("python-django-bare", &[("manage.py", MANAGE), ("requirements.txt", "Django>=5\n")]),
    (
        "python-fastapi-uv",
        &[
            ("pyproject.toml", "[project]\nname = \"order-sync\"\ndependencies = [\"fastapi[standard]>=0.115\"]\n"),
            ("uv.lock", ""),
            ("app/main.py", "app = FastAPI()\n@app.get(\"/healthz\")\n"),
        ],
    ),
    (
        "python-flask-poetry",
        &[
            (
                "pyproject.toml",
                "[tool.poetry]\nname = \"shop\"\n[tool.poetry.dependencies]\nflask = \"^3\"\ngunicorn = \"*\"\n",
            ),
            ("poetry.lock", ""),
            ("wsgi.py", "application = Flask(__name__)\n"),
        ],
    ),
    (
        "php-laravel",
        &[
            (
                "composer.json",
                r#"{ "name": "acme/shop", "require": { "php": "^8.2", "laravel/framework": "^12" }, "require-dev": { "phpunit/phpunit": "^11" } }"#,
            ),
            ("composer.lock", "{}"),
            ("bootstrap/app.php", "->withRouting(health: '/up')"),
            ("package.json", r#"{ "devDependencies": { "vite": "7" }, "scripts": { "build": "vite build" } }"#),
            ("public/index.php", "<?php"),
        ],
    ),
    (
        "php-thinkphp",
        &[("composer.json", r#"{ "require": { "topthink/framework": "^8", "topthink/think-swoole": "^4" } }"#)],
    ),
    ("php-plain", &[("index.php", "<?php if ($p === '/healthz') { echo 'ok'; }")]),
    ("java-spring-maven", &[("pom.xml", POM), ("mvnw", "#!/bin/sh\n")]),
    (
        "java-gradle",
        &[("build.gradle.kts", "plugins { application }"), ("settings.gradle.kts", "rootProject.name = \"stock\"\n")],
    ),
    (
        "java-quarkus",
        &[(
            "pom.xml",
            "<project><artifactId>price</artifactId><a>quarkus-rest</a><b>quarkus-smallrye-health</b></project>",
        )],
    ),
    (
        "dotnet-web",
        &[
            ("Shop.sln", ""),
            ("src/Shop.Api/Shop.Api.csproj", "<Project Sdk=\"Microsoft.NET.Sdk.Web\"></Project>"),
            ("src/Shop.Api/Program.cs", "app.MapHealthChecks(\"/healthz\");"),
            ("src/Shop.Tests/Shop.Tests.csproj", "<Project Sdk=\"Microsoft.NET.Sdk\"></Project>"),
        ],
    ),
    (
        "dotnet-worker",
        &[(
            "Sync.csproj",
            "<Project Sdk=\"Microsoft.NET.Sdk.Worker\"><AssemblyName>OrderSync</AssemblyName></Project>",
        )],
    ),
    (
        "go-cmd",
        &[
            ("go.mod", "module github.com/acme/order-sync\n\ngo 1.22\n"),
            ("cmd/migrate/main.go", "package main\n"),
            ("cmd/order-sync/main.go", "package main\n\nos.Getenv(\"PORT\")\nmux.HandleFunc(\"GET /healthz\", ok)\n"),
            ("templates/a.html", ""),
        ],
    ),
    ("go-root", &[("go.mod", "module shop\n"), ("main.go", "package main\n")]),
    (
        "rust",
        &[
            ("Cargo.toml", "[package]\nname = \"price-engine\"\n"),
            ("Cargo.lock", ""),
            ("src/main.rs", "env::var(\"PORT\"); route(\"/healthz\", get(ok))"),
        ],
    ),
    ("static", &[("index.html", "<!doctype html>")]),
    ("static-built", &[("dist/index.html", "<!doctype html>")]),
];

fn lay(dir: &Path, files: &[(&str, &str)]) {
    for (name, content) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

#[tokio::test]
async fn every_kind_of_project_gets_files_that_check_finds_sound() {
    for (name, files) in PROJECTS {
        for lang in [Lang::En, Lang::Zh] {
            let fake = Fake::start().await;
            lay(&fake.dir, files);
            let printed = fake.call(lang, "init --print", &[]).await;
            assert_eq!(printed.exit, Exit::Ok, "{name}: {printed}");
            assert!(!fake.dir.join("tradewind.yaml").exists(), "{name}: --print wrote");
            if lang == Lang::En {
                insta::assert_snapshot!(format!("init_{name}"), printed.to_string());
            }
            let made = fake.call(lang, "init", &[]).await;
            assert_eq!(made.exit, Exit::Ok, "{name}: {made}");
            let checked = fake.call(lang, "check", &[]).await;
            assert_eq!(checked.exit, Exit::Ok, "{name}: {checked}");
            assert_eq!(checked.out.lines().count(), 2, "both files: {checked}");
        }
    }
}

#[tokio::test]
async fn a_kind_that_is_named_needs_no_files_of_the_project() {
    for kind in ["node", "python", "php", "java", "dotnet", "go", "rust", "static"] {
        let fake = Fake::start().await;
        let made = fake.run(&format!("init --kind {kind} --service shop")).await;
        assert_eq!(made.exit, Exit::Ok, "{made}");
        assert_eq!(fake.run("check").await.exit, Exit::Ok, "{kind}");
    }
}

#[tokio::test]
async fn what_was_made_and_what_comes_next_is_told() {
    let fake = Fake::start().await;
    lay(&fake.dir, PROJECTS[1].1);
    insta::assert_snapshot!("init_told", fake.run("init").await);
    insta::assert_snapshot!("init_exists", fake.run("init").await);
    assert_eq!(fake.run("init --force --service other").await.exit, Exit::Ok);
    let spec = fs::read_to_string(fake.dir.join("tradewind.yaml")).unwrap();
    assert!(spec.contains("service: other\n"), "{spec}");
    let left: Vec<_> = fs::read_dir(&fake.dir).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|n| n.to_string_lossy().contains(".new-")), "{left:?}");

    let fake = Fake::start().await;
    lay(&fake.dir, PROJECTS[0].1);
    insta::assert_snapshot!("init_zh", fake.run_zh("init").await);
    insta::assert_snapshot!("init_spec_zh", fs::read_to_string(fake.dir.join("tradewind.yaml")).unwrap());
    let json: serde_json::Value = serde_json::from_str(&fake.run("init --print --json").await.out).unwrap();
    assert_eq!(
        (&json["kind"], &json["service"], &json["files"][0]["path"], &json["files"][0]["written"]),
        (&"node".into(), &"shop-api".into(), &"tradewind.yaml".into(), &false.into())
    );
}

#[tokio::test]
async fn where_it_cannot_tell_it_asks_and_writes_nothing() {
    let empty = |fake: &Fake| !fake.dir.join("tradewind.yaml").exists() && !fake.dir.join(".gitlab-ci.yml").exists();
    let fake = Fake::start().await;
    insta::assert_snapshot!("init_nothing", fake.run("init").await);
    insta::assert_snapshot!("init_no_folder", fake.run("init nowhere").await);
    assert!(empty(&fake));

    lay(&fake.dir, &[("package.json", r#"{ "workspaces": ["apps/*"] }"#)]);
    lay(&fake.dir.join("apps/web"), PROJECTS[3].1);
    lay(&fake.dir.join("apps/sync"), &[("go.mod", "module sync\n")]);
    lay(&fake.dir.join("node_modules/x"), PROJECTS[0].1);
    insta::assert_snapshot!("init_parts", fake.run("init").await);
    insta::assert_snapshot!("init_parts_zh", fake.run_zh("init").await);
    assert!(empty(&fake));
    assert_eq!(fake.run("init apps/sync").await.exit, Exit::Ok);
    assert_eq!(fake.run("check apps/sync/tradewind.yaml").await.exit, Exit::Ok);

    let fake = Fake::start().await;
    lay(&fake.dir, PROJECTS[0].1);
    lay(&fake.dir, &[("requirements.txt", "celery\n")]);
    insta::assert_snapshot!("init_several", fake.run("init").await);
    assert!(empty(&fake));
    assert_eq!(fake.run("init --kind python").await.exit, Exit::Ok);
}

#[tokio::test]
async fn a_pipeline_that_is_there_stays_as_it_is() {
    let theirs = "test:\n  script: [npm test]\n";
    let fake = Fake::start().await;
    lay(&fake.dir, PROJECTS[0].1);
    lay(&fake.dir, &[(".gitlab-ci.yml", theirs)]);
    assert_eq!(fake.run("init").await.exit, Exit::Ok);
    assert_eq!(fs::read_to_string(fake.dir.join(".gitlab-ci.yml")).unwrap(), theirs);
    assert_eq!(fake.run("check").await.exit, Exit::Ok);

    let fake = Fake::start().await;
    lay(&fake.dir, PROJECTS[0].1);
    let theirs = "test:\n  image: node:20\n  tags: [linux]\n  script: [npm test]\n";
    lay(&fake.dir, &[(".gitlab-ci.yml", theirs)]);
    insta::assert_snapshot!("init_other_pipeline", fake.run("init").await);
    assert_eq!(fs::read_to_string(fake.dir.join(".gitlab-ci.yml")).unwrap(), theirs);
    assert_eq!(fake.run("check").await.exit, Exit::Ok);
}

#[tokio::test]
async fn what_a_project_says_about_itself_cannot_leave_its_place() {
    let fake = Fake::start().await;
    let hostile = r#"{ "name": "../../x: y\n", "main": "a b; $(c).js",
        "engines": { "node": "1\n- curl: x" }, "scripts": { "start": "node -e 'x: [y' # \u001b[2J\n&", "test": "a" } }"#;
    lay(&fake.dir, &[("package.json", hostile), ("a b; $(c).js", "PORT")]);
    let made = fake.run("init").await;
    assert_eq!(made.exit, Exit::Ok, "{made}");
    assert_eq!(fake.run("check").await.exit, Exit::Ok);
    let pipeline = fs::read_to_string(fake.dir.join(".gitlab-ci.yml")).unwrap();
    assert!(!pipeline.lines().any(|l| l.trim_start().starts_with("- curl")), "{pipeline}");
}

#[tokio::test]
async fn what_cannot_be_written_is_named_and_nothing_is_half_written() {
    let fake = Fake::start().await;
    lay(&fake.dir, PROJECTS[0].1);
    fs::create_dir(fake.dir.join("tradewind.yaml")).unwrap();
    let said = fake.run("init --force").await;
    assert!(said.err.contains("TW-CLI-027"), "{said}");
    assert_eq!(fs::read_dir(&fake.dir).unwrap().count(), PROJECTS[0].1.len() + 1);
}
