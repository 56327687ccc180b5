//! What a process writes, and what of it is kept.

use crate::host::{Host, Mounted, in_time, log_text, number, sh, spec, until};
use std::{fs, path::Path};
use tradewind_model::protocol::{
    agent::{Exit, LogStream},
    shim::LogRule,
};
use tradewind_targets::logs::{self, Follow};

#[tokio::test]
async fn both_streams_are_kept_and_told_apart() {
    let host = Host::new();
    let process = host.sh("p", "echo one; echo two >&2; printf three").await;
    in_time("the end", process.wait()).await;
    assert_eq!(host.lines("p", 'o'), ["one", "three"]);
    assert_eq!(host.lines("p", 'e'), ["two"]);
    let said = host.lines("p", 's');
    assert_eq!(said.first().unwrap(), &format!("started: process {}", process.pid()));
    assert_eq!(said.last().unwrap(), "ended with code 0");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_kept_as_they_are() {
    let host = Host::new();
    let process = host.sh("p", r"printf 'a\000b\n\377\376 \033[0m\r\n\n'").await;
    in_time("the end", process.wait()).await;
    let chunk = logs::read_from(&host.dir("p"), 0, 1 << 20).unwrap();
    let texts: Vec<&[u8]> =
        chunk.bytes.split(|b| *b == b'\n').filter_map(|l| l.splitn(3, |b| *b == b' ').nth(2)).collect();
    assert_eq!(texts[1..4], [b"a\0b".as_slice(), b"\xff\xfe \x1b[0m\r", b""]);
}

#[tokio::test]
async fn a_very_long_line_is_cut_into_marked_pieces_that_make_it_up_again() {
    let host = Host::new();
    // Three bytes a character: most cuts at a fixed length would tear one.
    let process = host.sh("p", "i=0; while [ $i -lt 30000 ]; do printf 信; i=$((i+1)); done; echo; echo next").await;
    in_time("the end", process.wait()).await;
    let lines = host.lines("p", 'o');
    let (next, pieces) = lines.split_last().unwrap();
    assert_eq!(next, "next");
    assert!(pieces.len() > 5 && pieces.iter().all(|p| p.len() <= (16 << 10) + 6), "{} pieces", pieces.len());
    for pair in pieces.windows(2) {
        assert!(pair[0].ends_with('…') && pair[1].starts_with('…'));
    }
    let whole: String = pieces.iter().map(|p| p.trim_matches('…')).collect();
    assert_eq!(whole, "信".repeat(30_000));
}

#[tokio::test]
async fn an_unfinished_line_is_shown_while_the_process_waits() {
    let host = Host::new();
    let process = host
        .sh(
            "p",
            "printf 'password: '; while ! [ -e GO ]; do sleep 0.01; done; echo secret"
                .replace("GO", host.path().join("go").to_str().unwrap())
                .as_str(),
        )
        .await;
    until("the prompt", || host.lines("p", 'o') == ["password: …"]).await;
    fs::write(host.path().join("go"), "").unwrap();
    in_time("the end", process.wait()).await;
    assert_eq!(host.lines("p", 'o'), ["password: …", "…secret"]);
}

#[tokio::test]
async fn a_follower_sees_every_line_in_order_across_rotations() {
    let host = Host::new();
    let mut spec = sh("i=0; while [ $i -lt 4000 ]; do i=$((i+1)); echo line $i; done");
    spec.log = LogRule { max_bytes: 8 << 10, keep: 1000 };
    let process = host.start("p", &spec).await;
    let mut follow = Follow::new(&host.dir("p"), 0);
    let mut seen = Vec::new();
    while seen.len() < 4000 {
        let lines = in_time("more lines", follow.next()).await.unwrap();
        seen.extend(lines.into_iter().filter(|l| l.stream == LogStream::Stdout).map(|l| l.text));
    }
    assert_eq!(seen, (1..=4000).map(|i| format!("line {i}")).collect::<Vec<_>>());
    in_time("the end", process.wait()).await;
    assert!(fs::read_dir(host.dir("p").join("log")).unwrap().count() > 10);

    let (last, end) = logs::tail(&host.dir("p"), 3).unwrap();
    assert_eq!(
        last.iter().map(|l| l.text.as_str()).collect::<Vec<_>>(),
        ["line 3999", "line 4000", "ended with code 0"]
    );
    assert_eq!(logs::tail(&host.dir("p"), 4001).unwrap().0[0].text, "line 1");
    assert_eq!(logs::tail(&host.dir("p"), usize::MAX).unwrap().0.len(), 4002);
    assert_eq!(read_whole(&host.dir("p")), (log_text(&host.dir("p")).into_bytes(), end));
}

/// In the smallest parts, as an upload would.
fn read_whole(dir: &Path) -> (Vec<u8>, u64) {
    let (mut all, mut next) = (Vec::new(), 0);
    loop {
        let chunk = logs::read_from(dir, next, 0).unwrap();
        assert_eq!(chunk.at, next);
        if chunk.bytes.is_empty() {
            return (all, next);
        }
        all.extend(chunk.bytes);
        next = chunk.next;
    }
}

#[tokio::test]
async fn a_rotated_log_stays_small_and_says_from_where_it_goes() {
    let host = Host::new();
    let mut spec = sh("i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo line $i; done");
    spec.log = LogRule { max_bytes: 10_000, keep: 2 };
    let process = host.start("p", &spec).await;
    in_time("the end", process.wait()).await;
    let sizes: Vec<u64> =
        fs::read_dir(host.dir("p").join("log")).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).collect();
    assert_eq!(sizes.len(), 3);
    assert!(sizes.iter().all(|s| *s <= 10_000), "{sizes:?}");
    assert_eq!(host.lines("p", 'o').last().unwrap(), "line 5000");
    let chunk = logs::read_from(&host.dir("p"), 5, 0).unwrap();
    assert!(chunk.at > 5 && !chunk.bytes.is_empty());
    let lines = in_time("lines", Follow::new(&host.dir("p"), 5).next()).await.unwrap();
    assert_eq!(lines[0].text, format!("{} bytes left out: the log was rotated", chunk.at - 5));
}

