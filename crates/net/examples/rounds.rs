//! 100,000 round trips of 64 bytes between two hosts, and as many within one: for counting instructions.
//!
//! ```text
//! cargo build --release -p snowglobe-net --example rounds
//! valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/rounds between
//! ```

use snowglobe_abi::Errno;
use snowglobe_abi::spec::{HostSpec, InterfaceSpec, NetworkSpec, RootSpec};
use snowglobe_net::linux::{af, sock};
use snowglobe_net::{Addr, Cred, Endpoint, Send, SocketId, SocketTable};

const LATENCY: u64 = 100_000;
const ROUNDS: u32 = 100_000;
const CRED: Cred = Cred { pid: 1, uid: 0, gid: 0 };

type Table = SocketTable<()>;

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
    let network = NetworkSpec::plain("n", ([10, 0, 0, 0], 24), [10, 0, 0, 1], LATENCY);
    SocketTable::new(&[network], &[host(0), host(1)], 1)
}

/// Lets the latency pass.
fn pass(table: &mut Table, now: &mut u64) {
    let until = *now + LATENCY;
    while let Some(at) = table.next_event().filter(|&at| at <= until) {
        table.advance(at);
    }
    *now = until;
}

fn one_way(table: &mut Table, from: SocketId, to: SocketId, now: &mut u64, far: bool) {
    let mut got = [0u8; 64];
    table.send(from, &mut &[7u8; 64][..], Send::bytes(64), *now).unwrap();
    if far {
        pass(table, now);
    }
    table.recv(to, &mut &mut got[..], 64, 0, *now).unwrap();
    table.take_notifications(|_, _| ());
}

fn main() -> Result<(), Errno> {
    let far = std::env::args().nth(1).is_some_and(|way| way == "between");
    let (mut table, mut now) = (table(), 0);
    let address = Addr::Ip(Endpoint::new([10, 0, 0, 2 + u8::from(far)].into(), 80));
    let server = table.socket(u32::from(far), af::INET.into(), sock::STREAM, 0, CRED)?;
    table.bind(server, &address)?;
    table.listen(server, 5)?;
    let client = table.socket(0, af::INET.into(), sock::STREAM, 0, CRED)?;
    table.connect(client, &address, now)?;
    for _ in 0..4 {
        pass(&mut table, &mut now);
    }
    let (accepted, _) = table.accept(server, now)?;
    for _ in 0..ROUNDS {
        one_way(&mut table, client, accepted, &mut now, far);
        one_way(&mut table, accepted, client, &mut now, far);
    }
    println!("{ROUNDS} round trips, {} ms of virtual time", now / 1_000_000);
    Ok(())
}
