//! Call sites that are rewritten: the second byte of `syscall` costs a trap, a jump to a stub does not.
//!
//! Two ways, tried in this order at a site that has trapped often enough:
//!
//! - `mov eax, N; syscall` (or `mov rax, N`): the `mov` becomes a jump to a stub that does the `mov` itself and comes back
//!   after the `syscall`, which stays in place for whoever jumps right to it.
//! - otherwise the `syscall` and what follows it, five bytes or more, become a jump; the stub does what followed. Only where
//!   that can be done elsewhere, and nothing near jumps into it.
//!
//! Branches that become yield points are done elsewhere in the same way, with what is before or after them. A jump from afar
//! or through a table may still lead to an instruction that has moved. So the bytes at which such an instruction began trap
//! now, those of the jump's distance among them, and whoever comes there goes on where the instruction is.
//!
//! What is kept here is private to a host process and copied by fork with the code that it describes.

use crate::host::Host;
use crate::state::{Frame, control, kernel};
use crate::sys::sys;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::Ordering::Relaxed;
use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction};
use snowglobe_abi::map::{self, PAGE};
use snowglobe_kernel::machine::Machine;
use snowglobe_kernel::mm::Source;

/// Traps at a site before it is rewritten: rewriting costs two changes of protection and a copied page.
const HITS: u8 = 4;
/// Sites that are remembered, a power of two.
const SITES: usize = 4096;
/// Bytes of a stub.
const STUB: u64 = 64;
/// Stubs in a zone.
const PLACES: usize = (map::STUB_ZONE_SIZE / STUB) as usize;

#[derive(Clone, Copy)]
struct Site {
    /// Address of the `syscall` instruction, or two before that of a branch that has moved; 0 for none.
    at: u64,
    /// Where the guest goes on instead of `at + 2`, if what is there has moved.
    resume: u64,
    /// Bytes of whole instructions that have moved with it: those before `at + 2` and those from there on. They are before
    /// and after `resume` in the same way.
    before: u8,
    after: u8,
    hits: u8,
    /// Whether it cannot be rewritten.
    given_up: bool,
    /// Whether it is the address of a branch itself that a breakpoint makes a yield point; `resume` is its stub.
    is_branch: bool,
}

impl Site {
    /// Where an instruction of the guest is now, if it has moved from here.
    fn moved_to(&self, addr: u64) -> Option<u64> {
        let offset = addr.wrapping_sub(self.at + 2) as i64;
        let within = offset == 0 || (-i64::from(self.before) < offset && offset < i64::from(self.after));
        (self.resume != 0 && !self.is_branch && within).then(|| self.resume.wrapping_add_signed(offset))
    }

    /// The guest's address for one in a stub.
    fn guest(&self, rip: u64) -> Option<u64> {
        if self.is_branch {
            return (self.resume == rip).then_some(self.at);
        }
        let offset = rip.wrapping_sub(self.resume) as i64;
        let here = self.resume != 0 && (-i64::from(self.before)..=i64::from(self.after)).contains(&offset);
        here.then(|| (self.at + 2).wrapping_add_signed(offset))
    }
}

struct State {
    sites: [Site; SITES],
    used: usize,
    zones: [Zone; map::STUB_ZONES.len()],
}

/// Which places of a zone have stubs, a bit each.
struct Zone {
    mapped: bool,
    /// How many words of `taken` are in use.
    used: usize,
    taken: [u64; PLACES / 64],
}

const FREE: Zone = Zone { mapped: false, used: 0, taken: [0; PLACES / 64] };

const EMPTY: Site = Site { at: 0, resume: 0, before: 0, after: 0, hits: 0, given_up: false, is_branch: false };
static mut STATE: State = State { sites: [EMPTY; SITES], used: 0, zones: [FREE; map::STUB_ZONES.len()] };

fn state() -> &'static mut State {
    // SAFETY: a host process has one thread, and no function here calls another that borrows it again.
    unsafe { &mut *core::ptr::addr_of_mut!(STATE) }
}

fn hash(at: u64) -> usize {
    (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as usize % SITES
}

/// The entry of a site; a new one if there is room.
fn site(at: u64, make: bool) -> Option<&'static mut Site> {
    let s = state();
    let mut i = hash(at);
    loop {
        if s.sites[i].at == at {
            return Some(&mut s.sites[i]);
        }
        if s.sites[i].at == 0 {
            if !make || s.used >= SITES / 2 {
                return None;
            }
            s.used += 1;
            s.sites[i] = Site { at, ..EMPTY };
            return Some(&mut s.sites[i]);
        }
        i = (i + 1) % SITES;
    }
}

