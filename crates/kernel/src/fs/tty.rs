//! Pseudo-terminals: the line discipline between a master and its terminal (`termios(3)`, `pty(7)`).
//!
//! What is written to the master is typed: it is edited, echoed, turned into signals, and read from the terminal. What is
//! written to the terminal is shown: it is post-processed and read from the master.

use crate::sched::WaitQueue;
use crate::task::HostId;
use crate::uapi::*;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

/// Bytes of the kernel's `struct termios`.
pub const TERMIOS: usize = 36;
/// Bytes that the terminal holds for its reader.
const INPUT: usize = 4096;
/// Bytes that wait to be looked at by the line discipline, and bytes that wait for the master's reader.
const BUFFER: usize = 65536;

const ISTRIP: u32 = 0x20;
const INLCR: u32 = 0x40;
const IGNCR: u32 = 0x80;
const ICRNL: u32 = 0x100;
const IUCLC: u32 = 0x200;
const IXON: u32 = 0x400;
const IXANY: u32 = 0x800;
const IUTF8: u32 = 0x4000;
const OPOST: u32 = 0x1;
const OLCUC: u32 = 0x2;
const ONLCR: u32 = 0x4;
const OCRNL: u32 = 0x8;
const ONOCR: u32 = 0x10;
const ONLRET: u32 = 0x20;
const XTABS: u32 = 0x1800;
const ISIG: u32 = 0x1;
const ICANON: u32 = 0x2;
const ECHO: u32 = 0x8;
const ECHOE: u32 = 0x10;
const ECHOK: u32 = 0x20;
const ECHONL: u32 = 0x40;
const NOFLSH: u32 = 0x80;
/// `TOSTOP`: writing from the background is stopped.
pub const TOSTOP: u32 = 0x100;
const ECHOCTL: u32 = 0x200;
const ECHOKE: u32 = 0x800;
const IEXTEN: u32 = 0x8000;

const VINTR: usize = 0;
const VQUIT: usize = 1;
const VERASE: usize = 2;
const VKILL: usize = 3;
const VEOF: usize = 4;
const VTIME: usize = 5;
const VMIN: usize = 6;
const VSTART: usize = 8;
const VSTOP: usize = 9;
const VSUSP: usize = 10;
const VEOL: usize = 11;
const VREPRINT: usize = 12;
const VWERASE: usize = 14;
const VLNEXT: usize = 15;
const VEOL2: usize = 16;

/// Settings of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Termios {
    /// Input modes.
    pub iflag: u32,
    /// Output modes.
    pub oflag: u32,
    /// Control modes.
    pub cflag: u32,
    /// Local modes.
    pub lflag: u32,
    /// Number of the line discipline.
    pub line: u8,
    /// Control characters; 0 is none.
    pub cc: [u8; 19],
    /// Input and output speed.
    pub speed: [u32; 2],
}

impl Default for Termios {
    fn default() -> Termios {
        let mut cc = [0; 19];
        cc[..17].copy_from_slice(b"\x03\x1c\x7f\x15\x04\0\x01\0\x11\x13\x1a\0\x12\x0f\x17\x16\0");
        Termios { iflag: 0x500, oflag: 0x5, cflag: 0xbf, lflag: 0x8a3b, line: 0, cc, speed: [38400; 2] }
    }
}

impl Termios {
    /// No flag, no character.
    pub const NOTHING: Termios =
        Termios { iflag: 0, oflag: 0, cflag: 0, lflag: 0, line: 0, cc: [0; 19], speed: [0; 2] };

