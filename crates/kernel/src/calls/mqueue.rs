//! POSIX message queues.

use crate::fs::file::{FileKind, FileRef};
use crate::fs::path::{NAME_MAX, R, W};
use crate::ipc::IpcWait;
use crate::ipc::mqueue::{
    COOKIE, HARD_MESSAGES, HARD_SIZE, MAX_PRIORITY, MESSAGES, Message, Mqueue, Notify, QUEUES, SIZE, Thread,
};
use crate::mem::{self, Struct};
use crate::signal::Info;
use crate::time::Moment;
use crate::uapi::*;
use crate::wait::{Kind, Wait};
use crate::{Answer, Cx, Kernel};
use alloc::rc::Rc;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};

const SI_MESGQ: i32 = -3;
/// RLIMIT_MSGQUEUE
const LIMIT: usize = 12;

impl Cx<'_> {
    /// A queue's name, of which the C library has taken the slash away.
    fn mq_name(&mut self, addr: u64) -> Result<Vec<u8>> {
        let name = mem::path(self.m, addr)?;
        if name.is_empty() {
            return Err(Errno::ENOENT);
        }
        if name.len() > NAME_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        if name.contains(&b'/') || name == b"." || name == b".." {
            return Err(Errno::EACCES);
        }
        Ok(name)
    }

    fn mq_file(&self, i: usize) -> Result<(FileRef, Rc<Mqueue>)> {
        let file = self.file(i)?;
        match &file.kind {
            FileKind::Mqueue(queue) => Ok((file.clone(), queue.clone())),
            _ => Err(Errno::EBADF),
        }
    }

    fn new_mqueue(&mut self, mode: u32, attributes: Option<(u64, u64)>) -> Result<Rc<Mqueue>> {
        let cred = self.proc().cred.clone();
        let strong = cred.capable(CAP_SYS_RESOURCE);
        let live = &mut self.ipc().mqueues;
        live.retain(|q| q.strong_count() > 0);
        if live.len() >= QUEUES && !strong {
            return Err(Errno::ENOSPC);
        }
        let (max, size) = attributes.unwrap_or((MESSAGES, SIZE));
        let (most, biggest) = if strong { (HARD_MESSAGES, HARD_SIZE) } else { (MESSAGES, SIZE) };
        if !(1..=most).contains(&max) || !(1..=biggest).contains(&size) {
            return Err(Errno::EINVAL);
        }
        let own = live.iter().filter_map(|q| q.upgrade()).filter(|q| q.uid == cred.fsuid);
        let used: u64 = own.map(|q| Mqueue::footprint(q.max, q.size)).sum();
        if used.saturating_add(Mqueue::footprint(max, size)) > self.proc().limits[LIMIT].0 {
            return Err(Errno::EMFILE);
        }
        let queue = Rc::new(Mqueue::new(mode, cred.fsuid, cred.fsgid, max, size));
        self.ipc().mqueues.push(Rc::downgrade(&queue));
        Ok(queue)
    }

    fn may_open(&self, queue: &Mqueue, flags: u32) -> Result<()> {
        let cred = &self.proc().cred;
        let want = match flags & O_ACCMODE {
            O_RDONLY => R,
            O_WRONLY => W,
            O_RDWR => R | W,
            _ => return Err(Errno::EINVAL),
        };
        let bits = if cred.fsuid == queue.uid {
            queue.mode >> 6
        } else if cred.in_group(queue.gid) {
            queue.mode >> 3
        } else {
            queue.mode
        };
        if bits & want == want || cred.capable(CAP_DAC_OVERRIDE) { Ok(()) } else { Err(Errno::EACCES) }
    }
}

pub fn mq_open(cx: &mut Cx) -> Answer {
    let (flags, mode, attr) = (cx.uint(1), cx.uint(2), cx.args[3]);
    let attributes = match attr {
        0 => None,
        _ => {
            let raw: [u8; 32] = mem::array(cx.m, attr)?;
            Some((mem::field64(&raw, 8), mem::field64(&raw, 16)))
        }
    };
    let name = cx.mq_name(cx.args[0])?;
    let queue = match cx.ipc().names.get(&name).cloned() {
        Some(_) if flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL => return Err(Errno::EEXIST.into()),
        Some(queue) => {
            cx.may_open(&queue, flags)?;
            queue
        }
        None if flags & O_CREAT == 0 => return Err(Errno::ENOENT.into()),
        None => {
            let mode = mode & 0o777 & !cx.proc().fs.borrow().umask;
            let queue = cx.new_mqueue(mode, attributes)?;
            cx.ipc().names.insert(name, queue.clone());
            queue
        }
    };
    let file = cx.new_file(FileKind::Mqueue(queue), flags & (O_ACCMODE | O_NONBLOCK));
    Ok(i64::from(cx.install(file, flags & O_CLOEXEC != 0)?))
}