/// Forgets everything: the address space is new.
pub fn reset() {
    let s = state();
    if s.used > 0 {
        s.sites = [EMPTY; SITES];
    }
    s.used = 0;
    for zone in s.zones.iter_mut().filter(|z| z.mapped) {
        zone.taken[..zone.used].fill(0);
        (zone.mapped, zone.used) = (false, 0);
    }
}

/// Forgets the sites of a range whose code goes away.
pub fn forget(addr: u64, len: u64) {
    let s = state();
    if s.used == 0 {
        return;
    }
    for site in &mut s.sites {
        if site.at >= addr && site.at < addr + len {
            // The place stays taken, so that searches go past it.
            *site = Site { at: 1, ..EMPTY };
        }
    }
}

/// The address that the guest knows for one at which it is or goes on.
pub fn guest_rip(rip: u64) -> u64 {
    if !map::STUB_ZONES.iter().any(|(from, _)| (*from..from + map::STUB_ZONE_SIZE).contains(&rip)) {
        return rip;
    }
    state().sites.iter().find_map(|s| s.guest(rip)).unwrap_or(rip)
}

/// The inverse: where a guest goes on that returns to an address.
pub fn resume_rip(rip: u64) -> u64 {
    match site(rip.wrapping_sub(2), false) {
        Some(s) if s.resume != 0 && !s.is_branch => s.resume,
        _ => rip,
    }
}

/// A site has trapped: counts it and rewrites it when it is worth it. The frame's way back is adjusted.
pub fn consider(f: &mut Frame) {
    let at = f.rip.wrapping_sub(2);
    let Some(site) = site(at, true) else { return };
    if site.given_up || site.resume != 0 {
        return;
    }
    site.hits += 1;
    if site.hits < HITS {
        return;
    }
    site.given_up = true;
    let Some(within) = file_code(at) else { return };
    let done = before(at, f.rax) || after(at, &within, site, f);
    if done {
        let c = control();
        c.sites.store(c.sites.load(Relaxed) + 1, Relaxed);
    }
}

/// The mapping in which a site lies, if it is private code of a file: code that a program makes is never touched.
fn file_code(at: u64) -> Option<Range<u64>> {
    let k = kernel();
    let (start, vma) = k.space_of(k.current).find(at)?;
    let is_code = !vma.shared && vma.prot & 4 != 0 && vma.prot & 2 == 0;
    (is_code && matches!(vma.source, Source::File { .. }) && vma.end >= at + 16).then_some(start..vma.end)
}

/// Room for stubs in a row within reach of a site, at an address that suits.
fn stub_near(at: u64, count: usize, suits: impl Fn(u64) -> bool) -> Option<u64> {
    stub_in(map::STUB_ZONES.iter().position(|(_, covers)| covers.contains(&at))?, count, suits)
}

/// The same in a zone.
fn stub_in(index: usize, count: usize, suits: impl Fn(u64) -> bool) -> Option<u64> {
    let base = map::STUB_ZONES[index].0;
    let zone = &mut state().zones[index];
    if !zone.mapped {
        const RWX: u64 = 7;
        // MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE
        const FLAGS: u64 = 0x4032;
        // SAFETY: no guest is given addresses of a zone.
        let ret = sys!(MMAP, base, map::STUB_ZONE_SIZE, RWX, FLAGS, -1i64, 0);
        if ret < 0 {
            return None;
        }
        zone.mapped = true;
    }
    let taken = |zone: &Zone, i: usize| zone.taken[i / 64] & 1 << (i % 64) != 0;
    let found = (0..PLACES - count)
        .find(|first| suits(base + *first as u64 * STUB) && (*first..first + count).all(|i| !taken(zone, i)))?;
    for i in found..found + count {
        zone.taken[i / 64] |= 1 << (i % 64);
    }
    zone.used = zone.used.max((found + count).div_ceil(64));
    Some(base + found as u64 * STUB)
}

