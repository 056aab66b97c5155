//! Whom the files of an unpacked image belong to.
//!
//! An image says it of each of its files, and only root may give files away. So what unpacks an image writes it down
//! beside the tree, whoever unpacks it, and a world shows that: it is the same for all users of a machine.
//! A tree without such a file, such as a directory that a user has made, shows its files' own owners.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The first line: what has it is no file that happens to be there.
const HEADER: &str = "snowglobe owners 1\n";

/// What an image says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// By path below the tree, with a slash before it: what does not belong to root, or has permissions that its file
/// could not be given. All else is root's.
pub type Owners = BTreeMap<String, Owner>;

/// Where the owners of a tree's files are written down.
pub fn place(tree: &str) -> String {
    format!("{tree}.owners")
}

/// As bytes. Names may hold all but a zero.
pub fn encode(owners: &Owners) -> Vec<u8> {
    let mut text = HEADER.to_string();
    for (path, Owner { mode, uid, gid }) in owners {
        text.push_str(&format!("{mode:o} {uid} {gid} {path}\0"));
    }
    text.into_bytes()
}

/// What was encoded; nothing for other bytes.
pub fn decode(bytes: &[u8]) -> Option<Owners> {
    let text = core::str::from_utf8(bytes).ok()?.strip_prefix(HEADER)?;
    let one = |line: &str| {
        let mut fields = line.splitn(4, ' ');
        let mode = u32::from_str_radix(fields.next()?, 8).ok()?;
        let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some((String::from(fields.next()?), Owner { mode, uid, gid }))
    };
    if !text.is_empty() && !text.ends_with('\0') {
        return None;
    }
    text.split_terminator('\0').map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_what_they_were_and_other_bytes_are_none() {
        let mut owners = Owners::new();
        assert_eq!(decode(&encode(&owners)), Some(owners.clone()));
        owners.insert("/data".into(), Owner { mode: 0o755, uid: 1000, gid: 50 });
        owners.insert("/a b\n c/d".into(), Owner { mode: 0o4000, uid: 0, gid: u32::MAX });
        let bytes = encode(&owners);
        assert_eq!(decode(&bytes), Some(owners));
        assert_eq!(decode(b""), None);
        assert_eq!(decode(b"a list of owners"), None);
        assert_eq!(decode(&[HEADER.as_bytes(), b"755 x 0 /y\0"].concat()), None);
        let whole = |cut: &usize| decode(&bytes[..*cut]).is_some();
        let ends = [HEADER.len(), bytes.len() - "755 1000 50 /data\0".len()];
        assert_eq!((0..bytes.len()).filter(whole).collect::<Vec<_>>(), ends, "a part of a list is none");
    }
}
