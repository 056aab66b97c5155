//! What a 64-byte message costs between two connected sockets of one host, and what a streamed gigabyte does.
//! Run in release mode.

use snowglobe_abi::Errno;
use snowglobe_abi::spec::{HostSpec, InterfaceSpec, NetworkSpec, RootSpec};
use snowglobe_net::linux::{af, sock};
use snowglobe_net::{Addr, Connect, Cred, Endpoint, Send, Sink, SocketId, SocketTable, Source};
use std::time::Instant;

type Table = SocketTable<()>;

const CRED: Cred = Cred { pid: 1, uid: 0, gid: 0 };

/// Memory that copies what passes.
struct Memory<'a>(&'a mut [u8], usize);

impl Source for Memory<'_> {
    fn read_into(&mut self, buf: &mut [u8]) -> Result<(), Errno> {
        buf.copy_from_slice(&self.0[self.1..self.1 + buf.len()]);
        self.1 += buf.len();
        Ok(())
    }
}

impl Sink for Memory<'_> {
    fn write_from(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        self.0[self.1..self.1 + bytes.len()].copy_from_slice(bytes);
        self.1 += bytes.len();
        Ok(())
    }
}

fn table() -> Table {
    let host = |n: u8| HostSpec {
        name: format!("h{n}"),
        hostname: format!("h{n}"),
        root: RootSpec::Machine,
        mounts: vec![],
        interfaces: vec![InterfaceSpec { network: 0, address: [10, 0, 0, n + 2], aliases: vec![] }],
        memory: None,
        service: None,
    };
    let network = NetworkSpec::plain("n", ([10, 0, 0, 0], 24), [10, 0, 0, 1], 100_000);
    SocketTable::new(&[network], &[host(0), host(1)], 1)
}

fn at(host: u32, port: u16) -> Addr {
    Addr::Ip(Endpoint::new([10, 0, 0, host as u8 + 2].into(), port))
}

fn tcp_pair(table: &mut Table, now: &mut u64, host: u32, port: u16) -> (SocketId, SocketId) {
    let server = table.socket(host, af::INET.into(), sock::STREAM, 0, CRED).unwrap();
    table.bind(server, &at(host, port)).unwrap();
    table.listen(server, 5).unwrap();
    let client = table.socket(0, af::INET.into(), sock::STREAM, 0, CRED).unwrap();
    if table.connect(client, &at(host, port), *now).unwrap() == Connect::InProgress {
        pass(table, now);
    }
    (client, table.accept(server, *now).unwrap().0)
}

/// Lets all that is in flight arrive.
fn pass(table: &mut Table, now: &mut u64) {
    while let Some(at) = table.next_arrival() {
        *now = at;
        table.advance(at);
    }
}

fn measure(name: &str, table: &mut Table, a: SocketId, b: SocketId, far: bool) {
    const ROUNDS: u32 = 2_000_000;
    let (mut out, mut into) = ([7u8; 64], [0u8; 64]);
    let mut now = 1 << 40;
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        table.send(a, &mut Memory(&mut out, 0), Send::bytes(64), now).unwrap();
        if far {
            pass(table, &mut now);
        }
        table.recv(b, &mut Memory(&mut into, 0), 64, 0, now).unwrap();
        table.take_notifications(|_, _| ());
    }
    println!("{name}: {} ns for a send and a receive of 64 bytes", begin.elapsed().as_nanos() / u128::from(ROUNDS));
}

fn stream(name: &str, table: &mut Table, a: SocketId, b: SocketId, far: bool) {
    const TOTAL: usize = 1 << 30;
    let (mut out, mut into) = (vec![7u8; 1 << 16], vec![0u8; 1 << 16]);
    let (mut sent, mut got) = (0, 0);
    let mut now = 1 << 50;
    let begin = Instant::now();
    while got < TOTAL {
        while sent < TOTAL {
            let len = out.len();
            match table.send(a, &mut Memory(&mut out, 0), Send::bytes(len), now) {
                Ok(n) => sent += n,
                Err(_) => break,
            }
        }
        loop {
            let len = into.len();
            match table.recv(b, &mut Memory(&mut into, 0), len, 0, now) {
                Ok(r) => got += r.len,
                Err(_) => break,
            }
        }
        if far && let Some(at) = table.next_event() {
            now = at;
            table.advance(at);
        }
        table.take_notifications(|_, _| ());
    }
    println!("{name}: {:.2} s for a gigabyte in pieces of 64 KiB", begin.elapsed().as_secs_f64());
}

fn connections(table: &mut Table) {
    const COUNT: u32 = 20_000;
    let server = table.socket(0, af::INET.into(), sock::STREAM, 0, CRED).unwrap();
    table.bind(server, &at(0, 9)).unwrap();
    table.listen(server, 5).unwrap();
    let begin = Instant::now();
    let mut open = Vec::new();
    for _ in 0..COUNT {
        let client = table.socket(0, af::INET.into(), sock::STREAM, 0, CRED).unwrap();
        table.connect(client, &at(0, 9), 0).unwrap();
        open.push((client, table.accept(server, 0).unwrap().0));
    }
    for (client, accepted) in open {
        table.close(client, 0);
        table.close(accepted, 0);
    }
    println!("connections: {} ns to open and close one of 20,000", begin.elapsed().as_nanos() / u128::from(COUNT));
}

fn main() {
    let mut t = table();
    let mut now = 0;
    let (a, b) = tcp_pair(&mut t, &mut now, 0, 80);
    measure("tcp, one host", &mut t, a, b, false);
    stream("tcp, one host", &mut t, a, b, false);
    let (c, d) = tcp_pair(&mut t, &mut now, 1, 80);
    measure("tcp, two hosts", &mut t, c, d, true);
    stream("tcp, two hosts", &mut t, c, d, true);
    let [e, f] = t.socketpair(0, af::UNIX.into(), sock::STREAM, 0, CRED).unwrap();
    measure("unix stream", &mut t, e, f, false);
    let [e, f] = t.socketpair(0, af::UNIX.into(), sock::DGRAM, 0, CRED).unwrap();
    measure("unix datagram", &mut t, e, f, false);
    let g = t.socket(0, af::INET.into(), sock::DGRAM, 0, CRED).unwrap();
    t.bind(g, &at(0, 1000)).unwrap();
    let h = t.socket(0, af::INET.into(), sock::DGRAM, 0, CRED).unwrap();
    t.connect(h, &at(0, 1000), now).unwrap();
    measure("udp, one host", &mut t, h, g, false);
    connections(&mut t);
}
