//! The error queue of a socket (ip(7), IP_RECVERR): what ICMP told of datagrams, and what became of sends with
//! MSG_ZEROCOPY or a wish for time stamps.

use crate::addr::{Addr, Endpoint, Family};
use crate::call::{Control, Received, SocketId};
use crate::entry::Entry;
use crate::io::Sink;
use crate::linux::{msg, origin, poll, timestamping};
use crate::options::{Flag, Int};
use crate::queue::truesize;
use crate::table::SocketTable;
use alloc::vec::Vec;
use core::net::IpAddr;
use snowglobe_abi::Errno;

/// One report: `struct sock_extended_err` and what is told with it.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) errno: u16,
    /// `SO_EE_ORIGIN_*`.
    pub(crate) origin: u8,
    pub(crate) kind: u8,
    pub(crate) code: u8,
    pub(crate) info: u32,
    pub(crate) data: u32,
    /// Who told it.
    pub(crate) offender: Option<IpAddr>,
    /// Where the datagram in question was to go.
    pub(crate) to: Option<Endpoint>,
    /// What is left of the datagram in question.
    pub(crate) payload: Vec<u8>,
    /// Time to live, type of service and interface of the packet that told it.
    pub(crate) header: (u8, u8, u32),
    /// When it came.
    pub(crate) at: u64,
}

impl Report {
    /// One of the host's own about what was sent.
    pub(crate) fn local(origin: u8, errno: u16, at: u64) -> Report {
        Report {
            errno,
            origin,
            kind: 0,
            code: 0,
            info: 0,
            data: 0,
            offender: None,
            to: None,
            payload: Vec::new(),
            header: (0, 0, 0),
            at,
        }
    }

    fn is_icmp(&self) -> bool {
        matches!(self.origin, origin::ICMP | origin::ICMP6)
    }
}

impl<R> Entry<R> {
    /// Whether the socket asked for reports on datagrams to addresses of `ip`'s family.
    pub(crate) fn wants_reports(&self, ip: IpAddr) -> bool {
        let options = &self.local.options;
        // A dual-stack socket asks by the options of its own family.
        match self.local.family {
            Family::Inet6 => options.flag(Flag::RecvErr6) || ip.is_ipv4() && options.flag(Flag::RecvErr),
            _ => options.flag(Flag::RecvErr),
        }
    }
}

impl<R: Clone> SocketTable<R> {
    /// Puts a report into the error queue of a socket, unless its receive buffer is full.
    pub(crate) fn report(&mut self, id: SocketId, report: Report) {
        let entry = self.slab.at_mut(id);
        let limit = entry.local.options.int(Int::ReceiveBuffer) as usize;
        let errors = &mut entry.extra().errors;
        let held: usize = errors.iter().map(|r| truesize(r.payload.len()) as usize).sum();
        if held + truesize(report.payload.len()) as usize > limit {
            return;
        }
        errors.push_back(report);
        self.log.notify(entry, poll::ERR);
    }

    /// What ICMP told of a datagram that `id` sent. `hard` says that the error is one that does not go away.
    pub(crate) fn icmp_report(&mut self, id: SocketId, report: Report, hard: bool) {
        let error = Errno(report.errno);
        let entry = self.at(id);
        let wants = report.to.is_some_and(|to| entry.wants_reports(to.ip));
        if wants {
            self.report(id, report);
        } else if !hard || !entry.is_associated() {
            // udp(7): "fatal errors are passed to the user" of a connected socket only, unless IP_RECVERR is on.
            return;
        }
        let entry = self.slab.at_mut(id);
        entry.connection.error = Some(error);
        self.log.notify(entry, poll::ERR);
    }

    /// ip(7), IP_RECVERR: a datagram is too long for the path.
    pub(crate) fn report_too_long(&mut self, id: SocketId, to: Endpoint, mtu: u32) {
        if self.at(id).wants_reports(to.ip) {
            let local = Report::local(origin::LOCAL, Errno::EMSGSIZE.0, self.log.now);
            self.report(id, Report { info: mtu, to: Some(to), ..local });
        }
    }

