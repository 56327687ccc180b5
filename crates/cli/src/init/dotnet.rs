//! .NET: one project out of a folder or a solution.

use super::{Job, Kind, Recipe, Step, files::Files, on_the_host, scan};
use tradewind_model::{said, workload::ServiceKind};

const PROJECTS: [&str; 2] = [".csproj", ".fsproj"];

/// Its path. A solution's is looked for one folder below, tests left out.
fn project(files: &dyn Files) -> Option<String> {
    let of = |folder: &str| PROJECTS.iter().flat_map(|end| files.ending(folder, end)).next();
    if let Some(own) = of("") {
        return Some(own);
    }
    if files.ending("", ".sln").is_empty() && files.ending("", ".slnx").is_empty() {
        return None;
    }
    let candidates: Vec<String> = ["", "src/"]
        .iter()
        .flat_map(|above| files.folders(above.trim_end_matches('/')).into_iter().map(move |f| format!("{above}{f}")))
        .filter(|f| !f.to_lowercase().contains("test"))
        .filter_map(|f| Some(format!("{f}/{}", of(&f)?)))
        .collect();
    let runs = |p: &&String| files.text(p).is_some_and(|t| t.contains("Sdk.Web") || t.contains("Sdk.Worker"));
    candidates.iter().find(runs).or(candidates.first()).cloned()
}

pub fn signs(files: &dyn Files) -> Vec<String> {
    project(files).into_iter().collect()
}

pub fn recipe(files: &dyn Files) -> Recipe {
    let project = project(files).unwrap_or_else(|| "App.csproj".into());
    let text = files.text(&project).unwrap_or_default();
    let stem = project.rsplit('/').next().and_then(|n| n.rsplit_once('.')).map_or("App", |(stem, _)| stem);
    let assembly = scan::xml(&text, "AssemblyName").unwrap_or(stem);
    let is_worker = text.contains("Microsoft.NET.Sdk.Worker");
    let is_web = !is_worker;
    let run = if is_web {
        Step::exec(
            &format!("dotnet 'out/{assembly}.dll' --urls \"http://127.0.0.1:$PORT\""),
            said!(
                "ASP.NET Core does not know PORT: `--urls` tells it. The shell gives its place to the program.",
                "ASP.NET Core 不认识 PORT，由 `--urls` 告知；shell 会把自己替换为该程序。"
            ),
        )
    } else {
        Step::new(
            &["dotnet", &format!("out/{assembly}.dll")],
            said!("What the pipeline published.", "流水线发布出的程序。"),
        )
    };
    let program = project.rsplit_once('/').map_or_else(|| "Program.cs".to_owned(), |(f, _)| format!("{f}/Program.cs"));
    let source = files.text(&program).unwrap_or_default();
    let tests = !files.ending("", ".sln").is_empty() || !files.ending("", ".slnx").is_empty();
    let test = tests.then(|| "dotnet test".to_owned());
    let publish = format!("dotnet publish '{project}' --configuration Release --output out");
    Recipe {
        kind: Kind::Dotnet,
        flavour: if is_worker { ".NET, worker".into() } else { ".NET, ASP.NET Core".into() },
        name: Some(stem.to_owned()),
        service: if is_worker { ServiceKind::Worker } else { ServiceKind::Web },
        paths: vec!["out/**".into()],
        exclude: Vec::new(),
        prepare: None,
        run,
        env: vec![
            ("DOTNET_ENVIRONMENT".into(), "Production".into()),
            ("DOTNET_CLI_TELEMETRY_OPTOUT".into(), "1".into()),
        ],
        health: if is_web { scan::health_path(&source) } else { None },
        start_timeout: Some("90s"),
        job: Job {
            name: "build",
            why: on_the_host("dotnet"),
            script: test.into_iter().chain([publish]).collect(),
            artifacts: vec!["out/".into()],
        },
        notes: Vec::new(),
    }
}
