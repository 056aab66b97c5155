//! Call sites that are rewritten: the second byte of `syscall` costs a trap, a jump to a stub does not.
//!
//! Two ways, tried in this order at a site that has trapped often enough:
//!
//! - `mov eax, N; syscall` (or `mov rax, N`): the `mov` becomes a jump to a stub that does the `mov` itself and comes back
//!   after the `syscall`, which stays in place for whoever jumps right to it.
//! - otherwise the `syscall` and what follows it, five bytes or more, become a jump; the stub does what followed. Only where
//!   that can be done elsewhere, and nothing jumps into it.
//!
//! What is kept here is private to a host process and copied by fork with the code that it describes.

use crate::host::Host;
use crate::state::{Frame, control, kernel};
use crate::sys::sys;
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
    /// Address of the `syscall` instruction; 0 for none.
    at: u64,
    /// Where the guest goes on, if the instructions after the call have moved.
    resume: u64,
    hits: u8,
    /// Whether it cannot be rewritten.
    given_up: bool,
    /// Whether it is no call but a branch that a breakpoint makes a yield point.
    is_branch: bool,
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

const EMPTY: Site = Site { at: 0, resume: 0, hits: 0, given_up: false, is_branch: false };
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

/// The address after the call as the guest knows it, for one at which it goes on.
pub fn guest_rip(rip: u64) -> u64 {
    if !map::STUB_ZONES.iter().any(|(from, _)| (*from..from + map::STUB_ZONE_SIZE).contains(&rip)) {
        return rip;
    }
    state().sites.iter().find(|s| s.resume == rip).map_or(rip, |s| s.at + 2)
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
    if !is_file_code(at) {
        return;
    }
    let done = before(at, f.rax) || after(at, site, f);
    if done {
        let c = control();
        c.sites.store(c.sites.load(Relaxed) + 1, Relaxed);
    }
}

