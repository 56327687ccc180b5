//! Java: Maven or Gradle, through the project's own wrapper where it has one.

use super::{Job, Kind, Recipe, Step, files::Files, on_the_host, scan};
use tradewind_model::{said, workload::ServiceKind};

const GRADLE: [&str; 2] = ["build.gradle", "build.gradle.kts"];

/// A parent of modules is no service by itself.
pub fn signs(files: &dyn Files) -> Vec<String> {
    let parent = files.text("pom.xml").is_some_and(|t| t.contains("<modules>"));
    let settings = files.any_says(&["settings.gradle", "settings.gradle.kts"], "include");
    let mut found = if parent { Vec::new() } else { files.which(&["pom.xml"]) };
    if !settings {
        found.extend(files.which(&GRADLE));
    }
    found
}

pub fn recipe(files: &dyn Files) -> Recipe {
    let pom = files.text("pom.xml");
    let gradle = GRADLE.iter().find_map(|f| files.text(f));
    let by_gradle = pom.is_none() && gradle.is_some();
    let manifest = pom.as_deref().or(gradle.as_deref()).unwrap_or_default();
    let spring = manifest.contains("spring-boot") || manifest.contains("org.springframework.boot");
    let quarkus = manifest.contains("quarkus");
    let settings = ["settings.gradle", "settings.gradle.kts"].iter().find_map(|f| files.text(f)).unwrap_or_default();
    let name = if by_gradle { scan::toml(&settings, "", "rootProject.name") } else { own(manifest, "artifactId") };
    let wrapper = files.has(if by_gradle { "gradlew" } else { "mvnw" });
    let mut notes = Vec::new();
    if !wrapper {
        notes.push(said!(
            "there is no wrapper script: commit one (`mvn wrapper:wrapper` or `gradle wrapper`), so that every build uses the same version",
            "没有 wrapper 脚本：请提交（`mvn wrapper:wrapper` 或 `gradle wrapper`），使每次构建使用相同的版本"
        ));
    }
    let build = match (by_gradle, wrapper) {
        (false, true) => "sh ./mvnw --batch-mode verify",
        (false, false) => "mvn --batch-mode verify",
        (true, true) => "sh ./gradlew --no-daemon build",
        (true, false) => "gradle --no-daemon build",
    };
    let (line, why) = if spring {
        (
            "java -jar app.jar --server.address=127.0.0.1 --server.port=\"$PORT\"",
            said!(
                "Spring Boot does not know PORT: an argument tells it. The shell gives its place to java.",
                "Spring Boot 不认识 PORT，由参数告知；shell 会把自己替换为 java。"
            ),
        )
    } else {
        (
            "java -jar app.jar",
            said!(
                "The program has to listen on 127.0.0.1 and the port in PORT: System.getenv(\"PORT\").",
                "程序必须监听 127.0.0.1 上 PORT 给出的端口：System.getenv(\"PORT\")。"
            ),
        )
    };
    let actuator = manifest.contains("spring-boot-starter-actuator");
    Recipe {
        kind: Kind::Java,
        flavour: match (spring, quarkus) {
            (true, _) => "Java, Spring Boot".into(),
            (false, true) => "Java, Quarkus".into(),
            (false, false) => Kind::Java.name().into(),
        },
        name,
        service: ServiceKind::Web,
        paths: if quarkus { vec!["quarkus-app/**".into()] } else { vec!["app.jar".into()] },
        exclude: Vec::new(),
        prepare: None,
        run: if quarkus {
            Step::exec(
                "java -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port=\"$PORT\" -jar quarkus-app/quarkus-run.jar",
                said!("Quarkus does not know PORT: a property tells it.", "Quarkus 不认识 PORT，由属性告知。"),
            )
        } else {
            Step::exec(line, why)
        },
        env: Vec::new(),
        health: match (actuator, quarkus && manifest.contains("smallrye-health")) {
            (true, _) => Some("/actuator/health".into()),
            (false, true) => Some("/q/health".into()),
            (false, false) => None,
        },
        start_timeout: Some("120s"),
        job: Job {
            name: "build",
            why: on_the_host("java"),
            script: vec![build.into(), collect(by_gradle, quarkus, manifest)],
            artifacts: vec![if quarkus { "quarkus-app/".into() } else { "app.jar".into() }],
        },
        notes,
    }
}

/// Puts what was built where the spec expects it, whatever its version is called.
fn collect(by_gradle: bool, quarkus: bool, manifest: &str) -> String {
    let folder = if by_gradle { "build" } else { "target" };
    if quarkus {
        return format!("cp -R {folder}/quarkus-app quarkus-app");
    }
    let named = scan::xml(manifest, "finalName").filter(|n| !by_gradle && !n.contains('$'));
    match (by_gradle, named) {
        (true, _) => {
            "cp \"$(ls build/libs/*.jar | grep -v -e '-plain.jar$' -e '-sources.jar$' | head -n 1)\" app.jar".into()
        }
        (false, Some(name)) => format!("cp target/{name}.jar app.jar"),
        (false, None) => {
            "cp \"$(ls target/*.jar | grep -v -e '-sources.jar$' -e '-javadoc.jar$' | head -n 1)\" app.jar".into()
        }
    }
}

/// A tag of the project itself, and not of its parent.
fn own(pom: &str, tag: &str) -> Option<String> {
    let without_parent = match (pom.find("<parent>"), pom.find("</parent>")) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &pom[..from], &pom[to..]),
        _ => pom.to_owned(),
    };
    scan::xml(&without_parent, tag).map(str::to_owned)
}
