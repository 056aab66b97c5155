//! `/proc/config.gz`: with what options the kernel that guests see was built. Programs that want to know whether something is
//! there without trying it read this.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What there is.
const THERE: &str = "64BIT X86_64 X86 MMU SMP MULTIUSER PRINTK BINFMT_ELF BINFMT_SCRIPT COREDUMP ELF_CORE HIGH_RES_TIMERS \
    POSIX_TIMERS FUTEX FUTEX_PI EPOLL SIGNALFD TIMERFD EVENTFD SHMEM AIO ADVISE_SYSCALLS MEMBARRIER KCMP SYSVIPC SYSVIPC_SYSCTL \
    POSIX_MQUEUE POSIX_MQUEUE_SYSCTL SECCOMP SECCOMP_FILTER FILE_LOCKING INOTIFY_USER EXT4_FS TMPFS TMPFS_XATTR PROC_FS \
    PROC_SYSCTL SYSFS DEVTMPFS TTY UNIX98_PTYS NET UNIX INET IP_MULTICAST IPV6 IKCONFIG IKCONFIG_PROC";

/// What there is not, of what programs ask for.
const MISSING: &str = "MODULES SWAP NUMA HUGETLBFS TRANSPARENT_HUGEPAGE CGROUPS NAMESPACES UTS_NS TIME_NS IPC_NS USER_NS PID_NS NET_NS \
    CHECKPOINT_RESTORE BPF_SYSCALL PERF_EVENTS USERFAULTFD IO_URING RSEQ KEYS DNOTIFY FANOTIFY MANDATORY_FILE_LOCKING QUOTA QFMT_V2 \
    BSD_PROCESS_ACCT SECURITY_LANDLOCK SECURITY_SELINUX SECURITY_APPARMOR MEMORY_FAILURE KEXEC FUSE_FS OVERLAY_FS XFS_FS BTRFS_FS \
    BLK_DEV_LOOP BLK_DEV_RAM PACKET TUN VETH BRIDGE VXLAN NETFILTER TLS MPTCP IP_SCTP RDS VSOCKETS CAN TRACING";

fn text() -> String {
    let mut out = String::from("#\n# Linux/x86 Kernel Configuration\n#\n");
    for name in THERE.split_whitespace() {
        out += &format!("CONFIG_{name}=y\n");
    }
    for name in MISSING.split_whitespace() {
        out += &format!("# CONFIG_{name} is not set\n");
    }
    out
}

/// The file: a gzip member (RFC 1952) of one stored block (RFC 1951, 3.2.4), since nobody pays for its bytes.
pub fn gz() -> Vec<u8> {
    let text = text().into_bytes();
    // Deflate, no flags, no time, no extra flags, made on Unix.
    let mut out = alloc::vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let len = u16::try_from(text.len()).expect("a block holds it");
    out.push(1); // The last block.
    out.extend(len.to_le_bytes());
    out.extend((!len).to_le_bytes());
    out.extend(&text);
    out.extend(crc32(&text).to_le_bytes());
    out.extend(u32::from(len).to_le_bytes());
    out
}

/// The check sum of RFC 1952, 8.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn the_check_sum_is_that_of_gzip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn no_option_is_said_twice() {
        let all: Vec<&str> = THERE.split_whitespace().chain(MISSING.split_whitespace()).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }
}
