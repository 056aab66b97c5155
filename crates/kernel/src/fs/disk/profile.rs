//! What a file system promises: the profiles as data. The book's page on disks states each rule and its source.

use snowglobe_abi::fault::DiskProfile;
use snowglobe_abi::spec::Nanos;

const SECOND: Nanos = 1_000_000_000;

/// After this time a change is due to be written to the disk (`dirty_expire_centisecs`).
pub const EXPIRE: Nanos = 30 * SECOND;
/// As often as this somebody looks for what is due (`dirty_writeback_centisecs`).
pub const WAKE: Nanos = 5 * SECOND;

/// What is in pages that a crash leaves within a file that has grown, when their data was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fresh {
    /// There are none: data is written before the size that shows it.
    Written,
    /// Zeros, what was written, or what the disk held there before.
    Stale,
    /// Zeros, or what was written.
    Zeros,
}

/// The rules of one profile.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Whether changes of names, sizes and attributes go through one journal: a crash keeps those up to some moment. Without
    /// it each is on its own, and a sync is about its own file or directory.
    pub journal: bool,
    /// Whether a sync commits the journal only up to the file's last change, not all of it.
    pub sync_to_last: bool,
    /// After this time a change in the journal is committed.
    pub commit: Nanos,
    /// See [`Fresh`].
    pub fresh: Fresh,
    /// Whether a file that grows within its last page has its new size in the journal at once, not when its data is written.
    pub grows_in_page: bool,
    /// Whether a rename over a file begins to write the data of the new one.
    pub flush_on_rename: bool,
    /// A file that was cut is written when it is closed: one cut to nothing, or any.
    pub flush_on_close: Option<Cut>,
    /// Bytes that the disk writes as a whole.
    pub sector: u64,
}

/// Which files that were cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Those cut to nothing.
    ToNothing,
    /// Those cut at all.
    Any,
}

impl Rules {
    /// The rules of a profile.
    pub fn of(profile: DiskProfile) -> Rules {
        let ext4 = Rules {
            journal: true,
            sync_to_last: false,
            commit: 5 * SECOND,
            fresh: Fresh::Written,
            grows_in_page: true,
            flush_on_rename: true,
            flush_on_close: Some(Cut::ToNothing),
            sector: 4096,
        };
        match profile {
            DiskProfile::Ext4Ordered => ext4,
            DiskProfile::Ext4Writeback => Rules { fresh: Fresh::Stale, ..ext4 },
            DiskProfile::Xfs => Rules {
                sync_to_last: true,
                commit: 30 * SECOND,
                grows_in_page: false,
                flush_on_rename: false,
                flush_on_close: Some(Cut::Any),
                ..ext4
            },
            DiskProfile::PosixWorst => Rules {
                journal: false,
                commit: EXPIRE,
                fresh: Fresh::Zeros,
                grows_in_page: false,
                flush_on_rename: false,
                flush_on_close: None,
                sector: 512,
                ..ext4
            },
        }
    }
}
