//! The control page: what the supervisor and all host processes read and write without a lock.

use core::sync::atomic::{AtomicI32, AtomicU32, AtomicU64};

/// Marks a control page of this layout.
pub const MAGIC: u64 = 0x736e_6f77_676c_6f01;
/// How many host processes (address spaces) can exist at once.
pub const MAX_SLOTS: usize = 16384;
/// The slot of the process that makes the world; it has no guest memory and ends when it has passed the baton on. No other
/// has it.
pub const STARTER: u32 = MAX_SLOTS as u32 - 1;
/// Bytes in each part of standard input but the last: were parts as long as what happened to be there, where they meet
/// would be the machine's doing.
pub const INPUT_PART: usize = 1 << 20;
/// Bytes kept of the layer's own last words.
pub const PANIC_BYTES: usize = 8192;

/// Values of [`Control::state`].
pub mod state {
    /// The supervisor has filled in the page; the layer has not yet begun.
    pub const STARTING: u32 = 0;
    /// The world runs.
    pub const RUNNING: u32 = 1;
    /// The world has ended and the report is in the blob area.
    pub const ENDED: u32 = 2;
    /// The layer found a bug of its own; the panic text says which.
    pub const PANICKED: u32 = 3;
    /// A guest reads standard input, of which the supervisor must now provide the next part.
    pub const WANT_INPUT: u32 = 4;
}

/// Values of [`Slot::baton`].
pub mod baton {
    /// The host process sleeps.
    pub const WAIT: u32 = 0;
    /// The host process is the runner.
    pub const RUN: u32 = 1;
    /// The host process must end itself.
    pub const DIE: u32 = 2;
    /// The host process does not run, and looks here before it sleeps: it needs nobody to wake it.
    pub const NEAR: u32 = 3;
}

/// One host process: one guest address space.
#[repr(C)]
pub struct Slot {
    /// See [`baton`]; a futex word.
    pub baton: AtomicU32,
    /// The operating system's process id, for the supervisor only: no guest sees it. 0 when the slot is free, -1 while the
    /// process is being made.
    pub host_pid: AtomicI32,
}

/// The clock that guests read without a call. Only the runner touches it.
#[repr(C)]
pub struct Clock {
    /// Virtual nanoseconds since the world began, while a guest runs.
    pub now: AtomicU64,
    /// The time that a guest cannot pass without a call.
    pub limit: AtomicU64,
    /// What a reading takes, in nanoseconds.
    pub step: AtomicU64,
    /// What the real-time clock shows at virtual time 0, in nanoseconds since 1970.
    pub realtime: AtomicU64,
    /// What the monotonic clock shows at virtual time 0, in nanoseconds.
    pub monotonic: AtomicU64,
}

/// Where [`Control::clock`] is.
pub const CLOCK_OFFSET: u64 = core::mem::offset_of!(Control, clock) as u64;

/// The first bytes of the arena.
#[repr(C)]
pub struct Control {
    /// [`MAGIC`].
    pub magic: u64,
    /// See [`Clock`].
    pub clock: Clock,
    /// The supervisor's process id, so that a host process sees that it has been left behind.
    pub supervisor: AtomicI32,
    /// See [`state`]; a futex word on which the supervisor waits.
    pub state: AtomicU32,
    /// Set by the supervisor to end the world early (Ctrl-C): looked at on every switch.
    pub stop: AtomicU32,
    /// Length of the specification in the blob area, in bytes.
    pub spec_len: AtomicU64,
    /// Length of the report in the blob area, in bytes.
    pub report_len: AtomicU64,
    /// Bytes ever written to the trace ring.
    pub ring_head: AtomicU64,
    /// Bytes ever taken from it.
    pub ring_tail: AtomicU64,
    /// A futex word that the supervisor bumps after it took bytes while the runner waited for room.
    pub ring_room: AtomicU32,
    /// Set by the runner while it waits for room.
    pub ring_full: AtomicU32,
    /// System calls answered so far.
    pub calls: AtomicU64,
    /// Trace records written so far.
    pub events: AtomicU64,
    /// Virtual nanoseconds since the world began.
    pub virtual_ns: AtomicU64,
    /// Set by the supervisor when the runner may be in a loop that waits for another.
    pub stalled: AtomicU32,
    /// Hosts with a live process.
    pub hosts_up: AtomicU32,
    /// Slot of the host process that holds the baton.
    pub runner: AtomicU32,
    /// A futex word by which the template process is asked to make a fresh address space: slot + 1, or 0.
    pub fresh_request: AtomicU32,
    /// Length of the part of standard input in the blob area; 0 when there is no more.
    pub input_len: AtomicU64,
    /// Times the layer was entered by a trap instead of a rewritten site.
    pub traps: AtomicU64,
    /// Sites rewritten.
    pub sites: AtomicU64,
    /// Length of the panic text.
    pub panic_len: AtomicU32,
    /// The layer's own last words.
    pub panic_text: [u8; PANIC_BYTES],
    /// The host processes.
    pub slots: [Slot; MAX_SLOTS],
}

const _: () = assert!(core::mem::size_of::<Control>() < crate::map::RING_OFFSET as usize);