    /// What becomes of these settings when others are asked for: what is set in `locks` stays (TIOCSLCKTRMIOS, `ioctl_tty(2)`).
    pub fn changed(&self, new: &Termios, locks: &Termios) -> Termios {
        let flag = |old: u32, new: u32, lock: u32| old & lock | new & !lock;
        let byte = |old: u8, new: u8, lock: u8| if lock != 0 { old } else { new };
        Termios {
            iflag: flag(self.iflag, new.iflag, locks.iflag),
            oflag: flag(self.oflag, new.oflag, locks.oflag),
            cflag: flag(self.cflag, new.cflag, locks.cflag),
            lflag: flag(self.lflag, new.lflag, locks.lflag),
            line: byte(self.line, new.line, locks.line),
            cc: core::array::from_fn(|i| byte(self.cc[i], new.cc[i], locks.cc[i])),
            speed: new.speed,
        }
    }

    /// As the C interface of the kernel has it: `struct termios`, and `struct termios2` with the speeds.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(TERMIOS + 8);
        for flag in [self.iflag, self.oflag, self.cflag, self.lflag] {
            out.extend_from_slice(&flag.to_le_bytes());
        }
        out.push(self.line);
        out.extend_from_slice(&self.cc);
        for speed in self.speed {
            out.extend_from_slice(&speed.to_le_bytes());
        }
        out
    }

    /// From the same; speeds that are not there stay.
    pub fn read(&self, raw: &[u8]) -> Termios {
        let word = |at: usize| crate::mem::field32(raw, at);
        let mut cc = [0; 19];
        cc.copy_from_slice(&raw[17..TERMIOS]);
        let speed = if raw.len() >= TERMIOS + 8 { [word(36), word(40)] } else { self.speed };
        Termios { iflag: word(0), oflag: word(4), cflag: word(8), lflag: word(12), line: raw[16], cc, speed }
    }

    /// `struct termio` of old: 16-bit flags and eight characters.
    pub fn old_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(18);
        for flag in [self.iflag, self.oflag, self.cflag, self.lflag] {
            out.extend_from_slice(&(flag as u16).to_le_bytes());
        }
        out.push(self.line);
        out.extend_from_slice(&self.cc[..8]);
        out.push(0);
        out
    }

    /// From the same; what it cannot say stays.
    pub fn read_old(&self, raw: &[u8; 18]) -> Termios {
        let half = |at: usize| u32::from(u16::from_le_bytes([raw[at], raw[at + 1]]));
        let mut new = *self;
        let flags = [&mut new.iflag, &mut new.oflag, &mut new.cflag, &mut new.lflag];
        for (i, flag) in flags.into_iter().enumerate() {
            *flag = *flag & !0xffff | half(i * 2);
        }
        new.line = raw[8];
        new.cc[..8].copy_from_slice(&raw[9..17]);
        new
    }

    fn i(&self, flag: u32) -> bool {
        self.iflag & flag != 0
    }
    fn o(&self, flag: u32) -> bool {
        self.oflag & flag != 0
    }
    fn l(&self, flag: u32) -> bool {
        self.lflag & flag != 0
    }

    fn is(&self, c: u8, which: usize) -> bool {
        c != 0 && self.cc[which] == c
    }

    /// How many bytes a reader waits for, and for how many tenths of a second (`termios(3)`, noncanonical mode).
    pub fn patience(&self) -> Option<(usize, u64)> {
        (!self.l(ICANON)).then_some((self.cc[VMIN] as usize, u64::from(self.cc[VTIME])))
    }
}

/// A line that its reader may have.
struct Line {
    data: VecDeque<u8>,
}

/// The line discipline with its buffers.
#[derive(Default)]
pub struct Discipline {
    /// Settings.
    pub termios: Termios,
    /// Typed, and not yet looked at.
    typed: VecDeque<u8>,
    /// Complete lines.
    lines: VecDeque<Line>,
    /// The line being edited.
    edit: Vec<u8>,
    /// Bytes of noncanonical mode.
    raw: VecDeque<u8>,
    /// The next character is taken as it is.
    literal: bool,
    /// For the master's reader.
    shown: VecDeque<u8>,
    column: u32,
    /// How much was shown, and in which column, before the echoes that a signal would still take back.
    committed: (usize, u32),
    /// The column in which the line being edited begins.
    edit_column: u32,
    /// Whether output is held back (^S).
    pub stopped: bool,
}

