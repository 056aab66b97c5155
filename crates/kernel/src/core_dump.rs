//! Core dumps (`core(5)`): what a process was when a signal ended it, as an ELF file in its working directory.

use crate::fs::inode::{Inode, InodeRef};
use crate::machine::Machine;
use crate::mem::Struct;
use crate::mm::{Source, Vma};
use crate::signal::Info;
use crate::task::{Process, TaskId};
use crate::uapi::*;
use crate::{Cx, Kernel};
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::map::PAGE;

const HEADER: u64 = 64;
const SEGMENT: u64 = 56;
const RLIMIT_CORE: usize = 4;

// Notes.
const PRSTATUS: u32 = 1;
const PRPSINFO: u32 = 3;
const AUXV: u32 = 6;
const SIGINFO: u32 = 0x5349_4749;

/// A file that takes no more than so many bytes.
struct Dump<'a> {
    file: &'a InodeRef,
    at: u64,
    limit: u64,
}

impl Dump<'_> {
    fn put(&mut self, data: &[u8], m: &mut dyn Machine) -> Result<()> {
        let room = self.limit.saturating_sub(self.at).min(data.len() as u64) as usize;
        let content = self.file.content().ok_or(Errno::EINVAL)?;
        content.borrow_mut().write(self.at, &data[..room], m)?;
        self.at += room as u64;
        if room < data.len() { Err(Errno::EFBIG) } else { Ok(()) }
    }
}

/// Whether a mapping's bytes are dumped: memory without a file behind it, and what a process may have changed of one
/// (`core(5)`, the default filter).
fn is_dumped(vma: &Vma) -> bool {
    let own = match &vma.source {
        Source::Anon | Source::Shared(..) => true,
        Source::File { .. } => !vma.shared && vma.prot & PROT_WRITE != 0,
    };
    own && vma.prot != 0 && vma.marks & crate::mm::DONT_DUMP == 0
}

fn note(out: Struct, kind: u32, data: &[u8]) -> Struct {
    let end = out.0.len() + 20 + data.len();
    out.u32(5).u32(data.len() as u32).u32(kind).bytes(b"CORE\0\0\0\0").bytes(data).pad(end.next_multiple_of(4))
}

impl Kernel {
    /// Dumps the process of the current task, which a signal ends; whether it did, as WCOREDUMP says.
    pub fn dump_core(&mut self, m: &mut dyn Machine, task: TaskId, info: &Info) -> bool {
        let proc = self.proc_of(task);
        let limit = proc.limits[RLIMIT_CORE].0;
        // Less than a page is no core, and who has changed users leaves none.
        if limit < PAGE || proc.dumpable != 1 {
            return false;
        }
        let Ok(file) = self.core_file(m, task) else { return false };
        let notes = self.core_notes(m, task, info);
        let vmas: Vec<(u64, Vma)> = self.space_of(task).vmas.iter().map(|(at, v)| (*at, v.clone())).collect();
        let before = crate::mm::Before::of(&file);
        let mut dump = Dump { file: &file, at: 0, limit };
        // A core that the limit cuts short is a core.
        let _ = write_core(&mut dump, &notes, &vmas, m);
        let size = dump.at.min(limit);
        self.show_change(m, &file, &before);
        let mut cx = Cx { k: self, m, task, args: [0; 6] };
        let _ = cx.truncate_inode(&file, size);
        file.touch_modified(self.realtime());
        true
    }

    /// The file `core` in the working directory, empty: a new one, or one of the process's own.
    fn core_file(&mut self, m: &mut dyn Machine, task: TaskId) -> Result<InodeRef> {
        let mut cx = Cx { k: self, m, task, args: [0; 6] };
        let found = cx.k.walk(cx.m, task, AT_FDCWD, b"core", false)?;
        let Some(node) = &found.node else {
            let now = cx.k.realtime();
            return cx.add_name(&found, |cx, dir| {
                let (mode, uid, gid) = cx.new_owner(dir, 0o600, false);
                Ok(Inode::new_file(&dir.fs, mode, uid, gid, now))
            });
        };
        let fit = {
            let (meta, cred) = (node.meta.borrow(), &cx.proc().cred);
            node.kind() == S_IFREG && meta.nlink == 1 && meta.uid == cred.fsuid
        };
        if !fit {
            return Err(Errno::EPERM);
        }
        cx.truncate_inode(node, 0)?;
        Ok(node.clone())
    }

