//! The shared library that Antithesis' SDKs look for at `/usr/lib/libvoidstar.so`: every host of a world has it, so that programs
//! that were instrumented for those SDKs tell their assertions to the run and draw their random numbers from its seed.
//!
//! Its source is `library/libvoidstar.rs`. It needs no other library, so it loads with any C library.

#![no_std]
#![forbid(unsafe_code)]

/// The library: an ELF shared object for x86-64.
pub const LIBRARY: &[u8] = include_bytes!(env!("SNOWGLOBE_VOIDSTAR"));

/// Where SDKs look for it.
pub const PATH: &str = "/usr/lib/libvoidstar.so";
