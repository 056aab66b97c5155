//! Credentials (`credentials(7)`, `capabilities(7)`).

use crate::mem::{self, Struct};
use crate::task::Cred;
use crate::uapi::*;
use crate::{Answer, Cx};
use snowglobe_abi::errno::Errno;

const SAME: u32 = u32::MAX;

pub fn getuid(cx: &mut Cx) -> Answer {
    Ok(i64::from(cx.proc().cred.uid))
}
pub fn geteuid(cx: &mut Cx) -> Answer {
    Ok(i64::from(cx.proc().cred.euid))
}
pub fn getgid(cx: &mut Cx) -> Answer {
    Ok(i64::from(cx.proc().cred.gid))
}
pub fn getegid(cx: &mut Cx) -> Answer {
    Ok(i64::from(cx.proc().cred.egid))
}

pub fn getresuid(cx: &mut Cx) -> Answer {
    let c = cx.proc().cred.clone();
    for (i, id) in [c.uid, c.euid, c.suid].into_iter().enumerate() {
        cx.m.write(cx.args[i], &id.to_le_bytes())?;
    }
    Ok(0)
}

pub fn getresgid(cx: &mut Cx) -> Answer {
    let c = cx.proc().cred.clone();
    for (i, id) in [c.gid, c.egid, c.sgid].into_iter().enumerate() {
        cx.m.write(cx.args[i], &id.to_le_bytes())?;
    }
    Ok(0)
}

impl Cred {
    /// Sets the user ids and does to the capabilities what that does.
    fn set_users(&mut self, uid: u32, euid: u32, suid: u32) {
        let had = [self.uid, self.euid, self.suid].contains(&0);
        let was_root = self.euid == 0;
        (self.uid, self.euid, self.suid) = (uid, euid, suid);
        self.set_fs_user(euid);
        if self.secure_bits & SECURE_NO_SETUID_FIXUP != 0 {
            return;
        }
        if had && ![uid, euid, suid].contains(&0) && self.secure_bits & SECURE_KEEP_CAPS == 0 {
            self.caps[0] = 0;
            self.caps[1] = 0;
            self.caps[4] = 0;
        } else if was_root && euid != 0 {
            self.caps[0] = 0;
        } else if !was_root && euid == 0 {
            self.caps[0] = self.caps[1];
        }
    }
}

impl Cred {
    /// Sets the user for file access; the rights over others' files go and come with user 0 (`capabilities(7)`).
    fn set_fs_user(&mut self, id: u32) {
        // CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, LINUX_IMMUTABLE, MKNOD, MAC_OVERRIDE.
        const OVER_FILES: u64 = 0x1f | 1 << 9 | 1 << 27 | 1 << 32;
        match (self.fsuid == 0, id == 0) {
            _ if self.secure_bits & SECURE_NO_SETUID_FIXUP != 0 => {}
            (true, false) => self.caps[0] &= !OVER_FILES,
            (false, true) => self.caps[0] |= self.caps[1] & OVER_FILES,
            _ => {}
        }
        self.fsuid = id;
    }
}

pub fn setuid(cx: &mut Cx) -> Answer {
    let id = cx.uint(0);
    let c = &mut cx.proc_mut().cred;
    if id == SAME {
        return Err(Errno::EINVAL.into());
    }
    if c.capable(CAP_SETUID) {
        c.set_users(id, id, id);
    } else if id == c.uid || id == c.suid {
        let (u, s) = (c.uid, c.suid);
        c.set_users(u, id, s);
    } else {
        return Err(Errno::EPERM.into());
    }
    Ok(0)
}

pub fn setgid(cx: &mut Cx) -> Answer {
    let id = cx.uint(0);
    let c = &mut cx.proc_mut().cred;
    if id == SAME {
        return Err(Errno::EINVAL.into());
    }
    if c.capable(CAP_SETGID) {
        (c.gid, c.egid, c.sgid, c.fsgid) = (id, id, id, id);
    } else if id == c.gid || id == c.sgid {
        (c.egid, c.fsgid) = (id, id);
    } else {
        return Err(Errno::EPERM.into());
    }
    Ok(0)
}

pub fn setreuid(cx: &mut Cx) -> Answer {
    let (r, e) = (cx.uint(0), cx.uint(1));
    let c = &mut cx.proc_mut().cred;
    let root = c.capable(CAP_SETUID);
    let r_ok = r == SAME || root || r == c.uid || r == c.euid;
    let e_ok = e == SAME || root || e == c.uid || e == c.euid || e == c.suid;
    if !r_ok || !e_ok {
        return Err(Errno::EPERM.into());
    }
    let old = c.uid;
    let uid = if r == SAME { c.uid } else { r };
    let euid = if e == SAME { c.euid } else { e };
    let suid = if r != SAME || e != SAME && e != old { euid } else { c.suid };
    c.set_users(uid, euid, suid);
    Ok(0)
}

pub fn setregid(cx: &mut Cx) -> Answer {
    let (r, e) = (cx.uint(0), cx.uint(1));
    let c = &mut cx.proc_mut().cred;
    let root = c.capable(CAP_SETGID);
    let r_ok = r == SAME || root || r == c.gid || r == c.egid;
    let e_ok = e == SAME || root || e == c.gid || e == c.egid || e == c.sgid;
    if !r_ok || !e_ok {
        return Err(Errno::EPERM.into());
    }
    let old = c.gid;
    if r != SAME {
        c.gid = r;
    }
    if e != SAME {
        c.egid = e;
    }
    if r != SAME || e != SAME && e != old {
        c.sgid = c.egid;
    }
    c.fsgid = c.egid;
    Ok(0)
}

