//! The baton: which host process runs, and how it is passed on.

use crate::state::{control, cpu, kernel, shared};
use crate::sys::{exit, futex_wait, futex_wake, sys};
use crate::{entry, near, state};
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use snowglobe_abi::control::baton;
use snowglobe_kernel::{Flow, Pick};

/// CLONE_FS | CLONE_FILES | CLONE_PARENT | CLONE_PARENT_SETTID and SIGCHLD: all host processes share descriptors and are the
/// supervisor's children. The operating system itself notes the new process in its slot, before it runs: it can neither be
/// lost when the one that made it is killed, nor be noted after it has ended.
const CLONE_FLAGS: u64 = 0x200 | 0x400 | 0x8000 | 0x10_0000 | 17;

/// [`snowglobe_abi::control::Slot::host_pid`] of a host process that has been asked for.
const STARTS: i32 = -1;

/// Finds the next task and goes on with it: with the registers in the frame when this returns. Other host processes run
/// in between.
pub fn schedule() {
    crate::spin::stop_stepping(state::frame());
    loop {
        kernel().stop_asked |= control().stop.load(Relaxed) != 0;
        let pick = kernel().pick(&mut crate::host::Host);
        publish();
        match pick {
            // The supervisor has been told, and ends everybody.
            Pick::End => exit(0),
            Pick::Run(_, slot) if slot == cpu().slot && !cpu().dying => {}
            Pick::Run(_, slot) => {
                pass(slot);
                wait_for_baton();
            }
        }
        if go_on() {
            return;
        }
    }
}

/// Goes on with the kernel's current task, which is of this address space. Returns whether it runs.
fn go_on() -> bool {
    let task = kernel().current.0;
    load(task);
    match kernel().resume(&mut crate::host::Host) {
        Flow::Go => true,
        Flow::Return(value) => {
            state::frame().rax = value as u64;
            true
        }
        Flow::Switch => false,
    }
}

/// What a host process does when it gets its first baton.
pub extern "C" fn first_turn() {
    wait_for_baton();
    if !go_on() {
        schedule();
    }
    crate::clock::go();
}

/// Shows the supervisor where the world stands.
pub fn publish() {
    let (c, k) = (control(), kernel());
    c.calls.store(k.calls, Relaxed);
    c.events.store(k.record.events, Relaxed);
    c.virtual_ns.store(k.sched.now, Relaxed);
    c.hosts_up.store(k.hosts_up, Relaxed);
}

fn pass(slot: u32) {
    let dying = cpu().dying;
    let mine = &control().slots[cpu().slot as usize];
    if !dying {
        mine.baton.store(if near::stays() { baton::NEAR } else { baton::WAIT }, Relaxed);
    }
    let c = control();
    c.runner.store(slot, Relaxed);
    let next = &c.slots[slot as usize];
    if next.baton.swap(baton::RUN, Release) != baton::NEAR {
        futex_wake(&next.baton);
    }
    if dying {
        leave();
    }
}

fn leave() -> ! {
    control().slots[cpu().slot as usize].host_pid.store(0, Release);
    exit(0)
}

fn wait_for_baton() {
    let word = &control().slots[cpu().slot as usize].baton;
    loop {
        match word.load(Acquire) {
            baton::RUN => return,
            baton::DIE => leave(),
            baton::NEAR => {
                near::offer(|| word.load(Acquire) == baton::RUN);
                // What came meanwhile stays.
                let _ = word.compare_exchange(baton::NEAR, baton::WAIT, Relaxed, Relaxed);
            }
            _ => futex_wait(word, baton::WAIT),
        }
    }
}

/// Puts a task's registers in place.
pub fn load(task: u32) {
    let cpu = cpu();
    if cpu.loaded == task {
        return;
    }
    unload();
    if let Some(Some(context)) = shared().contexts.get_mut(task as usize)
        && context.kept
    {
        context.kept = false;
        *state::frame() = context.frame;
        // The site at which it called may have been rewritten meanwhile, and what followed the call with it.
        state::frame().rip = crate::rewrite::resume_rip(context.frame.rip);
        crate::vectors::set_fs_base(context.fs);
        crate::vectors::restore(context.vectors.ptr());
    }
    cpu.loaded = task;
}

