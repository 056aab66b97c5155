//! Devices, and the run's own standard streams.

use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

/// What a device file leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Device {
    /// `/dev/null`
    Null,
    /// `/dev/zero`
    Zero,
    /// `/dev/full`
    Full,
    /// `/dev/random` and `/dev/urandom`
    Random,
    /// `/dev/tty`: the controlling terminal of who opens it.
    Tty,
    /// `/dev/ptmx`
    Ptmx,
    /// `/dev/pts/N`
    Pts(u32),
    /// Any other, which cannot be opened.
    Other(u64),
}

/// `makedev(3)`.
pub const fn makedev(major: u64, minor: u64) -> u64 {
    (minor & 0xff) | (major & 0xfff) << 8 | (minor & !0xff) << 12
}

/// Major number of pseudo-terminals.
const PTS: u64 = 136;

impl Device {
    /// The device with this number.
    pub fn from_rdev(rdev: u64) -> Device {
        const NULL: u64 = makedev(1, 3);
        const ZERO: u64 = makedev(1, 5);
        const FULL: u64 = makedev(1, 7);
        const RANDOM: u64 = makedev(1, 8);
        const URANDOM: u64 = makedev(1, 9);
        const TTY: u64 = makedev(5, 0);
        const PTMX: u64 = makedev(5, 2);
        match rdev {
            NULL => Device::Null,
            ZERO => Device::Zero,
            FULL => Device::Full,
            RANDOM | URANDOM => Device::Random,
            TTY => Device::Tty,
            PTMX => Device::Ptmx,
            pts if pts >> 8 & 0xfff == PTS => Device::Pts((pts & 0xff | pts >> 12 & 0xfff00) as u32),
            other => Device::Other(other),
        }
    }

    /// `st_rdev`.
    pub fn rdev(self) -> u64 {
        match self {
            Device::Null => makedev(1, 3),
            Device::Zero => makedev(1, 5),
            Device::Full => makedev(1, 7),
            Device::Random => makedev(1, 9),
            Device::Tty => makedev(5, 0),
            Device::Ptmx => makedev(5, 2),
            Device::Pts(n) => makedev(PTS, n as u64),
            Device::Other(rdev) => rdev,
        }
    }
}

/// Standard input of the run: all of it is asked for at the first read.
#[derive(Default)]
pub struct Input {
    /// The bytes, once asked for.
    pub data: RefCell<Option<Vec<u8>>>,
    /// How many have been read.
    pub at: Cell<usize>,
}
