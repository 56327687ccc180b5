//! After the refs have moved: the runs start, and the pusher is told how they go. A pusher who goes away ends the
//! telling, never a run.

use super::{
    commit::{self, Complaint, Moved},
    hooks::Teller,
    push::Push,
    wire::{Ask, Update},
    words::Story,
};
use crate::{
    App,
    http::{Refusal, refusal},
};
use futures_util::StreamExt as _;
use std::time::Duration;
use tradewind_control::{ctx::Asker, runs::RunError};
use tradewind_model::{
    fault::{self, Lang, Text},
    id::RunId,
};

const DELETED: Text =
    Text { en: "{ref} is gone. What is live stays as it is.", zh: "{ref} 已删除。线上保持不变。" };
const STOPPING: Text = Text {
    en: "The server restarts. The run goes on; follow it with:\n    tradewind run show {run}",
    zh: "服务端正在重启。运行会继续，查看进度：\n    tradewind run show {run}",
};
const LATER: Text = Text {
    en: "The push is stored, and its run could not be started yet; it starts by itself.",
    zh: "推送已保存，但运行暂未启动；稍后会自动开始。",
};

/// After this long without news the pusher is told what the run waits for.
const QUIET: Duration = Duration::from_secs(3);

/// Starts a run for each branch that moved, then follows them one after another.
pub async fn post_receive(app: &App, push: &Push, ask: &Ask, teller: &Teller) {
    let by = push.caller.asker(Some(format!("request/{}", push.request)));
    let mut started = Vec::new();
    for update in &ask.updates {
        if update.is_deletion() {
            teller.line(&DELETED.fill(push.lang, &[("ref", &update.name)])).await;
        } else if update.branch().is_some() {
            match start(app, &push.service, update, &by).await {
                Ok(Ok(run)) => started.push(run),
                Ok(Err(complaint)) => {
                    teller.line(&complaint.text(push.lang)).await;
                }
                Err(error) => {
                    tracing::error!(service = %push.service, error = %fault::chain(&error), "a run was not started");
                    teller.line(LATER.get(push.lang)).await;
                }
            }
        }
    }
    for run in started.into_iter().filter(|_| push.follow) {
        tokio::select! {
            () = tell(app, run, push.lang, teller) => {}
            () = push.gone.cancelled() => return,
            () = app.stop.cancelled() => {
                teller.line(&STOPPING.fill(push.lang, &[("run", run.to_string())])).await;
                return;
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Git(#[from] super::GitError),
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Makes the run of a ref that moved, or finds it: whoever asks, and however often, there is one.
pub async fn start(
    app: &App,
    service: &tradewind_model::id::ServiceName,
    update: &Update,
    by: &Asker,
) -> Result<Result<RunId, Complaint>, StartError> {
    let id = app.git.repos.name_of_move(service, update);
    let moved = Moved { id, by: by.clone() };
    let read = match commit::read(&app.git.repos, service, update, moved, None).await? {
        Ok(read) => read,
        Err(complaint) => return Ok(Err(complaint)),
    };
    match app.runs.enqueue(&read).await {
        Ok((run, _)) => Ok(Ok(run)),
        Err(RunError::Refused(faults)) => Ok(Err(Complaint::of_push(faults, &read))),
        Err(e) => Err(e.into()),
    }
}

async fn tell(app: &App, run: RunId, lang: Lang, teller: &Teller) {
    let mut story = Story::new(lang);
    if let Ok(shown) = app.runs.get(run, lang).await
        && !teller.line(&story.begins(&shown)).await
    {
        return;
    }
    let mut updates = std::pin::pin!(app.runs.follow(run, None, lang));
    loop {
        let text = match tokio::time::timeout(QUIET, updates.next()).await {
            Err(_) => app.runs.get(run, lang).await.map(|shown| story.waits(&shown)).unwrap_or_default(),
            Ok(None) => return,
            Ok(Some(Ok(update))) => story.tell(&update),
            Ok(Some(Err(error))) => {
                tracing::error!(%run, %error, "a run could not be followed");
                refusal::text(&Refusal::from(error).problem(lang, &run.to_string()))
            }
        };
        if !text.is_empty() && !teller.line(&text).await {
            return;
        }
    }
}