fn control(c: u8) -> bool {
    c < 0x20 || c == 0x7f
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Erase {
    Char,
    Word,
    Line,
}

impl Discipline {
    /// Takes what is typed, as much as there is room for; [`Discipline::pump`] works on it.
    pub fn type_in(&mut self, data: &[u8]) -> usize {
        let n = data.len().min(self.type_room());
        self.typed.extend(&data[..n]);
        n
    }

    /// Bytes that can be typed.
    pub fn type_room(&self) -> usize {
        BUFFER - self.typed.len().min(BUFFER)
    }

    fn held(&self) -> usize {
        self.lines.iter().map(|l| l.data.len()).sum::<usize>() + self.edit.len() + self.raw.len()
    }

    /// Works on what was typed; returns the signals that it asks for, and whether output goes on that was held back.
    pub fn pump(&mut self) -> (Vec<u32>, bool) {
        let (mut signals, stopped) = (Vec::new(), self.stopped);
        self.committed = (self.shown.len(), self.column);
        while !self.typed.is_empty() {
            // Without a complete line to be read, characters are let through so that the line can still be edited.
            let full = self.held() >= INPUT - 1;
            if full && !(self.termios.l(ICANON) && self.lines.is_empty()) {
                break;
            }
            if let Some(c) = self.typed.pop_front() {
                self.receive(c, full, &mut signals);
            }
        }
        (signals, stopped && !self.stopped)
    }

    /// Echoes of what was typed in one go with a key that makes a signal are not shown.
    fn forget_echoes(&mut self) {
        let (shown, column) = self.committed;
        self.shown.truncate(shown);
        self.column = column;
    }

    fn receive(&mut self, c: u8, full: bool, signals: &mut Vec<u32>) {
        let t = self.termios;
        let mut c = c;
        if t.i(ISTRIP) {
            c &= 0x7f;
        }
        if t.i(IUCLC) && t.l(IEXTEN) {
            c = c.to_ascii_lowercase();
        }
        if core::mem::take(&mut self.literal) {
            return self.keep(c, false, full);
        }
        if t.i(IXON) && (t.is(c, VSTART) || t.is(c, VSTOP)) {
            self.stopped = t.is(c, VSTOP) && !t.is(c, VSTART);
            return;
        }
        if t.i(IXON) && t.i(IXANY) {
            self.stopped = false;
        }
        if t.l(ISIG) {
            let keys = [(VINTR, SIGINT), (VQUIT, SIGQUIT), (VSUSP, SIGTSTP)];
            if let Some((_, signal)) = keys.into_iter().find(|(key, _)| t.is(c, *key)) {
                if !t.l(NOFLSH) {
                    self.flush_input();
                    self.forget_echoes();
                }
                if t.i(IXON) {
                    self.stopped = false;
                }
                signals.push(signal);
                if t.l(ECHO) {
                    self.echo(c);
                }
                return;
            }
        }
        let typed = c;
        match c {
            b'\r' if t.i(IGNCR) => return,
            b'\r' if t.i(ICRNL) => c = b'\n',
            b'\n' if t.i(INLCR) => c = b'\r',
            _ => {}
        }
        if t.l(ICANON) && self.edit_key(c) {
            return;
        }
        self.keep(c, c == b'\n' && typed == b'\r', full);
    }

    /// Does what a key of canonical mode does; whether it was one.
    fn edit_key(&mut self, c: u8) -> bool {
        let t = self.termios;
        let extended = t.l(IEXTEN);
        if t.is(c, VERASE) {
            self.erase(Erase::Char);
        } else if t.is(c, VKILL) {
            self.erase(Erase::Line);
        } else if t.is(c, VWERASE) && extended {
            self.erase(Erase::Word);
        } else if t.is(c, VLNEXT) && extended {
            self.literal = true;
            if t.l(ECHO) && t.l(ECHOCTL) {
                self.put(b'^');
                self.put(b'\x08');
            }
        } else if t.is(c, VREPRINT) && extended && t.l(ECHO) {
            self.echo(c);
            self.put(b'\n');
            for c in self.edit.clone() {
                self.echo(c);
            }
        } else if c == b'\n' {
            if t.l(ECHO) || t.l(ECHONL) {
                self.put(b'\n');
            }
            self.finish(Some(c));
        } else if t.is(c, VEOF) {
            self.finish(None);
        } else if t.is(c, VEOL) || t.is(c, VEOL2) && extended {
            if t.l(ECHO) {
                self.echo(c);
            }
            self.finish(Some(c));
        } else {
            return false;
        }
        true
    }

    /// Ends the line being edited.
    fn finish(&mut self, end: Option<u8>) {
        self.edit.extend(end);
        let data = core::mem::take(&mut self.edit).into();
        self.lines.push_back(Line { data });
    }

    /// Takes a character; one that was made a newline is shown as one.
    fn keep(&mut self, c: u8, made: bool, full: bool) {
        if self.termios.l(ECHO) {
            if self.edit.is_empty() {
                self.edit_column = self.column;
            }
            if made {
                self.put(c);
            } else {
                self.echo(c);
            }
        }
        if full {
            // The last character gives way, so that an end of line still comes in.
            self.edit.pop();
        }
        match self.termios.l(ICANON) {
            true => self.edit.push(c),
            false => self.raw.push_back(c),
        }
    }

    fn continues(&self, c: u8) -> bool {
        self.termios.i(IUTF8) && c & 0xc0 == 0x80
    }

    fn erase(&mut self, what: Erase) {
        let t = self.termios;
        if self.edit.is_empty() {
            return;
        }
        if what == Erase::Line && !(t.l(ECHO) && t.l(ECHOK) && t.l(ECHOKE) && t.l(ECHOE)) {
            self.edit.clear();
            if t.l(ECHO) {
                self.echo(t.cc[VKILL]);
                if t.l(ECHOK) {
                    self.put(b'\n');
                }
            }
            return;
        }
        let mut seen_word = false;
        while let Some(start) = self.edit.iter().rposition(|c| !self.continues(*c)) {
            let c = self.edit[start];
            if what == Erase::Word {
                if c.is_ascii_alphanumeric() || c == b'_' || c >= 0xc0 {
                    seen_word = true;
                } else if seen_word {
                    break;
                }
            }
            self.edit.truncate(start);
            if t.l(ECHO) {
                self.show_erased(c, what);
            }
            if what == Erase::Char {
                break;
            }
        }
    }

    fn show_erased(&mut self, c: u8, what: Erase) {
        let t = self.termios;
        if what == Erase::Char && !t.l(ECHOE) {
            return self.echo(t.cc[VERASE]);
        }
        if c == b'\t' {
            let mut width = 0;
            let mut after_tab = false;
            for c in self.edit.iter().rev() {
                match *c {
                    b'\t' => {
                        after_tab = true;
                        break;
                    }
                    c if control(c) => width += if t.l(ECHOCTL) { 2 } else { 0 },
                    c if self.continues(c) => {}
                    _ => width += 1,
                }
            }
            if !after_tab {
                width += self.edit_column;
            }
            for _ in 0..8 - width % 8 {
                self.shown.push_back(b'\x08');
                self.column = self.column.saturating_sub(1);
            }
            return;
        }
        let times = match control(c) {
            true if t.l(ECHOCTL) => 2,
            true => 0,
            false => 1,
        };
        for _ in 0..times {
            self.shown.extend(b"\x08 \x08");
            self.column = self.column.saturating_sub(1);
        }
    }

    /// Shows a typed character.
    fn echo(&mut self, c: u8) {
        if self.termios.l(ECHOCTL) && control(c) && c != b'\t' {
            self.put(b'^');
            self.put(c ^ 0x40);
        } else {
            self.put(c);
        }
    }

    /// Shows a character, post-processed.
    fn put(&mut self, c: u8) {
        let t = self.termios;
        if !t.o(OPOST) {
            self.shown.push_back(c);
            return;
        }
        match c {
            b'\n' => {
                if t.o(ONLCR) {
                    self.column = 0;
                    self.shown.push_back(b'\r');
                } else if t.o(ONLRET) {
                    self.column = 0;
                }
                self.shown.push_back(b'\n');
            }
            b'\r' if t.o(ONOCR) && self.column == 0 => {}
            b'\r' => {
                if !t.o(OCRNL) || t.o(ONLRET) {
                    self.column = 0;
                }
                self.shown.push_back(if t.o(OCRNL) { b'\n' } else { b'\r' });
            }
            b'\t' => {
                let spaces = 8 - self.column % 8;
                self.column += spaces;
                if t.oflag & XTABS == XTABS {
                    self.shown.extend((0..spaces).map(|_| b' '));
                } else {
                    self.shown.push_back(b'\t');
                }
            }
            b'\x08' => {
                self.column = self.column.saturating_sub(1);
                self.shown.push_back(c);
            }
            c => {
                let c = if t.o(OLCUC) { c.to_ascii_uppercase() } else { c };
                if !control(c) && !self.continues(c) {
                    self.column += 1;
                }
                self.shown.push_back(c);
            }
        }
    }

    /// Shows what a program writes, as much as there is room for.
    pub fn write(&mut self, data: &[u8]) -> usize {
        let mut done = 0;
        while done < data.len() && !self.stopped && self.show_room() > 0 {
            self.put(data[done]);
            done += 1;
        }
        done
    }

    /// Bytes that can be shown.
    pub fn show_room(&self) -> usize {
        // A character may become eight.
        (BUFFER - 8).saturating_sub(self.shown.len())
    }

    /// Bytes for the master's reader.
    pub fn shown(&self) -> usize {
        self.shown.len()
    }

    /// Takes what was shown.
    pub fn take_shown(&mut self, max: usize) -> Vec<u8> {
        let n = max.min(self.shown.len());
        self.shown.drain(..n).collect()
    }

    /// Bytes that a reader of the terminal could have.
    pub fn readable(&self) -> usize {
        self.raw.len() + self.lines.iter().map(|l| l.data.len()).sum::<usize>()
    }

    /// Whether `poll` says that the terminal can be read.
    pub fn ready(&self) -> bool {
        match self.termios.patience() {
            None => !self.lines.is_empty(),
            Some((min, 0)) => self.readable() >= min.max(1),
            Some(_) => self.readable() > 0,
        }
    }

    /// Takes what a reader of `max` bytes gets: of a line in canonical mode; `None` when it must wait. In noncanonical
    /// mode fewer than VMIN bytes are given out only to who cannot wait.
    pub fn read(&mut self, max: usize, cannot_wait: bool) -> Option<Vec<u8>> {
        let Some((min, time)) = self.termios.patience() else {
            let line = self.lines.front_mut()?;
            let n = max.min(line.data.len());
            let data = line.data.drain(..n).collect();
            if line.data.is_empty() {
                self.lines.pop_front();
            }
            return Some(data);
        };
        let wanted = min.max(usize::from(time > 0)).min(max);
        let there = self.readable();
        if there < wanted && (!cannot_wait || there == 0) {
            return None;
        }
        let n = max.min(there);
        Some(self.raw.drain(..n).collect())
    }

    /// Takes new settings on. What is there is a line of its own when lines begin, and just bytes when they end.
    pub fn set(&mut self, termios: Termios) {
        let was = self.termios.l(ICANON);
        self.termios = termios;
        if was && !termios.l(ICANON) {
            for line in self.lines.drain(..) {
                self.raw.extend(line.data);
            }
            self.raw.extend(self.edit.drain(..));
        } else if !was && termios.l(ICANON) && !self.raw.is_empty() {
            let data = core::mem::take(&mut self.raw);
            self.lines.push_back(Line { data });
        }
        if !termios.i(IXON) {
            self.stopped = false;
        }
    }

    /// Throws typed input away.
    pub fn flush_input(&mut self) {
        self.lines.clear();
        self.edit.clear();
        self.raw.clear();
    }

    /// Throws input away that has not been looked at either.
    pub fn flush_all_input(&mut self) {
        self.typed.clear();
        self.flush_input();
    }

    /// Throws output away.
    pub fn flush_output(&mut self) {
        self.shown.clear();
    }
}

/// A pseudo-terminal.
pub struct Tty {
    /// N of `/dev/pts/N`.
    pub index: u32,
    /// Its host.
    pub host: HostId,
    /// See [`Discipline`].
    pub discipline: RefCell<Discipline>,
    /// Rows, columns, and their size in pixels.
    pub size: Cell<[u16; 4]>,
    /// TIOCSPTLCK: the terminal cannot be opened yet.
    pub locked: Cell<bool>,
    /// TIOCEXCL, of the terminal and of the master: no more opens but by root.
    pub exclusive: [Cell<bool>; 2],
    /// TIOCSLCKTRMIOS: settings that stay.
    pub locks: Cell<Termios>,
    /// TIOCPKT: the master reads packets.
    pub packet: Cell<bool>,
    /// What the next packet tells, as TIOCPKT_ bits.
    pub status: Cell<u8>,
    /// The session whose terminal it is.
    pub session: Cell<Option<u32>>,
    /// The group in the foreground, or 0.
    pub group: Cell<u32>,
    /// Whether the master is gone.
    pub hung_up: Cell<bool>,
    /// Open descriptions of the terminal.
    pub opens: Cell<u32>,
    /// Whether the last of them has been closed.
    pub closed: Cell<bool>,
    /// Who waits on the master.
    pub master_queue: WaitQueue,
    /// Who waits on the terminal.
    pub queue: WaitQueue,
}

const IN: u32 = POLLIN | POLLRDNORM;
const OUT: u32 = POLLOUT | POLLWRNORM;

impl Tty {
    /// A locked terminal that nobody has opened.
    pub fn new(index: u32, host: HostId) -> Tty {
        Tty {
            index,
            host,
            discipline: RefCell::default(),
            size: Cell::new([0; 4]),
            locked: Cell::new(true),
            exclusive: [Cell::new(false), Cell::new(false)],
            locks: Cell::new(Termios::NOTHING),
            packet: Cell::new(false),
            status: Cell::new(0),
            session: Cell::new(None),
            group: Cell::new(0),
            hung_up: Cell::new(false),
            opens: Cell::new(0),
            closed: Cell::new(false),
            master_queue: WaitQueue::default(),
            queue: WaitQueue::default(),
        }
    }

    /// Poll bits of the terminal.
    pub fn readiness(&self) -> u32 {
        if self.hung_up.get() {
            return IN | OUT | POLLERR | POLLHUP;
        }
        let d = self.discipline.borrow();
        let read = if d.ready() { IN } else { 0 };
        let write = if !d.stopped && d.show_room() > 0 { OUT } else { 0 };
        read | write
    }

    /// Poll bits of the master.
    pub fn master_readiness(&self) -> u32 {
        let d = self.discipline.borrow();
        let told = self.packet.get() && self.status.get() != 0;
        let read = if d.shown() > 0 || told { IN } else { 0 };
        let write = if d.type_room() > 0 { OUT } else { 0 };
        let pri = if told { POLLPRI } else { 0 };
        let gone = if self.closed.get() { POLLHUP } else { 0 };
        read | write | pri | gone
    }

    /// Tells the master's reader of packets.
    pub fn tell(&self, bits: u8) {
        if self.packet.get() {
            self.status.set(self.status.get() | bits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types into a terminal with these settings; gives back signals, lines and what was shown.
    fn typed(change: impl FnOnce(&mut Termios), text: &[u8]) -> (Discipline, Vec<u32>) {
        let mut d = Discipline::default();
        change(&mut d.termios);
        assert_eq!(d.type_in(text), text.len());
        let (signals, _) = d.pump();
        (d, signals)
    }

    fn shown(d: &mut Discipline) -> Vec<u8> {
        d.take_shown(usize::MAX)
    }

    #[test]
    fn a_line_is_edited_echoed_and_read_as_a_whole() {
        let (mut d, _) = typed(|_| {}, b"helo\x7flo\n");
        assert_eq!(shown(&mut d), b"helo\x08 \x08lo\r\n");
        assert_eq!(d.read(64, false).as_deref(), Some(&b"hello\n"[..]));
        assert_eq!(d.read(64, false), None);
    }

    #[test]
    fn an_unfinished_line_is_not_read() {
        let (mut d, _) = typed(|_| {}, b"abc");
        assert!(!d.ready());
        assert_eq!(d.read(64, true), None);
    }

    #[test]
    fn a_long_line_is_read_in_pieces() {
        let (mut d, _) = typed(|_| {}, b"abcdef\n");
        assert_eq!(d.read(4, false).as_deref(), Some(&b"abcd"[..]));
        assert_eq!(d.read(4, false).as_deref(), Some(&b"ef\n"[..]));
    }

    #[test]
    fn end_of_file_gives_what_is_there_and_then_nothing() {
        let (mut d, _) = typed(|_| {}, b"ab\x04\x04");
        assert_eq!(d.read(64, false).as_deref(), Some(&b"ab"[..]));
        assert_eq!(d.read(64, false).as_deref(), Some(&b""[..]));
        assert_eq!(d.read(64, false), None);
        assert_eq!(shown(&mut d), b"ab");
    }

    #[test]
    fn words_and_lines_are_erased() {
        let (mut d, _) = typed(|_| {}, b"one two  \x17x\n");
        assert_eq!(d.read(64, false).as_deref(), Some(&b"one x\n"[..]));
        let (mut d, _) = typed(|_| {}, b"one two\x15x\n");
        assert_eq!(d.read(64, false).as_deref(), Some(&b"x\n"[..]));
        assert!(shown(&mut d).ends_with(b"\x08 \x08x\r\n"));
    }

    #[test]
    fn a_character_of_many_bytes_is_erased_as_one() {
        let (mut d, _) = typed(|t| t.iflag |= IUTF8, "aé\x7fb\n".as_bytes());
        assert_eq!(d.read(64, false).as_deref(), Some(&b"ab\n"[..]));
        assert_eq!(shown(&mut d), "aé\x08 \x08b\r\n".as_bytes());
    }

    #[test]
    fn a_tab_is_erased_by_as_many_columns_as_it_had() {
        let (mut d, _) = typed(|_| {}, b"ab\t\x7f");
        assert_eq!(shown(&mut d), b"ab\t\x08\x08\x08\x08\x08\x08");
    }

    #[test]
    fn control_characters_are_echoed_with_a_caret_and_erased_as_two() {
        let (mut d, _) = typed(|_| {}, b"\x01\x7f");
        assert_eq!(shown(&mut d), b"^A\x08 \x08\x08 \x08");
    }

    #[test]
    fn keys_make_signals_and_throw_the_line_away() {
        let (mut d, _) = typed(|_| {}, b"abc");
        d.type_in(b"def\x03\x1c\x1ad\n");
        assert_eq!(d.pump().0, [SIGINT, SIGQUIT, SIGTSTP]);
        assert_eq!(shown(&mut d), b"abc^Zd\r\n");
        assert_eq!(d.read(64, false).as_deref(), Some(&b"d\n"[..]));
    }

    #[test]
    fn the_next_character_can_be_taken_as_it_is() {
        let (mut d, signals) = typed(|_| {}, b"\x16\x03\n");
        assert_eq!((signals.len(), d.read(64, false).as_deref()), (0, Some(&b"\x03\n"[..])));
        assert_eq!(shown(&mut d), b"^\x08^C\r\n");
    }

    #[test]
    fn raw_mode_changes_nothing_and_knows_no_lines() {
        let (mut d, signals) = typed(|t| (t.iflag, t.oflag, t.lflag) = (0, 0, 0), b"\x03a\r\n\x04");
        assert_eq!((signals.len(), d.ready()), (0, true));
        assert_eq!(d.read(64, false).as_deref(), Some(&b"\x03a\r\n\x04"[..]));
        assert_eq!(d.write(b"a\nb"), 3);
        assert_eq!(shown(&mut d), b"a\nb");
    }

    #[test]
    fn a_reader_of_raw_bytes_waits_for_as_many_as_it_asked() {
        let (mut d, _) = typed(|t| (t.lflag, t.cc[VMIN]) = (0, 3), b"ab");
        assert!(!d.ready());
        assert_eq!(d.read(64, false), None);
        assert_eq!(d.read(2, false).as_deref(), Some(&b"ab"[..]));
        d.type_in(b"c");
        d.pump();
        assert_eq!(d.read(64, false), None);
        assert_eq!(d.read(64, true).as_deref(), Some(&b"c"[..]));
    }

    #[test]
    fn without_a_minimum_a_reader_of_raw_bytes_never_waits() {
        let (mut d, _) = typed(|t| (t.lflag, t.cc[VMIN]) = (0, 0), b"");
        assert_eq!(d.read(64, false).as_deref(), Some(&b""[..]));
    }

    #[test]
    fn carriage_returns_become_newlines_or_nothing() {
        let (mut d, _) = typed(|_| {}, b"a\r");
        assert_eq!(d.read(64, false).as_deref(), Some(&b"a\n"[..]));
        let (mut d, _) = typed(|t| t.iflag |= IGNCR, b"a\r\n");
        assert_eq!(d.read(64, false).as_deref(), Some(&b"a\n"[..]));
    }

    #[test]
    fn output_is_held_back_and_let_go() {
        let (mut d, _) = typed(|_| {}, b"\x13");
        assert_eq!((d.stopped, d.write(b"x")), (true, 0));
        d.type_in(b"\x11");
        assert_eq!(d.pump(), (Vec::new(), true));
        assert_eq!(d.write(b"x"), 1);
    }

    #[test]
    fn tabs_become_spaces_when_asked() {
        let mut d = Discipline::default();
        d.termios.oflag |= XTABS;
        d.write(b"ab\tc\n\t|");
        assert_eq!(shown(&mut d), b"ab      c\r\n        |");
    }

    #[test]
    fn a_change_of_mode_keeps_what_was_typed() {
        let (mut d, _) = typed(|_| {}, b"one\ntw");
        let mut raw = d.termios;
        raw.lflag &= !ICANON;
        d.set(raw);
        assert_eq!(d.read(64, false).as_deref(), Some(&b"one\ntw"[..]));
        d.type_in(b"xy");
        d.pump();
        d.set(Termios::default());
        assert_eq!(d.read(64, false).as_deref(), Some(&b"xy"[..]));
    }

    #[test]
    fn a_line_without_end_loses_what_does_not_fit_but_not_its_end() {
        let mut text = alloc::vec![b'a'; 6000];
        text.extend(b"\nnext\n");
        let (mut d, _) = typed(|_| {}, &text);
        let line = d.read(8192, false).unwrap();
        assert_eq!((line.len(), line.last()), (INPUT, Some(&b'\n')));
        d.pump();
        assert_eq!(d.read(64, false).as_deref(), Some(&b"next\n"[..]));
    }

    #[test]
    fn settings_survive_their_binary_form() {
        let t = Termios { speed: [9600, 115_200], ..Termios::default() };
        assert_eq!(Termios::default().read(&t.bytes()), t);
        let old: [u8; 18] = t.old_bytes().try_into().unwrap();
        assert_eq!(t.read_old(&old), t);
    }
}
