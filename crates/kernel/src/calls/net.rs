//! Sockets: the calls of socket(2), in Linux's order of checks.

use super::message::{LONGEST_ADDR, MSG_WAITFORONE, Many, Receiving, Sending};
use crate::fs::file::{FileKind, FileRef};
use crate::fs::inode::{Inode, Node};
use crate::fs::path::{W, permit};
use crate::mem::{self, Iov, Struct};
use crate::sockets::{Op, SocketId};
use crate::uapi::*;
use crate::{Answer, Cx};
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_net::linux::{af, msg, so, sol};
use snowglobe_net::{Addr, Connect, Descriptor, Family, How, Protocol, UnixAddr, ioctl};

/// Flags of a socket's type.
const SOCK_FLAGS: u32 = O_CLOEXEC | O_NONBLOCK;
/// The type without them.
const SOCK_TYPE: u32 = 0xf;
/// Longest value of an option that is read.
const OPTION_MOST: usize = 1024;

/// Where an address is used: Linux's checks of it differ.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Bind,
    Connect,
    Send,
}

impl Cx<'_> {
    /// The socket behind a descriptor.
    fn socket(&self, i: usize) -> Result<(FileRef, SocketId)> {
        let file = self.file(i)?;
        match file.kind {
            FileKind::Socket(id) => Ok((file, id)),
            _ => Err(Errno::ENOTSOCK),
        }
    }

    /// Makes a descriptor for a new socket; on failure the socket is closed.
    fn install_socket(&mut self, id: SocketId, flags: u32) -> Result<i32> {
        let file = self.new_file(FileKind::Socket(id), O_RDWR | flags & O_NONBLOCK);
        self.k.sockets.adopt(id, &file);
        self.k.sockets.set_nonblocking(id, flags & O_NONBLOCK != 0);
        let fd = self.install(file, flags & O_CLOEXEC != 0)?;
        let pid = self.proc().pid;
        self.k.sockets.table.set_descriptor(id, Some(Descriptor { pid, fd }));
        self.k.network_settle();
        Ok(fd)
    }

    /// Whether there is a descriptor left: Linux asks before it makes or accepts a socket.
    fn check_descriptor(&mut self) -> Result<()> {
        let limit = self.descriptor_limit();
        if (self.proc().fds.borrow().next_free() as u64) < limit {
            return Ok(());
        }
        let host = self.proc().host;
        self.k.out_of_descriptors(host);
        Err(Errno::EMFILE)
    }

    /// Linux's `move_addr_to_kernel`.
    fn read_addr(&mut self, addr: u64, len: u32, buf: &mut [u8; LONGEST_ADDR]) -> Result<usize> {
        let len = len as usize;
        if len > LONGEST_ADDR {
            return Err(Errno::EINVAL);
        }
        self.m.read(addr, &mut buf[..len])?;
        Ok(len)
    }

    /// What an address means to a socket, before its protocol looks at it.
    fn parse_addr(&mut self, id: SocketId, raw: &[u8], purpose: Use) -> Result<Addr> {
        let entry = self.k.sockets.table.get(id)?;
        let (family, protocol) = (entry.local.family, entry.local.protocol);
        let stated = raw.first_chunk::<2>().map(|b| u16::from_ne_bytes(*b)).ok_or(Errno::EINVAL)?;
        if purpose == Use::Connect && stated == af::UNSPEC {
            return Ok(Addr::Unspec);
        }
        match family {
            Family::Unix => {
                let autobind = purpose == Use::Bind && raw.len() == 2;
                if stated != af::UNIX || raw.len() <= 2 && !autobind || raw.len() > 110 {
                    return Err(Errno::EINVAL);
                }
                Addr::parse(raw)
            }
            Family::Inet => {
                if raw.len() < 16 {
                    return Err(Errno::EINVAL);
                }
                // ip(7): for compatibility AF_UNSPEC is taken where it cannot be mistaken.
                let any = raw[4..8] == [0; 4];
                if stated == af::UNSPEC && (purpose == Use::Send || any) {
                    let mut patched = [0; 16];
                    patched.copy_from_slice(&raw[..16]);
                    patched[..2].copy_from_slice(&af::INET.to_ne_bytes());
                    return Addr::parse(&patched);
                }
                if stated != af::INET { Err(Errno::EAFNOSUPPORT) } else { Addr::parse(raw) }
            }
            Family::Inet6 => {
                let v4 = stated == af::INET && raw.len() >= 16;
                let datagram = protocol != Protocol::Tcp && purpose != Use::Bind;
                if raw.len() < 24 && !(v4 && datagram) {
                    return Err(Errno::EINVAL);
                }
                if stated != af::INET6 && !(v4 && datagram) {
                    return Err(Errno::EAFNOSUPPORT);
                }
                Addr::parse(raw)
            }
            Family::Netlink => {
                if stated != af::NETLINK {
                    Err(Errno::EINVAL)
                } else {
                    Addr::parse(raw)
                }
            }
        }
    }

    /// Finds the socket file of a path.
    fn find_socket(&mut self, addr: Addr) -> Result<Addr> {
        let Addr::Unix(UnixAddr::Path { name, .. }) = addr else { return Ok(addr) };
        let node = self.k.walk(self.m, self.task, AT_FDCWD, &name, true)?.inode()?;
        permit(&self.proc().cred, &node, W)?;
        match &node.node {
            Node::Socket(key) => Ok(Addr::Unix(UnixAddr::Path { key: *key, name })),
            _ => Err(Errno::ECONNREFUSED),
        }
    }

    /// Where a send call goes that names an address; `None` where the protocol does not look at it.
    ///
    /// # Errors
    /// Those of the address.
    pub fn destination(&mut self, id: SocketId, raw: &[u8], flags: u32) -> Result<Option<Addr>> {
        let entry = self.k.sockets.table.get(id)?;
        if entry.local.protocol == Protocol::Tcp && flags & msg::FASTOPEN != 0 {
            return self.parse_addr(id, raw, Use::Connect).map(Some);
        }
        if entry.local.protocol == Protocol::Tcp || raw.is_empty() && entry.local.family == Family::Unix {
            return Ok(None);
        }
        let addr = self.parse_addr(id, raw, Use::Send)?;
        self.find_socket(addr).map(Some)
    }

    /// Whether a call may wait.
    fn may_wait(file: &FileRef, flags: u32) -> bool {
        // What is in the error queue is there, or is not: nobody waits for it.
        !file.nonblocking() && flags & (msg::DONTWAIT | msg::ERRQUEUE) == 0
    }
}

