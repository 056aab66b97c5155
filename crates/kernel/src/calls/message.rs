//! Messages: `struct msghdr`, control messages, and send and receive calls as far as they have come.

use crate::fs::file::{FileKind, FileRef};
use crate::io::MAX_RW;
use crate::machine::Machine;
use crate::mem::{self, Iov};
use crate::uapi::*;
use crate::{Cx, sockets::SocketId};
use alloc::vec::Vec;
use core::net::IpAddr;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::spec::Nanos;
use snowglobe_net::linux::{ip, ip6, msg, scm, so, sol, udp};
use snowglobe_net::{Addr, Ancillary, Control, Cred, Family, Protocol, Send, SocketType};

/// `MSG_CMSG_CLOEXEC`.
pub const MSG_CMSG_CLOEXEC: u32 = 0x4000_0000;
/// `MSG_WAITFORONE`.
pub const MSG_WAITFORONE: u32 = 0x1_0000;
/// Bytes of a `struct msghdr`, and of it in a `struct mmsghdr` with what follows.
const MSGHDR: u64 = 56;
/// Bytes of a `struct mmsghdr`.
pub const MMSGHDR: u64 = 64;
/// Bytes of a `struct cmsghdr`.
const CMSGHDR: u64 = 16;
/// unix(7): `SCM_MAX_FD`.
const MOST_RIGHTS: usize = 253;
/// socket(7): `net.core.optmem_max`.
const MOST_CONTROL: u64 = 131_072;
/// Bytes of a `struct sockaddr_storage`: longer addresses are EINVAL.
pub const LONGEST_ADDR: usize = 128;

/// A send call.
#[derive(Default)]
pub struct Sending {
    /// The bytes.
    pub iov: Iov,
    /// How many are sent.
    pub done: u64,
    /// `MSG_*`.
    pub flags: u32,
    /// Where to, when the call says so.
    pub dest: Option<Addr>,
    /// What goes along with the next bytes.
    pub ancillary: Option<Ancillary<FileRef>>,
}

/// A receive call.
#[derive(Default)]
pub struct Receiving {
    /// Where the bytes go.
    pub iov: Iov,
    /// How many have come.
    pub done: u64,
    /// `MSG_*`.
    pub flags: u32,
    /// Where the sender's address goes, or 0.
    pub name: u64,
    /// Where the address's length is and goes.
    pub name_len: u64,
    /// The `struct msghdr`, or 0 for `recvfrom`.
    pub header: u64,
    control: u64,
    control_len: u64,
    /// Length of the message.
    full: u64,
    from: Option<Addr>,
    got_flags: u32,
    controls: Vec<Control<FileRef>>,
}

impl Receiving {
    /// A plain receive; `name` is where the sender's address and its length go.
    pub fn new(iov: Iov, flags: u32, (name, name_len): (u64, u64)) -> Receiving {
        Receiving { iov, flags, name, name_len, ..Receiving::default() }
    }
}

/// The place of `sendmmsg` or `recvmmsg` in its vector.
pub struct Many {
    /// `struct mmsghdr` array.
    pub vec: u64,
    /// Messages done.
    pub at: u32,
    /// Messages in all.
    pub count: u32,
    /// `MSG_*`.
    pub flags: u32,
    /// When no further message is waited for.
    pub deadline: Option<Nanos>,
}

impl Many {
    /// Notes that the current message is done.
    fn step(&mut self, m: &mut dyn Machine, len: i64) -> Result<()> {
        let at = self.vec + u64::from(self.at) * MMSGHDR;
        m.write(at + MSGHDR, &(len as u32).to_le_bytes())?;
        self.at += 1;
        Ok(())
    }
}

/// The result of a call on many messages: an error is told only if nothing was done before it.
fn so_far(many: &Many, e: Errno) -> Result<i64> {
    if many.at > 0 { Ok(i64::from(many.at)) } else { Err(e) }
}

/// A `struct msghdr`.
struct Header {
    name: u64,
    name_len: u32,
    iov: Iov,
    control: u64,
    control_len: u64,
}

