//! The story of five releases, told while customers buy: `make demo`.
//!
//! v1 goes live; v2 goes up by evidence while the server is killed and returns; v3 fails one customer in twenty and v4 is
//! slower, and the judge takes both back; v5 never becomes ready; one command returns to v1. It ends with a table, and with an exit code that is not 0 if a single
//! request was lost or anything did not come out as told.

mod canary;
mod story;

use crate::{
    customers::{Crowd, Traffic, ask_once},
    rig::{self, HANG, Repository, Tradewind, memory},
};
use anyhow::{Context, Result, bail};
use canary::Fault;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use story::{Story, megabytes, row, show};
use tradewind_model::fault::Lang;

#[derive(Debug)]
pub struct Options {
    /// The built program.
    pub bin: PathBuf,
    /// Leave everything running at the end.
    pub keep: bool,
    pub lang: Lang,
}

pub fn run(root: &Path, options: Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(perform(root, options))
}

async fn perform(root: &Path, options: Options) -> Result<()> {
    let folder = rig::folder()?;
    let lang = match options.lang {
        Lang::En => "en",
        Lang::Zh => "zh-CN",
    };
    let bin = options.bin.canonicalize().with_context(|| format!("{} is not built", options.bin.display()))?;
    let mut stage = Stage {
        root,
        story: Story::begin(options.lang),
        tradewind: Tradewind::new(bin, &folder, lang)?,
        folder,
        live: BTreeMap::new(),
        traffic: None,
    };
    let told = tokio::select! {
        told = stage.perform() => told,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    if let Err(error) = &told {
        stage.story.fail(format!("{error:#}"));
    }
    stage.traffic = None;
    if options.keep && told.is_ok() {
        stage.tradewind.keep();
        if let Err(error) = farewell(&stage.story, &stage.tradewind, &stage.folder).await {
            stage.story.fail(format!("{error:#}"));
        }
    } else if let Err(error) = stage.tradewind.down().await {
        stage.story.fail(format!("{error:#}"));
    }
    let failures = stage.story.failures();
    if failures.is_empty() {
        if !options.keep {
            std::fs::remove_dir_all(&stage.folder)?;
        }
        return Ok(());
    }
    let logs = stage.tradewind.data.join("log");
    bail!("the demonstration did not come out as it should:\n  - {}\nlogs: {}", failures.join("\n  - "), logs.display())
}

struct Stage<'a> {
    root: &'a Path,
    folder: PathBuf,
    story: Story,
    tradewind: Tradewind,
    /// From `git push` to the first answer a customer had from the release.
    live: BTreeMap<String, Duration>,
    traffic: Option<Traffic>,
}

