//! Starting programs: finding them, loading them, building their first stack (`execve(2)`).

use crate::Kernel;
use crate::elf::{self, Elf};
use crate::fs::inode::InodeRef;
use crate::fs::path::{Found, X, permit};
use crate::machine::Machine;
use crate::mm::{Source, Space, Vma, page_up};
use crate::task::TaskId;
use crate::uapi::*;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::map::{self, PAGE};

/// Bytes of the first stack.
pub const STACK_SIZE: u64 = 8 << 20;
/// Bytes that arguments and environment may take: a quarter of the stack, as Linux has it.
pub const ARG_MAX: usize = (STACK_SIZE / 4) as usize;
/// How many `#!` lines may lead to one another.
const MAX_SCRIPTS: usize = 5;

/// A file that is to be executed.
pub struct Executable {
    /// The file.
    pub inode: InodeRef,
    /// Absolute path in the host.
    pub path: Vec<u8>,
    /// The directory and name by which it was found.
    pub place: Option<(InodeRef, Vec<u8>)>,
}

/// A program that is ready to replace what a process runs.
pub struct Program {
    /// Path as the guest named it, for AT_EXECFN; of a script the script's own.
    pub name: Vec<u8>,
    /// The file: for a script its interpreter's.
    pub file: Executable,
    elf: Elf,
    interp: Option<(InodeRef, Elf, Vec<u8>)>,
    /// Arguments.
    pub argv: Vec<Vec<u8>>,
    /// Environment.
    pub envp: Vec<Vec<u8>>,
}

impl Kernel {
    /// Reads what is to be run and checks all that can be checked before the old program is gone.
    ///
    /// # Errors
    /// `ENOENT`, `EACCES`, `ENOEXEC`, `ELIBBAD`, `E2BIG`, `ELOOP`, `ETXTBSY`.
    pub fn load_program(
        &mut self,
        m: &mut dyn Machine,
        task: TaskId,
        name: Vec<u8>,
        found: Executable,
        argv: Vec<Vec<u8>>,
        envp: Vec<Vec<u8>>,
    ) -> Result<Program> {
        let mut file = found;
        let mut argv = argv;
        let mut called = name.clone();
        for _ in 0..=MAX_SCRIPTS {
            self.executable(task, &file.inode)?;
            let mut head = [0u8; 256];
            let n = read_at(&file.inode, 0, &mut head, m)?;
            if !head[..n].starts_with(b"#!") {
                let (elf, interp) = self.load_elf(m, task, &file.inode, &head[..n])?;
                let size: usize = argv.iter().chain(&envp).map(|s| s.len() + 9).sum();
                if size > ARG_MAX {
                    return Err(Errno::E2BIG);
                }
                return Ok(Program { name, file, elf, interp, argv, envp });
            }
            let (interp, arg) = script(&head[..n])?;
            // The script's path takes the place of argv[0]; the interpreter and its argument go before it.
            let mut new = alloc::vec![interp.clone()];
            new.extend(arg);
            new.push(called);
            new.extend(argv.into_iter().skip(1));
            argv = new;
            file = self.find_program(m, task, &interp)?;
            called = interp;
        }
        Err(Errno::ELOOP)
    }

    /// The inode and absolute path behind a path.
    ///
    /// # Errors
    /// Those of the walk.
    pub fn find_program(&mut self, m: &mut dyn Machine, task: TaskId, path: &[u8]) -> Result<Executable> {
        let found = self.walk(m, task, AT_FDCWD, path, true)?;
        self.found_program(task, found)
    }

    /// What a walk has found, as something to be executed.
    ///
    /// # Errors
    /// `ENOENT`.
    pub fn found_program(&self, task: TaskId, found: Found) -> Result<Executable> {
        let path = self.found_path(task, &found);
        Ok(Executable { inode: found.inode()?, path, place: Some((found.dir, found.name)) })
    }

    fn executable(&self, task: TaskId, inode: &InodeRef) -> Result<()> {
        // execve(2): EACCES for what is not a regular file.
        if inode.kind() != S_IFREG {
            return Err(Errno::EACCES);
        }
        permit(&self.proc_of(task).cred, inode, X)?;
        if inode.writers.get() > 0 {
            return Err(Errno::ETXTBSY);
        }
        Ok(())
    }

    #[allow(clippy::type_complexity)]
    fn load_elf(
        &mut self,
        m: &mut dyn Machine,
        task: TaskId,
        inode: &InodeRef,
        head: &[u8],
    ) -> Result<(Elf, Option<(InodeRef, Elf, Vec<u8>)>)> {
        let elf = read_elf(inode, head, m)?;
        let Some((at, len)) = elf.interp else { return Ok((elf, None)) };
        let mut path = alloc::vec![0u8; len as usize];
        if read_at(inode, at, &mut path, m)? != path.len() || path.pop() != Some(0) {
            return Err(Errno::ENOEXEC);
        }
        let Executable { inode: node, path: absolute, .. } = self.find_program(m, task, &path)?;
        self.executable(task, &node)?;
        let mut head = [0u8; 256];
        let n = read_at(&node, 0, &mut head, m)?;
        let interp = read_elf(&node, &head[..n], m).map_err(|_| Errno::ELIBBAD)?;
        Ok((elf, Some((node, interp, absolute))))
    }

