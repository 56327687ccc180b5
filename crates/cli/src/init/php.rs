//! PHP, as a program that listens by itself: php-fpm is not managed.

use super::{Job, Kind, Recipe, Step, files::Files, scan};
use tradewind_model::{said, said::Said, workload::ServiceKind};

const MANIFEST: &str = "composer.json";

pub fn signs(files: &dyn Files) -> Vec<String> {
    files.which(&[MANIFEST, "index.php", "public/index.php"])
}

pub fn recipe(files: &dyn Files) -> Recipe {
    let text = files.text(MANIFEST).unwrap_or_default();
    let composer: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let needs = |name: &str| composer.get("require").is_some_and(|r| r.get(name).is_some());
    let laravel = needs("laravel/framework");
    let think = needs("topthink/framework");
    let public = files.has("public/index.php") || laravel || think;
    let root = if public { "public" } else { "." };
    let (line, flavour, own_server): (String, _, bool) = if laravel && needs("laravel/octane") {
        ("php artisan octane:start --host=127.0.0.1 --port=\"$PORT\"".into(), "PHP, Laravel Octane", false)
    } else if laravel {
        ("php artisan serve --host=127.0.0.1 --port=\"$PORT\"".into(), "PHP, Laravel", true)
    } else if think && needs("topthink/think-swoole") {
        // It takes its port from config/swoole.php: `env('PORT')` there.
        ("php think swoole".into(), "PHP, ThinkPHP with Swoole", false)
    } else if think {
        ("php -S \"127.0.0.1:$PORT\" -t public public/router.php".into(), "PHP, ThinkPHP", true)
    } else {
        (format!("php -S \"127.0.0.1:$PORT\" -t {root}"), "PHP", true)
    };
    let has_packages = composer
        .get("require")
        .and_then(|r| r.as_object())
        .is_some_and(|r| r.keys().any(|k| k != "php" && !k.starts_with("ext-")));
    let mut notes = Vec::new();
    if own_server {
        notes.push(said!(
            "this runs PHP's built-in server with 4 workers, made for development; php-fpm is not managed by Tradewind. Under load use a server that is a program itself: FrankenPHP, RoadRunner, Swoole",
            "这里运行的是 PHP 内置服务器（4 个工作进程），原为开发所用；信风不管理 php-fpm。负载较大时请改用自身即为程序的服务器：FrankenPHP、RoadRunner、Swoole"
        ));
    }
    if laravel {
        notes.push(said!(
            "a release is read-only: let storage/ be in TRADEWIND_DATA_DIR (LARAVEL_STORAGE_PATH, Laravel 11 and later), log to stderr (LOG_CHANNEL), and set the secret APP_KEY. Migrations are not run",
            "版本目录是只读的：请让 storage/ 位于 TRADEWIND_DATA_DIR（LARAVEL_STORAGE_PATH，Laravel 11 及以上），日志写到 stderr（LOG_CHANNEL），并设置密钥 APP_KEY。数据库迁移不会自动执行"
        ));
    } else if think {
        notes.push(said!(
            "a release is read-only: let runtime/ be in TRADEWIND_DATA_DIR (setRuntimePath). Migrations are not run",
            "版本目录是只读的：请让 runtime/ 位于 TRADEWIND_DATA_DIR（setRuntimePath）。数据库迁移不会自动执行"
        ));
    }
    if needs("topthink/think-swoole") {
        notes.push(said!(
            "config/swoole.php has to take its port from env('PORT') and listen on 127.0.0.1",
            "config/swoole.php 须从 env('PORT') 取端口，并监听 127.0.0.1"
        ));
    }
    Recipe {
        kind: Kind::Php,
        flavour: flavour.into(),
        name: composer.get("name").and_then(|n| n.as_str()).map(str::to_owned),
        service: ServiceKind::Web,
        paths: Vec::new(),
        exclude: ["tests/**"].into_iter().filter(|_| files.has("tests")).map(Into::into).collect(),
        prepare: has_packages.then(|| install(files, &mut notes)),
        run: Step::exec(
            &line,
            said!("A shell puts the port in and gives its place to php.", "由 shell 填入端口，并把自己替换为 php。"),
        ),
        env: if own_server { vec![("PHP_CLI_SERVER_WORKERS".into(), "4".into())] } else { Vec::new() },
        health: health(files, laravel),
        start_timeout: None,
        job: job(files, &composer, has_packages),
        notes,
    }
}

fn install(files: &dyn Files, notes: &mut Vec<Said>) -> Step {
    if !files.has("composer.lock") {
        notes.push(said!(
            "there is no composer.lock: commit it, so that every release gets the same packages",
            "没有 composer.lock：请提交它，使每个版本得到相同的依赖"
        ));
    }
    Step::new(
        &["composer", "install", "--no-dev", "--no-interaction", "--prefer-dist", "--optimize-autoloader"],
        said!(
            "What the program needs, installed once per release and host, where it will run. An instance cannot change it: what is written at run time belongs into TRADEWIND_DATA_DIR.",
            "程序的依赖：每个版本在每台主机上只安装一次，就在运行的位置。实例无法修改它：运行时写入的内容应放在 TRADEWIND_DATA_DIR。"
        ),
    )
}

/// Laravel 11 and later bring a path of their own.
fn health(files: &dyn Files, laravel: bool) -> Option<String> {
    if laravel && files.any_says(&["bootstrap/app.php"], "health: '/up'") {
        return Some("/up".into());
    }
    let page = files.first(&["public/index.php", "index.php"])?;
    scan::health_path(&files.text(&page)?)
}

fn job(files: &dyn Files, composer: &serde_json::Value, has_packages: bool) -> Job {
    let mut script = Vec::new();
    let dev = composer.get("require-dev");
    let tested = dev.is_some_and(|d| d.get("phpunit/phpunit").is_some() || d.get("pestphp/pest").is_some());
    if tested {
        script.push("composer install --no-interaction --prefer-dist".to_owned());
        let pest = dev.is_some_and(|d| d.get("pestphp/pest").is_some());
        script.push(if pest { "vendor/bin/pest".into() } else { "vendor/bin/phpunit".into() });
    } else if has_packages {
        script.push("composer validate --no-check-publish".into());
    }
    script.push("find . -name '*.php' -not -path './vendor/*' -print0 | xargs -0 -n 1 php -l".into());
    let assets = files.text("package.json").is_some_and(|t| t.contains("\"build\""));
    let mut artifacts = Vec::new();
    if assets {
        script.extend(["npm ci".to_owned(), "npm run build".to_owned()]);
        artifacts.push("public/build/".to_owned());
    }
    Job { name: if assets { "build" } else { "test" }, why: super::on_the_host("php"), script, artifacts }
}
