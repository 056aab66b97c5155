//! The world's name service behind sockets of the operating system.

use snowglobe_net::resolver::Resolver;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

/// Longest message, and what is kept of one that has not come whole.
const MAX: usize = 64 << 10;

/// A socket of the name service, and the networks about which it is asked.
pub struct Names {
    networks: Vec<u32>,
    kind: Kind,
}

enum Kind {
    Datagrams(UdpSocket),
    Listener(TcpListener),
    Stream(TcpStream, Vec<u8>),
}

impl AsFd for Names {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.kind {
            Kind::Datagrams(socket) => socket.as_fd(),
            Kind::Listener(socket) => socket.as_fd(),
            Kind::Stream(socket, _) => socket.as_fd(),
        }
    }
}

impl Names {
    /// Sockets at port 53 of an address, in the network namespace of the calling thread.
    pub fn at(ip: IpAddr, networks: &[u32]) -> io::Result<[Names; 2]> {
        let address = SocketAddr::new(ip, 53);
        let datagrams = UdpSocket::bind(address)?;
        datagrams.set_nonblocking(true)?;
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let with = |kind| Names { networks: networks.to_vec(), kind };
        Ok([with(Kind::Datagrams(datagrams)), with(Kind::Listener(listener))])
    }

    /// Answers what has come. Gives a new connection, and whether this one goes on.
    pub fn serve(&mut self, resolver: &mut Resolver) -> (Option<Names>, bool) {
        match &mut self.kind {
            Kind::Datagrams(socket) => {
                let mut message = vec![0; MAX];
                while let Ok((n, from)) = socket.recv_from(&mut message) {
                    if let Some(answer) = resolver.answer(&self.networks, &message[..n], false) {
                        // A lost answer is asked for again.
                        let _ = socket.send_to(&answer, from);
                    }
                }
                (None, true)
            }
            Kind::Listener(socket) => {
                let new = socket.accept().ok().filter(|(stream, _)| stream.set_nonblocking(true).is_ok());
                let kind = new.map(|(stream, _)| Kind::Stream(stream, Vec::new()));
                (kind.map(|kind| Names { networks: self.networks.clone(), kind }), true)
            }
            Kind::Stream(stream, held) => (None, serve_stream(stream, held, resolver, &self.networks).is_ok()),
        }
    }
}

/// Answers messages with their length before them (RFC 1035, 4.2.2).
fn serve_stream(
    stream: &mut TcpStream,
    held: &mut Vec<u8>,
    resolver: &mut Resolver,
    networks: &[u32],
) -> io::Result<()> {
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => held.extend_from_slice(&chunk[..n]),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(e) => return Err(e),
        }
        while let Some(len) = held.get(..2).map(|l| usize::from(u16::from_be_bytes([l[0], l[1]])))
            && held.len() >= 2 + len
        {
            let answer = resolver.answer(networks, &held[2..2 + len], true).unwrap_or_default();
            held.drain(..2 + len);
            let mut out = (answer.len() as u16).to_be_bytes().to_vec();
            out.extend_from_slice(&answer);
            stream.write_all(&out)?;
        }
    }
}
