//! `struct tcp_info` (linux/tcp.h): what a program can ask about its connection.

use super::congestion::{FIRST_WINDOW, NO_THRESHOLD};
use super::{Tcp, Wire};
use crate::call::SocketId;
use crate::entry::{Entry, Path};
use crate::table::SocketTable;
use alloc::vec::Vec;
use snowglobe_abi::Errno;

/// A structure in the making.
struct Info(Vec<u8>);

impl Info {
    fn bytes(&mut self, v: &[u8]) {
        self.0.extend_from_slice(v);
    }

    fn words(&mut self, v: &[u32]) {
        v.iter().for_each(|w| self.bytes(&w.to_ne_bytes()));
    }

    fn longs(&mut self, v: &[u64]) {
        v.iter().for_each(|w| self.bytes(&w.to_ne_bytes()));
    }
}

/// Whole microseconds.
fn micros(ns: u64) -> u32 {
    u32::try_from(ns / 1000).unwrap_or(u32::MAX)
}

/// What a connection within a host shows in place of measurements: Linux's loopback.
fn loopback() -> Wire {
    let mut wire = Wire::new(32_768, super::Algorithm::Cubic);
    wire.trip.measure(20_000, 20_000, 1, 1, 0);
    wire.acks.data(536, false, 65_536, wire.trip.rto, 0);
    wire
}

impl<R: Clone> SocketTable<R> {
    /// TCP_INFO.
    pub(crate) fn tcp_info(&self, id: SocketId) -> Result<Vec<u8>, Errno> {
        let entry = self.get(id)?;
        let tcp = &entry.connection.tcp;
        let within = loopback();
        let wire = tcp.wire.as_deref().unwrap_or(&within);
        let mtu = match entry.connection.path {
            Path::Link { .. } => wire.flight.mss + 52,
            _ => 65_535,
        };
        Ok(self.describe(entry, tcp, wire, mtu))
    }

    fn describe(&self, entry: &Entry<R>, tcp: &Tcp, wire: &Wire, mtu: u32) -> Vec<u8> {
        const TIMESTAMPS_SACK_SCALE: u8 = 7;
        const SCALES: u8 = 0x77;
        let now = self.log.now;
        let since = |at: u64| (now.saturating_sub(at) / 1_000_000) as u32;
        let [rtt, rttvar, least] = wire.trip.shown();
        let (flight, congestion) = (&wire.flight, &wire.congestion);
        let mss = flight.mss;
        // A listening socket shows its accept queue in the place of packets.
        let (unacked, sacked) = match entry.connection.listener.as_deref() {
            Some(listener) => (listener.accept.len() as u32, listener.backlog),
            None => (flight.out, flight.sacked),
        };
        let unsent = (entry.send_queue.bytes.len() as u64).saturating_sub(tcp.sent_bytes()) as u32;
        let received = tcp.last_received.max(wire.heard_at);
        let mut out = Info(Vec::new());
        let (state, judgement) = (tcp.state as u8, congestion.judgement as u8);
        let (retries, backoff) = (wire.retries.min(255) as u8, wire.trip.backoff);
        out.bytes(&[state, judgement, retries, wire.probes, backoff, TIMESTAMPS_SACK_SCALE, SCALES, 0]);
        out.words(&[micros(wire.trip.rto), micros(wire.acks.wait), mss, wire.acks.full_segment()]);
        out.words(&[unacked, sacked, flight.lost, flight.again, 0]);
        out.words(&[since(tcp.last_sent), 0, since(tcp.last_received), since(received)]);
        out.words(&[mtu, tcp.window, rtt, rttvar, congestion.threshold, congestion.window, mss, 3]);
        out.words(&[0, tcp.window, wire.packets_again]);
        let pacing = pacing_rate(wire);
        out.longs(&[pacing, u64::MAX, tcp.unacked.saturating_sub(1), tcp.bytes_in]);
        let shown_least = if least == u32::MAX { u32::MAX } else { least };
        let (data_in, data_out) = match tcp.wire {
            Some(_) => (wire.data_in, wire.data_out),
            None => (tcp.segments_in, tcp.segments_out),
        };
        out.words(&[tcp.segments_out, tcp.segments_in, unsent, shown_least, data_in, data_out]);
        out.longs(&[0, 0, 0, 0]);
        let delivered = if tcp.wire.is_some() { wire.packets_acked } else { tcp.segments_out };
        out.words(&[delivered, 0]);
        out.longs(&[tcp.bytes_out, wire.bytes_again]);
        let window = tcp.edge.saturating_sub(tcp.next.min(tcp.edge)) as u32;
        out.words(&[wire.duplicates, 0, wire.ooo_in, window, tcp.window, 0, 0, 0]);
        out.0
    }
}

/// Bytes a second that Linux would pace at: the window in a round trip, twice that in slow start and 1.2 times later.
fn pacing_rate(wire: &Wire) -> u64 {
    let rtt = u64::from(wire.trip.shown()[0]);
    if rtt == 0 {
        return u64::MAX;
    }
    let window = u64::from(wire.congestion.window.max(FIRST_WINDOW)) * u64::from(wire.flight.mss);
    let percent = match wire.congestion.threshold {
        NO_THRESHOLD => 200,
        threshold if wire.congestion.window < threshold / 2 => 200,
        _ => 120,
    };
    window * percent / 100 * 1_000_000 / rtt
}