pub fn socket(cx: &mut Cx) -> Answer {
    let (domain, kind, protocol) = (cx.uint(0), cx.uint(1), cx.uint(2));
    if kind & !(SOCK_TYPE | SOCK_FLAGS) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let (host, cred) = (cx.proc().host.0, cx.net_cred());
    let id = cx.k.sockets.table.socket(host, domain, kind & SOCK_TYPE, protocol, cred)?;
    Ok(i64::from(cx.install_socket(id, kind)?))
}

pub fn socketpair(cx: &mut Cx) -> Answer {
    let (domain, kind, protocol) = (cx.uint(0), cx.uint(1), cx.uint(2));
    if kind & !(SOCK_TYPE | SOCK_FLAGS) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let (host, cred) = (cx.proc().host.0, cx.net_cred());
    let [a, b] = cx.k.sockets.table.socketpair(host, domain, kind & SOCK_TYPE, protocol, cred)?;
    let groups = cx.proc().cred.groups.clone();
    cx.k.sockets.table.set_pair_groups([a, b], &groups);
    let first = cx.install_socket(a, kind);
    let second = cx.install_socket(b, kind);
    let fds = match (first, second) {
        (Ok(a), Ok(b)) => [a, b],
        (first, second) => {
            let given: alloc::vec::Vec<i32> = [first, second].into_iter().flatten().collect();
            cx.close_quietly(&given);
            return Err(Errno::EMFILE.into());
        }
    };
    if let Err(e) = Struct::new().u32(fds[0] as u32).u32(fds[1] as u32).put(cx.m, cx.args[3]) {
        cx.close_quietly(&fds);
        return Err(e.into());
    }
    Ok(0)
}

pub fn bind(cx: &mut Cx) -> Answer {
    let (_, id) = cx.socket(0)?;
    let mut buf = [0; LONGEST_ADDR];
    let len = cx.read_addr(cx.args[1], cx.uint(2), &mut buf)?;
    let addr = cx.parse_addr(id, &buf[..len], Use::Bind)?;
    if let Addr::Unix(UnixAddr::Path { name, .. }) = addr {
        return cx.bind_path(id, name);
    }
    cx.k.sockets.table.bind(id, &addr)?;
    cx.k.network_settle();
    Ok(0)
}