impl Header {
    fn read(m: &mut dyn Machine, addr: u64) -> Result<Header> {
        let raw: [u8; MSGHDR as usize] = mem::array(m, addr)?;
        let name = mem::field64(&raw, 0);
        let mut name_len = mem::field32(&raw, 8);
        if name == 0 {
            name_len = 0;
        }
        if (name_len as i32) < 0 {
            return Err(Errno::EINVAL);
        }
        let (iov, count) = (mem::field64(&raw, 16), mem::field64(&raw, 24));
        if count > 1024 {
            return Err(Errno::EMSGSIZE);
        }
        let iov = Iov::read(m, iov, count)?;
        let (control, control_len) = (mem::field64(&raw, 32), mem::field64(&raw, 40));
        Ok(Header { name, name_len: name_len.min(LONGEST_ADDR as u32), iov, control, control_len })
    }
}

/// A control message in a program's buffer.
struct Cmsg<'a> {
    level: u32,
    kind: u32,
    data: &'a [u8],
}

/// Splits a control buffer as CMSG_NXTHDR does.
fn cmsgs(buf: &[u8]) -> Result<Vec<Cmsg<'_>>> {
    let mut out = Vec::new();
    let mut rest = buf;
    while rest.len() >= CMSGHDR as usize {
        let len = mem::field64(rest, 0);
        if len < CMSGHDR || len > rest.len() as u64 {
            return Err(Errno::EINVAL);
        }
        let data = &rest[CMSGHDR as usize..len as usize];
        out.push(Cmsg { level: mem::field32(rest, 8), kind: mem::field32(rest, 12), data });
        rest = rest.get((len as usize).next_multiple_of(8)..).unwrap_or_default();
    }
    Ok(out)
}

/// A source address in IP_PKTINFO or IPV6_PKTINFO; the unspecified one states none.
fn stated_source(ip: Option<IpAddr>) -> Option<IpAddr> {
    ip.map(|ip| ip.to_canonical()).filter(|ip| !ip.is_unspecified())
}

/// A number of an IP header in a control message.
fn header_byte(data: &[u8], least: u8) -> Result<u8> {
    let word: [u8; 4] = data.try_into().map_err(|_| Errno::EINVAL)?;
    u8::try_from(i32::from_le_bytes(word)).ok().filter(|v| *v >= least).ok_or(Errno::EINVAL)
}

/// Writes control messages where the program wants them.
struct ControlWriter {
    at: u64,
    left: u64,
    truncated: bool,
}

impl ControlWriter {
    /// Linux's `put_cmsg`: what does not fit is cut, and MSG_CTRUNC tells of it.
    fn put(&mut self, m: &mut dyn Machine, (level, kind): (u32, u32), data: &[u8]) -> Result<()> {
        if self.at == 0 || self.left < CMSGHDR {
            self.truncated = true;
            return Ok(());
        }
        let full = CMSGHDR + data.len() as u64;
        let len = full.min(self.left);
        self.truncated |= len < full;
        self.head(m, (level, kind), len)?;
        m.write(self.at + CMSGHDR, &data[..(len - CMSGHDR) as usize])?;
        self.advance(full);
        Ok(())
    }

    fn head(&self, m: &mut dyn Machine, (level, kind): (u32, u32), len: u64) -> Result<()> {
        let mut head = [0u8; CMSGHDR as usize];
        head[..8].copy_from_slice(&len.to_le_bytes());
        head[8..12].copy_from_slice(&level.to_le_bytes());
        head[12..].copy_from_slice(&kind.to_le_bytes());
        m.write(self.at, &head)
    }

    fn advance(&mut self, len: u64) {
        let space = len.next_multiple_of(8).min(self.left);
        self.at += space;
        self.left -= space;
    }
}

