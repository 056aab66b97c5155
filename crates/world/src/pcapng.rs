//! A packet capture of a run: a pcapng file with an interface for each host and network.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use pcap_file::DataLink;
use pcap_file::pcapng::PcapNgWriteError;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use snowglobe_abi::spec::{Capture, HostSpec, WorldSpec};
use snowglobe_abi::trace::{Record, packet};

use crate::frames::{Framer, Packet};

/// Directions of a packet in the flags word of its block.
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;

/// Writes captured packets as they come.
pub struct CaptureFile<W: Write> {
    writer: PcapNgWriter<W>,
    /// Numbers of the interfaces, by host and by network + 1 (0 is the loopback).
    interfaces: BTreeMap<(u64, u64), u32>,
    framer: Framer,
    /// Whether packets are shown where they arrive too.
    arrivals: bool,
    /// The addresses of the world's own resolver.
    resolvers: Vec<Ipv4Addr>,
    /// A packet of which more will come.
    open: Option<Packet>,
    /// Frames written.
    frames: u64,
}

impl<W: Write> CaptureFile<W> {
    /// Begins a capture file. `application` is who writes it. A packet is shown where it sets out; with `arrivals` also
    /// where it arrives.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(out: W, spec: &WorldSpec, arrivals: bool, application: &str) -> io::Result<CaptureFile<W>> {
        let options = vec![SectionHeaderOption::UserApplication(Cow::Borrowed(application))];
        let section = SectionHeaderBlock { options, ..SectionHeaderBlock::default() };
        let writer = PcapNgWriter::with_section_header(out, section).map_err(io_error)?;
        let framer = Framer::new(&spec.networks);
        let resolvers = spec.networks.iter().map(|network| Ipv4Addr::from(network.resolver)).collect();
        let interfaces = BTreeMap::new();
        let mut file = CaptureFile { writer, interfaces, framer, arrivals, resolvers, open: None, frames: 0 };
        for (at, host) in spec.hosts.iter().enumerate() {
            file.add_interfaces(at as u64, host, spec)?;
        }
        Ok(file)
    }

    fn add_interfaces(&mut self, at: u64, host: &HostSpec, spec: &WorldSpec) -> io::Result<()> {
        if spec.knobs.capture == Capture::Everything {
            self.add(at, 0, format!("{}/lo", host.name), format!("{} to itself", host.name), None)?;
        }
        for (n, interface) in host.interfaces.iter().enumerate() {
            let network = spec.networks.get(interface.network as usize);
            let (name, prefix) = network.map_or(("?", 32), |network| (&network.name, network.subnet.1));
            let said = format!("{} on network {name}", host.name);
            let place = (Ipv4Addr::from(interface.address), prefix);
            self.add(at, u64::from(interface.network) + 1, format!("{}/eth{n}", host.name), said, Some(place))?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        host: u64,
        network: u64,
        name: String,
        said: String,
        at: Option<(Ipv4Addr, u8)>,
    ) -> io::Result<()> {
        let mut options = vec![
            InterfaceDescriptionOption::IfName(Cow::Owned(name)),
            InterfaceDescriptionOption::IfDescription(Cow::Owned(said)),
            InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO),
        ];
        if let Some((address, prefix)) = at {
            let mask = Ipv4Addr::from(u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0));
            let both = [address.octets(), mask.octets()].concat();
            options.push(InterfaceDescriptionOption::IfIpv4Addr(Cow::Owned(both)));
        }
        let block = InterfaceDescriptionBlock { linktype: DataLink::ETHERNET, snaplen: 0, options };
        self.writer.write_pcapng_block(block).map_err(io_error)?;
        let id = self.interfaces.len() as u32;
        // Of several interfaces of a host on one network the first is the one that it uses.
        let taken = (0..).map(|twin| (host, network + (twin << 32))).find(|key| !self.interfaces.contains_key(key));
        self.interfaces.extend(taken.map(|key| (key, id)));
        Ok(())
    }

    /// Takes a record of kind `packet`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn take(&mut self, record: &Record) -> io::Result<()> {
        let Some((nums, [src, dst, piece])) = parts(record) else { return Ok(()) };
        let mut packet = match self.open.take() {
            Some(open) => open,
            None => {
                let (Some(src), Some(dst)) = (address(src), address(dst)) else { return Ok(()) };
                Packet { nums, src, dst, payload: Vec::new() }
            }
        };
        packet.payload.extend_from_slice(piece);
        if nums[packet::FLAGS] & 2 != 0 {
            self.open = Some(packet);
            return Ok(());
        }
        self.put(&packet)
    }

    fn put(&mut self, packet: &Packet) -> io::Result<()> {
        let place = (packet.nums[packet::HOST], packet.nums[packet::NETWORK]);
        let arrives = packet.nums[packet::FLAGS] & 1 == 0;
        // What the world's own resolver sends is seen where it arrives: it has no interface.
        if arrives && !self.arrivals && !self.is_resolver(packet.src) {
            return Ok(());
        }
        let frames = self.framer.frames(packet);
        let Some(&interface_id) = self.interfaces.get(&place) else { return Ok(()) };
        let out = !arrives && place.1 != 0;
        for frame in frames {
            let block = EnhancedPacketBlock {
                interface_id,
                timestamp: Duration::from_nanos(packet.nums[packet::AT]),
                original_len: frame.len() as u32,
                data: Cow::Owned(frame),
                options: vec![EnhancedPacketOption::Flags(if out { OUTBOUND } else { INBOUND })],
            };
            self.writer.write_pcapng_block(block).map_err(io_error)?;
            self.frames += 1;
        }
        Ok(())
    }

    fn is_resolver(&self, ip: IpAddr) -> bool {
        self.resolvers.iter().any(|resolver| match ip {
            IpAddr::V4(ip) => ip == *resolver,
            // The unique local address that goes with it.
            IpAddr::V6(ip) => ip.octets()[0] == 0xfd && ip.octets()[12..] == resolver.octets(),
        })
    }

    /// Ends the file; how many frames it has.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self) -> io::Result<u64> {
        self.writer.into_inner().flush()?;
        Ok(self.frames)
    }
}

/// The numbers and blobs of a record of kind `packet`.
fn parts(record: &Record) -> Option<([u64; packet::COUNT], [&[u8]; 3])> {
    let nums = record.nums[..].try_into().ok()?;
    let [src, dst, piece] = &record.blobs[..] else { return None };
    Some((nums, [src, dst, piece]))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn io_error(error: PcapNgWriteError) -> io::Error {
    io::Error::other(error)
}
