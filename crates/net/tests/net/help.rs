//! A small world and short forms of the calls.

pub use snowglobe_abi::Errno;
pub use snowglobe_abi::spec::{Chance, Latency, LinkChange, LinkRule, LinkSpec, Loss, Slow, Strike, Verb};
use snowglobe_abi::spec::{HostSpec, InterfaceSpec, NetworkSpec, RootSpec};
pub use snowglobe_net::linux::{af, ipproto, msg, poll, so, sock, sol};
pub use snowglobe_net::*;

/// One network of 100 microseconds latency.
pub const LATENCY: u64 = 100_000;
pub const ROOT: Cred = Cred { pid: 1, uid: 0, gid: 0 };
pub const USER: Cred = Cred { pid: 2, uid: 1000, gid: 1000 };

pub struct World {
    pub table: SocketTable<u32>,
    pub now: u64,
    next_port: u16,
}

pub fn ip(text: &str) -> Addr {
    let at: std::net::SocketAddr = text.parse().unwrap();
    Addr::Ip(Endpoint::new(at.ip(), at.port()))
}

pub fn abstract_name(name: &str) -> Addr {
    Addr::Unix(UnixAddr::Abstract(name.as_bytes().into()))
}

/// Hosts `a` 10.0.0.2, `b` 10.0.0.3, `web-1` and `web-2` on one network.
pub fn world() -> World {
    linked(plain())
}

/// A link with a latency and nothing else.
pub fn plain() -> LinkSpec {
    LinkSpec { latency: Latency::Constant(LATENCY), ..LinkSpec::default() }
}

/// The same hosts on a network with links like this.
pub fn linked(link: LinkSpec) -> World {
    ruled(link, vec![], 1500, 7)
}

/// The same with rules, an MTU and a seed.
pub fn ruled(link: LinkSpec, rules: Vec<LinkRule>, mtu: u32, seed: u64) -> World {
    networked(NetworkSpec { link, rules, mtu, ..network() }, seed)
}

/// The network of these worlds, with links of no latency.
pub fn network() -> NetworkSpec {
    NetworkSpec::plain("default", ([10, 0, 0, 0], 24), [10, 0, 0, 1], 0)
}

/// The same hosts on a network like this.
pub fn networked(network: NetworkSpec, seed: u64) -> World {
    let host = |(n, name): (usize, &str)| HostSpec {
        name: name.into(),
        hostname: name.into(),
        root: RootSpec::Machine,
        mounts: vec![],
        interfaces: vec![InterfaceSpec {
            network: 0,
            address: [10, 0, 0, n as u8 + 2],
            aliases: name.strip_suffix(['1', '2']).map(|name| name.trim_end_matches('-').into()).into_iter().collect(),
        }],
        memory: None,
        service: None,
    };
    let hosts: Vec<HostSpec> = ["a", "b", "web-1", "web-2"].into_iter().enumerate().map(host).collect();
    World { table: SocketTable::new(&[network], &hosts, seed), now: 0, next_port: 8000 }
}

impl World {
    pub fn socket(&mut self, host: u32, domain: u16, kind: u32) -> SocketId {
        self.table.socket(host, domain.into(), kind, 0, ROOT).unwrap()
    }

    pub fn tcp(&mut self, host: u32) -> SocketId {
        self.socket(host, af::INET, sock::STREAM)
    }

    pub fn udp(&mut self, host: u32) -> SocketId {
        self.socket(host, af::INET, sock::DGRAM)
    }

    pub fn listen(&mut self, host: u32, at: &str, backlog: i32) -> SocketId {
        let id = self.tcp(host);
        self.table.bind(id, &ip(at)).unwrap();
        self.table.listen(id, backlog).unwrap();
        id
    }

    /// Lets time pass until nothing is on its way any more, but no further than `until`.
    pub fn run(&mut self, until: u64) {
        while let Some(at) = self.table.next_event().filter(|&at| at <= until) {
            self.now = self.now.max(at);
            self.table.advance(self.now);
        }
    }

    /// Lets all that is in flight arrive.
    pub fn settle(&mut self) {
        self.run(self.now + 50 * LATENCY);
    }

    pub fn connect(&mut self, id: SocketId, to: &str) -> Result<Connect, Errno> {
        self.table.connect(id, &ip(to), self.now)
    }

    pub fn accept(&mut self, id: SocketId) -> Result<SocketId, Errno> {
        self.table.accept(id, self.now).map(|(id, _)| id)
    }

    /// A connected pair: client on `a`, server on `b`.
    pub fn pair(&mut self, a: u32, b: u32) -> (SocketId, SocketId) {
        let to = format!("10.0.0.{}:{}", b + 2, self.next_port);
        self.next_port += 1;
        let server = self.listen(b, &to, 16);
        let client = self.tcp(a);
        if self.connect(client, &to) == Ok(Connect::InProgress) {
            self.settle();
            assert_eq!(self.connect(client, &to), Ok(Connect::Done));
        }
        let accepted = self.accept(server).unwrap();
        self.table.close(server, self.now);
        (client, accepted)
    }

    pub fn send(&mut self, id: SocketId, bytes: &[u8]) -> Result<usize, Errno> {
        self.table.send(id, &mut &bytes[..], Send::bytes(bytes.len()), self.now)
    }

    pub fn send_to(&mut self, id: SocketId, bytes: &[u8], to: &Addr) -> Result<usize, Errno> {
        let call = Send { dest: Some(to), ..Send::bytes(bytes.len()) };
        self.table.send(id, &mut &bytes[..], call, self.now)
    }

    pub fn send_rights(&mut self, id: SocketId, bytes: &[u8], rights: Vec<u32>) -> Result<usize, Errno> {
        let ancillary = Some(Ancillary { rights, ..Ancillary::default() });
        let call = Send { ancillary, cred: USER, ..Send::bytes(bytes.len()) };
        self.table.send(id, &mut &bytes[..], call, self.now)
    }

    pub fn recv_with(&mut self, id: SocketId, len: usize, flags: u32) -> Result<(Vec<u8>, Received<u32>), Errno> {
        let mut got = Vec::new();
        let received = self.table.recv(id, &mut got, len, flags, self.now)?;
        Ok((got, received))
    }

    pub fn recv(&mut self, id: SocketId, len: usize) -> Result<Vec<u8>, Errno> {
        self.recv_with(id, len, 0).map(|(got, _)| got)
    }

    pub fn ready(&self, id: SocketId) -> u32 {
        self.table.readiness(id)
    }

    pub fn error(&mut self, id: SocketId) -> i32 {
        let value = self.table.getsockopt(id, sol::SOCKET, so::ERROR, 4).unwrap();
        i32::from_ne_bytes(value.try_into().unwrap())
    }

    pub fn set(&mut self, id: SocketId, level: u32, name: u32, value: i32) -> Result<(), Errno> {
        self.table.setsockopt(id, level, name, &value.to_ne_bytes(), ROOT)
    }

    pub fn status(&self, id: SocketId) -> SocketStatus {
        self.table.get(id).unwrap().status
    }

    pub fn notified(&mut self) -> Vec<(SocketId, u32)> {
        let mut list = Vec::new();
        self.table.take_notifications(|id, bits| list.push((id, bits)));
        list
    }
}