/// Bytes being put together.
struct Code<const N: usize> {
    at: u64,
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Code<N> {
    fn new(at: u64) -> Self {
        Code { at, bytes: [0xcc; N], len: 0 }
    }

    fn here(&self) -> u64 {
        self.at + self.len as u64
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// An instruction that ends in a 32-bit distance from its end.
    fn relative(&mut self, opcode: &[u8], target: u64) {
        self.put(opcode);
        let distance = target.wrapping_sub(self.here() + 4) as i64;
        self.put(&(distance as i32).to_le_bytes());
    }

    /// `lea rcx, [resume]; jmp gs:[24]`
    fn enter(&mut self, resume: u64) {
        self.relative(&[0x48, 0x8d, 0x0d], resume);
        self.put(&[0x65, 0xff, 0x24, 0x25, 24, 0, 0, 0]);
    }

    /// Counts a pass of a yield point, and gives up the baton when enough have been counted. Flags are alive here: moves, lea
    /// and jrcxz leave them alone. Offsets are those of `Cpu`.
    fn count_passes(&mut self, resume: u64) {
        self.count_and(7, |code| code.relative(&[0x48, 0x8d, 0x0d], resume)); // lea rcx, [resume]
    }

    /// The same where the branch is out of a jump's reach.
    fn count_passes_from_afar(&mut self, resume: u64) {
        self.count_and(10, |code| {
            code.put(&[0x48, 0xb9]); // mov rcx, resume
            code.put(&resume.to_le_bytes());
        });
    }

    /// What comes before the giving up puts the place to go on at into rcx, in so many bytes.
    fn count_and(&mut self, len: u8, place: impl FnOnce(&mut Self)) {
        self.put(&[0x65, 0x48, 0x89, 0x0c, 0x25, 40, 0, 0, 0]); // mov gs:[40], rcx
        self.put(&[0x65, 0x48, 0x8b, 0x0c, 0x25, 48, 0, 0, 0]); // mov rcx, gs:[48]
        self.put(&[0x48, 0x8d, 0x49, 0xff]); // lea rcx, [rcx - 1]
        self.put(&[0x65, 0x48, 0x89, 0x0c, 0x25, 48, 0, 0, 0]); // mov gs:[48], rcx
        self.put(&[0xe3, 11]); // jrcxz to the giving up
        self.put(&[0x65, 0x48, 0x8b, 0x0c, 0x25, 40, 0, 0, 0]); // mov rcx, gs:[40]
        self.put(&[0xeb, len + 8]); // over the giving up
        place(self);
        self.put(&[0x65, 0xff, 0x24, 0x25, 56, 0, 0, 0]); // jmp gs:[56]
    }

    /// A jump to anywhere.
    fn jump(&mut self, target: u64) {
        self.put(&[0xff, 0x25, 0, 0, 0, 0]); // jmp [rip]
        self.put(&target.to_le_bytes());
    }

    fn write(&self) {
        // SAFETY: the stub's place is this stub's alone.
        unsafe { core::ptr::copy_nonoverlapping(self.bytes.as_ptr(), self.at as *mut u8, N) };
    }
}

fn reaches(from: u64, to: u64) -> bool {
    (to.wrapping_sub(from) as i64).unsigned_abs() < 0x7fff_0000
}

fn before(at: u64, nr: u64) -> bool {
    let Some((len, number)) = number_before(at).filter(|(_, number)| u64::from(*number) == nr) else { return false };
    let Some(stub) = stub_near(at, 1, |_| true) else { return false };
    if !reaches(stub, at) {
        return false;
    }
    let mut code = Code::<{ STUB as usize }>::new(stub);
    code.put(&[0xb8]);
    code.put(&number.to_le_bytes());
    code.enter(at + 2);
    code.write();
    let mut jump = Code::<{ STUB as usize }>::new(at - len);
    jump.relative(&[0xe9], stub);
    patch(at - len, &jump.bytes[..len as usize])
}

/// The instruction before a call, if it moves a number into rax: its length and the number.
fn number_before(at: u64) -> Option<(u64, u32)> {
    let mut code = [0u8; 7];
    Host.read(at - 7, &mut code).ok()?;
    let number = u32::from_le_bytes([code[3], code[4], code[5], code[6]]);
    match code {
        // mov rax, imm32, whose sign is extended: no call has such a number.
        [0x48, 0xc7, 0xc0, ..] if number < 1 << 31 => Some((7, number)),
        // mov eax, imm32. A REX prefix would make it a move to another register.
        [_, rex, 0xb8, ..] if rex & 0xf0 != 0x40 => Some((5, number)),
        _ => None,
    }
}

fn after(at: u64, within: &Range<u64>, site: &mut Site, f: &mut Frame) -> bool {
    let mut code = [0u8; 32];
    if Host.read(at, &mut code).is_err() && Host.read(at, &mut code[..16]).is_err() {
        return false;
    }
    let Some(moved) = instructions(at + 2, &code[2..], JUMP as usize - 2) else { return false };
    let end = moved[moved.len() - 1];
    let len = (end - at - 2) as usize;
    if is_jumped_to(at, end, within) {
        return false;
    }
    let Some(stub) = stub_near(at, 1, |stub| traps_at(at, &moved, stub)) else { return false };
    if !reaches(stub, at) {
        return false;
    }
    let mut out = Code::<{ STUB as usize }>::new(stub);
    out.enter(stub + 15);
    let resume = out.here();
    debug_assert!(resume == stub + 15);
    out.put(&code[2..2 + len]);
    out.relative(&[0xe9], end);
    out.write();
    if !jump_to_stub(at, end, stub) {
        return false;
    }
    (site.resume, site.after) = (resume, len as u8);
    f.rip = resume;
    f.rcx = resume;
    true
}

/// Bytes of a jump.
const JUMP: u64 = 5;

/// Makes a range of code a jump. What is left of its instructions is never run: it traps.
fn jump_to_stub(from: u64, to: u64, stub: u64) -> bool {
    let mut jump = Code::<{ STUB as usize }>::new(from);
    jump.relative(&[0xe9], stub);
    patch(from, &jump.bytes[..(to - from) as usize])
}

/// Whether the distance of a jump from `at` to a stub has a byte that traps where an instruction begins, for all of these.
fn traps_at(at: u64, instructions: &[u64], stub: u64) -> bool {
    let distance = (stub.wrapping_sub(at + JUMP) as i32).to_le_bytes();
    let inside = instructions.iter().filter(|start| **start < at + JUMP);
    inside.map(|start| distance[(start - at - 1) as usize]).all(|byte| byte == 0xcc)
}

/// Most bytes of moved instructions.
const MOVED: u64 = 24;

/// Where whole instructions begin that cover at least `want` bytes, and where the last one ends, if all of them do the same
/// elsewhere.
fn instructions(at: u64, code: &[u8], want: usize) -> Option<Vec<u64>> {
    let mut decoder = Decoder::with_ip(64, code, at, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut starts = alloc::vec![at];
    while decoder.ip() < at + want as u64 {
        decoder.decode_out(&mut instruction);
        if !is_movable(&instruction) || decoder.ip() - at > MOVED {
            return None;
        }
        starts.push(decoder.ip());
    }
    Some(starts)
}

/// Whether an instruction does the same elsewhere.
fn is_movable(instruction: &Instruction) -> bool {
    !instruction.is_invalid()
        && instruction.flow_control() == FlowControl::Next
        && !instruction.is_ip_rel_memory_operand()
}

/// Whether a reading of code from its first byte, which is at `begin`, meets an address. From a wrong byte it falls into step with the
/// code soon; one that meets an instruction's address has.
pub fn meets(code: &[u8], begin: u64, at: u64) -> bool {
    let mut instruction = Instruction::default();
    let mut decoder = Decoder::with_ip(64, code, begin, DecoderOptions::NONE);
    while decoder.ip() < at && decoder.can_decode() {
        decoder.decode_out(&mut instruction);
    }
    decoder.ip() == at
}

/// Reads the code of a mapping around an address in step with it, and shows each instruction. Returns false if that cannot be
/// done.
fn read_around(at: u64, within: &Range<u64>, mut see: impl FnMut(&Instruction)) -> bool {
    const REACH: u64 = 1024;
    const LONGEST: u64 = 15;
    let mut code = [0u8; 2 * REACH as usize];
    let from = at.saturating_sub(REACH).max(within.start);
    let len = ((at + REACH).min(within.end) - from) as usize;
    if Host.read(from, &mut code[..len]).is_err() {
        return false;
    }
    let in_step = (from..(from + LONGEST).min(at)).find(|begin| meets(&code[(begin - from) as usize..len], *begin, at));
    let Some(begin) = in_step else { return false };
    let mut instruction = Instruction::default();
    let mut decoder = Decoder::with_ip(64, &code[(begin - from) as usize..len], begin, DecoderOptions::NONE);
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        see(&instruction);
    }
    true
}

/// Whether a branch near goes into the bytes from after `at` to `end`. When in doubt it is so: that only costs traps.
fn is_jumped_to(at: u64, end: u64, within: &Range<u64>) -> bool {
    let mut hit = false;
    let read = read_around(at, within, |instruction| {
        let near = matches!(
            instruction.flow_control(),
            FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch | FlowControl::Call
        );
        if near && !instruction.is_invalid() {
            let target = instruction.near_branch_target();
            hit |= target > at && target < end;
        }
    });
    hit || !read
}

/// Where the instructions in a row before the one at an address begin that do the same elsewhere, and the address.
fn previous(at: u64, within: &Range<u64>) -> Vec<u64> {
    let mut row = Vec::new();
    read_around(at, within, |instruction| match instruction.ip() {
        ip if ip >= at => {}
        ip if is_movable(instruction) => row.push(ip),
        _ => row.clear(),
    });
    row.push(at);
    row
}

/// Whether an instruction is a branch that can be done elsewhere (not a call or a return).
pub fn is_branch(instruction: &Instruction) -> bool {
    match instruction.flow_control() {
        FlowControl::ConditionalBranch => instruction.is_jcc_short_or_near(),
        FlowControl::UnconditionalBranch => true,
        FlowControl::IndirectBranch => !instruction.is_ip_rel_memory_operand(),
        _ => false,
    }
}

/// The condition of a conditional branch, as its opcode has it; there may be prefixes before that.
fn condition(branch: &Instruction, code: &[u8]) -> u8 {
    let distance = if branch.is_jcc_short() { 1 } else { 4 };
    code[branch.len() - distance - 1] & 0xf
}

/// Makes the branch at an address a yield point in code that the program has made. Who makes code may change it, one
/// instruction at a time: a breakpoint of one byte leads to the stub, and all around it stays.
pub fn yield_point_made(at: u64) {
    let mut code = [0u8; 15];
    if Host.read(at, &mut code).is_err() && Host.read(at, &mut code[..2]).is_err() {
        return;
    }
    let branch = Decoder::with_ip(64, &code, at, DecoderOptions::NONE).decode();
    if !is_branch(&branch) {
        return;
    }
    let k = kernel();
    let Some(prot) = k.space_of(k.current).find(at).map(|(_, vma)| u64::from(vma.prot)) else { return };
    let Some(stub) = stub_in(map::STUB_ZONES.len() - 1, 2, |_| true) else { return };
    let mut out = Code::<{ 2 * STUB as usize }>::new(stub);
    out.count_passes_from_afar(at);
    match branch.flow_control() {
        FlowControl::ConditionalBranch => {
            const OVER_A_JUMP: u8 = 14;
            let condition = condition(&branch, &code);
            out.put(&[0x70 | condition, OVER_A_JUMP]);
            out.jump(branch.next_ip());
            out.jump(branch.near_branch_target());
        }
        FlowControl::UnconditionalBranch => out.jump(branch.near_branch_target()),
        _ => out.put(&code[..branch.len()]),
    }
    out.write();
    if let Some(site) = site(at, true) {
        *site = Site { at, resume: stub, given_up: true, is_branch: true, ..EMPTY };
        patch_to(at, &[0xcc], prot);
    }
}

/// Writes into a file's code.
fn patch(at: u64, bytes: &[u8]) -> bool {
    const RX: u64 = 5;
    patch_to(at, bytes, RX)
}

/// Writes into code that has this protection.
fn patch_to(at: u64, bytes: &[u8], prot: u64) -> bool {
    // SAFETY: the range is writable when this is called.
    let write = || unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), at as *mut u8, bytes.len()) };
    while_writable(at, at + bytes.len() as u64, prot, write)
}

