//! The chapters in which the judge decides: a good release goes up, bad ones are taken back.

use super::{Stage, story::show};
use crate::rig::{self, Repository};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::time::{Duration, Instant};

/// No wave of the demonstration takes so long.
const PATIENCE: Duration = Duration::from_secs(600);
const STRATEGY: &str = "strategy: { type: blue_green, soak: 2s }";
const CANARY: &str = "\
strategy:
  type: canary
  steps: [10%, 50%, 100%]
  min: 5s
  max: 8m
  watch: 5s
  judge: { latency: [190ms, 500ms, 2s], floor: 4%, warmup: 5s }";
const CHECKOUT: &str = "    def checkout(self, basket_id, body):\n";

/// What a release does to the shop's checkout.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// One customer in twenty cannot check out; every health check is green.
    FailsForSome,
    /// 200 ms slower.
    Slow,
}

impl Fault {
    fn code(self) -> &'static str {
        match self {
            Self::FailsForSome => {
                "        if body[\"customer\"].endswith((\"05\", \"25\", \"45\", \"65\", \"85\")):\n            \
                 raise KeyError(\"loyalty\")\n"
            }
            Self::Slow => "        __import__(\"time\").sleep(0.2)\n",
        }
    }
}

impl Stage<'_> {
    /// From here on the shop's releases are judged.
    pub fn take_up_canaries(&self, shop: &Repository) -> Result<()> {
        let spec = std::fs::read_to_string(shop.folder.join("tradewind.yaml"))?;
        if !spec.contains(STRATEGY) {
            bail!("the example's strategy is not what the story changes");
        }
        shop.write("tradewind.yaml", &spec.replace(STRATEGY, CANARY))?;
        self.story.tell(
            "tradewind.yaml: strategy becomes canary, 10 % → 50 % → 100 %, each step promoted by evidence",
            "tradewind.yaml：策略改为 canary，10% → 50% → 100%，每一步凭证据放行",
        );
        Ok(())
    }

    pub fn break_checkout(&self, shop: &Repository, fault: Fault) -> Result<()> {
        let api = std::fs::read_to_string(self.root.join("examples/shop/shop/api.py"))?;
        if !api.contains(CHECKOUT) {
            bail!("the example's checkout is not where the story looks for it");
        }
        shop.write("shop/api.py", &api.replace(CHECKOUT, &format!("{CHECKOUT}{}", fault.code())))
    }

    pub fn mend_checkout(&self, shop: &Repository) -> Result<()> {
        let api = std::fs::read_to_string(self.root.join("examples/shop/shop/api.py"))?;
        shop.write("shop/api.py", &api)
    }

    /// Tells what happens to the newest rollout of `service`, until `enough` of it was seen.
    pub async fn watch(&self, service: &str, release: &str, enough: impl Fn(&Value) -> bool) -> Result<Value> {
        let began = Instant::now();
        let mut told = 0;
        loop {
            // A server that is just away is asked again.
            if let Ok(rollout) = self.tradewind.ask(&["rollout", "show", service]).await
                && rollout["to"]["label"] == release
            {
                let entries = rollout["timeline"].as_array().map(Vec::as_slice).unwrap_or_default();
                for entry in entries.iter().skip(told) {
                    self.story.quote(entry["text"].as_str().unwrap_or_default());
                }
                told = told.max(entries.len());
                if enough(&rollout) {
                    return Ok(rollout);
                }
            }
            if began.elapsed() > PATIENCE {
                bail!("the rollout of {release} takes longer than {} s", PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// The server dies in the middle of a canary and comes back with all the evidence.
    pub async fn kill_server_among_evidence(&self, release: &str) -> Result<()> {
        let judged = |r: &Value| r.pointer("/judgement/promotion").and_then(Value::as_f64).is_some_and(|p| p > 1.5);
        self.watch("shop", release, judged).await?;
        let before = self.clean_units().await?;
        let pid = self.tradewind.kill("server")?;
        let killed = Instant::now();
        self.story.tell(
            &format!("kill -9 {pid}: the server dies; the judge had seen {before} customers of {release}."),
            &format!("kill -9 {pid}：server 死亡；此时判定器已看到 {release} 的 {before} 位顾客。"),
        );
        self.tradewind.until("the server to return", &["status"], |v| v["items"].is_array().then_some(())).await?;
        let after = self.clean_units().await?;
        let lost = self.tradewind.ask(&["judge", "explain", "shop"]).await?["gaps"]["lost_s"].as_u64();
        self.story.expect(
            after >= before && lost == Some(0),
            &format!("Back after {}, with {after} customers: no evidence was lost.", show(killed.elapsed())),
            &format!("{} 后恢复，已有 {after} 位顾客：没有丢失任何证据。", show(killed.elapsed())),
        );
        Ok(())
    }

    async fn clean_units(&self) -> Result<u64> {
        let judgement = self.tradewind.ask(&["judge", "explain", "shop"]).await?;
        judgement.pointer("/metrics/0/canary/units").and_then(Value::as_u64).context("no units")
    }

    pub async fn goes_up(&self, release: &str) -> Result<()> {
        let ended = self.watch("shop", release, finished).await?;
        let promoted = entries(&ended, "rollout.promoted");
        self.story.expect(
            ended["phase"] == "completed" && promoted == 2,
            &format!("{release} has all traffic: {promoted} steps were promoted by evidence."),
            &format!("{release} 已承接全部流量：{promoted} 步凭证据放行。"),
        );
        Ok(())
    }

    /// A bad release is stopped on its first wave, with a sentence and a plot.
    pub async fn is_caught(&self, release: &str, before: &str, pushed: Instant) -> Result<()> {
        let ledger = &self.traffic.as_ref().context("no traffic yet")?.ledger;
        let first = self.until(&format!("a customer served by {release}"), || ledger.first(release)).await?;
        self.story.tell(
            &format!("The first customer came to {release} {} after the push.", show(first.duration_since(pushed))),
            &format!("push 后 {}，第一位顾客进入 {release}。", show(first.duration_since(pushed))),
        );
        let ended = self.watch("shop", release, finished).await?;
        let took = first.elapsed();
        for line in self.tradewind.run(&["judge", "explain", "shop"], &self.tradewind.home).await?.lines() {
            self.story.quote(line);
        }
        let waves = entries(&ended, "rollout.wave_started");
        let verdict = ended.pointer("/judgement/verdict").and_then(Value::as_str).unwrap_or("none");
        self.story.expect(
            ended["phase"] == "failed" && verdict == "worse" && waves == 1,
            &format!("{release} was caught on its first wave, {} after its first customer.", show(took)),
            &format!("{release} 在第一波即被发现，距其第一位顾客 {}。", show(took)),
        );
        let tally = ledger.tally(release);
        self.story.tell(
            &format!("It had answered {} requests, {} of them wrongly.", tally.sent, tally.failed),
            &format!("它共回答了 {} 个请求，其中 {} 个出错。", tally.sent, tally.failed),
        );
        let status = self.tradewind.ask(&["status", "shop"]).await?;
        self.story.expect(
            status.pointer("/items/0/release/label").is_some_and(|label| label == before),
            &format!("{before} has all traffic again."),
            &format!("{before} 已重新承接全部流量。"),
        );
        Ok(())
    }

    /// A worker that leaves out every fifth order is stopped while it has one shop of four.
    pub async fn worker_is_caught(&self) -> Result<()> {
        let sync = rig::example(self.root, "order-sync", self.folder.join("order-sync"), &self.tradewind).await?;
        for (version, title) in [("v1", "Order sync"), ("v2", "Leave out test orders")] {
            if version == "v2" {
                let program = std::fs::read_to_string(sync.folder.join("sync.py"))?;
                let fault = "    return not order.endswith((\"4\", \"9\"))\n";
                sync.write("sync.py", &program.replace("    return True\n", fault))?;
            }
            sync.commit(&self.tradewind, title).await?;
            self.story.tell(
                &format!("tradewind push order-sync   ({version}: “{title}”)"),
                &format!("tradewind push order-sync   （{version}：“{title}”）"),
            );
            for line in self.tradewind.run(&["push", "order-sync"], &sync.folder).await?.lines() {
                self.story.quote(line);
            }
            let ended = self.watch("order-sync", version, finished).await?;
            if version == "v1" {
                self.story.expect(
                    ended["phase"] == "completed",
                    "order-sync works four shops, each in one process.",
                    "order-sync 处理四个店铺，每个店铺一个进程。",
                );
                continue;
            }
            for line in self.tradewind.run(&["judge", "explain", "order-sync"], &self.tradewind.home).await?.lines() {
                self.story.quote(line);
            }
            let verdict = ended.pointer("/judgement/verdict").and_then(Value::as_str).unwrap_or("none");
            self.story.expect(
                ended["phase"] == "failed" && verdict == "worse" && entries(&ended, "rollout.wave_started") == 1,
                "v2 skips every fifth order; it was caught on its first shop, and the other three never saw it.",
                "v2 漏掉五分之一的订单；在第一个店铺即被发现，其余三个店铺从未受影响。",
            );
        }
        Ok(())
    }

    pub async fn acknowledge(&self, note: &str) -> Result<()> {
        self.story.tell(
            &format!("tradewind acknowledge shop --note \"{note}\""),
            &format!("tradewind acknowledge shop --note \"{note}\""),
        );
        let args = ["acknowledge", "shop", "--env", "production", "--note", note];
        for line in self.tradewind.run(&args, &self.tradewind.home).await?.lines() {
            self.story.quote(line);
        }
        Ok(())
    }
}

fn finished(rollout: &Value) -> bool {
    ["completed", "failed", "aborted", "superseded"].iter().any(|p| rollout["phase"] == *p)
}

fn entries(rollout: &Value, kind: &str) -> usize {
    rollout["timeline"].as_array().map_or(0, |all| all.iter().filter(|e| e["kind"] == kind).count())
}
