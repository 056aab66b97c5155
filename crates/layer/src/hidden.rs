//! Instructions that show a program the machine, and that no machine setting makes trap: `rdrand`, `rdseed`, `rdpid`, and `cpuid`
//! where the processor has no faulting for it. In code that is mapped from a file they become others of the same length that trap and that
//! no program has a use for, by one byte of each, and the trap answers them: random numbers are the seed's, the processor is the first one.
//!
//! | Instruction | Bytes | Becomes |
//! |---|---|---|
//! | `rdrand`, `rdseed`, `rdpid` | `0f c7 /6`, `0f c7 /7`, `f3 0f c7 /7`, of a register | `0f b9` (`ud1`): undefined |
//! | `cpuid` | `0f a2` | `0f 08` (`invd`): for the operating system only |
//!
//! The bytes may be a part of another instruction, or data. So it is done only where readings of the code from before meet there, and
//! what stands around is what stands around such an instruction: who reads a random number asks the carry flag whether there was one,
//! and who asks for a leaf puts its number into eax. A site that is missed does what it did. Code that a program makes is not
//! looked at.

use crate::host::Host;
use crate::rewrite;
use crate::state::{Frame, kernel, shared};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::arch::x86_64::__cpuid_count;
use core::ops::Range;
use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, Register, RflagsBits};
use snowglobe_abi::map::PAGE;
use snowglobe_kernel::machine::Machine;

/// What is known of files and of the processor, for all host processes.
#[derive(Default)]
pub struct Hidden {
    /// Offsets of sites in a piece of a file of the machine: its path, where the piece begins, how long it is.
    files: BTreeMap<(String, u64, u64), Vec<u32>>,
    /// Answers that were given, by leaf and subleaf: asking a virtual machine's host takes long.
    answers: BTreeMap<(u32, u32), [u32; 4]>,
}

/// Bytes of code that are looked at at once.
const CHUNK: usize = 32 << 10;
/// Bytes before a site from which reading begins, so that it is in step when it gets there.
const BEFORE: usize = 64;
/// Bytes after a site that are read.
const AFTER: usize = 32;
/// Readings that begin at different bytes, and how many of them must meet at the site.
const READINGS: usize = 16;
const AGREED: usize = 12;
/// Instructions before and after a site that are looked at.
const AROUND: usize = 8;

/// The second byte of the opcode, and what it becomes.
const OF_RANDOM: (u8, u8) = (0xc7, 0xb9);
const OF_CPUID: (u8, u8) = (0xa2, 0x08);

/// Hides what is in code that has just been mapped: a piece of a file of the machine, or one that the world has written.
pub fn hide(addr: u64, len: u64, prot: u32, file: Option<(String, u64)>) {
    let Some((path, offset)) = file else { return plant(addr, prot, &find(addr, len)) };
    let sites = shared().hidden.files.entry((path, offset, len)).or_insert_with(|| find(addr, len));
    plant(addr, prot, sites);
}

/// Replaces the instructions whose opcodes are at these offsets.
fn plant(addr: u64, prot: u32, sites: &[u32]) {
    let page = |site: &u32| (addr + u64::from(*site)) / PAGE;
    for sites in sites.chunk_by(|a, b| page(a) == page(b)) {
        let write = || {
            for site in sites {
                let second = (addr + u64::from(*site) + 1) as *mut u8;
                // SAFETY: the opcode was read here, and its page is writable now.
                unsafe { second.write(if second.read() == OF_CPUID.0 { OF_CPUID.1 } else { OF_RANDOM.1 }) };
            }
        };
        let (first, last) = (addr + u64::from(sites[0]), addr + u64::from(sites[sites.len() - 1]) + 2);
        // Where the code cannot be made writable it stays what it is.
        let _ = rewrite::while_writable(first, last, u64::from(prot), write);
    }
}

/// Offsets of the opcodes of sites in code.
fn find(addr: u64, len: u64) -> Vec<u32> {
    let mut found = Vec::new();
    let mut code = alloc::vec![0u8; BEFORE + CHUNK + AFTER];
    let mut at = 0;
    while at < len {
        let before = BEFORE.min(at as usize);
        let whole = (before + CHUNK + AFTER).min((len - at) as usize + before);
        // There may be less of the file than was mapped.
        let Some(got) = readable(addr + at - before as u64, &mut code[..whole]) else { break };
        let mine = before..got.min(before + CHUNK);
        for opcode in candidates(&code[..got]).filter(|opcode| mine.contains(opcode)) {
            if is_site(&code[..got], opcode) {
                found.push((at + opcode as u64 - before as u64) as u32);
            }
        }
        at += CHUNK as u64;
    }
    found
}