#[tokio::test]
async fn a_log_without_rotation_stops_at_its_limit_and_counts_the_rest() {
    let host = Host::new();
    let mut spec = sh("i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo line; done");
    spec.log = LogRule { max_bytes: 10_000, keep: 0 };
    let process = host.start("p", &spec).await;
    in_time("the end", process.wait()).await;
    assert!(log_text(&host.dir("p")).len() < 10_500);
    let kept = host.lines("p", 'o').len();
    let said = host.lines("p", 's');
    assert_eq!(said[1], "the log has reached its limit: what follows is left out");
    assert_eq!(said[2], format!("{} bytes left out: the log is limited to 10000 bytes", (5000 - kept) * 5));
    assert_eq!(said[3], "ended with code 0");
}

#[tokio::test]
async fn a_flood_neither_fills_the_disk_nor_the_memory() {
    let host = Host::new();
    let done = host.path().join("done");
    let script = format!(
        "yes 'a line of some length, as services write them' | head -c 100000000; echo 1 > {}; sleep 1000",
        done.display()
    );
    let mut spec = sh(&script);
    spec.log = LogRule { max_bytes: 4 << 20, keep: 1 };
    let process = host.start("p", &spec).await;
    number(&done).await;
    // The last of it may be on its way.
    until("all of it", || logs::end(&host.dir("p")).unwrap() > 100_000_000).await;
    let status = fs::read_to_string(format!("/proc/{}/status", process.shim_pid().unwrap())).unwrap();
    let peak = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse::<u64>()
        .unwrap();
    assert!(peak < 16 << 10, "the shim grew to {peak} kB");
    let size: u64 =
        fs::read_dir(host.dir("p").join("log")).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
    assert!(size <= 8 << 20);
    in_time("the stop", process.stop(libc::SIGTERM, crate::host::PATIENCE)).await;
}

#[tokio::test]
async fn a_process_that_ends_at_once_after_much_output_loses_none_of_it() {
    let host = Host::new();
    // Just what a pipe holds: nothing makes it wait for its reader.
    let process = host.sh("p", "head -c 65000 /dev/zero | tr '\\0' 'x' | fold -w 99").await;
    in_time("the end", process.wait()).await;
    assert_eq!(host.lines("p", 'o').concat().len(), 65_000);
}

#[tokio::test]
async fn a_full_disk_costs_lines_and_not_the_process_nor_its_exit_code() {
    let host = Host::new();
    let Some(disk) = Mounted::tmpfs(&host.path().join("disk"), "256k") else { return };
    let dir = disk.path().join("p");
    let script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo some words, line $i; done; exit 4";
    let process = host.target.start(&dir, &spec(["sh", "-c", script])).await.unwrap();
    let exited = in_time("the end", process.wait()).await;
    assert_eq!(exited.exit, Exit::Code { code: 4 });
    match host.target.adopt(&dir).await.unwrap() {
        tradewind_targets::process::Adopted::Exited(recorded) => assert_eq!(recorded, exited),
        other => panic!("{other:?}"),
    }
    let (lines, _) = logs::tail(&dir, usize::MAX).unwrap();
    assert!(lines.len() > 1000 && lines.len() < 20_000, "{} lines", lines.len());
    assert!(log_text(&dir).ends_with('\n'));
}