    /// Replaces what the current address space holds by a program. The old one is gone: what fails now kills.
    ///
    /// # Errors
    /// `ENOMEM` and what reading the files gives; the caller ends the process with SIGKILL.
    pub fn start_program(&mut self, m: &mut dyn Machine, task: TaskId, program: &Program) -> Result<()> {
        self.touch_segments(self.task(task).proc, false);
        m.clear_space();
        if self.memory.counted {
            m.count_pages();
        }
        let mut space = Space::default();
        space.yields = self.yields.clone();
        let bias = if program.elf.pie { map::PIE_BASE.wrapping_sub(program.elf.span().0) } else { 0 };
        load_segments(&mut space, &program.file.inode, &program.elf, bias, &program.file.path, m)?;
        let mut entry = entry_point(&program.elf, bias);
        let mut base = 0;
        if let Some((node, interp, path)) = &program.interp {
            base = if interp.pie { map::INTERP_BASE.wrapping_sub(interp.span().0) } else { 0 };
            load_segments(&mut space, node, interp, base, path, m)?;
            entry = entry_point(interp, base);
        }
        let stack = map::STACK_TOP - STACK_SIZE;
        let vma = anon(map::STACK_TOP, PROT_READ | PROT_WRITE, "[stack]");
        space.map(stack, vma, m)?;
        self.map_vdso(&mut space, m)?;
        // The heap begins on the page after the program, as without randomisation.
        let heap = program.elf.span().1.wrapping_add(bias);
        space.brk_start = heap;
        space.brk = heap;
        space.brk_limit = heap + (1 << 40);
        let sp = self.first_stack(m, task, program, &mut space, bias, base)?;
        space.code = (program.elf.span().0.wrapping_add(bias), heap, sp);
        let id = self.proc_of(task).space;
        self.leave_memory(id);
        self.spaces[id.0 as usize].as_mut().expect("a live process has a space").space = space;
        m.start_program(entry, sp);
        Ok(())
    }

    /// Maps the clock functions.
    fn map_vdso(&self, space: &mut Space, m: &mut dyn Machine) -> Result<()> {
        let image = self.machine_info.vdso;
        if image.is_empty() {
            return Ok(());
        }
        let len = image.len() as u64;
        let vma = Vma { may_write: true, ..anon(map::VDSO_BASE + len, PROT_READ | PROT_WRITE, "[vdso]") };
        space.map(map::VDSO_BASE, vma, m)?;
        m.write(map::VDSO_BASE, image)?;
        space.protect(map::VDSO_BASE, len, PROT_READ | PROT_EXEC, m)
    }

    /// Writes arguments, environment and auxiliary vector; returns the stack pointer.
    fn first_stack(
        &mut self,
        m: &mut dyn Machine,
        task: TaskId,
        program: &Program,
        space: &mut Space,
        bias: u64,
        base: u64,
    ) -> Result<u64> {
        let mut random = [0u8; 16];
        self.random.fill(&mut random);
        let mut at = map::STACK_TOP - 8;
        let mut push = |m: &mut dyn Machine, data: &[u8]| -> Result<u64> {
            at -= data.len() as u64 + 1;
            m.write(at, data)?;
            Ok(at)
        };
        let execfn = push(m, &program.name)?;
        let mut strings = |list: &[Vec<u8>]| -> Result<Vec<u64>> {
            let mut out: Vec<u64> = Vec::new();
            for s in list.iter().rev() {
                out.push(push(m, s)?);
            }
            out.reverse();
            Ok(out)
        };
        let envp = strings(&program.envp)?;
        let argv = strings(&program.argv)?;
        let platform = push(m, b"x86_64")?;
        let at_random = push(m, &random)? & !15;
        m.write(at_random, &random)?;
        space.args = [
            argv.first().copied().unwrap_or(at_random),
            envp.first().copied().unwrap_or(execfn),
            envp.first().copied().unwrap_or(execfn),
            execfn,
        ];
        let cred = self.proc_of(task).cred.clone();
        let vdso = if self.machine_info.vdso.is_empty() { None } else { Some((33, map::VDSO_BASE)) };
        let auxv: Vec<(u64, u64)> = [
            (6, PAGE),                                // AT_PAGESZ
            (17, 100),                                // AT_CLKTCK
            (3, program.elf.phdr.wrapping_add(bias)), // AT_PHDR
            (4, elf::PHENT as u64),                   // AT_PHENT
            (5, program.elf.phnum),                   // AT_PHNUM
            (7, base),                                // AT_BASE
            (8, 0),                                   // AT_FLAGS
            (9, entry_point(&program.elf, bias)),     // AT_ENTRY
            (11, u64::from(cred.uid)),                // AT_UID
            (12, u64::from(cred.euid)),               // AT_EUID
            (13, u64::from(cred.gid)),                // AT_GID
            (14, u64::from(cred.egid)),               // AT_EGID
            (16, self.machine_info.hwcap),            // AT_HWCAP
            (26, 2),                                  // AT_HWCAP2: FSGSBASE
            (51, self.machine_info.signal_frame),     // AT_MINSIGSTKSZ
            (23, 0),                                  // AT_SECURE
            (25, at_random),                          // AT_RANDOM
            (31, execfn),                             // AT_EXECFN
            (15, platform),                           // AT_PLATFORM
            (0, 0),
        ]
        .into();
        // AT_SYSINFO_EHDR comes first, as on Linux.
        let auxv: Vec<(u64, u64)> = vdso.into_iter().chain(auxv).collect();
        let mut words: Vec<u64> = alloc::vec![argv.len() as u64];
        words.extend(argv);
        words.push(0);
        words.extend(envp);
        words.push(0);
        let aux: Vec<u64> = auxv.into_iter().flat_map(|(k, v)| [k, v]).collect();
        let to_bytes = |w: &[u64]| w.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>();
        self.proc_of_mut(task).auxv = to_bytes(&aux);
        words.extend(aux);
        let sp = (at_random - 64 - words.len() as u64 * 8) & !15;
        m.write(sp, &to_bytes(&words))?;
        Ok(sp)
    }
}

