//! The clock in the control page: it is the guest's while a guest runs, and stands still while the layer works.

use crate::state::{control, kernel};
use core::sync::atomic::Ordering::Relaxed;
use snowglobe_kernel::Kernel;

/// Sets it at the world's beginning.
pub fn set(kernel: &Kernel) {
    let c = &control().clock;
    c.step.store(kernel.clock_step(), Relaxed);
    c.realtime.store(kernel.spec.start_realtime, Relaxed);
    c.monotonic.store(kernel.up, Relaxed);
}

/// A guest has come to the layer: the kernel learns what time it has become.
#[inline]
pub fn stop() {
    kernel().has_become(control().clock.now.load(Relaxed));
}

/// A guest goes on.
#[inline]
pub fn go() {
    let (c, k) = (&control().clock, kernel());
    c.now.store(k.sched.now, Relaxed);
    // Hosts may have clocks of their own.
    c.realtime.store(k.zero, Relaxed);
    c.monotonic.store(k.up, Relaxed);
    c.limit.store(k.time_limit(), Relaxed);
}
