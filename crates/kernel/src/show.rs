//! System calls as text, in the manner of strace: names, arguments, results.
//!
//! It reads [`crate::table`] and what the trace captured; it is used when a trace is read, never while a world runs but for the
//! name of a call that is not there.

use crate::record::PATH;
use crate::table::{self, Arg, By, Entry, Ret, TABLE};
use crate::uapi::AT_FDCWD;
use crate::words::{self, Names, Rest};
use alloc::borrow::{Cow, ToOwned};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;
use snowglobe_abi::{Errno, signal};

/// A call's name, or one made of its number.
pub fn name(nr: u64) -> Cow<'static, str> {
    match table::entry(nr) {
        Some(entry) => Cow::Borrowed(entry.name),
        None => Cow::Owned(format!("syscall_{nr:#x}")),
    }
}

/// The number of a name, as [`name`] gives it.
pub fn number(name: &str) -> Option<u64> {
    if let Some(digits) = name.strip_prefix("syscall_0x") {
        return u64::from_str_radix(digits, 16).ok();
    }
    TABLE.iter().find(|entry| entry.name == name).map(|entry| u64::from(entry.nr))
}

/// What the trace holds of a call.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Its number.
    pub nr: u64,
    /// Its arguments, as many as the table has.
    pub args: &'a [u64],
    /// What was captured when it began.
    pub begun: &'a [Vec<u8>],
    /// Its result and what was captured then; none while it goes on.
    pub ended: Option<Ended<'a>>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a> {
    /// What the guest found in rax.
    pub value: i64,
    /// What was captured.
    pub data: &'a [Vec<u8>],
}

