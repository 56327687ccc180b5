//! The PROXY protocol, versions 1 and 2: how a trusted proxy in front that passes bytes on says whom it passes on.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};
use tokio::io::{AsyncRead, AsyncReadExt};

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// A line of version 1 is no longer, its end included.
const LONGEST_LINE: usize = 107;
/// What version 2 carries beyond addresses is not needed; nobody sends more than this of it.
const LONGEST_REST: usize = 4 << 10;

/// The client that the proxy names; `None` where it speaks for itself (a check). Nothing beyond the announcement is read.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut first = [0; SIGNATURE.len()];
    stream.read_exact(&mut first).await?;
    if first == SIGNATURE { binary(stream).await } else { line(stream, &first).await }
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

async fn binary(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [command, family, length @ ..] = head;
    let length = usize::from(u16::from_be_bytes(length));
    if length > LONGEST_REST {
        return Err(wrong("the announcement is too long"));
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    let port = |at: usize| -> io::Result<u16> {
        let bytes = rest.get(at..at + 2).ok_or_else(|| wrong("the announcement is too short"))?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    };
    match (command, family) {
        (0x20, _) => Ok(None),
        (0x21, 0x11) => {
            let addr: [u8; 4] = rest.first_chunk().copied().ok_or_else(|| wrong("the announcement is too short"))?;
            Ok(Some((IpAddr::V4(Ipv4Addr::from(addr)), port(8)?).into()))
        }
        (0x21, 0x21) => {
            let addr: [u8; 16] = rest.first_chunk().copied().ok_or_else(|| wrong("the announcement is too short"))?;
            Ok(Some((IpAddr::V6(Ipv6Addr::from(addr)), port(32)?).into()))
        }
        // Of another family than TCP: the proxy's own address stands.
        (0x21, _) => Ok(None),
        _ => Err(wrong("the announcement is of an unknown version")),
    }
}

/// `PROXY TCP4 192.0.2.1 198.51.100.1 4711 443`
async fn line(stream: &mut (impl AsyncRead + Unpin), first: &[u8]) -> io::Result<Option<SocketAddr>> {
    if !first.starts_with(b"PROXY ") {
        return Err(wrong("a trusted proxy did not announce its client"));
    }
    let mut line = first.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() >= LONGEST_LINE {
            return Err(wrong("the announcement is too long"));
        }
        line.push(stream.read_u8().await?);
    }
    let text = std::str::from_utf8(&line).map_err(|_| wrong("the announcement cannot be read"))?;
    let words: Vec<&str> = text.trim_end().split(' ').collect();
    match words[..] {
        ["PROXY", "UNKNOWN", ..] => Ok(None),
        ["PROXY", "TCP4" | "TCP6", from, _, port, _] => {
            let unreadable = || wrong("the announcement cannot be read");
            let addr: IpAddr = from.parse().map_err(|_| unreadable())?;
            Ok(Some((addr, port.parse().map_err(|_| unreadable())?).into()))
        }
        _ => Err(wrong("the announcement cannot be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn heard(bytes: &[u8]) -> (Result<Option<String>, io::ErrorKind>, String) {
        let mut stream = bytes;
        let client = read(&mut stream).await.map(|a| a.map(|a| a.to_string())).map_err(|e| e.kind());
        (client, String::from_utf8_lossy(stream).into_owned())
    }

    fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = (rest.len() as u16).to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest, b"GET"].concat()
    }

    #[tokio::test]
    async fn both_versions_name_the_client_and_leave_what_follows() {
        let ok = |client: &str| (Ok(Some(client.to_owned())), "GET".to_owned());
        let none = || (Ok(None), "GET".to_owned());
        assert_eq!(heard(b"PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\nGET").await, ok("192.0.2.1:4711"));
        assert_eq!(heard(b"PROXY TCP6 2001:db8::1 ::1 4711 443\r\nGET").await, ok("[2001:db8::1]:4711"));
        assert_eq!(heard(b"PROXY UNKNOWN\r\nGET").await, none());
        let v4 = [192, 0, 2, 1, 198, 51, 100, 1, 0x12, 0x67, 1, 187, 4, 0, 1, 7];
        assert_eq!(heard(&version_2(0x21, 0x11, &v4)).await, ok("192.0.2.1:4711"));
        let mut v6 = [0; 36];
        (v6[0], v6[1], v6[15], v6[33]) = (0x20, 0x01, 1, 80);
        assert_eq!(heard(&version_2(0x21, 0x21, &v6)).await, ok("[2001::1]:80"));
        assert_eq!(heard(&version_2(0x20, 0, &[])).await, none());
        assert_eq!(heard(&version_2(0x21, 0, &[0; 5])).await, none());
    }

    #[tokio::test]
    async fn what_is_no_announcement_is_refused() {
        let long = format!("PROXY TCP4 {} x\r\n", "1".repeat(200));
        for wrong in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"PROXY TCP4 a b c d\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.1 99999 443\r\n",
            b"PROXY TCP4 192.0.2.1\r\n12",
            long.as_bytes(),
            &version_2(0x31, 0x11, &[0; 12]),
            &version_2(0x21, 0x11, &[0; 9]),
            &version_2(0x21, 0x11, &[0; 5_000]),
        ] {
            assert_eq!(heard(wrong).await.0, Err(io::ErrorKind::InvalidData), "{:?}", String::from_utf8_lossy(wrong));
        }
        assert_eq!(heard(b"PROXY TCP4 1").await.0, Err(io::ErrorKind::UnexpectedEof));
    }
}