impl Stage<'_> {
    async fn perform(&mut self) -> Result<()> {
        self.story.chapter("Tradewind starts on an empty folder", "信风在空目录上启动");
        let shop = self.begin().await?;

        self.story.chapter("v1 goes live", "v1 上线");
        let pushed = self.release(&shop, "v1", "The first shop").await?;
        self.opened(pushed).await?;
        self.traffic = Some(Traffic::start(self.tradewind.edge, Crowd::default()));
        self.story.tell(
            "Customers arrive: they browse, fill baskets, check out and pay, and will not stop until the end.",
            "顾客来了：浏览、加购物车、下单、付款，直到最后都不会停。",
        );
        self.completed("v1").await?;
        self.let_people_shop(5).await?;

        self.story.chapter(
            "v2 goes up by evidence; the server is killed on the way",
            "v2 凭证据逐步放量；途中 server 被强制杀死",
        );
        self.take_up_canaries(&shop)?;
        let pushed = self.release(&shop, "v2", "A better shop").await?;
        self.served_by("v2", pushed).await?;
        self.kill_server_among_evidence("v2").await?;
        self.goes_up("v2").await?;
        self.let_people_shop(3).await?;

        self.story.chapter(
            "v3 fails one customer in twenty, and every health check is green",
            "v3 让二十分之一的顾客无法下单，而健康检查全部通过",
        );
        self.traffic.as_ref().context("no traffic yet")?.ledger.blame("v3");
        self.break_checkout(&shop, Fault::FailsForSome)?;
        let pushed = self.release(&shop, "v3", "A discount for loyal customers").await?;
        self.is_caught("v3", "v2", pushed).await?;
        self.let_people_shop(3).await?;

        self.story.chapter("v4 is 200 ms slower at checkout", "v4 的下单慢了 200 毫秒");
        self.acknowledge("the discount was looked up by a name that is not there").await?;
        self.break_checkout(&shop, Fault::Slow)?;
        let pushed = self.release(&shop, "v4", "A discount that works").await?;
        self.is_caught("v4", "v2", pushed).await?;
        self.let_people_shop(3).await?;

        self.story.chapter("v5 never becomes ready", "v5 始终未能就绪");
        self.acknowledge("the discount asks a slow service").await?;
        self.mend_checkout(&shop)?;
        self.refused_release(&shop).await?;
        self.let_people_shop(3).await?;

        self.story.chapter("v2 turns out to be wrong after all: back to v1", "最终发现 v2 有问题：退回 v1");
        let (gone, done) = self.roll_back().await?;
        self.let_people_shop(5).await?;

        self.story.chapter("A worker skips every fifth order of a shop", "一个 worker 漏掉某店铺五分之一的订单");
        self.worker_is_caught().await?;
        self.settle_accounts(gone, done).await
    }

    /// Up, and logged in from a checkout of the shop.
    async fn begin(&mut self) -> Result<Repository> {
        let (said, login) = self.tradewind.up().await?;
        said.iter().for_each(|line| self.story.quote(line));
        let shop = rig::shop(self.root, self.folder.join("shop"), &self.tradewind).await?;
        let mut args = vec!["login"];
        args.extend(login.iter().map(String::as_str));
        self.story
            .tell("tradewind login   (in a copy of examples/shop)", "tradewind login   （在 examples/shop 的副本中）");
        self.tradewind.run(&args, &shop.folder).await?.lines().for_each(|line| self.story.quote(line));
        Ok(shop)
    }

    /// Commits a version and pushes it; gives the moment the push began.
    async fn release(&self, shop: &Repository, version: &str, title: &str) -> Result<Instant> {
        shop.write("VERSION", &format!("{version}\n"))?;
        shop.commit(&self.tradewind, title).await?;
        self.story.tell(
            &format!("git push tradewind main   (version {version}: “{title}”)"),
            &format!("git push tradewind main   （版本 {version}：“{title}”）"),
        );
        let pushed = shop.push(&self.tradewind, |line| self.story.quote(line)).await?;
        let run = self.tradewind.run_ended("shop", version).await?;
        if run["state"] != "success" {
            bail!("the run of {version} ended {}: {}", run["state"], run["reason"]);
        }
        let took = show(pushed.took);
        self.story.tell(
            &format!("The push returned after {took}: tests passed, the release is built and on its way."),
            &format!("push 在 {took} 后返回：测试通过，版本已构建，正在发布。"),
        );
        Ok(pushed.began)
    }

    /// Waits until the shop answers for the first time; before that there is nothing customers could lose.
    async fn opened(&mut self, pushed: Instant) -> Result<()> {
        while let Err(error) = ask_once(self.tradewind.edge, "/version").await {
            if pushed.elapsed() > HANG {
                return Err(error.context("the shop never opened"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.lives("v1", pushed.elapsed());
        Ok(())
    }

    fn lives(&mut self, version: &str, live: Duration) {
        self.story.tell(
            &format!("{version} is live: it answered {} after the push began.", show(live)),
            &format!("{version} 已上线：push 开始 {} 后作答。", show(live)),
        );
        self.live.insert(version.to_owned(), live);
    }

    /// Waits for the first customer who was answered by this release.
    async fn served_by(&mut self, version: &str, pushed: Instant) -> Result<()> {
        let ledger = &self.traffic.as_ref().context("no traffic yet")?.ledger;
        let first = self.until(&format!("a customer served by {version}"), || ledger.first(version)).await?;
        self.lives(version, first.duration_since(pushed));
        Ok(())
    }

    async fn completed(&self, version: &str) -> Result<()> {
        let ended = self.tradewind.rollout("shop", version, &["completed", "failed", "aborted", "superseded"]).await?;
        let reason = ended["reason"].as_str().unwrap_or_default();
        self.story.expect(
            ended["phase"] == "completed",
            &format!("The rollout of {version} completed, every instance was asked and answered. {reason}"),
            &format!("{version} 发布完成，每个实例都已检查并作答。{reason}"),
        );
        Ok(())
    }

    async fn refused_release(&self, shop: &Repository) -> Result<()> {
        let settings = shop.folder.join("settings.json");
        let text = std::fs::read_to_string(&settings)?.replace("builtin", "acme");
        shop.write("settings.json", &text)?;
        self.release(shop, "v5", "A new payment provider").await?;
        let ended = self.tradewind.rollout("shop", "v5", &["completed", "failed", "aborted", "superseded"]).await?;
        let reason = ended["reason"].as_str().unwrap_or_default();
        self.story.expect(
            ended["phase"] == "failed",
            &format!("v5 was refused. {reason}"),
            &format!("v5 被拒绝。{reason}"),
        );
        let ledger = &self.traffic.as_ref().context("no traffic yet")?.ledger;
        self.story.expect(
            ledger.tally("v5").sent == 0,
            "Not one customer saw v5; v2 served on all the time.",
            "没有一位顾客遇到 v5；v2 一直在服务。",
        );
        Ok(())
    }

    /// From the command to the last answer of v3, and to the end of the command.
    async fn roll_back(&self) -> Result<(Duration, Duration)> {
        let reason = "orders show the wrong tax";
        self.story.tell(
            &format!("tradewind rollback shop --reason \"{reason}\""),
            &format!("tradewind rollback shop --reason \"{reason}\""),
        );
        let began = Instant::now();
        let args = ["rollback", "shop", "--env", "production", "--reason", reason];
        let said = self.tradewind.run(&args, &self.tradewind.home).await?;
        let done = began.elapsed();
        for line in said.lines() {
            self.story.quote(line);
        }
        let ledger = &self.traffic.as_ref().context("no traffic yet")?.ledger;
        let status = self.tradewind.ask(&["status", "shop"]).await?;
        self.story.expect(
            status.pointer("/items/0/release/label").is_some_and(|label| label == "v1"),
            "tradewind status says that v1 is live again, though v5's failure had closed the queue.",
            "tradewind status 显示 v1 重新在线，尽管 v5 的失败已关闭队列。",
        );
        let again = self.until("customers back on v1", || ledger.last("v1").filter(|last| *last > began)).await?;
        self.story.tell(
            &format!("v1 serves again ({} after the command began).", show(again.duration_since(began).min(done))),
            &format!("v1 重新提供服务（命令发出后 {}）。", show(again.duration_since(began).min(done))),
        );
        // Whatever v2 still answers has to show itself before the figure is taken.
        self.let_people_shop(3).await?;
        let last = ledger.last("v2").context("v2 never answered")?;
        let gone = last.saturating_duration_since(began);
        self.story.expect(
            gone < Duration::from_secs(1),
            &format!(
                "The last answer of v2 came {} after the command began; the command ended after {}.",
                show(gone),
                show(done)
            ),
            &format!("v2 的最后一次应答在命令发出 {} 后；命令在 {} 后结束。", show(gone), show(done)),
        );
        Ok((gone, done))
    }

    async fn let_people_shop(&self, seconds: u64) -> Result<()> {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let ledger = &self.traffic.as_ref().context("no traffic yet")?.ledger;
        let ((lost, _), (customers, _)) = (ledger.losses(), ledger.sales());
        self.story.expect(
            lost == 0,
            &format!("{customers} customers served so far, {lost} requests lost."),
            &format!("至此服务了 {customers} 位顾客，丢失 {lost} 个请求。"),
        );
        Ok(())
    }

    /// The table, and whether the shop's books agree with the customers.
    async fn settle_accounts(&mut self, gone: Duration, done: Duration) -> Result<()> {
        let mut traffic = self.traffic.take().context("no traffic yet")?;
        traffic.finish().await;
        let (customers, paid) = traffic.ledger.sales();
        let (lost, told) = traffic.ledger.losses();

        self.story.chapter("What it came to", "结果");
        let weights = memory::weigh(&self.tradewind.data)?;
        let rows: Vec<_> = traffic.ledger.tallies().iter().map(|(v, t)| row(v, t, self.live.get(v).copied())).collect();
        let head = [
            ("release", "版本"),
            ("requests", "请求"),
            ("failed", "失败"),
            ("push → live", "push → 上线"),
            ("median", "中位"),
            ("p99", "p99"),
        ];
        self.story.table(&head, &rows);
        println!();
        let head = [("rollback", "回滚"), ("took", "用时")];
        let last = self.say("command → last answer of v2", "命令 → v2 的最后应答");
        let ended = self.say("command → all layers verified", "命令 → 全部检查完毕");
        self.story.table(&head, &[vec![last, show(gone)], vec![ended, show(done)]]);
        println!();
        let head = [("process", "进程"), ("how many", "数量"), ("memory (PSS)", "内存 (PSS)")];
        self.story.table(&head, &memory_rows(&weights, self.story.lang));
        println!();

        for one in &told {
            self.story.quote(&format!("{:.3} s  {}  {}  {}", one.at.as_secs_f64(), one.release, one.request, one.how));
        }
        self.story.expect(
            lost == 0,
            &format!("{lost} requests were lost; {customers} customers got what they came for."),
            &format!("丢失 {lost} 个请求；{customers} 位顾客得偿所愿。"),
        );
        let mut books = ask_once(self.tradewind.edge, "/stats").await?;
        let booked = books["paid"].take().as_u64().unwrap_or(0);
        let verified = self.tradewind.run(&["audit", "verify"], &self.tradewind.home).await;
        self.story.expect(
            verified.is_ok(),
            "The event log's chain holds from its first event to its last.",
            "事件日志的链从头到尾完好。",
        );
        self.story.expect(
            booked == paid,
            &format!("The shop's books show {booked} paid orders, the customers hold {paid} receipts."),
            &format!("商店账上有 {booked} 笔已付订单，顾客手中有 {paid} 张收据。"),
        );
        Ok(())
    }

    fn say(&self, en: &str, zh: &str) -> String {
        match self.story.lang {
            Lang::En => en.to_owned(),
            Lang::Zh => zh.to_owned(),
        }
    }

    async fn until<T>(&self, what: &str, found: impl Fn() -> Option<T>) -> Result<T> {
        let began = Instant::now();
        loop {
            if let Some(found) = found() {
                return Ok(found);
            }
            if began.elapsed() > HANG {
                bail!("waited {} s in vain: {what}", HANG.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The three roles and their sum, then what runs beside them.
fn memory_rows(weights: &BTreeMap<String, memory::Weight>, lang: Lang) -> Vec<Vec<String>> {
    let row = |name: String, w: memory::Weight| vec![name, w.count.to_string(), megabytes(w.bytes)];
    let of = |role: &str| weights.get(role).copied().unwrap_or_default();
    let edge = of("edge") + of("edge-worker");
    let words = match lang {
        Lang::En => ["server + agent + edge", "supervisor", "shims", "the shop's instances"],
        Lang::Zh => ["server + agent + edge", "监管进程", "shim", "商店的实例"],
    };
    let [together, supervisor, shims, instances] = words.map(str::to_owned);
    vec![
        row("server".into(), of("server")),
        row("agent".into(), of("agent")),
        row("edge".into(), edge),
        row(together, of("server") + of("agent") + edge),
        row(supervisor, of("up")),
        row(shims, of("shim")),
        row(instances, of("instance")),
    ]
}

/// What to try; at last the console, signed in, on the rollout that the judge took back.
async fn farewell(story: &Story, tradewind: &Tradewind, folder: &Path) -> Result<()> {
    let bad = tradewind.rollout("shop", "v3", &["failed"]).await?;
    let link = tradewind.ask(&["console"]).await?;
    let (page, code) =
        link["url"].as_str().and_then(|url| url.split_once('#')).context("`tradewind console` gave no address")?;
    let console = format!("{page}?to=/rollouts/{}#{code}", bad["id"].as_str().unwrap_or_default());
    story.chapter("It runs on. Try:", "它还在运行，可以试试：");
    let lines = [
        format!("export HOME={} PATH=$PATH:{}", tradewind.home.display(), tradewind.bin_folder().display()),
        format!("cd {}", folder.join("shop").display()),
        format!("curl http://{}/products", tradewind.edge),
        "tradewind status".into(),
        "tradewind rollout list shop".into(),
        "tradewind diff v2 v3".into(),
        "tradewind events --service shop".into(),
        "tradewind audit verify".into(),
        format!("tradewind down --data {}", tradewind.data.display()),
    ];
    for line in lines {
        println!("    {line}");
    }
    story.chapter(
        "The console, on the rollout of v3 that was taken back (this link is good once; `tradewind console` makes another):",
        "控制台，停在被撤回的 v3 发布页（此链接只能用一次；`tradewind console` 可另建）：",
    );
    println!("    {console}");
    Ok(())
}