impl Cx<'_> {
    /// unix(7): binding to a path makes a socket file there, as `mknod` would.
    fn bind_path(&mut self, id: SocketId, name: alloc::rc::Rc<[u8]>) -> Answer {
        let found = self.k.walk(self.m, self.task, AT_FDCWD, &name, false)?;
        if found.node.is_some() {
            return Err(Errno::EADDRINUSE.into());
        }
        if found.slash {
            return Err(Errno::ENOENT.into());
        }
        self.may_change(&found.dir)?;
        if self.k.sockets.table.getsockname(id)? != Addr::Unix(UnixAddr::Unnamed) {
            return Err(Errno::EINVAL.into());
        }
        let key = self.k.sockets.new_key();
        let now = self.k.realtime();
        self.add_name(&found, |cx, dir| {
            let (mode, uid, gid) = cx.new_owner(dir, 0o777, false);
            Ok(Inode::new(&dir.fs, S_IFSOCK | mode, uid, gid, now, Node::Socket(key)))
        })?;
        self.k.sockets.table.bind(id, &Addr::Unix(UnixAddr::Path { key, name }))?;
        self.k.network_settle();
        Ok(0)
    }

    /// From now on the other end of a socket may know the caller.
    fn say_who_calls(&mut self, id: SocketId) {
        let (cred, groups) = (self.net_cred(), self.proc().cred.groups.clone());
        self.k.sockets.table.set_cred(id, cred, &groups);
    }
}

pub fn listen(cx: &mut Cx) -> Answer {
    let (_, id) = cx.socket(0)?;
    // socket(7), SO_PEERCRED: "those that were in effect at the time of the call to connect(2), listen(2), or
    // socketpair(2)".
    cx.say_who_calls(id);
    let result = cx.k.sockets.table.listen(id, cx.int(1));
    cx.k.network_settle();
    result?;
    Ok(0)
}

pub fn connect(cx: &mut Cx) -> Answer {
    // Linux reads the address before it asks whether this is a socket.
    let file = cx.file(0)?;
    let mut buf = [0; LONGEST_ADDR];
    let len = cx.read_addr(cx.args[1], cx.uint(2), &mut buf)?;
    let (_, id) = cx.socket(0)?;
    let addr = cx.parse_addr(id, &buf[..len], Use::Connect)?;
    let addr = cx.find_socket(addr)?;
    cx.say_who_calls(id);
    let now = cx.k.sched.now;
    let result = cx.k.sockets.table.connect(id, &addr, now);
    cx.k.network_settle();
    let pending = match result {
        Ok(Connect::Done) => return Ok(0),
        Ok(Connect::InProgress) => Errno::EINPROGRESS,
        Err(e @ (Errno::EALREADY | Errno::EAGAIN)) => e,
        Err(e) => return Err(e.into()),
    };
    if file.nonblocking() {
        return Err(pending.into());
    }
    Err(cx.wait_on_socket(file, id, Op::Connect(addr, pending)))
}

pub fn accept(cx: &mut Cx) -> Answer {
    cx.accept_with(0)
}

pub fn accept4(cx: &mut Cx) -> Answer {
    cx.accept_with(cx.uint(3))
}

impl Cx<'_> {
    fn accept_with(&mut self, flags: u32) -> Answer {
        if flags & !SOCK_FLAGS != 0 {
            return Err(Errno::EINVAL.into());
        }
        let (file, id) = self.socket(0)?;
        let (addr, len) = (self.args[1], self.args[2]);
        match self.accept_now(id, addr, len, flags) {
            Err(Errno::EAGAIN) if !file.nonblocking() => {
                Err(self.wait_on_socket(file, id, Op::Accept(addr, len, flags)))
            }
            other => Ok(other?),
        }
    }

    /// Accepts a connection, if one waits.
    ///
    /// # Errors
    /// `EAGAIN` if none does; `EMFILE`; what `accept` gives.
    pub fn accept_now(&mut self, id: SocketId, addr: u64, len: u64, flags: u32) -> Result<i64> {
        self.check_descriptor()?;
        let now = self.k.sched.now;
        let (new, from) = self.k.sockets.table.accept(id, now)?;
        self.k.network_settle();
        let fd = self.install_socket(new, flags)?;
        if addr != 0
            && let Err(e) = self.put_addr(Some(&from), addr, len)
        {
            self.close_quietly(&[fd]);
            return Err(e);
        }
        Ok(i64::from(fd))
    }
}

