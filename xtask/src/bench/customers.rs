//! Who asks in the edge's comparison: customers who have been there before, each with the cookie it was given.

use anyhow::{Context, Result};
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
};

const CUSTOMERS: usize = 256;
const COOKIE: &str = "client";

/// A script for the load generator that asks for each of them in turn.
pub fn script(proxy: SocketAddr, folder: &Path) -> Result<PathBuf> {
    let cookies = (0..CUSTOMERS).map(|n| cookie(proxy, n)).collect::<Result<Vec<_>>>()?;
    let table: String = cookies.iter().map(|c| format!("  {c:?},\n")).collect();
    // Requests are written once: what the load generator does for each should be next to nothing.
    let text = format!(
        "local cookies = {{\n{table}}}\nlocal requests, next = {{}}, 0\n\
         function init()\n  for i, c in ipairs(cookies) do\n    requests[i] = wrk.format('GET', '/', {{ Cookie = c }})\n  end\nend\n\
         function request()\n  next = next % #requests + 1\n  return requests[next]\nend\n"
    );
    let path = folder.join("customers.lua");
    fs::write(&path, text)?;
    Ok(path)
}

/// What a proxy gives a new customer, or a name of its own where the proxy goes by what the customer says.
pub fn cookie(proxy: SocketAddr, number: usize) -> Result<String> {
    let mut stream = TcpStream::connect(proxy)?;
    write!(stream, "GET / HTTP/1.1\r\nhost: {proxy}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let head = answer.split_once("\r\n\r\n").with_context(|| format!("no answer: {answer}"))?.0;
    let given = head.lines().filter_map(|l| l.split_once(": ")).find_map(|(name, value)| {
        let is_it = name.eq_ignore_ascii_case("set-cookie") && value.starts_with(&format!("{COOKIE}="));
        is_it.then(|| value.split(';').next().unwrap_or_default().to_owned())
    });
    Ok(given.unwrap_or_else(|| format!("{COOKIE}=customer-{number}")))
}
