//! Connections on which nothing takes longer than its deadline.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use crate::client::{Failure, Outcome};

/// The most that an answer may have.
const MAX_ANSWER: usize = 64 << 20;

/// A connection.
pub struct Wire {
    stream: TcpStream,
    /// What was read and not yet used.
    buffer: Vec<u8>,
    used: usize,
}

/// The time that is left; nothing when there is none.
fn left(deadline: Instant) -> Outcome<Duration> {
    deadline
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
        .ok_or_else(|| Failure::Unknown("timeout".to_owned()))
}

fn unknown(error: &std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Failure::Unknown("timeout".to_owned()),
        _ => Failure::Unknown(error.to_string()),
    }
}

/// The addresses of `HOST[:PORT]`. `/etc/hosts` is read first and by our own hand: a program without shared libraries has no
/// other resolver.
fn resolve(node: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let (host, port) = match node.rsplit_once(':') {
        Some((host, text)) => (host, text.parse().map_err(|_| format!("`{node}` has no port that is a number"))?),
        None => (node, port),
    };
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    for line in hosts.lines() {
        let mut words = line.split('#').next().unwrap_or("").split_whitespace();
        let address = words.next().and_then(|text| text.parse::<IpAddr>().ok());
        if let Some(address) = address.filter(IpAddr::is_ipv4)
            && words.any(|name| name == host)
        {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
    }
    (host, port).to_socket_addrs().map(Iterator::collect).map_err(|e| format!("{host}: {e}"))
}

impl Wire {
    /// Connects to `HOST[:PORT]`. Nothing has happened when it fails.
    pub fn connect(node: &str, port: u16, deadline: Instant) -> Outcome<Wire> {
        let mut why = format!("{node} has no address");
        for address in resolve(node, port).map_err(Failure::Not)? {
            let left = left(deadline).map_err(Failure::harmless)?;
            match TcpStream::connect_timeout(&address, left) {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(Wire { stream, buffer: Vec::new(), used: 0 });
                }
                Err(error) => why = format!("{node}: {error}"),
            }
        }
        Err(Failure::Not(why))
    }

    /// Sends a whole request.
    pub fn send(&mut self, bytes: &[u8], deadline: Instant) -> Outcome<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            self.stream.set_write_timeout(Some(left(deadline)?)).map_err(|e| unknown(&e))?;
            match self.stream.write(rest) {
                Ok(0) => return Err(Failure::Unknown("the connection takes nothing".to_owned())),
                Ok(n) => rest = &rest[n..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(unknown(&error)),
            }
        }
        Ok(())
    }

    fn fill(&mut self, deadline: Instant) -> Outcome<()> {
        if self.used > 0 {
            self.buffer.drain(..self.used);
            self.used = 0;
        }
        if self.buffer.len() > MAX_ANSWER {
            return Err(Failure::Unknown("the answer has no end".to_owned()));
        }
        let mut chunk = [0; 16 << 10];
        loop {
            self.stream.set_read_timeout(Some(left(deadline)?)).map_err(|e| unknown(&e))?;
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(Failure::Unknown("the connection was closed".to_owned())),
                Ok(n) => {
                    self.buffer.extend_from_slice(&chunk[..n]);
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(unknown(&error)),
            }
        }
    }

    /// So many bytes.
    pub fn take(&mut self, n: usize, deadline: Instant) -> Outcome<Vec<u8>> {
        if n > MAX_ANSWER {
            return Err(Failure::Unknown(format!("an answer of {n} bytes")));
        }
        while self.buffer.len() - self.used < n {
            self.fill(deadline)?;
        }
        self.used += n;
        Ok(self.buffer[self.used - n..self.used].to_vec())
    }

    /// A line without its CR LF.
    pub fn line(&mut self, deadline: Instant) -> Outcome<String> {
        loop {
            let rest = &self.buffer[self.used..];
            if let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8_lossy(&rest[..end]).into_owned();
                self.used += end + 2;
                return Ok(line);
            }
            self.fill(deadline)?;
        }
    }
}

/// Which node a client talks to, and its next one.
pub struct Nodes {
    list: Vec<String>,
    at: usize,
}

impl Nodes {
    /// Clients begin at different ones.
    pub fn new(list: &[String], index: u32) -> Nodes {
        Nodes { list: list.to_vec(), at: index as usize }
    }

    /// The one of now.
    pub fn now(&self) -> &str {
        &self.list[self.at % self.list.len()]
    }

    /// Goes to the next.
    pub fn next(&mut self) {
        self.at += 1;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }
}