/// Keeps the registers of the task that is in place.
fn unload() {
    let task = cpu().loaded;
    // A task that has ended has nothing to keep.
    if task == 0 || kernel().try_task(snowglobe_kernel::task::TaskId(task)).is_none() {
        return;
    }
    keep(task, state::frame(), crate::vectors::fs_base());
}

/// Keeps registers for a task that is to be loaded later: these, and the processor's vector state.
pub fn keep(task: u32, frame: &state::Frame, fs: u64) {
    let contexts = &mut shared().contexts;
    if contexts.len() <= task as usize {
        contexts.resize_with(task as usize + 1, || None);
    }
    // A place once made stays the task's: it is needed at every switch.
    let context = contexts[task as usize].get_or_insert_with(|| {
        let empty = state::Context { kept: false, frame: state::Frame::ZERO, fs: 0, vectors: state::XSave::new() };
        alloc::boxed::Box::new(empty)
    });
    (context.kept, context.frame, context.fs) = (true, *frame, fs);
    context.vectors.save();
}

/// A slot whose last host process has gone.
fn vacate(slot: u32) {
    crate::heap::has_one_more_process();
    let s = &control().slots[slot as usize];
    // A host process that was told to end does so at once; it only has to be given the core.
    while s.host_pid.load(Acquire) != 0 {
        // SAFETY: it touches no memory.
        sys!(SCHED_YIELD);
    }
    s.baton.store(baton::WAIT, Release);
    // Until the operating system notes the new process, so that it is not taken for gone before it has begun.
    s.host_pid.store(STARTS, Release);
}

/// Copies this host process; the copy waits for its first baton.
pub fn fork(slot: u32) -> Result<(), snowglobe_abi::Errno> {
    vacate(slot);
    clone_into(slot)
}

fn clone_into(slot: u32) -> Result<(), snowglobe_abi::Errno> {
    match clone(slot) {
        0 => become_slot(slot),
        1.. => Ok(()),
        e => {
            control().slots[slot as usize].host_pid.store(0, Release);
            Err(snowglobe_abi::Errno((-e) as u16))
        }
    }
}

fn clone(slot: u32) -> i64 {
    let noted = control().slots[slot as usize].host_pid.as_ptr();
    // SAFETY: without CLONE_VM the copy has memory of its own and goes on from here; the slot outlives the call.
    sys!(CLONE, CLONE_FLAGS, 0, noted, 0, 0)
}

/// Copies the template into a slot: true in the copy.
pub fn copy_for_start(slot: u32) -> Result<bool, snowglobe_abi::Errno> {
    let ret = clone(slot);
    if ret == 0 {
        crate::boot::tie_to_supervisor();
    }
    if ret < 0 { Err(snowglobe_abi::Errno((-ret) as u16)) } else { Ok(ret == 0) }
}

fn become_slot(slot: u32) -> ! {
    crate::boot::tie_to_supervisor();
    let cpu = cpu();
    cpu.slot = slot;
    cpu.loaded = 0;
    cpu.dying = false;
    // SAFETY: what was on the stack belongs to the process that was copied.
    unsafe { entry::from_the_top(first_turn) }
}

/// Asks the template for an empty address space.
pub fn fresh(slot: u32) {
    vacate(slot);
    let word = &control().fresh_request;
    loop {
        match word.load(Acquire) {
            0 => break,
            busy => futex_wait(word, busy),
        }
    }
    word.store(slot + 1, Release);
    futex_wake(word);
}

/// The template's whole life.
pub fn template() -> ! {
    let word = &control().fresh_request;
    loop {
        match word.load(Acquire) {
            0 => futex_wait(word, 0),
            request => {
                // Without a process for it the world cannot go on.
                if clone_into(request - 1).is_err() {
                    panic!("the machine gives no process for a new address space");
                }
                word.store(0, Release);
                futex_wake(word);
            }
        }
    }
}

/// Ends the host process of a slot.
pub fn end(slot: u32) {
    if slot == cpu().slot {
        cpu().dying = true;
        return;
    }
    let s = &control().slots[slot as usize];
    s.baton.store(baton::DIE, Release);
    futex_wake(&s.baton);
}