/// Whether a site lies in private code of a file: code that a program makes is never touched.
fn is_file_code(at: u64) -> bool {
    let k = kernel();
    let space = k.space_of(k.current);
    let Some((_, vma)) = space.find(at) else { return false };
    !vma.shared
        && vma.prot & 4 != 0
        && vma.prot & 2 == 0
        && matches!(vma.source, Source::File { .. })
        && vma.end >= at + 16
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

fn after(at: u64, site: &mut Site, f: &mut Frame) -> bool {
    let mut code = [0u8; 32];
    if Host.read(at, &mut code).is_err() && Host.read(at, &mut code[..16]).is_err() {
        return false;
    }
    let Some(len) = movable(at, &code) else { return false };
    let end = at + 2 + len as u64;
    if is_jumped_to(at, end) {
        return false;
    }
    // Whoever jumps to the instruction behind the call meets the jump's distance there: a byte that traps.
    let traps = |stub: u64| stub.wrapping_sub(at + 5) >> 8 & 0xff == 0xcc;
    let Some(stub) = stub_near(at, 1, traps) else { return false };
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
    let mut jump = Code::<{ STUB as usize }>::new(at);
    jump.relative(&[0xe9], stub);
    // What is left of the moved instructions is never run: it traps.
    let mut bytes = [0xcc; 32];
    bytes[..5].copy_from_slice(&jump.bytes[..5]);
    if !patch(at, &bytes[..2 + len]) {
        return false;
    }
    site.resume = resume;
    f.rip = resume;
    f.rcx = resume;
    true
}

/// Bytes of the instructions after a call that must move with it, if they can.
fn movable(at: u64, code: &[u8; 32]) -> Option<usize> {
    instructions(at + 2, &code[2..], 3)
}

/// Bytes of whole instructions that cover at least `want` bytes, if all of them do the same elsewhere.
fn instructions(at: u64, code: &[u8], want: usize) -> Option<usize> {
    let mut decoder = Decoder::with_ip(64, code, at, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut len = 0;
    while len < want {
        decoder.decode_out(&mut instruction);
        let plain = !instruction.is_invalid()
            && instruction.flow_control() == FlowControl::Next
            && !instruction.is_ip_rel_memory_operand();
        if !plain || len + instruction.len() > 24 {
            return None;
        }
        len += instruction.len();
    }
    Some(len)
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

/// Reads the code around an address in step with it, and shows each instruction. Returns false if that cannot be done.
fn read_around(at: u64, mut see: impl FnMut(&Instruction)) -> bool {
    const REACH: u64 = 1024;
    const LONGEST: u64 = 15;
    let mut code = [0u8; 2 * REACH as usize];
    let k = kernel();
    let Some((start, vma)) = k.space_of(k.current).find(at) else { return false };
    let from = at.saturating_sub(REACH).max(start);
    let len = ((at + REACH).min(vma.end) - from) as usize;
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
fn is_jumped_to(at: u64, end: u64) -> bool {
    let mut hit = false;
    let read = read_around(at, |instruction| {
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

/// The instruction before an address, if it does the same elsewhere.
fn previous(at: u64) -> Option<u64> {
    let mut found = None;
    read_around(at, |instruction| {
        let plain = !instruction.is_invalid()
            && instruction.flow_control() == FlowControl::Next
            && !instruction.is_ip_rel_memory_operand();
        if plain && instruction.next_ip() == at {
            found = Some(instruction.ip());
        }
    });
    found
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
        *site = Site { at, resume: stub, hits: 0, given_up: true, is_branch: true };
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
pub fn yield_point(at: u64) {
    let mut code = [0u8; 32];
    if Host.read(at, &mut code).is_err() && Host.read(at, &mut code[..16]).is_err() {
        return;
    }
    let branch = Decoder::with_ip(64, &code, at, DecoderOptions::NONE).decode();
    let len = branch.len();
    let next = at + len as u64;
    if !is_branch(&branch) {
        return;
    }
    let Some(stub) = stub_near(at, 2, |_| true) else { return };
    if !reaches(stub, at) {
        return;
    }
    let more = if len >= 5 { Some(0) } else { instructions(next, &code[len..], 5 - len) };
    let more = more.filter(|n| *n == 0 || !is_jumped_to(at, next + *n as u64));
    let before = if more.is_some() { None } else { previous(at) };
    let before = before.filter(|p| next - p >= 5 && next - p <= 32 && !is_jumped_to(*p, next));
    let mut out = Code::<{ 2 * STUB as usize }>::new(stub);
    // Where the guest goes on after it has given up the baton.
    let mut resume = at;
    if let Some(from) = before {
        let mut moved = [0u8; 32];
        let n = (at - from) as usize;
        if Host.read(from, &mut moved[..n]).is_err() {
            return;
        }
        out.put(&moved[..n]);
        resume = out.here();
    }
    out.count_passes(resume);
    match branch.flow_control() {
        FlowControl::ConditionalBranch => {
            let condition = condition(&branch, &code);
            out.relative(&[0x0f, 0x80 | condition], branch.near_branch_target());
        }
        FlowControl::UnconditionalBranch => out.relative(&[0xe9], branch.near_branch_target()),
        _ => out.put(&code[..len]),
    }
    let after = more.unwrap_or(0);
    out.put(&code[len..len + after]);
    out.relative(&[0xe9], next + after as u64);
    out.write();
    let jump_to_stub = |from: u64, len: usize| {
        let mut jump = Code::<{ STUB as usize }>::new(from);
        jump.relative(&[0xe9], stub);
        let mut bytes = [0xcc; 64];
        bytes[..5].copy_from_slice(&jump.bytes[..5]);
        patch(from, &bytes[..len])
    };
    if more.is_some() {
        jump_to_stub(at, len + after);
    } else if let Some(from) = before {
        // To the guest it stands at the branch when it has given up the baton.
        if let Some(site) = site(at.wrapping_sub(2), true) {
            *site = Site { at: at.wrapping_sub(2), resume, hits: 0, given_up: true, is_branch: false };
            jump_to_stub(from, (next - from) as usize);
        }
    } else if let Some(site) = site(at, true) {
        *site = Site { at, resume: stub, hits: 0, given_up: true, is_branch: true };
        patch(at, &[0xcc]);
    }
}

/// A breakpoint that lies behind a rewritten call: the guest has jumped there, and goes on where the instructions are
/// now. Returns false if it was not one.
pub fn jumped_behind(f: &mut Frame) -> bool {
    match site(f.rip.wrapping_sub(3), false) {
        Some(s) if s.resume != 0 && !s.is_branch => {
            f.rip = s.resume;
            true
        }
        _ => false,
    }
}

/// The stub of a yield point that a breakpoint leads to.
pub fn breakpoint(at: u64) -> Option<u64> {
    let site = site(at, false)?;
    site.is_branch.then_some(site.resume)
}