    fn core_notes(&self, m: &mut dyn Machine, task: TaskId, info: &Info) -> Vec<u8> {
        let (t, p) = (self.task(task), self.proc_of(task));
        let mut threads = p.threads.clone();
        // The thread that the signal ended comes first.
        threads.sort_by_key(|thread| *thread != task);
        let mut out = Struct::new();
        for (i, thread) in threads.into_iter().enumerate() {
            let status = self.core_status(m, thread, p, info);
            out = note(out, PRSTATUS, &status);
            if i > 0 {
                continue;
            }
            let ids = Struct::new().bytes(&[0, b'R', 0, t.nice as u8]).u32(0).u64(0).u32(p.cred.uid).u32(p.cred.gid);
            let ids = ids.u32(p.pid).u32(self.parent_of(p)).u32(p.pgid).u32(p.sid);
            let name = t.comm.as_bytes();
            let words: Vec<u8> = p.cmdline.iter().map(|b| if *b == 0 { b' ' } else { *b }).take(79).collect();
            let ids = ids.bytes(&name[..name.len().min(15)]).pad(56).bytes(&words).pad(136);
            out = note(out, PRPSINFO, &ids.0);
            out = note(out, SIGINFO, &info.bytes());
            out = note(out, AUXV, &p.auxv);
        }
        out.0
    }

    fn parent_of(&self, p: &Process) -> u32 {
        p.parent.and_then(|id| self.try_proc(id)).map_or(0, |parent| parent.pid)
    }

    /// `struct elf_prstatus`.
    fn core_status(&self, m: &mut dyn Machine, thread: TaskId, p: &Process, info: &Info) -> Vec<u8> {
        let t = self.task(thread);
        let out = Struct::new().u32(info.signal).u32(info.code as u32).u32(info.errno as u32);
        let out = out.u16(info.signal as u16).u16(0).u64(t.pending.set).u64(t.mask);
        let out = out.u32(t.tid).u32(self.parent_of(p)).u32(p.pgid).u32(p.sid);
        let time = |out: Struct, ns: u64| out.u64(ns / 1_000_000_000).u64(ns % 1_000_000_000 / 1000);
        let out = time(time(time(time(out, t.cpu_time), 0), p.children_cpu), 0);
        let out = m.registers(thread.0).into_iter().fold(out, Struct::u64);
        out.u32(0).u32(0).0
    }
}

fn write_core(dump: &mut Dump, notes: &[u8], vmas: &[(u64, Vma)], m: &mut dyn Machine) -> Result<()> {
    let count = 1 + vmas.len() as u64;
    let notes_at = HEADER + count * SEGMENT;
    let mut at = (notes_at + notes.len() as u64).next_multiple_of(PAGE);
    let head = Struct::new().bytes(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0]).u64(0);
    // ET_CORE, EM_X86_64.
    let head = head.u16(4).u16(62).u32(1).u64(0).u64(HEADER).u64(0).u32(0).u16(HEADER as u16);
    let mut out = head.u16(SEGMENT as u16).u16(count.min(0xffff) as u16).u16(0).u16(0).u16(0);
    out = out.u32(4).u32(0).u64(notes_at).u64(0).u64(0).u64(notes.len() as u64).u64(0).u64(4);
    for (start, vma) in vmas {
        let len = vma.end - start;
        let bytes = if is_dumped(vma) { len } else { 0 };
        // PROT_ bits and PF_ bits are in the opposite order.
        let flags = (vma.prot & PROT_READ) << 2 | vma.prot & PROT_WRITE | (vma.prot & PROT_EXEC) >> 2;
        out = out.u32(1).u32(flags).u64(at).u64(*start).u64(0).u64(bytes).u64(len).u64(PAGE);
        at += bytes;
    }
    dump.put(&out.0, m)?;
    dump.put(notes, m)?;
    dump.at = dump.at.next_multiple_of(PAGE);
    let mut page = [0u8; PAGE as usize];
    for (start, vma) in vmas.iter().filter(|(_, vma)| is_dumped(vma)) {
        for addr in (*start..vma.end).step_by(PAGE as usize) {
            // What cannot be read is left out, and reads as zeros; so is what is zero.
            let there = m.read(addr, &mut page).is_ok() && page.iter().any(|b| *b != 0);
            match there {
                true => dump.put(&page, m)?,
                false => dump.at += PAGE,
            }
        }
    }
    Ok(())
}