impl Call<'_> {
    /// Each argument that Linux looks at.
    pub fn arguments(&self) -> Vec<String> {
        let mut begun = self.begun.iter();
        let mut ended = self.ended.map_or(&[][..], |ended| ended.data).iter();
        let failed = self.ended.and_then(|ended| errno(ended.value));
        let mut shown = Vec::new();
        for (i, value) in self.args.iter().enumerate() {
            let arg = self.kind(i);
            let data = match arg {
                Arg::Path | Arg::In(_) => begun.next(),
                Arg::Out(_) => ended.next(),
                _ => None,
            };
            shown.extend(match (arg, data) {
                // Nothing is captured of what cannot be read, and of an empty string.
                (Arg::Path, Some(text)) if *value != 0 && !(text.is_empty() && failed == Some(Errno::EFAULT)) => {
                    Some(quoted(text, text.len() >= PATH))
                }
                (Arg::In(len), Some(bytes)) => {
                    let len = self.args.get(len).copied().unwrap_or(0);
                    readable(*value, bytes, len)
                }
                (Arg::Out(_), data) if self.ended.is_some() && failed.is_none() => {
                    let len = self.ended.map_or(0, |ended| ended.value as u64);
                    readable(*value, data.map_or(&[][..], |data| data), len)
                }
                _ => self.plain(arg, *value),
            });
        }
        shown
    }

    /// The call while it goes on, without the bracket at its end: what comes after data that is still to come is left out.
    pub fn beginning(&self) -> String {
        let open = Call { ended: None, ..*self };
        let (shown, held) = (open.arguments(), self.held());
        format!(
            "{}({}{}",
            name(self.nr),
            shown[..held].join(", "),
            if held < shown.len() && held > 0 { ", " } else { "" }
        )
    }

    /// What [`Call::beginning`] left out, with the bracket at its end.
    pub fn ending(&self) -> String {
        let shown = self.arguments();
        format!("{})", shown[self.held().min(shown.len())..].join(", "))
    }

    /// The call without its result: `read(3, "x", 1)`.
    pub fn text(&self) -> String {
        format!("{}({})", name(self.nr), self.arguments().join(", "))
    }

    /// All of it: `read(3, "x", 1) = 1`.
    pub fn whole(&self) -> String {
        match self.ended {
            Some(_) => format!("{} = {}", self.text(), self.result()),
            None => self.text(),
        }
    }

    /// Whether nobody hears how it ends: it has no RETURN.
    pub fn never_returns(&self) -> bool {
        table::entry(self.nr).is_some_and(|entry| entry.ret == Ret::Never)
    }

    /// Its result, in strace's words; empty while it goes on.
    pub fn result(&self) -> String {
        let Some(Ended { value, .. }) = self.ended else { return String::new() };
        if let Some(error) = errno(value) {
            return match error.name() {
                "E?" => format!("-1 (errno {})", error.0),
                _ => format!("-1 {error}"),
            };
        }
        match table::entry(self.nr).map_or(Ret::Int, |entry| entry.ret) {
            Ret::Int | Ret::Never => value.to_string(),
            Ret::Hex => hex(value as u64),
            Ret::Oct => named(&words::MODE, value as u32),
            Ret::Timeout => {
                if value == 0 {
                    "0 (Timeout)".to_owned()
                } else {
                    value.to_string()
                }
            }
            Ret::Fcntl => self.fcntl_result(value),
        }
    }

    fn fcntl_result(&self, value: i64) -> String {
        let names = match self.args.get(1).map(|command| *command as u32) {
            // F_GETFD, F_GETFL, F_GET_SEALS
            Some(1) if value != 0 => &words::FD_FLAGS,
            Some(3) => &words::OPEN,
            Some(1034) if value != 0 => &words::SEALS,
            _ => return value.to_string(),
        };
        let what = if self.args[1] == 1034 { "seals" } else { "flags" };
        format!("{value:#x} ({what} {})", named(names, value as u32))
    }

    fn entry(&self) -> Option<&'static Entry> {
        table::entry(self.nr)
    }

    /// What an argument is, now that the others are known.
    fn kind(&self, i: usize) -> Arg {
        let arg = self.entry().and_then(|entry| entry.args.get(i)).copied().unwrap_or(Arg::Hex);
        let Arg::By(other, by) = arg else { return arg };
        let key = self.args.get(other).copied().unwrap_or(0) as u32;
        let By { mask, cases, other } = by;
        cases.iter().find(|(value, _)| *value == key & mask).map_or(*other, |(_, arg)| *arg)
    }

    /// How many of the arguments that are shown are known before it ends.
    fn held(&self) -> usize {
        let kinds = (0..self.args.len()).map(|i| self.kind(i)).filter(|arg| !matches!(arg, Arg::Unused));
        kinds.take_while(|arg| !matches!(arg, Arg::Out(_))).count()
    }

    /// An argument by its number alone; none if Linux does not look at it.
    fn plain(&self, arg: Arg, value: u64) -> Option<String> {
        let int = value as i32;
        Some(match arg {
            Arg::Unused => return None,
            Arg::Dirfd if int == AT_FDCWD => "AT_FDCWD".to_owned(),
            Arg::Fd | Arg::Dirfd | Arg::Int => int.to_string(),
            Arg::Id if int == -1 => "-1".to_owned(),
            Arg::Uint | Arg::Id => (value as u32).to_string(),
            Arg::Long => (value as i64).to_string(),
            Arg::Size => value.to_string(),
            // A By within a By is none of the table's.
            Arg::Hex | Arg::By(..) => hex(value),
            Arg::Ptr | Arg::Path | Arg::In(_) | Arg::Out(_) => pointer(value),
            Arg::Signal => signal_name(value as u32),
            Arg::Key if value as u32 == 0 => "IPC_PRIVATE".to_owned(),
            Arg::Key => hex(u64::from(value as u32)),
            Arg::Ioctl => request(value as u32),
            Arg::CloneFlags => clone_flags(value),
            Arg::Named(names) => named(names, value as u32),
        })
    }
}

/// The error that a result is, if it is one.
pub fn errno(value: i64) -> Option<Errno> {
    (-4095..0).contains(&value).then(|| Errno(value.unsigned_abs() as u16))
}