pub fn shutdown(cx: &mut Cx) -> Answer {
    let (_, id) = cx.socket(0)?;
    let how = How::from_arg(cx.args[1]).ok_or(Errno::EINVAL)?;
    let now = cx.k.sched.now;
    let result = cx.k.sockets.table.shutdown(id, how, now);
    cx.k.network_settle();
    result?;
    Ok(0)
}

pub fn getsockname(cx: &mut Cx) -> Answer {
    let (_, id) = cx.socket(0)?;
    let addr = cx.k.sockets.table.getsockname(id)?;
    cx.put_addr(Some(&addr), cx.args[1], cx.args[2])?;
    Ok(0)
}

pub fn getpeername(cx: &mut Cx) -> Answer {
    let (_, id) = cx.socket(0)?;
    let addr = cx.k.sockets.table.getpeername(id)?;
    cx.put_addr(Some(&addr), cx.args[1], cx.args[2])?;
    Ok(0)
}

// Sending.

impl Cx<'_> {
    fn send_with(&mut self, file: FileRef, id: SocketId, mut call: Sending) -> Answer {
        match self.send_now(id, &mut call) {
            Err(Errno::EAGAIN) if Self::may_wait(&file, call.flags) => {
                Err(self.wait_on_socket(file, id, Op::Send(call.into(), None)))
            }
            Err(Errno::EAGAIN) if call.done > 0 => Ok(call.done as i64),
            other => Ok(other?),
        }
    }

    fn receive_with(&mut self, file: FileRef, id: SocketId, mut call: Receiving) -> Answer {
        match self.receive_now(id, &mut call) {
            Err(Errno::EAGAIN) if Self::may_wait(&file, call.flags) => {
                Err(self.wait_on_socket(file, id, Op::Receive(call.into(), None)))
            }
            Err(Errno::EAGAIN) => Ok(self.receive_partial(&mut call, None).unwrap_or(Err(Errno::EAGAIN))?),
            other => Ok(other?),
        }
    }
}

pub fn sendto(cx: &mut Cx) -> Answer {
    let (file, id) = cx.socket(0)?;
    let iov = Iov::one(cx.args[1], cx.args[2]);
    let mut call = Sending { iov, flags: cx.uint(3), ..Sending::default() };
    if cx.args[4] != 0 {
        let mut buf = [0; LONGEST_ADDR];
        let len = cx.read_addr(cx.args[4], cx.uint(5), &mut buf)?;
        call.dest = cx.destination(id, &buf[..len], call.flags)?;
    }
    cx.send_with(file, id, call)
}

pub fn recvfrom(cx: &mut Cx) -> Answer {
    let (file, id) = cx.socket(0)?;
    let iov = Iov::one(cx.args[1], cx.args[2]);
    let (name, name_len) = (cx.args[4], cx.args[5]);
    let call = Receiving::new(iov, cx.uint(3), (name, name_len));
    cx.receive_with(file, id, call)
}

pub fn sendmsg(cx: &mut Cx) -> Answer {
    let (file, id) = cx.socket(0)?;
    let call = cx.read_sending(id, cx.args[1], cx.uint(2))?;
    cx.send_with(file, id, call)
}

pub fn recvmsg(cx: &mut Cx) -> Answer {
    let (file, id) = cx.socket(0)?;
    let call = cx.read_receiving(cx.args[1], cx.uint(2))?;
    cx.receive_with(file, id, call)
}

pub fn sendmmsg(cx: &mut Cx) -> Answer {
    let (file, id) = cx.socket(0)?;
    let (vec, count, flags) = (cx.args[1], cx.uint(2).min(1024), cx.uint(3));
    if count == 0 {
        return Ok(0);
    }
    let mut call = cx.read_sending(id, vec, flags)?;
    let mut many = Many { vec, at: 0, count, flags, deadline: None };
    match cx.send_many(id, &mut call, &mut many) {
        Err(Errno::EAGAIN) if Cx::may_wait(&file, flags) => {
            Err(cx.wait_on_socket(file, id, Op::Send(call.into(), Some(many))))
        }
        Err(Errno::EAGAIN) => Ok(cx.send_partial(&call, Some(&mut many)).unwrap_or(Err(Errno::EAGAIN))?),
        other => Ok(other?),
    }
}

