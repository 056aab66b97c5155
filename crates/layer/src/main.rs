//! The layer: the image that is mapped into every guest process, at one address.
//!
//! | Module | Content |
//! |---|---|
//! | [`boot`] | from the first instruction to the first task |
//! | [`entry`] | ways in and out, in assembly |
//! | [`trap`] | what they call |
//! | [`rewrite`] | call sites turned into jumps |
//! | [`hidden`] | instructions that show the machine, turned into traps |
//! | [`spin`] | loops that give up the baton |
//! | [`baton`], [`near`] | which host process runs, and whether those that wait for it sleep |
//! | [`host`] | the kernel's `Machine` |
//! | [`lower`] | files of the machine |
//! | [`frames`], [`vectors`] | signal frames, vector registers |
//! | [`state`], [`heap`], [`sys`] | shared and private state, the arena's allocator, calls of the operating system |
//!
//! All of it runs with the baton held, or touches only what is private to a host process.
#![no_std]
#![no_main]

extern crate alloc;

mod baton;
mod boot;
mod clock;
mod entry;
mod frames;
mod heap;
mod hidden;
mod host;
mod lower;
mod near;
mod pages;
mod rewrite;
mod spin;
mod state;
mod sys;
mod trap;
mod vdso;
mod vectors;

use core::fmt::Write;
use core::sync::atomic::Ordering::Release;
use snowglobe_abi::map::{PROC_BASE, PROC_SIZE};

/// Writes into the panic text.
struct LastWords {
    at: usize,
}

impl Write for LastWords {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        let c = core::ptr::from_ref(state::control()).cast_mut();
        for b in s.bytes() {
            if self.at < snowglobe_abi::control::PANIC_BYTES {
                // SAFETY: the text lies in the control page, which only a dying layer writes.
                unsafe { (*c).panic_text[self.at] = b };
                self.at += 1;
            }
        }
        Ok(())
    }
}

/// Whether this runs on a stack of the layer's.
fn is_own_stack() -> bool {
    let stack: u64;
    // SAFETY: it reads a register.
    unsafe { core::arch::asm!("mov {}, rsp", out(reg) stack, options(nomem, nostack, preserves_flags)) };
    (PROC_BASE..PROC_BASE + PROC_SIZE).contains(&stack)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    if !is_own_stack() {
        // A program has jumped here: the panic is its fault, and becomes one.
        // SAFETY: the instruction is not for programs, and does not return.
        unsafe { core::arch::asm!("hlt", options(noreturn)) };
    }
    let mut words = LastWords { at: 0 };
    let _ = write!(words, "{info}");
    if let Some(kernel) = &state::shared().kernel
        && let Some(task) = kernel.try_task(kernel.current)
    {
        let f = state::frame();
        let _ = write!(
            words,
            "\nslot {}, task {} (tid {} {:?}), call {} ({:#x}, {:#x}, {:#x}, {:#x}, {:#x}, {:#x}) at {:#x}",
            state::cpu().slot,
            kernel.current.0,
            task.tid,
            task.comm,
            task.call,
            f.rdi,
            f.rsi,
            f.rdx,
            f.r10,
            f.r8,
            f.r9,
            f.rip
        );
    }
    if let Some((at, task)) = state::shared().strayed {
        let _ =
            write!(words, "\nthis may be why: task {task}, a program, had run into the layer's own code at {at:#x}");
    }
    let c = state::control();
    c.panic_len.store(words.at as u32, Release);
    c.state.store(snowglobe_abi::control::state::PANICKED, Release);
    sys::futex_wake(&c.state);
    sys::exit(121)
}

/// A remark about a bug, where the supervisor finds it.
fn note(text: &str) {
    let mut words = LastWords { at: 0 };
    let _ = words.write_str(text);
    state::control().panic_len.store(words.at as u32, Release);
}

/// Makes what is made lazily before the first copy of this process, so that all share it.
fn warm_up() {
    let code = [0x90u8];
    let mut decoder = iced_x86::Decoder::with_ip(64, &code, 0, iced_x86::DecoderOptions::NONE);
    let _ = decoder.decode();
}