/// Where a program begins. What is no guest's is nowhere for it, also where the layer has something.
fn entry_point(elf: &Elf, bias: u64) -> u64 {
    let entry = elf.entry.wrapping_add(bias);
    if crate::mm::allowed(entry, 1) { entry } else { 0 }
}

/// An anonymous private mapping.
pub fn anon(end: u64, prot: u32, label: &'static str) -> Vma {
    Vma { end, prot, shared: false, may_write: true, source: Source::Anon, label, marks: 0 }
}

fn load_segments(
    space: &mut Space,
    inode: &InodeRef,
    elf: &Elf,
    bias: u64,
    path: &[u8],
    m: &mut dyn Machine,
) -> Result<()> {
    let (low, high) = elf.span();
    if !crate::mm::allowed(low.wrapping_add(bias), high - low) {
        return Err(Errno::ENOMEM);
    }
    let path = Rc::new(path.to_vec());
    for s in &elf.segments {
        let start = (s.vaddr & !(PAGE - 1)).wrapping_add(bias);
        let file_end = s.vaddr.wrapping_add(bias) + s.filesz;
        let mem_end = page_up(s.vaddr.wrapping_add(bias) + s.memsz);
        let mapped_end = page_up(file_end);
        if s.filesz > 0 {
            let source = Source::File { inode: inode.clone(), offset: s.offset & !(PAGE - 1), path: path.clone() };
            let vma =
                Vma { end: mapped_end, prot: s.prot, shared: false, may_write: true, source, label: "", marks: 0 };
            space.map(start, vma, m)?;
            if s.memsz > s.filesz && s.prot & PROT_WRITE != 0 {
                // The rest of the last page is zero. A file that is too short has no page there: that kills, as on Linux.
                crate::mem::zero(m, file_end, mapped_end - file_end)?;
            }
        }
        let from = if s.filesz > 0 { mapped_end } else { start };
        if mem_end > from {
            space.map(from, anon(mem_end, s.prot, ""), m)?;
        }
    }
    Ok(())
}

fn read_at(inode: &InodeRef, at: u64, buf: &mut [u8], m: &mut dyn Machine) -> Result<usize> {
    let content = inode.content().ok_or(Errno::EACCES)?;
    content.borrow_mut().read(at, buf, m)
}

fn read_elf(inode: &InodeRef, head: &[u8], m: &mut dyn Machine) -> Result<Elf> {
    let (at, len) = elf::headers(head)?;
    let mut table = alloc::vec![0u8; len];
    if read_at(inode, at, &mut table, m)? != len {
        return Err(Errno::ENOEXEC);
    }
    elf::parse(head, &table)
}

/// The interpreter and its one argument in a `#!` line.
fn script(head: &[u8]) -> Result<(Vec<u8>, Option<Vec<u8>>)> {
    let line = &head[2..];
    let blank = |b: &u8| *b == b' ' || *b == b'\t';
    let line = match line.iter().position(|b| *b == b'\n') {
        Some(end) => &line[..end],
        None if head.len() < 256 => line,
        // A line that does not end in the part that was read is fine as long as the path does.
        None => {
            let start = line.iter().position(|b| !blank(b)).ok_or(Errno::ENOEXEC)?;
            line[start..].iter().position(|b| blank(b) || *b == 0).ok_or(Errno::ENOEXEC)?;
            line
        }
    };
    let start = line.iter().position(|b| !blank(b)).ok_or(Errno::ENOEXEC)?;
    let line = &line[start..];
    let end = line.iter().position(|b| blank(b) || *b == 0).unwrap_or(line.len());
    let (path, rest) = line.split_at(end);
    if path.is_empty() {
        return Err(Errno::ENOEXEC);
    }
    let rest: &[u8] = rest.trim_ascii();
    Ok((path.to_vec(), (!rest.is_empty()).then(|| rest.to_vec())))
}

/// The last part of a path, at most 15 bytes: what `comm` shows.
pub fn comm(path: &[u8]) -> String {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    crate::mem::text(&name[..name.len().min(15)])
}