pub fn recvmmsg(cx: &mut Cx) -> Answer {
    let timeout = super::time::get_timeout(cx.m, cx.args[4])?;
    let (file, id) = cx.socket(0)?;
    let (vec, count, flags) = (cx.args[1], cx.uint(2).min(1024), cx.uint(3));
    if count == 0 {
        return Ok(0);
    }
    let deadline = timeout.map(|t| cx.k.sched.now.saturating_add(t));
    let mut call = cx.read_receiving(vec, flags & !MSG_WAITFORONE)?;
    let mut many = Many { vec, at: 0, count, flags, deadline };
    match cx.receive_many(id, &mut call, &mut many) {
        Err(Errno::EAGAIN) if Cx::may_wait(&file, flags) => {
            Err(cx.wait_on_socket(file, id, Op::Receive(call.into(), Some(many))))
        }
        Err(Errno::EAGAIN) => Ok(cx.receive_partial(&mut call, Some(&mut many)).unwrap_or(Err(Errno::EAGAIN))?),
        other => Ok(other?),
    }
}

// Options.

impl Cx<'_> {
    /// Options that are not known are told of, once each.
    fn report_options(&mut self, nr: u32) {
        for (level, name) in self.k.sockets.table.take_unsupported() {
            let site = self.m.call_site();
            let text = alloc::format!("{} level {level} option {name}", crate::show::name(u64::from(nr)));
            self.k.note_unsupported(nr, &text, site);
        }
    }
}

pub fn setsockopt(cx: &mut Cx) -> Answer {
    let len = usize::try_from(cx.int(4)).map_err(|_| Errno::EINVAL)?;
    let (_, id) = cx.socket(0)?;
    let mut buf = [0; OPTION_MOST];
    let value = &mut buf[..len.min(OPTION_MOST)];
    cx.m.read(cx.args[3], value)?;
    let cred = cx.net_cred();
    let result = cx.k.sockets.table.setsockopt(id, cx.uint(1), cx.uint(2), value, cred);
    cx.report_options(54);
    cx.k.network_settle();
    result?;
    Ok(0)
}

pub fn getsockopt(cx: &mut Cx) -> Answer {
    let (_, id) = cx.socket(0)?;
    let (value, len) = (cx.args[3], cx.args[4]);
    let room = usize::try_from(mem::u32(cx.m, len)? as i32).map_err(|_| Errno::EINVAL)?;
    if (cx.uint(1), cx.uint(2)) == (sol::SOCKET, so::PEERPIDFD) {
        return cx.peer_pidfd(id, value, len, room);
    }
    if (cx.uint(1), cx.uint(2)) == (sol::SOCKET, so::PEERGROUPS) {
        return cx.peer_groups(id, value, len, room);
    }
    let result = cx.k.sockets.table.getsockopt(id, cx.uint(1), cx.uint(2), room);
    cx.report_options(55);
    cx.k.network_settle();
    let data = result?;
    cx.m.write(value, &data)?;
    cx.m.write(len, &(data.len() as u32).to_le_bytes())?;
    Ok(0)
}

impl Cx<'_> {
    /// SO_PEERGROUPS: the groups of the process that SO_PEERCRED names; who has too little room is told how much it takes.
    fn peer_groups(&mut self, id: SocketId, value: u64, len: u64, room: usize) -> Answer {
        let groups = self.k.sockets.table.peer_groups(id)?;
        let bytes: alloc::vec::Vec<u8> = groups.iter().flat_map(|g| g.to_le_bytes()).collect();
        let fits = bytes.len() <= room;
        if fits {
            self.m.write(value, &bytes)?;
        }
        self.m.write(len, &(bytes.len() as u32).to_le_bytes())?;
        if fits { Ok(0) } else { Err(Errno::ERANGE.into()) }
    }

    /// SO_PEERPIDFD: a descriptor for the process that SO_PEERCRED names.
    fn peer_pidfd(&mut self, id: SocketId, value: u64, len: u64, room: usize) -> Answer {
        let peer = self.k.sockets.table.peer_pid(id)?;
        let fd = self.pidfd_of(peer)?;
        let bytes = fd.to_le_bytes();
        let bytes = &bytes[..room.min(4)];
        let written = self.m.write(value, bytes).and_then(|()| self.m.write(len, &(bytes.len() as u32).to_le_bytes()));
        if let Err(e) = written {
            self.close_quietly(&[fd]);
            return Err(e.into());
        }
        Ok(0)
    }
}

