//! The control plane at one glance: every part is asked, and what fails is said with what to do.

use super::{Finding, Verdict, backups, machine, process, spoken};
use crate::{App, http::Refusal};
use std::time::{Duration, Instant};
use tradewind_api::v1;
use tradewind_control::{
    certificates, hosts,
    rounds::{Loop, Round},
};
use tradewind_model::{fault::Lang, said, said::Said, time::Timestamp};
use tradewind_store::{Backend, Store, StoreError, events, rows};

/// A log whose events wait longer for their number is not being sealed.
const UNSEALED: Duration = Duration::from_secs(30);
/// A reading or a commit that takes longer is felt by everybody.
const SLOW: Duration = Duration::from_millis(250);
/// What waits longer for its turn than this is not merely in a queue.
const WAITED: Duration = Duration::from_secs(15 * 60);

/// Everything, in one reader's language.
pub async fn look(app: &App, lang: Lang) -> Result<v1::PlaneHealth, Refusal> {
    let now = app.store.now();
    let began = Instant::now();
    let log = log(app).await?;
    let database = database(app, began.elapsed()).await?;
    let queues = queues(app).await?;
    let loops = app.ctx.rounds.all();
    let all = hosts::list(&app.ctx).await?;
    let mut findings = Vec::new();
    findings.extend(of_database(&database));
    findings.extend(of_log(&log, now));
    findings.extend(loops.iter().filter_map(|(which, round)| of_loop(*which, round, now)));
    findings.extend(of_hosts(&all, now));
    findings.extend(queues.iter().filter_map(|queue| of_queue(queue, now)));
    findings.extend(of_sinks(app).await?);
    findings.extend(of_certificates(app).await?);
    findings.extend(of_backups(app).await?);
    findings.extend(of_machine(app).await?);
    // Stable: what was asked first stays first among equals.
    findings.sort_by_key(|f| std::cmp::Reverse(f.verdict));
    Ok(v1::PlaneHealth {
        at: now.into(),
        verdict: findings.iter().map(|f| f.verdict).max().unwrap_or(Verdict::Good).into(),
        findings: findings.iter().map(|f| f.view(lang)).collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        began_at: app.ctx.since.into(),
        database,
        log,
        queues,
        loops: loops.iter().map(|(which, round)| loop_view(*which, round, now)).collect(),
        hosts: all.len() as u64,
        hosts_connected: all.iter().filter(|h| h.connected).count() as u64,
        processes: processes(app, all),
    })
}

async fn log(app: &App) -> Result<v1::LogHealth, StoreError> {
    let mut r = app.store.read().await?;
    let head = events::audit::head(&mut r).await?;
    let (unsealed, since) = events::audit::waiting(&mut r).await?;
    let newest = rows::audit::newest(&mut r).await?;
    Ok(v1::LogHealth {
        head: head.seq,
        unsealed,
        unsealed_since: since.map(Into::into),
        last_checkpoint: newest.as_ref().map(|kept| kept.mark.seq),
        last_checkpoint_at: newest.map(|kept| kept.made_at.into()),
    })
}

async fn database(app: &App, read: Duration) -> Result<v1::DatabaseHealth, StoreError> {
    let us = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
    let kind = match app.store.backend() {
        Backend::Sqlite => "sqlite",
        Backend::Postgres => "postgres",
    };
    Ok(v1::DatabaseHealth {
        kind: kind.to_owned(),
        bytes: app.store.bytes().await?,
        step: Store::schema(),
        read_us: us(read),
        writes: app.store.pace().map(|pace| v1::Writes {
            count: pace.count as u64,
            median_us: us(pace.median),
            slowest_us: us(pace.slowest),
        }),
    })
}