/// Does something while the pages of a range of code, which has this protection, are writable. Returns false where they cannot be.
pub fn while_writable(from: u64, to: u64, prot: u64, write: impl FnOnce()) -> bool {
    let (from, to) = (from & !(PAGE - 1), to.next_multiple_of(PAGE));
    const RW: u64 = 3;
    // SAFETY: the pages are the guest's code, which does not run now.
    if sys!(MPROTECT, from, to - from, RW) < 0 {
        return false;
    }
    write();
    // SAFETY: as before.
    let ret = sys!(MPROTECT, from, to - from, prot);
    assert!(ret == 0, "code cannot be made executable again: {ret}");
    true
}

/// Makes the branch at an address count its passes and give up the baton now and then.
///
/// Its bytes, and where it is short those after or before it, become a jump to a stub that does what was before, counts,
/// branches, and does what came after. Where nothing may be moved a breakpoint leads to the stub: slower, and always
/// possible.
pub fn yield_point(at: u64, within: &Range<u64>) {
    let mut code = [0u8; 32];
    if Host.read(at, &mut code).is_err() && Host.read(at, &mut code[..16]).is_err() {
        return;
    }
    let branch = Decoder::with_ip(64, &code, at, DecoderOptions::NONE).decode();
    if !is_branch(&branch) {
        return;
    }
    let Some(place) = Replaced::around(&branch, &code, within) else { return };
    if !reaches(place.stub, at) {
        return;
    }
    let mut moved = [0u8; 2 * MOVED as usize];
    let moved = &mut moved[..(place.to - place.from) as usize];
    if Host.read(place.from, moved).is_err() {
        return;
    }
    let (before, after) = (at - place.from, place.to - branch.next_ip());
    let mut out = Code::<{ 2 * STUB as usize }>::new(place.stub);
    out.put(&moved[..before as usize]);
    // Where the guest goes on after it has given up the baton: what was before the branch is not done again.
    let again = if before > 0 { out.here() } else { at };
    out.count_passes(again);
    match branch.flow_control() {
        FlowControl::ConditionalBranch => {
            let condition = condition(&branch, &code);
            out.relative(&[0x0f, 0x80 | condition], branch.near_branch_target());
        }
        FlowControl::UnconditionalBranch => out.relative(&[0xe9], branch.near_branch_target()),
        _ => out.put(&code[..branch.len()]),
    }
    let behind = out.here();
    out.put(&moved[moved.len() - after as usize..]);
    out.relative(&[0xe9], place.to);
    out.write();
    let moved = Site { given_up: true, before: before as u8, after: after as u8, ..EMPTY };
    // To the guest it stands at the branch when it has given up the baton.
    let new = match place.is_breakpoint {
        true => Some(Site { at, resume: place.stub, is_branch: true, ..moved }),
        false if before > 0 => Some(Site { at: at - 2, resume: again, ..moved }),
        false if after > 0 => Some(Site { at: branch.next_ip() - 2, resume: behind, ..moved }),
        false => None,
    };
    if let Some(new) = new {
        let Some(site) = site(new.at, true) else { return };
        *site = new;
    }
    if place.is_breakpoint {
        patch(at, &[0xcc]);
    } else {
        jump_to_stub(place.from, place.to, place.stub);
    }
}

