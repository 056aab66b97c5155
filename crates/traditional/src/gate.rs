//! The process between snowglobe and the world: it makes the namespaces. Who makes a process namespace is not in it, so it
//! starts the warden there and waits for it.

use crate::channel::{self, Tag};
use rustix::process::{Signal, getuid, set_parent_process_death_signal};
use rustix::thread::UnshareFlags;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// The channel, which inner parts have as their standard output.
pub fn channel() -> io::Result<UnixStream> {
    Ok(UnixStream::from(rustix::stdio::stdout().as_fd().try_clone_to_owned()?))
}

/// See the module.
pub fn main() -> ExitCode {
    // What our own parent has left open is not for programs of a world.
    // SAFETY: nothing of this process is open beyond its standard streams.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) };
    let Ok(mut channel) = channel() else { return ExitCode::FAILURE };
    match through(&mut channel) {
        Ok(code) => code,
        Err(e) => {
            let _ = channel::send(&mut channel, Tag::Failure, e.to_string().as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn through(channel: &mut UnixStream) -> io::Result<ExitCode> {
    let tag = leave()?;
    // After the change of user, which takes this away.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    channel::send(channel, tag, &[])?;
    // Who died before the signal was asked for answers nothing.
    if channel::receive_bare(channel)? != Tag::Go as u8 {
        return Ok(ExitCode::FAILURE);
    }
    let status = Command::new("/proc/self/exe").arg0(crate::WARDEN).env_clear().status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Leaves the machine's namespaces. A user namespace keeps root in a world from what is root's on the machine, so it is made
/// even when there is no need of it.
fn leave() -> io::Result<Tag> {
    let apart =
        UnshareFlags::NEWNS | UnshareFlags::NEWNET | UnshareFlags::NEWUTS | UnshareFlags::NEWIPC | UnshareFlags::NEWPID;
    // SAFETY: descriptors stay shared; this process has one thread.
    let with_user = unsafe { rustix::thread::unshare_unsafe(apart | UnshareFlags::NEWUSER) };
    match with_user {
        Ok(()) => Ok(Tag::Mapless),
        Err(_) if getuid().is_root() => {
            // SAFETY: as above.
            unsafe { rustix::thread::unshare_unsafe(apart) }?;
            Ok(Tag::Mapped)
        }
        Err(e) => Err(e.into()),
    }
}
