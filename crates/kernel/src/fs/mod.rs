//! Files: what paths lead to and what descriptors name.
//!
//! | Module | Content |
//! |---|---|
//! | [`inode`] | inodes, directories, file systems; files of the machine read through, copied up when written |
//! | [`path`] | path walking |
//! | [`store`] | the pages that hold the world's own file contents |
//! | [`content`] | a regular file's bytes: extents of the store, or a file of the machine |
//! | [`disk`] | what of it is durable: crashes and faults of disks |
//! | [`file`] | open file descriptions and descriptor tables |
//! | [`build`] | a host's tree from its specification |
//! | [`pipe`], [`epoll`], [`event`], [`dev`] | what descriptors name besides inodes |
//! | [`tty`] | pseudo-terminals and their line discipline |
//! | [`lock`] | `flock` and record locks |
//! | [`procfs`] | `/proc` and `/sys`, computed |
//! | [`config`] | `/proc/config.gz` |

pub mod build;
pub mod config;
pub mod content;
pub mod dev;
pub mod disk;
pub mod epoll;
pub mod event;
pub mod file;
pub mod inode;
pub mod lock;
pub mod path;
pub mod pipe;
pub mod procfs;
pub mod store;
pub mod tty;