/// Reads as much as there is.
fn readable(from: u64, into: &mut [u8]) -> Option<usize> {
    let mut len = into.len();
    while len > 0 {
        if Host.read(from, &mut into[..len]).is_ok() {
            return Some(len);
        }
        // The last page of a file is the last that can be read.
        let end = (from + len as u64 - 1) & !(PAGE - 1);
        len = end.saturating_sub(from) as usize;
    }
    None
}

/// Where the bytes of the opcodes are. Eight bytes are looked at at a time: most have neither.
fn candidates(code: &[u8]) -> impl Iterator<Item = usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7) != 0;
    let has = move |word: u64, byte: u8| has_zero(word ^ (ONES * u64::from(byte)));
    let is_opcode = |at: usize| match code[at..] {
        [0x0f, 0xa2, ..] => true,
        [0x0f, 0xc7, modrm, ..] => modrm >= 0xf0,
        _ => false,
    };
    (0..code.len())
        .step_by(8)
        .filter_map(move |from| {
            let eight: [u8; 8] = code.get(from..from + 8)?.try_into().ok()?;
            let word = u64::from_le_bytes(eight);
            (has(word, OF_RANDOM.0) || has(word, OF_CPUID.0)).then_some(from)
        })
        .flat_map(move |from| (from.max(1) - 1..from + 7).filter(move |at| is_opcode(*at)))
}

/// Whether an instruction is hidden.
fn is_hidden(instruction: &Instruction) -> bool {
    matches!(instruction.mnemonic(), Mnemonic::Rdrand | Mnemonic::Rdseed | Mnemonic::Rdpid | Mnemonic::Cpuid)
}

/// Whether a byte may come before an opcode: the width of an operand, a repetition, REX.
fn is_prefix(byte: &u8) -> bool {
    matches!(byte, 0x66 | 0xf2 | 0xf3 | 0x40..=0x4f)
}

/// Whether the opcode here is that of an instruction that is to be hidden.
fn is_site(code: &[u8], opcode: usize) -> bool {
    let prefixes = code[..opcode].iter().rev().take(3).take_while(|byte| is_prefix(byte)).count();
    (0..=prefixes).rev().map(|n| opcode - n).any(|start| {
        let instruction = decoder(code, start).decode();
        let after_opcode = if instruction.mnemonic() == Mnemonic::Cpuid { 2 } else { 3 };
        let is_whole = is_hidden(&instruction) && start + instruction.len() == opcode + after_opcode;
        is_whole && is_met(code, start) && fits(code, start, &instruction)
    })
}

fn decoder(code: &[u8], from: usize) -> Decoder<'_> {
    Decoder::with_ip(64, &code[from..], from as u64, DecoderOptions::NONE)
}

/// Bytes before a place from which readings begin.
fn begins(place: usize) -> Range<usize> {
    let first = place.saturating_sub(BEFORE);
    first..(first + READINGS).min(place)
}

/// Whether a reading meets a place.
fn meets(code: &[u8], begin: usize, place: usize) -> bool {
    rewrite::meets(&code[begin..], begin as u64, place as u64)
}

/// Whether most readings from before meet at a place.
fn is_met(code: &[u8], place: usize) -> bool {
    let count = begins(place).len();
    let met = begins(place).filter(|begin| meets(code, *begin, place)).count();
    count >= READINGS / 4 && met * READINGS >= count * AGREED
}

/// Whether what stands around is what stands around such an instruction.
fn fits(code: &[u8], start: usize, instruction: &Instruction) -> bool {
    let after = decoder(code, start + instruction.len()).into_iter().take(AROUND);
    match instruction.mnemonic() {
        Mnemonic::Rdpid => true,
        Mnemonic::Cpuid => {
            let valid = after.take_while(|next| !next.is_invalid()).count() == AROUND || code.len() - start < AFTER;
            valid && sets_eax_before(code, start)
        }
        _ => after.take_while(|next| !next.is_invalid()).any(|next| next.rflags_read() & RflagsBits::CF != 0),
    }
}

/// Whether one of the instructions before a place writes eax.
fn sets_eax_before(code: &[u8], place: usize) -> bool {
    let Some(begin) = begins(place).find(|begin| meets(code, *begin, place)) else { return false };
    let before: Vec<Instruction> =
        decoder(code, begin).into_iter().take_while(|instruction| instruction.ip() < place as u64).collect();
    let writes = |instruction: &Instruction| {
        let reads_only = matches!(instruction.mnemonic(), Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Push);
        // Another one's answer is no question; but who asks twice may ask the same.
        let is_eax = matches!(instruction.op0_register(), Register::EAX | Register::RAX);
        !instruction.is_invalid() && is_eax && !reads_only
    };
    before.iter().rev().take(AROUND).any(writes)
}