pub fn setresuid(cx: &mut Cx) -> Answer {
    let ids = [cx.uint(0), cx.uint(1), cx.uint(2)];
    let c = &mut cx.proc_mut().cred;
    let own = [c.uid, c.euid, c.suid];
    if !c.capable(CAP_SETUID) && ids.iter().any(|id| *id != SAME && !own.contains(id)) {
        return Err(Errno::EPERM.into());
    }
    let pick = |i: usize| if ids[i] == SAME { own[i] } else { ids[i] };
    c.set_users(pick(0), pick(1), pick(2));
    Ok(0)
}

pub fn setresgid(cx: &mut Cx) -> Answer {
    let ids = [cx.uint(0), cx.uint(1), cx.uint(2)];
    let c = &mut cx.proc_mut().cred;
    let own = [c.gid, c.egid, c.sgid];
    if !c.capable(CAP_SETGID) && ids.iter().any(|id| *id != SAME && !own.contains(id)) {
        return Err(Errno::EPERM.into());
    }
    let pick = |i: usize| if ids[i] == SAME { own[i] } else { ids[i] };
    (c.gid, c.egid, c.sgid) = (pick(0), pick(1), pick(2));
    c.fsgid = c.egid;
    Ok(0)
}

pub fn setfsuid(cx: &mut Cx) -> Answer {
    let id = cx.uint(0);
    let c = &mut cx.proc_mut().cred;
    let old = c.fsuid;
    // No user has the id -1: it only asks.
    if id != SAME && (c.capable(CAP_SETUID) || [c.uid, c.euid, c.suid, c.fsuid].contains(&id)) {
        c.set_fs_user(id);
    }
    Ok(i64::from(old))
}

pub fn setfsgid(cx: &mut Cx) -> Answer {
    let id = cx.uint(0);
    let c = &mut cx.proc_mut().cred;
    let old = c.fsgid;
    if id != SAME && (c.capable(CAP_SETGID) || [c.gid, c.egid, c.sgid, c.fsgid].contains(&id)) {
        c.fsgid = id;
    }
    Ok(i64::from(old))
}

pub fn getgroups(cx: &mut Cx) -> Answer {
    let groups = cx.proc().cred.groups.clone();
    let room = cx.int(0);
    if room < 0 || room > 0 && (room as usize) < groups.len() {
        return Err(Errno::EINVAL.into());
    }
    if room > 0 {
        let out = groups.iter().fold(Struct::new(), |s, g| s.u32(*g));
        out.put(cx.m, cx.args[1])?;
    }
    Ok(groups.len() as i64)
}

pub fn setgroups(cx: &mut Cx) -> Answer {
    let n = cx.uint(0);
    if !cx.proc().cred.capable(CAP_SETGID) {
        return Err(Errno::EPERM.into());
    }
    if n > 65536 {
        return Err(Errno::EINVAL.into());
    }
    let raw = mem::bytes(cx.m, cx.args[1], n as usize * 4)?;
    let mut groups: alloc::vec::Vec<u32> = raw.chunks_exact(4).map(|c| mem::field32(c, 0)).collect();
    // Linux keeps them in order, where it finds them fast.
    groups.sort_unstable();
    cx.proc_mut().cred.groups = groups;
    Ok(0)
}

const CAP_VERSIONS: [(u32, usize); 3] = [(0x1998_0330, 1), (0x2007_1026, 2), (0x2008_0522, 2)];

impl Cx<'_> {
    /// Version and words of a capability header, and whose it is.
    fn cap_header(&mut self) -> core::result::Result<(usize, u32), crate::Stop> {
        let raw: [u8; 8] = mem::array(self.m, self.args[0])?;
        let version = mem::field32(&raw, 0);
        match CAP_VERSIONS.iter().find(|(v, _)| *v == version) {
            Some((_, words)) => Ok((*words, mem::field32(&raw, 4))),
            None => {
                self.m.write(self.args[0], &CAP_VERSIONS[2].0.to_le_bytes())?;
                Err(Errno::EINVAL.into())
            }
        }
    }
}

pub fn capget(cx: &mut Cx) -> Answer {
    let (words, pid) = match cx.cap_header() {
        Err(_) if cx.args[1] == 0 => return Ok(0),
        other => other?,
    };
    if (pid as i32) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let id = cx.process(pid)?;
    let caps = cx.k.proc(id).cred.caps;
    if cx.args[1] != 0 {
        let mut out = Struct::new();
        for w in 0..words {
            for set in &caps[..3] {
                out = out.u32((set >> (32 * w)) as u32);
            }
        }
        out.put(cx.m, cx.args[1])?;
    }
    Ok(0)
}

pub fn capset(cx: &mut Cx) -> Answer {
    let (words, pid) = cx.cap_header()?;
    if pid != 0 && pid != cx.proc().pid {
        return Err(Errno::EPERM.into());
    }
    let raw = mem::bytes(cx.m, cx.args[1], words * 12)?;
    let mut new = [0u64; 3];
    for w in 0..words {
        for (i, set) in new.iter_mut().enumerate() {
            *set |= u64::from(mem::field32(&raw, w * 12 + i * 4)) << (32 * w);
        }
    }
    const CAP_SETPCAP: u32 = 8;
    let c = &mut cx.proc_mut().cred;
    let [effective, permitted, inheritable] = new;
    if inheritable & !(c.caps[2] | c.caps[1]) != 0 && !c.capable(CAP_SETPCAP) {
        return Err(Errno::EPERM.into());
    }
    if permitted & !c.caps[1] != 0 || effective & !permitted != 0 {
        return Err(Errno::EPERM.into());
    }
    if inheritable & !(c.caps[2] | c.caps[3]) != 0 {
        return Err(Errno::EPERM.into());
    }
    (c.caps[0], c.caps[1], c.caps[2]) = (effective, permitted, inheritable);
    Ok(0)
}