impl Cx<'_> {
    /// Copies an address to the program, cut to its room, and tells its full length.
    ///
    /// # Errors
    /// `EFAULT`; `EINVAL` for a negative length.
    pub fn put_addr(&mut self, addr: Option<&Addr>, to: u64, len: u64) -> Result<()> {
        let bytes = addr.map(Addr::to_bytes);
        let bytes = bytes.as_deref().unwrap_or_default();
        let room = mem::u32(self.m, len)? as i32;
        let room = usize::try_from(room).map_err(|_| Errno::EINVAL)?;
        self.m.write(to, &bytes[..room.min(bytes.len())])?;
        self.m.write(len, &(bytes.len() as u32).to_le_bytes())
    }

    // Sending.

    /// Reads a message to be sent.
    ///
    /// # Errors
    /// `EFAULT`, `EINVAL`, `EMSGSIZE`, `ENOBUFS`, `EBADF`, `EPERM`, and those of the address.
    pub fn read_sending(&mut self, id: SocketId, header: u64, flags: u32) -> Result<Sending> {
        let h = Header::read(self.m, header)?;
        let mut raw = [0u8; LONGEST_ADDR];
        let raw = &mut raw[..h.name_len as usize];
        self.m.read(h.name, raw)?;
        if h.control_len > MOST_CONTROL {
            return Err(Errno::ENOBUFS);
        }
        let ancillary = match h.control_len {
            0 => None,
            len => {
                let control = mem::bytes(self.m, h.control, len as usize)?;
                self.read_control(id, &control)?
            }
        };
        let dest = if raw.is_empty() { None } else { self.destination(id, raw, flags)? };
        Ok(Sending { iov: h.iov, done: 0, flags, dest, ancillary })
    }

    fn read_control(&mut self, id: SocketId, control: &[u8]) -> Result<Option<Ancillary<FileRef>>> {
        /// SO_MARK, SO_TIMESTAMPING in both forms, SCM_TXTIME, and what AF_UNIX has.
        const SENT: [u32; 6] = [so::MARK, so::TIMESTAMPING, so::TIMESTAMPING_NEW, 61, scm::RIGHTS, scm::CREDENTIALS];
        let local = &self.k.sockets.table.get(id)?.local;
        let (family, stream) = (local.family, local.kind == SocketType::Stream);
        let udp = local.protocol == Protocol::Udp;
        let mut out = Ancillary::default();
        let mut any = false;
        for c in cmsgs(control)? {
            any = true;
            match (family, c.level, c.kind) {
                (Family::Unix, sol::SOCKET, scm::RIGHTS) => self.take_rights(c.data, &mut out.rights)?,
                (Family::Unix, sol::SOCKET, scm::CREDENTIALS) => out.cred = Some(self.stated_cred(c.data)?),
                (Family::Unix, sol::SOCKET, _) => return Err(Errno::EINVAL),
                (Family::Inet, sol::IP, ip::PKTINFO) if c.data.len() == 12 => {
                    out.interface = mem::field32(c.data, 0);
                    out.source = stated_source(<[u8; 4]>::try_from(&c.data[4..8]).ok().map(IpAddr::from));
                }
                (Family::Inet6, sol::IPV6, ip6::PKTINFO) if c.data.len() >= 20 => {
                    out.interface = mem::field32(c.data, 16);
                    out.source = stated_source(<[u8; 16]>::try_from(&c.data[..16]).ok().map(IpAddr::from));
                }
                (Family::Inet, sol::IP, ip::PKTINFO) | (Family::Inet6, sol::IPV6, ip6::PKTINFO) => {
                    return Err(Errno::EINVAL);
                }
                (Family::Inet, sol::IP, ip::TTL) => out.ttl = Some(header_byte(c.data, 1)?),
                (Family::Inet, sol::IP, ip::TOS) if c.data.len() == 1 => out.tos = Some(c.data[0]),
                (Family::Inet, sol::IP, ip::TOS) => out.tos = Some(header_byte(c.data, 0)?),
                // ipv6(7): -1 is the socket's own value.
                (Family::Inet6, sol::IPV6, ip6::HOPLIMIT | ip6::TCLASS) if c.data == [0xff; 4] => {}
                (Family::Inet6, sol::IPV6, ip6::HOPLIMIT) => out.ttl = Some(header_byte(c.data, 0)?),
                (Family::Inet6, sol::IPV6, ip6::TCLASS) => out.tos = Some(header_byte(c.data, 0)?),
                (Family::Inet | Family::Inet6, sol::UDP, udp::SEGMENT) if udp => {
                    let segment: [u8; 2] = c.data.try_into().map_err(|_| Errno::EINVAL)?;
                    out.segment = Some(u16::from_le_bytes(segment));
                }
                // Linux's ip_cmsg_send and __sock_cmsg_send know these only; streams have no headers to choose.
                (Family::Inet, sol::IP, _) if !stream => return Err(Errno::EINVAL),
                (Family::Inet | Family::Inet6, sol::SOCKET, kind) if !SENT.contains(&kind) => {
                    return Err(Errno::EINVAL);
                }
                // Others choose nothing that the table knows.
                _ => {}
            }
        }
        Ok(any.then_some(out))
    }

    fn take_rights(&mut self, data: &[u8], rights: &mut Vec<FileRef>) -> Result<()> {
        if data.len() / 4 + rights.len() > MOST_RIGHTS {
            return Err(Errno::EINVAL);
        }
        for fd in data.chunks_exact(4) {
            let file = self.any_file(mem::field32(fd, 0) as i32)?;
            self.k.sockets.sent_sockets |= matches!(file.kind, FileKind::Socket(_));
            rights.push(file);
        }
        Ok(())
    }

    /// unix(7), SCM_CREDENTIALS: a process may state what is its own, and what its capabilities let it pretend.
    fn stated_cred(&mut self, data: &[u8]) -> Result<Cred> {
        if data.len() != 12 {
            return Err(Errno::EINVAL);
        }
        let (pid, uid, gid) = (mem::field32(data, 0), mem::field32(data, 4), mem::field32(data, 8));
        let p = self.proc();
        let c = &p.cred;
        let may = (pid == p.pid || c.capable(CAP_SYS_ADMIN))
            && ([c.uid, c.euid, c.suid].contains(&uid) || c.capable(CAP_SETUID))
            && ([c.gid, c.egid, c.sgid].contains(&gid) || c.capable(CAP_SETGID));
        if !may {
            return Err(Errno::EPERM);
        }
        if pid != 0 && !self.k.host_of(self.task).pids.contains_key(&pid) {
            return Err(Errno::ESRCH);
        }
        Ok(Cred { pid, uid, gid })
    }

    /// Sends what is left of a message.
    ///
    /// # Errors
    /// `EAGAIN` when the rest must wait, and what `send` gives if nothing was sent.
    pub fn send_now(&mut self, id: SocketId, call: &mut Sending) -> Result<i64> {
        let total = call.iov.len().min(MAX_RW);
        let cred = self.net_cred();
        loop {
            let len = (total - call.done) as usize;
            let ancillary = call.ancillary.clone();
            let send = Send { len, flags: call.flags, dest: call.dest.as_ref(), ancillary, cred };
            match self.send_bytes(id, &call.iov, call.done, send) {
                Ok(n) => {
                    call.done += n as u64;
                    // Descriptors go with the first bytes; stated credentials go with all.
                    match &mut call.ancillary {
                        Some(a) if a.cred.is_some() => a.rights.clear(),
                        other => *other = None,
                    }
                    if n == 0 || call.done >= total {
                        if call.flags & msg::ZEROCOPY != 0 && total > 0 {
                            self.k.sockets.table.zerocopy_done(id);
                            self.k.network_settle();
                        }
                        return Ok(call.done as i64);
                    }
                }
                Err(Errno::EAGAIN) => return Err(Errno::EAGAIN),
                Err(_) if call.done > 0 => return Ok(call.done as i64),
                Err(e) => {
                    if e == Errno::EPIPE && call.flags & msg::NOSIGNAL == 0 && self.k.sockets.is_stream(id) {
                        self.raise_sigpipe();
                    }
                    return Err(e);
                }
            }
        }
    }

    /// Sends what is left of a vector of messages.
    ///
    /// # Errors
    /// As [`Cx::send_now`].
    pub fn send_many(&mut self, id: SocketId, call: &mut Sending, many: &mut Many) -> Result<i64> {
        loop {
            let len = match self.send_now(id, call) {
                Ok(len) => len,
                Err(Errno::EAGAIN) => return Err(Errno::EAGAIN),
                Err(e) => return so_far(many, e),
            };
            if let Err(e) = many.step(self.m, len) {
                return so_far(many, e);
            }
            if many.at >= many.count {
                return Ok(i64::from(many.at));
            }
            match self.read_sending(id, many.vec + u64::from(many.at) * MMSGHDR, many.flags) {
                Ok(next) => *call = next,
                Err(e) => return so_far(many, e),
            }
        }
    }

    /// What a send call that ends now has done.
    pub fn send_partial(&mut self, call: &Sending, many: Option<&mut Many>) -> Option<Result<i64>> {
        let Some(many) = many else { return (call.done > 0).then_some(Ok(call.done as i64)) };
        if call.done > 0
            && let Err(e) = many.step(self.m, call.done as i64)
        {
            return Some(so_far(many, e));
        }
        (many.at > 0).then_some(Ok(i64::from(many.at)))
    }

    // Receiving.

    /// Reads where a message is to be received.
    ///
    /// # Errors
    /// `EFAULT`, `EINVAL`, `EMSGSIZE`.
    pub fn read_receiving(&mut self, header: u64, flags: u32) -> Result<Receiving> {
        let h = Header::read(self.m, header)?;
        let (control, control_len) = (h.control, if h.control == 0 { 0 } else { h.control_len });
        let (name, name_len) = (h.name, header + 8);
        Ok(Receiving { iov: h.iov, flags, name, name_len, header, control, control_len, ..Receiving::default() })
    }

    /// Receives until the call has what it wants.
    ///
    /// # Errors
    /// `EAGAIN` when it must wait for more, and what `recv` gives if nothing has come.
    pub fn receive_now(&mut self, id: SocketId, call: &mut Receiving) -> Result<i64> {
        let total = call.iov.len().min(MAX_RW);
        let entry = self.k.sockets.table.get(id)?;
        let stream = entry.local.kind == SocketType::Stream;
        let target = match call.flags & msg::WAITALL {
            0 if stream => self.k.sockets.low_water(id).min(total),
            0 => 0,
            _ => total,
        };
        if stream && call.flags & msg::PEEK != 0 && target > 1 && !self.holds(id, target) {
            return Err(Errno::EAGAIN);
        }
        loop {
            if call.done > 0 && self.k.sockets.readiness(id) & POLLERR != 0 {
                // The error is for the next call.
                return self.finish_receive(call);
            }
            match self.receive_bytes(id, &call.iov, call.done, call.flags) {
                Ok(got) => {
                    call.done += got.len as u64;
                    call.full = got.full_len as u64;
                    call.from = got.from;
                    call.got_flags |= got.flags;
                    call.controls.extend(got.control);
                    if !stream || !got.more || got.len == 0 || call.done >= target {
                        return self.finish_receive(call);
                    }
                }
                Err(Errno::EAGAIN) => return Err(Errno::EAGAIN),
                Err(_) if call.done > 0 => return self.finish_receive(call),
                Err(e) => return Err(e),
            }
        }
    }

    /// Whether a peek for so many bytes has all that it can get.
    fn holds(&self, id: SocketId, target: u64) -> bool {
        let held = self.k.sockets.table.fionread(id).map_or(target, u64::from);
        held >= target || self.k.sockets.readiness(id) & (POLLRDHUP | POLLERR | POLLHUP) != 0
    }

    /// Receives what is left of a vector of messages.
    ///
    /// # Errors
    /// As [`Cx::receive_now`].
    pub fn receive_many(&mut self, id: SocketId, call: &mut Receiving, many: &mut Many) -> Result<i64> {
        loop {
            let len = match self.receive_now(id, call) {
                Ok(len) => len,
                Err(Errno::EAGAIN) if many.at > 0 && many.flags & (msg::DONTWAIT | MSG_WAITFORONE) != 0 => {
                    return Ok(i64::from(many.at));
                }
                Err(Errno::EAGAIN) => return Err(Errno::EAGAIN),
                Err(e) => return so_far(many, e),
            };
            if let Err(e) = many.step(self.m, len) {
                return so_far(many, e);
            }
            // recvmmsg(2), BUGS: the time-out is looked at after each message, and not while waiting.
            let late = many.deadline.is_some_and(|at| self.k.sched.now >= at);
            if many.at >= many.count || late || call.got_flags & msg::OOB != 0 {
                return Ok(i64::from(many.at));
            }
            match self.read_receiving(many.vec + u64::from(many.at) * MMSGHDR, call.flags) {
                Ok(next) => *call = next,
                Err(e) => return so_far(many, e),
            }
        }
    }

    /// What a receive call that ends now has got.
    pub fn receive_partial(&mut self, call: &mut Receiving, many: Option<&mut Many>) -> Option<Result<i64>> {
        let got = (call.done > 0).then(|| self.finish_receive(call));
        let Some(many) = many else { return got };
        let stepped = match got {
            Some(got) => got.and_then(|len| many.step(self.m, len)),
            None if many.at > 0 => Ok(()),
            None => return None,
        };
        Some(match stepped {
            Ok(()) => Ok(i64::from(many.at)),
            Err(e) => so_far(many, e),
        })
    }

    /// Gives the program what a receive call brought besides bytes; the result is the call's.
    fn finish_receive(&mut self, call: &mut Receiving) -> Result<i64> {
        // recv(2): MSG_TRUNC makes the call tell "the real length of the packet".
        let value = if call.flags & msg::TRUNC != 0 { call.full.max(call.done) } else { call.done };
        if call.header == 0 {
            if call.name != 0 {
                self.put_addr(call.from.as_ref(), call.name, call.name_len)?;
            }
            call.controls.clear();
            return Ok(value as i64);
        }
        let mut flags = call.got_flags | call.flags & MSG_CMSG_CLOEXEC;
        let mut out = ControlWriter { at: call.control, left: call.control_len, truncated: false };
        let mut credentials = false;
        for control in core::mem::take(&mut call.controls) {
            match control {
                Control::Rights(files) => self.give_rights(files, call.flags & MSG_CMSG_CLOEXEC != 0, &mut out)?,
                // A call that went on for more has the credentials of its first bytes.
                Control::Credentials(_) if core::mem::replace(&mut credentials, true) => {}
                Control::Pidfd(sender) => self.give_pidfd(sender, &mut out)?,
                other => out.put(self.m, other.kind(), &other.data(self.k.zero))?,
            }
        }
        if call.name != 0 {
            self.put_addr(call.from.as_ref(), call.name, call.name_len)?;
        }
        if out.truncated {
            flags |= msg::CTRUNC;
        }
        self.m.write(call.header + 48, &flags.to_le_bytes())?;
        self.m.write(call.header + 40, &(call.control_len - out.left).to_le_bytes())?;
        Ok(value as i64)
    }

    /// unix(7), SO_PASSPIDFD: a descriptor for the sender, or the error that Linux puts in its place.
    fn give_pidfd(&mut self, sender: Cred, out: &mut ControlWriter) -> Result<()> {
        if out.at == 0 || out.left < CMSGHDR + 4 {
            out.truncated = true;
            return Ok(());
        }
        let fd = self.pidfd_of(sender.pid).unwrap_or_else(|e| -i32::from(e.0));
        out.put(self.m, (sol::SOCKET, scm::PIDFD), &fd.to_le_bytes())
    }

    /// Linux's `scm_detach_fds`: as many descriptors as there is room for; the others are closed.
    fn give_rights(&mut self, files: Vec<FileRef>, cloexec: bool, out: &mut ControlWriter) -> Result<()> {
        let count = files.len();
        let room = if out.at == 0 { 0 } else { out.left.saturating_sub(CMSGHDR) / 4 };
        let mut given = 0u64;
        for file in files.into_iter().take(room as usize) {
            let Ok(fd) = self.install(file, cloexec) else { break };
            if self.m.write(out.at + CMSGHDR + 4 * given, &fd.to_le_bytes()).is_err() {
                self.close_quietly(&[fd]);
                break;
            }
            given += 1;
        }
        if given > 0 {
            let len = CMSGHDR + 4 * given;
            out.head(self.m, (sol::SOCKET, scm::RIGHTS), len)?;
            out.advance(len);
        }
        out.truncated |= (given as usize) < count;
        Ok(())
    }
}