    /// A send with MSG_ZEROCOPY has been done, by copying: who asked for notifications by SO_ZEROCOPY gets one.
    /// Those of consecutive sends that nobody has read become one.
    pub fn zerocopy_done(&mut self, id: SocketId) {
        let now = self.log.now;
        let Some(entry) = self.slab.get_mut(id).filter(|e| e.local.options.flag(Flag::ZeroCopy)) else { return };
        let extra = entry.extra();
        let number = extra.zerocopies;
        extra.zerocopies = number.wrapping_add(1);
        if let Some(last) = extra.errors.back_mut().filter(|r| r.origin == origin::ZEROCOPY)
            && last.data.wrapping_add(1) == number
        {
            last.data = number;
            return self.log.notify(entry, poll::ERR);
        }
        const COPIED: u8 = 1;
        let local = Report::local(origin::ZEROCOPY, 0, now);
        self.report(id, Report { code: COPIED, info: number, data: number, ..local });
    }

    /// SO_TIMESTAMPING: a datagram has left, and who asked is told when.
    pub(crate) fn report_sent(&mut self, id: SocketId, to: Endpoint, payload: &[u8]) {
        const SENT: u32 = 0;
        const SCHEDULED: u32 = 1;
        let wanted = self.at(id).local.options.int(Int::Timestamping) as u32;
        let stages = [(timestamping::TX_SCHED, SCHEDULED), (timestamping::TX_SOFTWARE, SENT)];
        if stages.iter().all(|(flag, _)| wanted & flag == 0) {
            return;
        }
        let extra = self.at_mut(id).extra();
        let number = extra.stamped;
        extra.stamped = number.wrapping_add(1);
        let data = if wanted & timestamping::OPT_ID != 0 { number } else { 0 };
        for (_, stage) in stages.into_iter().filter(|(flag, _)| wanted & flag != 0) {
            let local = Report::local(origin::TIMESTAMPING, Errno::ENOMSG.0, self.log.now);
            let payload = if wanted & timestamping::OPT_TSONLY != 0 { Vec::new() } else { payload.to_vec() };
            self.report(id, Report { info: stage, data, to: Some(to), payload, ..local });
        }
    }

    /// recv(2) with MSG_ERRQUEUE.
    pub(crate) fn recv_report(&mut self, id: SocketId, sink: &mut dyn Sink, len: usize) -> Result<Received<R>, Errno> {
        let entry = self.slab.at_mut(id);
        if !entry.local.family.is_ip() {
            return Err(Errno::EAGAIN);
        }
        let report = entry.connection.extra.as_mut().and_then(|extra| extra.errors.pop_front());
        let report = report.ok_or(Errno::EAGAIN)?;
        // Linux's sock_dequeue_err_skb: what ICMP said is no error of the socket any more when it has been read.
        let next = entry.connection.extra.as_ref().and_then(|extra| extra.errors.front());
        match next {
            Some(next) if next.is_icmp() => {
                let error = Errno(next.errno);
                entry.connection.error = Some(error);
                self.log.notify(entry, poll::ERR);
            }
            _ if report.is_icmp() => entry.connection.error = None,
            _ => {}
        }
        let n = report.payload.len().min(len);
        let mut received = Received::stream(n);
        received.more = false;
        received.full_len = report.payload.len();
        received.flags = msg::ERRQUEUE | if report.payload.len() > len { msg::TRUNC } else { 0 };
        let family = entry.local.family;
        received.from = report.to.map(|to| Addr::Ip(to.seen_by(family)));
        received.control = control(entry, &report);
        if n > 0 {
            sink.write_from(&report.payload[..n])?;
        }
        Ok(received)
    }
}

/// The control messages of a report, in Linux's order.
fn control<R, F>(entry: &Entry<R>, report: &Report) -> Vec<Control<F>> {
    let options = &entry.local.options;
    let mut out = Vec::new();
    if report.origin == origin::TIMESTAMPING {
        if options.int(Int::Timestamping) as u32 & timestamping::SOFTWARE != 0 {
            out.push(Control::Timestamping(report.at));
        }
    } else if options.flag(Flag::Timestamp) {
        out.push(Control::Timestamp(report.at));
    } else if options.flag(Flag::TimestampNs) {
        out.push(Control::TimestampNs(report.at));
    }
    if let Some(offender) = report.offender {
        crate::udp::header_controls(options, offender, report.header, &mut out);
    }
    let Report { errno, origin, kind, code, info, data, offender, .. } = *report;
    let six = entry.local.family == Family::Inet6;
    let offender = offender.map(|ip| Endpoint::new(ip, 0).seen_by(entry.local.family).ip);
    out.push(Control::Error { six, errno, what: [origin, kind, code], info, data, offender });
    out
}