async fn queues(app: &App) -> Result<Vec<v1::Queue>, StoreError> {
    let queue = |id: &str, waiting: usize, since: Option<Timestamp>| v1::Queue {
        id: id.to_owned(),
        waiting: waiting as u64,
        since: since.map(Into::into),
    };
    let mut r = app.store.read().await?;
    let runs = rows::runs::unfinished(&mut r).await?;
    let pending: Vec<_> = runs.iter().filter(|run| run.state == "pending").map(|run| run.created_at).collect();
    let rollouts = rows::rollouts::unfinished(&mut r).await?;
    let asked: Vec<_> = rollouts.iter().filter(|r| !r.active).map(|r| r.created_at).collect();
    let (deliveries, since) = rows::forges::deliveries::waiting(&mut r).await?;
    drop(r);
    let status = app.audit.status().await.map_err(store)?;
    let newest = status.checkpoint.map_or(0, |c| c.seq);
    let behind: Vec<_> = status.sinks.iter().filter(|sink| sink.delivered < newest).collect();
    let failing = behind.iter().filter_map(|sink| sink.failing_since).min();
    Ok(vec![
        queue("runs", pending.len(), pending.iter().min().copied()),
        queue("rollouts", asked.len(), asked.iter().min().copied()),
        queue("deliveries", usize::try_from(deliveries).unwrap_or(usize::MAX), since),
        queue("checkpoints", behind.len(), failing.map(|t| t.0)),
    ])
}

/// A use case that asks for nothing of anybody refuses nothing.
fn store(e: tradewind_control::Error) -> StoreError {
    match e {
        tradewind_control::Error::Store(e) => e,
        tradewind_control::Error::Refused(fault) => {
            StoreError::Io { what: fault.to_string(), source: "refused".into() }
        }
    }
}

fn loop_view(which: Loop, round: &Round, now: Timestamp) -> v1::LoopHealth {
    v1::LoopHealth {
        id: which.as_str().to_owned(),
        at: round.at.into(),
        every_s: round.every.as_secs(),
        overdue: round.is_overdue(now),
        failing_since: round.failing.as_ref().map(|(since, _)| (*since).into()),
        error: round.failing.as_ref().map(|(_, why)| why.clone()),
    }
}

fn processes(app: &App, hosts: Vec<v1::Host>) -> Vec<v1::HostProcess> {
    let own = v1::HostProcess {
        role: v1::ProcessRole::Server,
        host: None,
        instance: None,
        pid: std::process::id(),
        memory_bytes: process::memory(),
        cpu: process::cpu(),
        since: app.ctx.since.into(),
    };
    let theirs = hosts.into_iter().filter(|h| h.connected).flat_map(|host| {
        let of_ours = |p: &v1::HostProcess| p.role != v1::ProcessRole::Instance;
        let all = host.machine.map(|m| m.processes).unwrap_or_default();
        all.into_iter().filter(of_ours).map(move |p| v1::HostProcess { host: Some(host.name.clone()), ..p })
    });
    std::iter::once(own).chain(theirs).collect()
}

// ---------------------------------------------------------------- what is found

fn of_database(db: &v1::DatabaseHealth) -> Vec<Finding> {
    const ID: &str = "database";
    let median = db.writes.map_or(0, |w| w.median_us);
    let found = said!(
        "a reading of the database takes {read} ms, a commit {write} ms",
        "数据库读取 {read} 毫秒，提交 {write} 毫秒",
        read = format!("{:.1}", db.read_us as f64 / 1e3),
        write = format!("{:.1}", median as f64 / 1e3)
    );
    if u128::from(db.read_us.max(median)) < SLOW.as_micros() {
        return vec![Finding::good(ID, found)];
    }
    let fix = said!(
        "everything waits for it: look at the disk under the data folder (`iostat -x 1`), and give the database a local SSD",
        "所有操作都受其拖累：请检查数据目录所在磁盘（`iostat -x 1`），并为数据库使用本地 SSD"
    );
    vec![Finding::less(ID, found, fix)]
}

fn of_log(log: &v1::LogHealth, now: Timestamp) -> Vec<Finding> {
    const ID: &str = "event_log";
    match log.unsealed_since.filter(|since| now.since(since.0) > UNSEALED) {
        None => vec![Finding::good(
            ID,
            said!("the event log is sealed up to number {seq}", "事件日志已封存至第 {seq} 号", seq = log.head),
        )],
        Some(since) => vec![Finding::bad(
            ID,
            said!(
                "{n} events have waited for their number for {age}: nothing live is shown, and nothing proves them",
                "{n} 条事件已等待编号 {age}：界面不再实时更新，事件也未受保护",
                n = log.unsealed,
                age = spoken(now.since(since.0))
            ),
            said!(
                "see DIR/log/server.log for the sealer's error, and end the server's process if it does not recover: its supervisor starts it again",
                "请在 DIR/log/server.log 中查看 sealer 的错误；若未恢复，请结束服务端进程，守护进程会重新启动它"
            ),
        )],
    }
}

