//! Devices, and the run's own standard streams.

use crate::mem::Iov;
use crate::{Cx, Kernel};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::spec::CHANNELS;

/// What a device file leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Device {
    /// `/dev/null`
    Null,
    /// `/dev/zero`
    Zero,
    /// `/dev/full`
    Full,
    /// `/dev/random`
    Random,
    /// `/dev/urandom`
    Urandom,
    /// `/dev/tty`: the controlling terminal of who opens it.
    Tty,
    /// `/dev/ptmx`
    Ptmx,
    /// `/dev/pts/N`
    Pts(u32),
    /// A channel to the run directory, by its stream's number.
    Channel(u32),
    /// Any other, which cannot be opened.
    Other(u64),
}

/// `makedev(3)`.
pub const fn makedev(major: u64, minor: u64) -> u64 {
    (minor & 0xff) | (major & 0xfff) << 8 | (minor & !0xff) << 12
}

/// Major number of pseudo-terminals.
const PTS: u64 = 136;

/// Major number of devices for local use (`admin-guide/devices.txt`).
const LOCAL: u64 = 240;

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
            RANDOM => Device::Random,
            URANDOM => Device::Urandom,
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
            Device::Random => makedev(1, 8),
            Device::Urandom => makedev(1, 9),
            Device::Tty => makedev(5, 0),
            Device::Ptmx => makedev(5, 2),
            Device::Pts(n) => makedev(PTS, n as u64),
            // From the range for local use.
            Device::Channel(stream) => makedev(LOCAL, stream as u64),
            Device::Other(rdev) => rdev,
        }
    }
}

/// Standard input of the run, of which the next part is asked for when the one before has been read.
#[derive(Default)]
pub struct Input {
    /// The part that is being read.
    part: RefCell<Vec<u8>>,
    /// How much of it has been read.
    at: Cell<usize>,
    state: Cell<InputState>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum InputState {
    /// Nothing has been asked for.
    #[default]
    New,
    /// There may be more.
    Open,
    /// There is no more.
    Ended,
}

impl Input {
    /// Bytes that can be read without asking for more.
    pub fn len(&self) -> usize {
        self.part.borrow().len() - self.at.get()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The key of the record by which a program says that its system is set up.
const SETUP: &[u8] = b"\"antithesis_setup\"";

/// What is read of the SDKs' channel when one has said so.
const SET_UP: &[u8] = b"set up\n";

impl Kernel {
    /// Takes note of what programs write to channels: that one has said that all is set up, which others may wait for.
    pub fn hear(&mut self, stream: u32, data: &[u8]) {
        if stream == CHANNELS[1].stream && !self.set_up {
            self.set_up = data.windows(SETUP.len()).any(|part| part == SETUP);
        }
    }
}

impl Cx<'_> {
    /// Reads a channel. Only that of SDKs has anything: a line, when a program of the world has said that all is set up.
    ///
    /// # Errors
    /// `EBADF`, `EFAULT`.
    pub fn read_channel(&mut self, stream: u32, iov: &Iov, pos: &Cell<u64>) -> Result<u64> {
        if stream != CHANNELS[1].stream {
            return Err(Errno::EBADF);
        }
        let line = if self.k.set_up { SET_UP } else { &[] };
        let rest = line.get(pos.get() as usize..).unwrap_or_default();
        let n = rest.len().min(iov.len() as usize);
        iov.scatter(self.m, 0, &rest[..n])?;
        pos.set(pos.get() + n as u64);
        Ok(n as u64)
    }

    /// Reads from standard input: as much as is asked for unless it ends, so that parts do not show.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn read_input(&mut self, input: &Input, iov: &Iov) -> Result<u64> {
        let mut done = 0;
        while done < iov.len() && (!input.is_empty() || self.next_part(input)) {
            let n = (input.len() as u64).min(iov.len() - done) as usize;
            let at = input.at.get();
            match iov.scatter(self.m, done, &input.part.borrow()[at..at + n]) {
                Ok(()) => {}
                Err(e) if done == 0 => return Err(e),
                Err(_) => break,
            }
            input.at.set(at + n);
            done += n as u64;
        }
        Ok(done)
    }

    /// Asks for the next part. All input is for the service that reads first; others find it at its end.
    fn next_part(&mut self, input: &Input) -> bool {
        let mine = match input.state.get() {
            InputState::New => !core::mem::replace(&mut self.k.input_taken, true),
            InputState::Open => true,
            InputState::Ended => false,
        };
        let part = if mine {
            // The world may be ended while it waits here.
            self.k.record.flush(self.m);
            self.m.input()
        } else {
            Vec::new()
        };
        input.state.set(if part.is_empty() { InputState::Ended } else { InputState::Open });
        input.at.set(0);
        *input.part.borrow_mut() = part;
        !input.is_empty()
    }
}
