//! The addresses at which a cloud tells any process of a machine who that machine is, and hands out its credentials.
//!
//! A routing rule refuses them to a range of users, whatever those run and wherever a resolver or a redirect leads them. Only
//! TCP: in some clouds the same address answers DNS.

use std::{
    io,
    ops::Range,
    process::{Command, Stdio},
};

/// Link-local (AWS, GCP, Azure, Huawei, Tencent, Oracle, …), Alibaba's, Azure's host, and AWS over IPv6.
pub const ADDRESSES: [&str; 4] = ["169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128"];

/// Between the table of local addresses and what else there may be.
const PRIORITY: &str = "70";

/// Has the kernel refuse them to these users, until it is restarted. May be done again without harm.
///
/// # Errors
/// Says which address is open still, and why.
pub fn hide(users: &Range<u32>) -> Result<(), String> {
    for address in ADDRESSES {
        let family = if address.contains(':') { "-6" } else { "-4" };
        let range = range(users);
        let rule = ["to", address, "uidrange", &range, "ipproto", "tcp", "priority", PRIORITY, "prohibit"];
        match ip(&[&[family, "rule", "add"], rule.as_slice()].concat()) {
            Ok(_) => {}
            Err(why) if why.contains("File exists") => {}
            Err(why) => return Err(format!("{address}: {why}")),
        }
    }
    Ok(())
}

/// Those that are open to these users, as far as rules tell.
///
/// # Errors
/// When the rules cannot be read.
pub fn open_to(users: &Range<u32>) -> Result<Vec<&'static str>, String> {
    let range = range(users);
    let mut rules = String::new();
    for family in ["-4", "-6"] {
        rules += &ip(&[family, "rule", "show"])?;
    }
    let is_hidden = |address: &str| {
        let shown = address.trim_end_matches("/32").trim_end_matches("/128");
        rules.lines().any(|line| {
            let has = |word: &str| line.split_ascii_whitespace().any(|w| w == word);
            (has(address) || has(shown)) && has(&range) && has("prohibit")
        })
    };
    Ok(ADDRESSES.into_iter().filter(|address| !is_hidden(address)).collect())
}

fn range(users: &Range<u32>) -> String {
    format!("{}-{}", users.start, users.end - 1)
}

fn ip(words: &[&str]) -> Result<String, String> {
    let done = Command::new("ip").args(words).env("LC_ALL", "C").stdin(Stdio::null()).output();
    let done = done.map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => "the program ip (iproute2) is not installed".to_owned(),
        _ => format!("ip: {e}"),
    })?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&done.stderr).trim().to_owned())
}