fn of_loop(which: Loop, round: &Round, now: Timestamp) -> Option<Finding> {
    let name = loop_name(which);
    if let Some((since, why)) = &round.failing {
        return Some(Finding::bad(
            "loop_failing",
            said!(
                "{name} has failed for {age}: {why}",
                "{name}已连续失败 {age}：{why}",
                name = name,
                age = spoken(now.since(*since)),
                why = why
            ),
            said!(
                "it tries again by itself; see to the cause it names, and DIR/log/server.log for more",
                "系统会自动重试；请排除上述原因，详情见 DIR/log/server.log"
            ),
        ));
    }
    round.is_overdue(now).then(|| {
        Finding::bad(
            "loop_silent",
            said!(
                "{name} has not ended a round for {age}",
                "{name}已有 {age}没有完成一轮",
                name = name,
                age = spoken(now.since(round.at))
            ),
            said!(
                "it hangs or has ended: end the server's process, its supervisor starts it again; what runs goes on",
                "该任务已挂起或退出：请结束服务端进程，守护进程会重新启动它；正在运行的业务不受影响"
            ),
        )
    })
}

fn loop_name(which: Loop) -> Said {
    match which {
        Loop::Rollouts => said!("moving rollouts on", "推进发布"),
        Loop::Runs => said!("moving runs on", "推进流水线"),
        Loop::Pushes => said!("looking for pushes that were missed", "检查遗漏的推送"),
        Loop::Deliveries => said!("working on what forges deliver", "处理代码托管平台的投递"),
        Loop::Statuses => said!("telling forges of runs", "回写提交状态"),
        Loop::Collector => said!("collecting", "清理存储"),
        Loop::Checkpoints => said!("signing checkpoints", "签署检查点"),
        Loop::Sinks => said!("sending checkpoints away", "外送检查点"),
        Loop::Retention => said!("taking away old events", "清除过期事件"),
        Loop::Certificates => said!("watching certificates", "检查证书期限"),
        Loop::Authority => said!("asking for certificates", "申请证书"),
        Loop::Backups => said!("making backups", "定时备份"),
    }
}

fn of_hosts(all: &[v1::Host], now: Timestamp) -> Vec<Finding> {
    const ID: &str = "hosts";
    let away: Vec<_> = all.iter().filter(|h| !h.connected).collect();
    if all.is_empty() {
        return vec![Finding::less(
            ID,
            said!("no host was ever enrolled: nothing can be built or run", "还没有登记任何主机：无法构建或运行"),
            said!("start one: `tradewind up --detach`", "请启动一台：`tradewind up --detach`"),
        )];
    }
    if away.is_empty() {
        return vec![Finding::good(ID, said!("{n} of {n} hosts are connected", "{n} 台主机全部在线", n = all.len()))];
    }
    let told = |h: &&v1::Host| {
        let age = h.last_seen_at.map(|at| spoken(now.since(at.0)));
        match age {
            Some(age) => said!("{name} for {age}", "{name}（{age}）", name = h.name, age = age),
            None => Said::plain(h.name.clone()),
        }
    };
    let names: Vec<_> = away.iter().map(told).collect();
    let text = tradewind_model::fault::Text { en: ", ", zh: "、" };
    vec![Finding::bad(
        ID,
        said!(
            "not connected: {names}; what runs there goes on, but nothing begins and nothing is rolled back",
            "失联主机：{names}；其上的业务继续运行，但无法发布，也无法回滚",
            names = Said::join(&names, &text)
        ),
        said!(
            "see that the machine is up and reaches the server, then DIR/log/agent.log there; one that is gone for good is removed with `tradewind host remove`",
            "请确认主机在线且能连上服务端，再查看其 DIR/log/agent.log；永久下线的主机用 `tradewind host remove` 移除"
        ),
    )]
}