// ioctl

const FIONREAD: u32 = 0x541b;
const SIOCOUTQ: u32 = 0x5411;
const FIOSETOWN: u32 = 0x8901;
const SIOCSPGRP: u32 = 0x8902;
const FIOGETOWN: u32 = 0x8903;
const SIOCGPGRP: u32 = 0x8904;
const SIOCATMARK: u32 = 0x8905;
const SIOCGSTAMP: u32 = 0x8906;
const SIOCGSTAMPNS: u32 = 0x8907;
const SIOCOUTQNSD: u32 = 0x894b;
/// Requests of sockets lie between these.
const SIOC: core::ops::Range<u32> = 0x8900..0x8a00;

impl Cx<'_> {
    /// `ioctl` of a socket.
    pub fn socket_ioctl(&mut self, file: &FileRef, id: SocketId, cmd: u32, arg: u64) -> Answer {
        let table = &self.k.sockets.table;
        let word = match cmd {
            FIONREAD => table.fionread(id)?,
            SIOCOUTQ => table.siocoutq(id)?,
            SIOCOUTQNSD => table.siocoutqnsd(id)?,
            SIOCGSTAMP | SIOCGSTAMPNS => {
                let at = self.k.zero + table.stamp(id)?;
                let unit = if cmd == SIOCGSTAMP { 1000 } else { 1 };
                Struct::new().u64(at / 1_000_000_000).u64(at % 1_000_000_000 / unit).put(self.m, arg)?;
                return Ok(0);
            }
            SIOCATMARK => u32::from(table.siocatmark(id)?),
            FIOGETOWN | SIOCGPGRP => file.owner.get() as u32,
            FIOSETOWN | SIOCSPGRP => {
                file.owner.set(mem::u32(self.m, arg)? as i32);
                return Ok(0);
            }
            ioctl::SIOCGIFCONF => return self.interface_list(arg),
            ioctl::SIOCGARP => {
                let mut request: [u8; ioctl::ARPREQ] = mem::array(self.m, arg)?;
                table.arp_request(self.proc().host.0, &mut request)?;
                self.m.write(arg, &request)?;
                return Ok(0);
            }
            _ if SIOC.contains(&cmd) => return self.interface_request(cmd, arg),
            _ => return Err(Errno::ENOTTY.into()),
        };
        self.m.write(arg, &word.to_le_bytes())?;
        Ok(0)
    }

    /// netdevice(7), SIOCGIFCONF: `struct ifconf` has a length and an address.
    fn interface_list(&mut self, arg: u64) -> Answer {
        let raw: [u8; 16] = mem::array(self.m, arg)?;
        let (room, buf) = (mem::field32(&raw, 0), mem::field64(&raw, 8));
        let room = usize::try_from(room as i32).map_err(|_| Errno::EINVAL)?;
        let list = self.k.sockets.table.interface_list(self.proc().host.0);
        let fits = if buf == 0 { list.len() } else { room / ioctl::IFREQ * ioctl::IFREQ };
        let n = list.len().min(fits);
        if buf != 0 {
            self.m.write(buf, &list[..n])?;
        }
        self.m.write(arg, &(n as u32).to_le_bytes())?;
        Ok(0)
    }

    fn interface_request(&mut self, cmd: u32, arg: u64) -> Answer {
        let mut request: [u8; ioctl::IFREQ] = mem::array(self.m, arg)?;
        let host = self.proc().host.0;
        let result = self.k.sockets.table.interface_ioctl(host, cmd, &mut request);
        if let Err(Errno::ENOTTY) = result {
            let site = self.m.call_site();
            self.k.note_unsupported(16, &alloc::format!("ioctl {cmd:#x} of a socket"), site);
        }
        result?;
        self.m.write(arg, &request)?;
        Ok(0)
    }
}
