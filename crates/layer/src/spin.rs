//! Loops that never call: the supervisor notices the stall, single steps find the loop, the kernel learns its branch.
//!
//! The run ends there and is made again with the branch as a yield point from the start, so that what was learned at a
//! moment of the machine's choosing decides nothing in the run that counts.

use crate::host::Host;
use crate::rewrite;
use crate::state::{Frame, control, kernel};
use core::sync::atomic::Ordering::Relaxed;
use iced_x86::{Decoder, DecoderOptions};
use snowglobe_kernel::machine::Machine;

/// Passes of yield points between two that give up the baton.
pub const PASSES: u64 = 1000;
/// Passes that a breakpoint counts for besides its own, as it takes some microseconds.
const TRAP_PASSES: u64 = 499;
/// Trap flag.
const TF: u64 = 0x100;
/// Steps of the first look; each look that finds nothing is followed by one twice as long.
const FIRST_LOOK: u32 = 2000;
const LONGEST_LOOK: u32 = 200_000;
/// Backward branches remembered.
const BRANCHES: usize = 64;

struct Look {
    stepping: bool,
    left: u32,
    length: u32,
    /// The instruction being executed.
    at: u64,
    branches: [(u64, u32); BRANCHES],
}

static mut LOOK: Look = Look { stepping: false, left: 0, length: FIRST_LOOK, at: 0, branches: [(0, 0); BRANCHES] };

fn state() -> &'static mut Look {
    // SAFETY: a host process has one thread, and no function here calls another that borrows it again.
    unsafe { &mut *core::ptr::addr_of_mut!(LOOK) }
}

/// The runner has been interrupted. The world may be about to end, or records are wanted; when it is stalled, begins to step
/// if anybody may wait for it.
pub fn look(f: &mut Frame) {
    if control().stop.load(Relaxed) != 0 {
        kernel().give_up();
        return crate::baton::schedule();
    }
    // A run that is killed now leaves what it did until here.
    kernel().record.flush(&mut Host);
    crate::baton::publish();
    let stalled = control().stalled.swap(0, Relaxed) != 0;
    let l = state();
    if !stalled || l.stepping || !kernel().is_waited_for() {
        return;
    }
    *l = Look { stepping: true, left: l.length, length: l.length, at: f.rip, branches: [(0, 0); BRANCHES] };
    f.rflags |= TF;
}

/// Whether guest code is being stepped through.
pub fn is_stepping() -> bool {
    state().stepping
}

/// A call has been made: no stall.
#[inline]
pub fn stop_stepping(f: &mut Frame) {
    if state().stepping {
        state().stepping = false;
        f.rflags &= !TF;
    }
}

/// One instruction has been executed. Returns false if nobody is stepping.
pub fn step(f: &mut Frame) -> bool {
    let l = state();
    if !l.stepping {
        return false;
    }
    let from = core::mem::replace(&mut l.at, f.rip);
    if f.rip <= from && branch(from).is_some() {
        note(&mut l.branches, from);
    }
    l.left -= 1;
    if l.left > 0 {
        f.rflags |= TF;
        return true;
    }
    l.stepping = false;
    l.length = (l.length * 2).min(LONGEST_LOOK);
    let branches = l.branches;
    choose(&branches);
    true
}

/// The branch at an address (not a call or a return): its bytes and its length.
fn branch(at: u64) -> Option<([u8; 15], usize)> {
    let mut code = [0u8; 15];
    if Host.read(at, &mut code).is_err() && Host.read(at, &mut code[..2]).is_err() {
        return None;
    }
    let instruction = Decoder::with_ip(64, &code, at, DecoderOptions::NONE).decode();
    rewrite::is_branch(&instruction).then_some((code, instruction.len()))
}

fn note(branches: &mut [(u64, u32); BRANCHES], at: u64) {
    for slot in branches.iter_mut() {
        if slot.0 == at || slot.0 == 0 {
            *slot = (at, slot.1 + 1);
            return;
        }
    }
}

/// Takes the branch that came round least often, which is the outermost loop seen: it costs least.
fn choose(branches: &[(u64, u32); BRANCHES]) {
    let seen = branches.iter().filter(|(at, n)| *at != 0 && *n >= 2);
    let mut order: alloc::vec::Vec<(u32, u64)> = seen.map(|(at, n)| (*n, *at)).collect();
    order.sort_unstable();
    if order.into_iter().any(|(_, at)| branch(at).is_some_and(|(code, len)| kernel().learn(at, &code[..len]))) {
        // The world ends when the next task is asked for.
        kernel().give_up();
        crate::baton::schedule();
    }
}

/// A breakpoint of a yield point has been hit: goes on in its stub. Returns false if it was not one.
pub fn passed(f: &mut Frame) -> bool {
    match rewrite::breakpoint(f.rip.wrapping_sub(1)) {
        Some(stub) => {
            f.rip = stub;
            // A trap takes as long as many passes.
            let cpu = crate::state::cpu();
            cpu.passes = cpu.passes.saturating_sub(TRAP_PASSES).max(1);
            cpu.trapped = true;
            true
        }
        None => false,
    }
}
