//! The memory map that every guest address space shares.
//!
//! The layer's regions lie between 0x6000_0000_0000 and 0x7000_0000_0000; a guest is never given an
//! address in that range, and a guest pointer into it is answered with `EFAULT`.

/// Where the layer image is linked and mapped (three LOAD segments, private copies of one memfd).
pub const LAYER_BASE: u64 = 0x6000_0000_0000;
/// The arena: one shared memfd, the layer's heap, control page and trace ring.
pub const ARENA_BASE: u64 = 0x6010_0000_0000;
/// How much of the arena is reserved; pages are committed on touch.
pub const ARENA_SIZE: u64 = 64 << 30;
/// The private area of a host process: per-CPU block, layer stack, signal stack.
pub const PROC_BASE: u64 = 0x6020_0000_0000;
/// Size of the private area in bytes.
pub const PROC_SIZE: u64 = 2 << 20;
/// The store: one shared memfd that holds the contents of the world's own files and shared memory.
pub const STORE_BASE: u64 = 0x6100_0000_0000;
/// How much of the store is reserved; pages are committed on touch.
pub const STORE_SIZE: u64 = 4 << 40;

/// First byte of the range that no guest may use or name.
pub const RESERVED_START: u64 = LAYER_BASE;
/// First byte after that range.
pub const RESERVED_END: u64 = 0x7000_0000_0000;

/// Lowest address handed to a guest (vm.mmap_min_addr on Linux).
pub const GUEST_MIN: u64 = 0x1_0000;
/// First byte after the highest guest address.
pub const GUEST_MAX: u64 = 0x7fff_ffff_f000;
/// Where a position-independent executable is loaded.
pub const PIE_BASE: u64 = 0x5555_5555_4000;
/// Where a program interpreter (ld.so) is loaded.
pub const INTERP_BASE: u64 = 0x7000_0000_0000;
/// Where `mmap` begins to look, upward.
pub const MMAP_BASE: u64 = 0x7100_0000_0000;
/// First byte after the initial stack.
pub const STACK_TOP: u64 = 0x7ff0_0000_0000;

/// Where the shared object with the clock functions is mapped (vdso(7)).
pub const VDSO_BASE: u64 = STACK_TOP + 0x1000_0000;

/// Size of a stub zone in bytes.
pub const STUB_ZONE_SIZE: u64 = 16 << 20;
/// Where stubs of rewritten call sites are, and the addresses from which each zone is within a jump's reach. No guest is
/// given addresses of a zone.
pub const STUB_ZONES: [(u64, core::ops::Range<u64>); 4] = [
    (0x7000_0000, 0x1_0000..0x7000_0000),
    (PIE_BASE & !0xffff_ffff | 0x4000_0000, PIE_BASE - 0x1000_0000..PIE_BASE + 0x4000_0000),
    (INTERP_BASE + 0x4000_0000, INTERP_BASE..INTERP_BASE + 0x4000_0000),
    (MMAP_BASE - 0x4000_0000, MMAP_BASE - 0x2000_0000..MMAP_BASE + 0x3000_0000),
];

/// Page size in bytes.
pub const PAGE: u64 = 4096;

/// Bytes of a huge page.
pub const HUGE_PAGE: u64 = 2 << 20;

/// Offset of the trace ring in the arena: what every host process touches, the control page and the ring, is one huge page.
pub const RING_OFFSET: u64 = 1 << 20;
/// Size of the trace ring in bytes; a power of two. It is read often enough, and stays in a cache.
pub const RING_SIZE: u64 = HUGE_PAGE - RING_OFFSET;
/// Offset of the area by which the supervisor hands blobs in (specification) and takes blobs out (report).
pub const BLOB_OFFSET: u64 = RING_OFFSET + RING_SIZE;
/// Size of the blob area in bytes.
pub const BLOB_SIZE: u64 = 64 << 20;
/// Offset of the layer's heap in the arena.
pub const HEAP_OFFSET: u64 = BLOB_OFFSET + BLOB_SIZE;
const _: () = assert!(RING_SIZE.is_power_of_two() && HEAP_OFFSET.is_multiple_of(HUGE_PAGE));

/// Descriptor numbers that every host process holds, below any that the layer opens.
pub mod fd {
    /// The arena's memfd.
    pub const ARENA: i32 = 3;
    /// The store's memfd.
    pub const STORE: i32 = 4;
    /// First descriptor that the layer may use for what it opens itself.
    pub const FIRST_FREE: i32 = 8;
}
