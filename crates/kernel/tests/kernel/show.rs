//! Calls as text. What is expected is what strace 6.1 printed of the same calls, but for structures, which a trace does not hold.

use snowglobe_kernel::show::{self, Call, Ended};
use snowglobe_kernel::table::{self, Arg, TABLE};

/// Enough for any address in these tests.
const AT: u64 = 0x7ffc_aa95_fbc0;
/// A negative number as a program passes it in 32 bits.
const fn int(value: i32) -> u64 {
    value as u32 as u64
}

fn blobs(data: &[&[u8]]) -> Vec<Vec<u8>> {
    data.iter().map(|bytes| bytes.to_vec()).collect()
}

/// Checks the line of a call that has ended.
#[track_caller]
fn check(call: &str, args: &[u64], begun: &[&[u8]], value: i64, data: &[&[u8]], expected: &str) {
    let nr = show::number(call).unwrap_or_else(|| panic!("no call {call}"));
    let (begun, data) = (blobs(begun), blobs(data));
    let call = Call { nr, args, begun: &begun, ended: Some(Ended { value, data: &data }) };
    assert_eq!(call.whole(), expected);
}

#[test]
fn files_are_shown_with_their_flags_and_modes() {
    let cwd = int(-100);
    check("openat", &[cwd, AT, 2, 0], &[b"/dev/null"], 3, &[], r#"openat(AT_FDCWD, "/dev/null", O_RDWR) = 3"#);
    check(
        "openat",
        &[cwd, AT, 0o1101, 0o7],
        &[b"/nope"],
        4,
        &[],
        r#"openat(AT_FDCWD, "/nope", O_WRONLY|O_CREAT|O_TRUNC, 007) = 4"#,
    );
    check(
        "openat",
        &[cwd, AT, 0x41_0002, 0o600],
        &[b"/tmp"],
        5,
        &[],
        r#"openat(AT_FDCWD, "/tmp", O_RDWR|O_TMPFILE, 0600) = 5"#,
    );
    check(
        "openat",
        &[u64::MAX - 99, AT, 0x28_0000, 0],
        &[b"/nope"],
        6,
        &[],
        r#"openat(AT_FDCWD, "/nope", O_RDONLY|O_CLOEXEC|O_PATH) = 6"#,
    );
    check("openat", &[cwd, 1, 0, 0], &[b""], -14, &[], "openat(AT_FDCWD, 0x1, O_RDONLY) = -1 EFAULT (Bad address)");
    check(
        "openat",
        &[cwd, AT, 0, 0],
        &[b""],
        -2,
        &[],
        r#"openat(AT_FDCWD, "", O_RDONLY) = -1 ENOENT (No such file or directory)"#,
    );
    check("chmod", &[AT, 0], &[b"/nope"], 0, &[], r#"chmod("/nope", 000) = 0"#);
    check("chmod", &[AT, 0o4755], &[b"/nope"], 0, &[], r#"chmod("/nope", 04755) = 0"#);
    check("umask", &[0o22], &[], 0o22, &[], "umask(022) = 022");
    check("access", &[AT, 0], &[b"/nope"], 0, &[], r#"access("/nope", F_OK) = 0"#);
    check("access", &[AT, 5], &[b"/nope"], 0, &[], r#"access("/nope", R_OK|X_OK) = 0"#);
    check("chown", &[AT, int(-1), 5], &[b"/nope"], 0, &[], r#"chown("/nope", -1, 5) = 0"#);
    check(
        "mknodat",
        &[cwd, AT, 0o10644, 0],
        &[b"/nope/x"],
        -20,
        &[],
        r#"mknodat(AT_FDCWD, "/nope/x", S_IFIFO|0644) = -1 ENOTDIR (Not a directory)"#,
    );
    check(
        "unlinkat",
        &[cwd, AT, 0x200],
        &[b"/nope"],
        -20,
        &[],
        r#"unlinkat(AT_FDCWD, "/nope", AT_REMOVEDIR) = -1 ENOTDIR (Not a directory)"#,
    );
    check("lseek", &[3, u64::MAX, 2], &[], 0, &[], "lseek(3, -1, SEEK_END) = 0");
    check("lseek", &[3, 0, 99], &[], -22, &[], "lseek(3, 0, 0x63 /* SEEK_??? */) = -1 EINVAL (Invalid argument)");
    check(
        "statx",
        &[cwd, AT, 0x800, 2, AT],
        &[b"/nope"],
        -2,
        &[],
        "statx(AT_FDCWD, \"/nope\", AT_STATX_SYNC_AS_STAT|AT_NO_AUTOMOUNT, STATX_MODE, 0x7ffcaa95fbc0) = -1 ENOENT (No such file \
         or directory)",
    );
}

#[test]
fn data_is_cut_and_escaped() {
    check("write", &[3, AT, 9], &[b"\0\x017\x029\x1bx\xff8"], 9, &[], r#"write(3, "\0\0017\29\33x\3778", 9) = 9"#);
    let long = b"01234567890123456789012345678901";
    check("write", &[3, AT, 40], &[long], 40, &[], r#"write(3, "01234567890123456789012345678901"..., 40) = 40"#);
    check("write", &[3, AT, 0], &[b""], 0, &[], r#"write(3, "", 0) = 0"#);
    check("read", &[3, AT, 64], &[], 3, &[b"a\n\""], r#"read(3, "a\n\"", 64) = 3"#);
    check("read", &[3, AT, 64], &[], 0, &[], r#"read(3, "", 64) = 0"#);
    // Of a call that waited nothing is captured.
    check("read", &[3, AT, 64], &[], 3, &[], "read(3, 0x7ffcaa95fbc0, 64) = 3");
    check(
        "read",
        &[0, AT, u64::MAX],
        &[],
        -14,
        &[],
        "read(0, 0x7ffcaa95fbc0, 18446744073709551615) = -1 EFAULT (Bad address)",
    );
}

#[test]
fn what_an_argument_means_may_depend_on_another() {
    check("fcntl", &[3, 3, 0], &[], 0x8002, &[], "fcntl(3, F_GETFL) = 0x8002 (flags O_RDWR|O_LARGEFILE)");
    check("fcntl", &[3, 4, 0x800], &[], 0, &[], "fcntl(3, F_SETFL, O_RDONLY|O_NONBLOCK) = 0");
    check("fcntl", &[3, 1, 0], &[], 0, &[], "fcntl(3, F_GETFD) = 0");
    check("fcntl", &[3, 2, 1], &[], 0, &[], "fcntl(3, F_SETFD, FD_CLOEXEC) = 0");
    check("fcntl", &[3, 1, 0], &[], 1, &[], "fcntl(3, F_GETFD) = 0x1 (flags FD_CLOEXEC)");
    check("fcntl", &[3, 1030, 20], &[], 20, &[], "fcntl(3, F_DUPFD_CLOEXEC, 20) = 20");
    check("fcntl", &[3, 77, 5], &[], -22, &[], "fcntl(3, 0x4d /* F_??? */, 0x5) = -1 EINVAL (Invalid argument)");
    let futex = |args: &[u64; 6], value, expected: &str| check("futex", args, &[], value, &[], expected);
    let again = "-1 EAGAIN (Resource temporarily unavailable)";
    futex(&[AT, 129, 1, 0, 0, 0], 0, "futex(0x7ffcaa95fbc0, FUTEX_WAKE_PRIVATE, 1) = 0");
    futex(&[AT, 0, 1, 0, 9, 9], -11, &format!("futex(0x7ffcaa95fbc0, FUTEX_WAIT, 1, NULL) = {again}"));
    futex(
        &[AT, 137 | 256, 1, 0, 0, u64::MAX],
        -11,
        &format!(
            "futex(0x7ffcaa95fbc0, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 1, NULL, FUTEX_BITSET_MATCH_ANY) = {again}"
        ),
    );
    futex(&[AT, 3, 1, 2, 0x10, 0], 0, "futex(0x7ffcaa95fbc0, FUTEX_REQUEUE, 1, 2, 0x10) = 0");
    futex(
        &[AT, 132, 1, 2, 0x10, 5],
        -11,
        &format!("futex(0x7ffcaa95fbc0, FUTEX_CMP_REQUEUE_PRIVATE, 1, 2, 0x10, 5) = {again}"),
    );
    futex(&[AT, 10, 1, 0, 0, 7], 0, "futex(0x7ffcaa95fbc0, FUTEX_WAKE_BITSET, 1, 0x7) = 0");
    futex(&[AT, 7, 1, 0, 0, 7], -1, "futex(0x7ffcaa95fbc0, FUTEX_UNLOCK_PI) = -1 EPERM (Operation not permitted)");
    let small = &[AT, 4096, 8192, 1, 0];
    check(
        "mremap",
        small,
        &[],
        -22,
        &[],
        "mremap(0x7ffcaa95fbc0, 4096, 8192, MREMAP_MAYMOVE) = -1 EINVAL (Invalid argument)",
    );
}

#[test]
fn sockets_have_families_types_and_options() {
    let socket = |args: &[u64], value, expected: &str| check("socket", args, &[], value, &[], expected);
    socket(&[2, 0x8_0801, 0], 7, "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP) = 7");
    socket(&[1, 2, 0], 8, "socket(AF_UNIX, SOCK_DGRAM, 0) = 8");
    socket(&[16, 3, 0], 9, "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = 9");
    socket(&[10, 2, 17], 11, "socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP) = 11");
    socket(
        &[99, 7, 3],
        -97,
        "socket(0x63 /* AF_??? */, 0x7 /* SOCK_??? */, 3) = -1 EAFNOSUPPORT (Address family not supported by protocol)",
    );
    let option = |args: &[u64], expected: &str| check("setsockopt", args, &[], 0, &[], expected);
    option(&[7, 1, 2, AT, 4], "setsockopt(7, SOL_SOCKET, SO_REUSEADDR, 0x7ffcaa95fbc0, 4) = 0");
    option(&[7, 6, 1, AT, 4], "setsockopt(7, SOL_TCP, TCP_NODELAY, 0x7ffcaa95fbc0, 4) = 0");
    option(&[7, 1, 333, AT, 4], "setsockopt(7, SOL_SOCKET, 0x14d /* SO_??? */, 0x7ffcaa95fbc0, 4) = 0");
    check("poll", &[0, 0, 1], &[], 0, &[], "poll(NULL, 0, 1) = 0 (Timeout)");
    check("epoll_ctl", &[12, 1, 3, AT], &[], 0, &[], "epoll_ctl(12, EPOLL_CTL_ADD, 3, 0x7ffcaa95fbc0) = 0");
    check("pipe2", &[AT, 0x8_0800], &[], 0, &[], "pipe2(0x7ffcaa95fbc0, O_NONBLOCK|O_CLOEXEC) = 0");
    check("ioctl", &[3, 0x5401, AT], &[], 0, &[], "ioctl(3, TCGETS, 0x7ffcaa95fbc0) = 0");
    check(
        "ioctl",
        &[3, 0xc010_5999, AT],
        &[],
        0,
        &[],
        "ioctl(3, _IOC(_IOC_READ|_IOC_WRITE, 0x59, 0x99, 0x10), 0x7ffcaa95fbc0) = 0",
    );
}

#[test]
fn memory_processes_signals_and_time() {
    check(
        "mmap",
        &[0, 4096, 0, 0x4022, int(-1), 0],
        &[],
        0x7fc7_8484_d000,
        &[],
        "mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE, -1, 0) = 0x7fc78484d000",
    );
    check(
        "mmap",
        &[0, 4096, 3, 2, 3, 0x2000],
        &[],
        -19,
        &[],
        "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE, 3, 0x2000) = -1 ENODEV (No such device)",
    );
    check("brk", &[0], &[], 0x5555_5557_8000, &[], "brk(NULL) = 0x555555578000");
    check(
        "clone",
        &[0x120_0011, 0, 0, 0x7fc7_8465_da10, 0],
        &[],
        27251,
        &[],
        "clone(CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, NULL, NULL, 0x7fc78465da10, NULL) = 27251",
    );
    check("wait4", &[27251, 0, 0x4000_0003, 0], &[], 0, &[], "wait4(27251, NULL, WNOHANG|WSTOPPED|__WALL, NULL) = 0");
    check("wait4", &[int(-1), 0, 0, 0], &[], -10, &[], "wait4(-1, NULL, 0, NULL) = -1 ECHILD (No child processes)");
    check("kill", &[999, 35], &[], -3, &[], "kill(999, SIGRT_3) = -1 ESRCH (No such process)");
    check("kill", &[999, 99], &[], -3, &[], "kill(999, 99) = -1 ESRCH (No such process)");
    check("tgkill", &[7, 7, 15], &[], 0, &[], "tgkill(7, 7, SIGTERM) = 0");
    check(
        "clock_nanosleep",
        &[1, 1, AT, 0],
        &[],
        0,
        &[],
        "clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, 0x7ffcaa95fbc0, NULL) = 0",
    );
    check(
        "clock_gettime",
        &[int(-6), AT],
        &[],
        0,
        &[],
        "clock_gettime(0xfffffffa /* CLOCK_??? */, 0x7ffcaa95fbc0) = 0",
    );
    check("shmget", &[0, 4096, 0o1600], &[], 65595, &[], "shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) = 65595");
    check("msgget", &[0x77, 0], &[], -2, &[], "msgget(0x77, 000) = -1 ENOENT (No such file or directory)");
    check("personality", &[u64::MAX], &[], 0, &[], "personality(0xffffffffffffffff) = 0");
    check(
        "prctl",
        &[9999, 1, 2, 3, 4],
        &[],
        -22,
        &[],
        "prctl(0x270f /* PR_??? */, 0x1, 0x2, 0x3, 0x4) = -1 EINVAL (Invalid argument)",
    );
    assert_eq!(show::signal_code(17, 1), "CLD_EXITED");
    assert_eq!(show::signal_code(15, -6), "SI_TKILL");
    assert_eq!(show::signal_code(11, 0x80), "SI_KERNEL");
    assert_eq!(show::signal_code(11, 2), "SEGV_ACCERR");
}

#[test]
fn a_number_that_no_call_has_is_a_name_too() {
    let args = [1, 2, 3, 4, 5, 6];
    let begun = Call { nr: 400, args: &args, begun: &[], ended: None };
    assert_eq!(begun.whole(), "syscall_0x190(0x1, 0x2, 0x3, 0x4, 0x5, 0x6)");
    check(
        "syscall_0x190",
        &args,
        &[],
        -38,
        &[],
        "syscall_0x190(0x1, 0x2, 0x3, 0x4, 0x5, 0x6) = -1 ENOSYS (Function not implemented)",
    );
    for (nr, name) in [
        (0, "read"),
        (59, "execve"),
        (202, "futex"),
        (334, "rseq"),
        (424, "pidfd_send_signal"),
        (471, "rseq_slice_yield"),
    ] {
        assert_eq!((show::name(nr).as_ref(), show::number(name)), (name, Some(nr)));
    }
    assert_eq!(show::number("nope"), None);
}

#[test]
fn what_is_to_come_is_left_out_of_a_call_that_goes_on() {
    let read = Call { nr: 0, args: &[3, AT, 64], begun: &[], ended: None };
    assert_eq!(read.beginning(), "read(3, ");
    let data = blobs(&[b"abc"]);
    let read = Call { ended: Some(Ended { value: 3, data: &data }), ..read };
    assert_eq!(format!("{} = {}", read.ending(), read.result()), r#""abc", 64) = 3"#);
    let sleep = Call { nr: 35, args: &[AT, 0], begun: &[], ended: None };
    assert_eq!((sleep.beginning().as_str(), sleep.ending().as_str()), ("nanosleep(0x7ffcaa95fbc0, NULL", ")"));
}

#[test]
fn any_numbers_can_be_shown_for_every_call() {
    let values = [0, 1, 0x1f, 0x8000_0000, u64::MAX >> 1, 1 << 63, u64::MAX, 0xdead_beef_cafe];
    for entry in TABLE {
        for value in values {
            let args = vec![value; entry.args.len()];
            for result in [0, 1, -1, -38, -4095, -4096, i64::MIN, i64::MAX] {
                for captured in [&[][..], &blobs(&[b"", b"x", b"\xff"])] {
                    let call = Call {
                        nr: u64::from(entry.nr),
                        args: &args,
                        begun: captured,
                        ended: Some(Ended { value: result, data: captured }),
                    };
                    let text = call.whole();
                    assert!(text.starts_with(entry.name) && text.contains(" = "), "{text}");
                    assert!(!call.beginning().contains(" = ") && call.ending().ends_with(')'));
                }
            }
        }
    }
}

#[test]
fn the_table_names_other_arguments_only_by_index_of_what_is_there() {
    for entry in TABLE {
        assert!(entry.args.len() <= 6);
        for arg in entry.args {
            if let Arg::In(other) | Arg::Out(other) | Arg::By(other, _) = arg {
                assert!(*other < entry.args.len(), "{}", entry.name);
            }
            if let Arg::By(_, by) = arg {
                let nested = by.cases.iter().map(|(_, arg)| arg).chain([&by.other]);
                // The trace captures by kind alone, and must not depend on values.
                assert!(
                    !nested.clone().any(|arg| matches!(arg, Arg::By(..) | Arg::Path | Arg::In(_) | Arg::Out(_))),
                    "{}",
                    entry.name
                );
                assert!(by.cases.iter().all(|(value, _)| value & by.mask == *value), "{}", entry.name);
            }
        }
        assert!(table::entry(u64::from(entry.nr)).is_some_and(|found| found.name == entry.name));
    }
}