pub fn mq_unlink(cx: &mut Cx) -> Answer {
    let name = cx.mq_name(cx.args[0])?;
    let owner = cx.ipc().names.get(&name).ok_or(Errno::ENOENT)?.uid;
    // The queues' directory is one with the sticky bit.
    let cred = &cx.proc().cred;
    if cred.fsuid != owner && cred.fsuid != 0 && !cred.capable(CAP_FOWNER) {
        return Err(Errno::EPERM.into());
    }
    cx.ipc().names.remove(&name);
    Ok(0)
}

impl Cx<'_> {
    /// An absolute time of the wall clock.
    fn mq_deadline(&mut self, addr: u64) -> Result<Option<Moment>> {
        let at = super::time::get_timeout(self.m, addr)?;
        Ok(at.map(|at| self.at_wall(at)))
    }

    fn mq_wait(&mut self, file: &FileRef, wait: IpcWait, deadline: Option<Moment>) -> Answer {
        let forget = |cx: &mut Self, e: Errno| {
            cx.k.ipc_forget(cx.task, &wait);
            Err(e.into())
        };
        if file.nonblocking() {
            return forget(self, Errno::EAGAIN);
        }
        if deadline.is_some_and(|moment| moment.at <= self.k.sched.now) {
            return forget(self, Errno::ETIMEDOUT);
        }
        Err(Wait::new(Kind::Ipc(wait)).until_moment(deadline).stop())
    }

    fn mq_notify_now(&mut self, notify: Notify) {
        self.k.mq_tell_thread(notify, WOKEN_UP);
        let Some(signal) = notify.signal.filter(|s| *s != 0) else { return };
        let p = self.proc();
        let mut info = Info::user(signal, SI_MESGQ, p.pid, p.cred.uid);
        info.fields[1] = notify.value;
        if self.k.try_proc(notify.proc).is_some() {
            // A signal that cannot be queued is lost; the notification is over all the same.
            let _ = self.k.signal_process(notify.proc, info);
        }
    }

    /// Reads what the queue's file says of it.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn read_mq_status(&mut self, queue: &Mqueue, iov: &mem::Iov, at: u64) -> Result<u64> {
        let text = queue.status();
        let rest = text.as_bytes().get(at as usize..).unwrap_or_default();
        let n = rest.len().min(iov.len() as usize);
        iov.scatter(self.m, 0, &rest[..n])?;
        Ok(n as u64)
    }

    /// Copies a received message out; returns its length.
    ///
    /// # Errors
    /// `EFAULT`: the message is lost, as on Linux.
    pub fn put_mq_message(&mut self, message: &Message, addr: u64, priority: u64) -> Result<i64> {
        if priority != 0 {
            self.m.write(priority, &message.priority.to_le_bytes())?;
        }
        self.m.write(addr, &message.data)?;
        Ok(message.data.len() as i64)
    }
}

pub fn mq_timedsend(cx: &mut Cx) -> Answer {
    let (addr, len, priority) = (cx.args[1], cx.args[2], cx.args[3]);
    let deadline = cx.mq_deadline(cx.args[4])?;
    if priority as u32 as u64 >= MAX_PRIORITY {
        return Err(Errno::EINVAL.into());
    }
    let (file, queue) = cx.mq_file(0)?;
    if !file.writable() {
        return Err(Errno::EBADF.into());
    }
    if len > queue.size {
        return Err(Errno::EMSGSIZE.into());
    }
    let data = mem::bytes(cx.m, addr, len as usize)?;
    match queue.send(Message { priority: priority as u32, data }) {
        Ok(sent) => {
            if let Some(notify) = sent.notify {
                cx.mq_notify_now(notify);
            }
            match sent.woken {
                Some(task) => cx.k.sched.wake(task),
                None => queue.queue.wake(&mut cx.k.sched, POLLIN | POLLRDNORM),
            }
            Ok(0)
        }
        Err(back) => {
            queue.wait_to_send(cx.task, back);
            cx.mq_wait(&file, IpcWait::MqSend(queue), deadline)
        }
    }
}