/// A signal as strace names it: real-time signals count from the kernel's first.
pub fn signal_name(number: u32) -> String {
    match number {
        32..=64 => format!("SIGRT_{}", number - 32),
        _ => signal::name(number).map_or_else(|| (number as i32).to_string(), |name| format!("SIG{name}")),
    }
}

/// What the `si_code` of a signal is called.
pub fn signal_code(signal: u32, code: i32) -> String {
    let own = words::SIGNAL_CODES.iter().find(|(known, _)| *known == signal).map(|(_, names)| *names);
    let names = if code > 0 && code != 0x80 { own.unwrap_or(&words::SI) } else { &words::SI };
    named(names, code as u32)
}

/// Flags and constants by their names.
pub fn named(names: &Names, value: u32) -> String {
    let mut parts = Vec::new();
    let mut rest = value;
    if let Some((_, word)) = names.values.iter().find(|(known, _)| *known == value & names.mask) {
        parts.push((*word).to_owned());
        rest &= !names.mask;
    }
    for (flag, word) in names.flags {
        if rest & flag == *flag {
            parts.push((*word).to_owned());
            rest &= !flag;
        }
    }
    match names.rest {
        Rest::Octal if rest != 0 || parts.is_empty() => parts.push(octal(rest)),
        Rest::Hex(unknown) if rest != 0 => {
            let remark = parts.is_empty() && !unknown.is_empty();
            parts.push(if remark { format!("{rest:#x} /* {unknown} */") } else { format!("{rest:#x}") });
        }
        _ if parts.is_empty() => parts.push(names.zero.to_owned()),
        _ => {}
    }
    parts.join("|")
}

/// Permission bits: three digits at the least, and a zero in front.
fn octal(value: u32) -> String {
    if value == 0 { "000".to_owned() } else { format!("{:0>3}", format!("0{value:o}")) }
}

fn clone_flags(value: u64) -> String {
    let (flags, end) = (value as u32 & !0xff, value as u32 & 0xff);
    match (flags, end) {
        (_, 0) => named(&words::CLONE, flags),
        (0, _) => signal_name(end),
        _ => format!("{}|{}", named(&words::CLONE, flags), signal_name(end)),
    }
}

/// A request of `ioctl` by its name, or by direction, device letter, number and size.
fn request(value: u32) -> String {
    if let Some((_, word)) = words::IOCTL.values.iter().find(|(known, _)| *known == value) {
        return (*word).to_owned();
    }
    let direction = ["_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE"][(value >> 30) as usize];
    format!("_IOC({direction}, {:#x}, {:#x}, {:#x})", value >> 8 & 0xff, value & 0xff, value >> 16 & 0x3fff)
}

fn hex(value: u64) -> String {
    if value == 0 { "0".to_owned() } else { format!("{value:#x}") }
}

fn pointer(value: u64) -> String {
    if value == 0 { "NULL".to_owned() } else { format!("{value:#x}") }
}

/// Data at an address: what was captured of it, or the address where nothing could be.
fn readable(at: u64, bytes: &[u8], len: u64) -> Option<String> {
    Some(if at == 0 || bytes.is_empty() && len > 0 { pointer(at) } else { quoted(bytes, (bytes.len() as u64) < len) })
}

/// Bytes as a string of C's; dots after it say that there are more.
pub fn quoted(bytes: &[u8], more: bool) -> String {
    let mut out = String::from("\"");
    for (i, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x0b => out.push_str("\\v"),
            0x0c => out.push_str("\\f"),
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x20..0x7f => out.push(char::from(*byte)),
            _ => {
                // All three digits where the next byte would be taken for one of them.
                let digit = bytes.get(i + 1).is_some_and(|next| (b'0'..=b'7').contains(next));
                let _ = if digit { write!(out, "\\{byte:03o}") } else { write!(out, "\\{byte:o}") };
            }
        }
    }
    out.push_str(if more { "\"..." } else { "\"" });
    out
}