/// The code around a branch that a jump to a stub replaces, or the branch alone where it is a breakpoint.
struct Replaced {
    from: u64,
    to: u64,
    stub: u64,
    is_breakpoint: bool,
}

impl Replaced {
    fn around(branch: &Instruction, code: &[u8; 32], within: &Range<u64>) -> Option<Replaced> {
        let (at, next) = (branch.ip(), branch.next_ip());
        let jump = |from, to, inside: &[u64]| {
            if to - from < JUMP || at - from > MOVED || is_jumped_to(from, to, within) {
                return None;
            }
            let stub = stub_near(at, 2, |stub| traps_at(from, inside, stub))?;
            Some(Replaced { from, to, stub, is_breakpoint: false })
        };
        let with_next = || {
            // What stands behind a branch that is always taken is reached from elsewhere alone: it stays.
            if branch.flow_control() != FlowControl::ConditionalBranch {
                return None;
            }
            let starts = instructions(next, &code[branch.len()..], (JUMP as usize).saturating_sub(branch.len()))?;
            jump(at, starts[starts.len() - 1], &starts)
        };
        let with_previous = || {
            let row = previous(at, within);
            (1..row.len()).rev().find_map(|i| jump(row[i - 1], next, &row[i..]))
        };
        let breakpoint = || {
            let stub = stub_near(at, 2, |_| true)?;
            Some(Replaced { from: at, to: next, stub, is_breakpoint: true })
        };
        jump(at, next, &[]).or_else(with_next).or_else(with_previous).or_else(breakpoint)
    }
}

/// A breakpoint where an instruction has moved away: the guest has jumped there, and goes on where it is now. Returns false if
/// it was not one.
pub fn moved_away(f: &mut Frame) -> bool {
    let addr = f.rip - 1;
    let near = addr.saturating_sub(MOVED + 2)..=addr + MOVED;
    let moved = near.filter_map(|at| site(at, false)).find_map(|site| site.moved_to(addr));
    if let Some(to) = moved {
        f.rip = to;
    }
    moved.is_some()
}

/// The stub of a yield point that a breakpoint leads to.
pub fn breakpoint(at: u64) -> Option<u64> {
    let site = site(at, false)?;
    site.is_branch.then_some(site.resume)
}