pub fn mq_timedreceive(cx: &mut Cx) -> Answer {
    let (addr, len, priority) = (cx.args[1], cx.args[2], cx.args[3]);
    let deadline = cx.mq_deadline(cx.args[4])?;
    let (file, queue) = cx.mq_file(0)?;
    if !file.readable() {
        return Err(Errno::EBADF.into());
    }
    if len < queue.size {
        return Err(Errno::EMSGSIZE.into());
    }
    match queue.receive() {
        Some((message, woken)) => {
            match woken {
                Some(task) => cx.k.sched.wake(task),
                None => queue.queue.wake(&mut cx.k.sched, POLLOUT | POLLWRNORM),
            }
            Ok(cx.put_mq_message(&message, addr, priority)?)
        }
        None => {
            queue.wait_to_receive(cx.task);
            cx.mq_wait(&file, IpcWait::MqReceive { queue, addr, priority }, deadline)
        }
    }
}

pub fn mq_notify(cx: &mut Cx) -> Answer {
    const SIGEV_SIGNAL: u32 = 0;
    const SIGEV_NONE: u32 = 1;
    const SIGEV_THREAD: u32 = 2;
    let (proc, pid) = (cx.proc().id, cx.proc().pid);
    if cx.args[1] == 0 {
        let asked = cx.mq_file(0)?.1.unask(proc);
        cx.k.mq_unasked(asked);
        return Ok(0);
    }
    let raw: [u8; 16] = mem::array(cx.m, cx.args[1])?;
    let (value, signal_or_fd, kind) = (mem::field64(&raw, 0), mem::field32(&raw, 8), mem::field32(&raw, 12));
    let signal = match kind {
        SIGEV_SIGNAL if signal_or_fd > SIGMAX => return Err(Errno::EINVAL.into()),
        SIGEV_SIGNAL => Some(signal_or_fd),
        SIGEV_NONE => None,
        SIGEV_THREAD => None,
        _ => return Err(Errno::EINVAL.into()),
    };
    // A thread of the C library reads a netlink socket: the "signal" is that, the value the address of its message.
    let thread = if kind == SIGEV_THREAD { Some(cx.mq_thread(signal_or_fd as i32, value)?) } else { None };
    let (_, queue) = cx.mq_file(0)?;
    if queue.ask(Notify { proc, pid, signal, thread, value }) { Ok(0) } else { Err(Errno::EBUSY.into()) }
}

/// What the last byte of a thread's message says: a message has come, or nobody waits for one any more.
const WOKEN_UP: u8 = 1;
const REMOVED: u8 = 2;

impl Cx<'_> {
    fn mq_thread(&mut self, fd: i32, cookie: u64) -> Result<Thread> {
        let cookie = mem::array(self.m, cookie)?;
        let FileKind::Socket(socket) = self.file_of(fd)?.kind else { return Err(Errno::ENOTSOCK) };
        let entry = self.k.sockets.table.get(socket)?;
        if !matches!(entry.local.protocol, snowglobe_net::Protocol::Netlink(_)) {
            return Err(Errno::EINVAL);
        }
        Ok(Thread { socket, unique: entry.unique(), cookie })
    }
}

impl Kernel {
    fn mq_tell_thread(&mut self, notify: Notify, what: u8) {
        let Some(mut thread) = notify.thread else { return };
        thread.cookie[COOKIE - 1] = what;
        self.sockets.table.netlink_tell(thread.socket, thread.unique, &thread.cookie, self.sched.now);
        self.network_settle();
    }

    /// A request to be notified has been taken back: a thread that waits for it is told.
    pub fn mq_unasked(&mut self, notify: Option<Notify>) {
        if let Some(notify) = notify {
            self.mq_tell_thread(notify, REMOVED);
        }
    }
}

pub fn mq_getsetattr(cx: &mut Cx) -> Answer {
    let (new, old) = (cx.args[1], cx.args[2]);
    let set = match new {
        0 => None,
        _ => Some(mem::u64(cx.m, new)?),
    };
    if set.is_some_and(|flags| flags & !u64::from(O_NONBLOCK) != 0) {
        return Err(Errno::EINVAL.into());
    }
    let (file, queue) = cx.mq_file(0)?;
    let flags = file.flags.get();
    let before = Struct::new().u64(u64::from(flags & O_NONBLOCK)).u64(queue.max).u64(queue.size).u64(queue.len());
    if let Some(set) = set {
        file.flags.set(flags & !O_NONBLOCK | set as u32);
    }
    if old != 0 {
        before.pad(64).put(cx.m, old)?;
    }
    Ok(0)
}