fn of_queue(queue: &v1::Queue, now: Timestamp) -> Option<Finding> {
    let age = now.since(queue.since?.0);
    if age < WAITED {
        return None;
    }
    match queue.id.as_str() {
        "runs" => Some(Finding::less(
            "queue_runs",
            said!(
                "{n} runs wait, the oldest for {age}",
                "{n} 次运行在等待，最久已 {age}",
                n = queue.waiting,
                age = spoken(age)
            ),
            said!(
                "see that a host is connected and has room for jobs, and end runs that hang: `tradewind run cancel`",
                "请确认有主机在线且能接任务，并取消卡住的运行：`tradewind run cancel`"
            ),
        )),
        "deliveries" => Some(Finding::less(
            "queue_deliveries",
            said!(
                "{n} pushes of forges wait, the oldest for {age}",
                "{n} 次平台推送在等待，最久已 {age}",
                n = queue.waiting,
                age = spoken(age)
            ),
            said!(
                "the repository cannot be fetched from: `tradewind forge deliveries SERVICE` says why",
                "无法从仓库拉取：用 `tradewind forge deliveries SERVICE` 查看原因"
            ),
        )),
        // A rollout waits its turn behind another, which may take hours; a place for checkpoints has a finding of its own.
        _ => None,
    }
}

async fn of_sinks(app: &App) -> Result<Vec<Finding>, StoreError> {
    let status = app.audit.status().await.map_err(store)?;
    let now = app.store.now();
    let failing = status.sinks.into_iter().filter_map(|sink| Some((sink.failing_since?, sink)));
    let told = failing.map(|(since, sink)| {
        Finding::less(
            "audit_sink",
            said!(
                "checkpoints have not reached {name} for {age}: {why}",
                "检查点已有 {age}未能送达 {name}：{why}",
                name = sink.name,
                age = spoken(now.since(since.0)),
                why = sink.error.unwrap_or_default()
            ),
            said!(
                "see that the place can be written to; what is missing is sent as soon as it can be",
                "请确认该位置可写；恢复后会自动补送"
            ),
        )
    });
    Ok(told.collect())
}

async fn of_certificates(app: &App) -> Result<Vec<Finding>, StoreError> {
    let ending = certificates::ending(&app.ctx).await.map_err(store)?;
    let told = ending.into_iter().map(|(names, days)| {
        let names = names.join(", ");
        let fix = || {
            said!(
                "add a new one: `tradewind certificate add --cert FILE --key FILE`; where Tradewind renews it, `tradewind certificate list` and the server's log say what the authority answers",
                "请添加新证书：`tradewind certificate add --cert FILE --key FILE`；若由信风续期，请在 `tradewind certificate list` 与服务端日志中查看签发机构的答复"
            )
        };
        if days < 0 {
            let found = said!("the certificate for {names} has ended: browsers refuse it", "{names} 的证书已过期：浏览器会拒绝访问", names = names);
            Finding::bad("certificate", found, fix())
        } else {
            let found = said!("the certificate for {names} ends in {days} days", "{names} 的证书将在 {days} 天后过期", names = names, days = days);
            Finding::less("certificate", found, fix())
        }
    });
    Ok(told.collect())
}

async fn of_backups(app: &App) -> Result<Vec<Finding>, StoreError> {
    // PostgreSQL's own program makes them, and nobody tells us.
    if app.store.backend() != Backend::Sqlite {
        return Ok(Vec::new());
    }
    let made = backups::last_of(app, "admin.backup_made").await?;
    let every = app.config.backups.as_ref().map(|b| b.every);
    let mut found = vec![backups::age(made.as_ref().map(|e| e.at), app.store.now(), every)];
    if let Some(failed) = backups::failed(app, made.as_ref()).await? {
        let why =
            failed.fact.after.as_ref().and_then(|after| after.get("why")?.as_str()).unwrap_or_default().to_owned();
        found.push(Finding::bad(
            "backup_failed",
            said!("the last scheduled backup failed: {why}", "最近一次定时备份失败：{why}", why = why),
            said!(
                "see that `backup_to` can be written to and has room; it is tried again every ten minutes",
                "请确认 `backup_to` 可写且空间充足；系统每十分钟重试一次"
            ),
        ));
    }
    Ok(found)
}

async fn of_machine(app: &App) -> Result<Vec<Finding>, Refusal> {
    let config = app.config.clone();
    let looked = tokio::task::spawn_blocking(move || {
        let given = match &config.vault {
            crate::KeySource::File(file) => Some(file.clone()),
            _ => None,
        };
        let mut found = vec![machine::room(&config.data), machine::memory(), machine::open_files(), machine::clock()];
        found.extend(machine::keys(&config.data, given.as_deref()));
        found.push(machine::plain(config.listen));
        found
    });
    looked.await.map_err(Refusal::internal)
}