/// Answers an instruction that was hidden. Returns false if it was none.
pub fn answer(f: &mut Frame) -> bool {
    let mut code = [0u8; 6];
    let Some(got) = readable_near(f.rip, &mut code) else { return false };
    let code = &code[..got];
    let prefixes = code.iter().take_while(|byte| is_prefix(byte)).count();
    match code[prefixes..] {
        [0x0f, new, ..] if new == OF_CPUID.1 => {
            let [a, b, c, d] = cpuid(f.rax as u32, f.rcx as u32);
            [f.rax, f.rbx, f.rcx, f.rdx] = [a, b, c, d].map(u64::from);
            f.rip += prefixes as u64 + 2;
            true
        }
        [0x0f, new, modrm, ..] if new == OF_RANDOM.1 && modrm >= 0xf0 => {
            number(f, &code[..prefixes], modrm);
            f.rip += prefixes as u64 + 3;
            true
        }
        _ => false,
    }
}

/// The end of a mapping may be near.
fn readable_near(at: u64, into: &mut [u8; 6]) -> Option<usize> {
    (2..=into.len()).rev().find(|len| Host.read(at, &mut into[..*len]).is_ok())
}

/// `rdrand`, `rdseed` and `rdpid` (Intel SDM, volume 2): the register has the operand's width; carry is set, the other flags are not.
fn number(f: &mut Frame, prefixes: &[u8], modrm: u8) {
    const CARRY: u64 = 1;
    /// OF, SF, ZF, AF, PF, CF
    const ARITHMETIC: u64 = 0x8d5;
    let rex = prefixes.last().copied().filter(|byte| byte & 0xf0 == 0x40).unwrap_or(0);
    let register = usize::from(modrm & 7) | usize::from(rex & 1) << 3;
    if modrm >= 0xf8 && prefixes.contains(&0xf3) {
        // The first processor of the first node.
        *place(f, register) = 0;
        return;
    }
    let mut bytes = [0u8; 8];
    kernel().random.fill(&mut bytes);
    let random = u64::from_le_bytes(bytes);
    let register = place(f, register);
    *register = match (rex & 8 != 0, prefixes.contains(&0x66)) {
        (true, _) => random,
        (false, true) => *register & !0xffff | random & 0xffff,
        (false, false) => random & 0xffff_ffff,
    };
    f.rflags = f.rflags & !ARITHMETIC | CARRY;
}

/// A general register by its number in an instruction.
fn place(f: &mut Frame, number: usize) -> &mut u64 {
    match number {
        0 => &mut f.rax,
        1 => &mut f.rcx,
        2 => &mut f.rdx,
        3 => &mut f.rbx,
        4 => &mut f.rsp,
        5 => &mut f.rbp,
        6 => &mut f.rsi,
        7 => &mut f.rdi,
        8 => &mut f.r8,
        9 => &mut f.r9,
        10 => &mut f.r10,
        11 => &mut f.r11,
        12 => &mut f.r12,
        13 => &mut f.r13,
        14 => &mut f.r14,
        _ => &mut f.r15,
    }
}

/// What a leaf says of the machine's processor, without what shows on which one of several a program runs, and without
/// instructions whose results are not the world's.
fn cpuid(leaf: u32, subleaf: u32) -> [u32; 4] {
    *shared().hidden.answers.entry((leaf, subleaf)).or_insert_with(|| {
        let said = __cpuid_count(leaf, subleaf);
        mask(leaf, subleaf, [said.eax, said.ebx, said.ecx, said.edx])
    })
}

fn mask(leaf: u32, subleaf: u32, [a, b, c, d]: [u32; 4]) -> [u32; 4] {
    let bits = |list: &[u32]| list.iter().fold(0u32, |bits, bit| bits | 1 << bit);
    match (leaf, subleaf) {
        // The number of this processor; RDRAND.
        (1, _) => [a, b & 0x00ff_ffff, c & !bits(&[30]), d],
        // HLE, RTM, RDSEED; WAITPKG, RDPID.
        (7, 0) => [a, b & !bits(&[4, 11, 18]), c & !bits(&[5, 22]), d],
        // The number of this processor.
        (0xb | 0x1f, _) => [a, b, c, 0],
        // MONITORX, which waits for other processors to write.
        (0x8000_0001, _) => [a, b, c & !bits(&[29]), d],
        // RDPRU, which reads real counters.
        (0x8000_0008, _) => [a, b & !bits(&[4]), c, d],
        (0x8000_001e, _) => [0, b & !0xff, c, d],
        (0x8000_0026, _) => [a, b, c, 0],
        _ => [a, b, c, d],
    }
}
