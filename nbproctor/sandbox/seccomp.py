"""The system calls that a sandboxed process may use: for threads, not for processes.

This is an allow-list, because what NumPy, matplotlib and IPython need is short and
changes slowly. Other calls fail with EPERM, which Python shows as a `PermissionError`.

To allow one more call, add a word or a row. A call must not let a process escape,
exceed a limit of memory, disk or time, or send a bit to another sandboxed process, now
or later. The reason for each call is next to it; docs/security.md says what no filter
can prevent.

pyseccomp uses libseccomp, which knows the numbers of the calls on x86-64 and arm64.
"""

from __future__ import annotations

import errno
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

from nbproctor.sandbox.policy import Policy

# Calls that are allowed with any arguments -------------------------------------------

# Landlock controls what is opened, created, removed and renamed; the other calls use
# descriptors of files that were opened under its rules. stat, access and readlink show
# whether files outside exist, and their size, but no process can change these. statfs
# shows the free space, which a process can change only if its scratch folder is not a
# tmpfs; glibc needs statfs in the place of fallocate.
# Not allowed: fallocate (it takes space faster than a watch can see), mincore and
# readahead (they show what others have read), and calls that change attributes (chmod,
# chown, utime, xattr), which Landlock does not control.
FILES = """
    access chdir close close_range copy_file_range creat dup dup2 dup3 faccessat
    faccessat2 fchdir fdatasync fstat fstatfs fsync ftruncate getcwd getdents getdents64
    lseek lstat mkdir mkdirat newfstatat pread64 preadv pwrite64 pwritev read readlink
    readlinkat readv rename renameat renameat2 rmdir sendfile stat statfs statx umask
    unlink unlinkat write writev
"""
# Descriptors without a file; each has a bounded buffer, and RLIMIT_NOFILE counts them.
EVENTS = """
    epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_wait eventfd eventfd2 pipe
    pipe2 poll ppoll pselect6 select timerfd_create timerfd_gettime timerfd_settime
"""
# The process's own memory; RLIMIT_DATA and RLIMIT_AS count it (see `mmap`, `madvise`).
MEMORY = "brk mprotect mremap msync munmap"
# The process has one socket, made before it starts. It can use this socket, but not
# create another one that leads outside (see `socketpair`). A judge gets the sockets of
# its students by recvmsg. Not allowed: sendmsg, because a descriptor that is being sent
# is not counted for the process, and its socket keeps what was written.
SOCKET = "getpeername getsockname recvfrom recvmsg sendto shutdown"
# Threads, time and ids of the process itself. sysinfo shows memory and load of the
# computer: glibc's qsort calls it, and does not check for an error. getrusage shows, as
# time does, whether a page was read from the disk; %time calls it. Not allowed:
# sched_setaffinity (every process can read it), timer_create (counted for the user, not
# for the process; setitimer does the same).
PROCESS = """
    alarm arch_prctl exit exit_group getcpu getegid geteuid getgid getgroups getitimer
    getpgrp getpid getppid getrandom getresgid getresuid getrlimit getrusage gettid
    gettimeofday getuid nanosleep pause restart_syscall riscv_flush_icache rseq
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait
    sched_get_priority_max sched_get_priority_min sched_yield set_robust_list
    set_tid_address setitimer sigaltstack sysinfo time times uname wait4 waitid
"""
# raise() and abort() send a signal to their own process; `confine` forbids all others.
SIGNALS = "kill tgkill"

# Calls that are answered, but not executed -------------------------------------------

# Programs try these first, and an older call only after ENOSYS.
ABSENT = """
    clone3 epoll_pwait2 futex_requeue futex_wait futex_waitv futex_wake map_shadow_stack
    mseal openat2
"""
# They seem to succeed. Only one process uses a scratch folder, and its own locks never
# block it, so sqlite works as usual. A lock on a file that all processes can read would
# be a message (also by `fcntl`, below). A system may ignore advice on what is read
# next.
NO_OPS = "fadvise64 flock"
# glibc then reserves space by writing, which is counted.
UNSUPPORTED = "fallocate"

# Calls that are allowed with some arguments only -------------------------------------

# These would show whether another process exists; 0 is the process itself.
OWN_PROCESS = """
    get_robust_list getpgid getsid sched_getaffinity sched_getparam sched_getscheduler
"""
# Clocks have small numbers; a negative number is the processor time of a process.
CLOCKS = "clock_getres clock_gettime clock_nanosleep"
INT = 0xFFFFFFFF  # the bits that the kernel reads of an int argument
WHOLE = (1 << 64) - 1
CLONE_THREAD = 0x00010000
CLONE_NEW = 0x7E020000  # every kind of namespace
# What a memory map may be. Not allowed: maps that grow downwards or are droppable,
# which RLIMIT_DATA does not count; huge pages, of which the computer has one pool;
# locked maps.
MAP_FLAGS = sum(
    (
        0x01,  # MAP_SHARED
        0x02,  # MAP_PRIVATE
        0x10,  # MAP_FIXED
        0x20,  # MAP_ANONYMOUS
        0x40,  # MAP_32BIT
        0x800,  # MAP_DENYWRITE, which the kernel ignores
        0x1000,  # MAP_EXECUTABLE, likewise
        0x4000,  # MAP_NORESERVE
        0x8000,  # MAP_POPULATE
        0x10000,  # MAP_NONBLOCK
        0x20000,  # MAP_STACK
        0x100000,  # MAP_FIXED_NOREPLACE
    ),
)
MAP_SHARED_ANONYMOUS = 0x01 | 0x20
MAP_MASK = WHOLE & ~MAP_FLAGS | MAP_SHARED_ANONYMOUS
AF_UNIX = 1
SOCK_STREAM = 1
SOCK_TYPE = 0xF
SOL_SOCKET = 1
_O_DIRECTORY = getattr(os, "O_DIRECTORY", 0)  # Windows imports this module, too
O_TMPFILE = getattr(os, "O_TMPFILE", 0) & ~_O_DIRECTORY
NO_CHANGE = os.O_TRUNC | O_TMPFILE
CLOCK_NUMBERS = 0x1F

# A row is the name of a call, and conditions for its arguments: (position, mask,
# value). A call is allowed if all conditions of one of its rows hold.
Row = tuple[Any, ...]


def _rows(names: str) -> list[Row]:
    """Return rows of calls without conditions."""
    return [(name,) for name in names.split()]


RESTRICTED: list[Row] = [
    # Wait, wake, move to another address, and the same with bits. Two processes that
    # map the same file can wake each other, but only while one waits; joining a thread
    # and C++ need this kind. Not allowed: operations that lend priority, because they
    # look up a process by a number that the caller has written.
    *(("futex", (1, 0x7F, operation)) for operation in (0, 1, 3, 4, 5, 9, 10)),
    *((name, (0, INT, 0)) for name in OWN_PROCESS.split()),
    ("getpriority", (1, INT, 0)),  # likewise
    *((name, (0, INT & ~CLOCK_NUMBERS, 0)) for name in CLOCKS.split()),
    ("clone", (0, CLONE_THREAD | CLONE_NEW, CLONE_THREAD)),
    # RLIMIT_DATA does not count shared anonymous memory, so a map must be private, or
    # of a file.
    *(("mmap", (3, MAP_MASK, kind)) for kind in (0x20, 0x01, 0x00)),
    # Normal, random, sequential, needed, not needed, free; not in a fork (and undo);
    # huge pages (no, yes); not in a dump (and undo); guard pages (and undo). Not
    # allowed: page out, cold, merge, because they affect pages that other processes
    # see.
    *(
        ("madvise", (2, INT, advice))
        for advice in (0, 1, 2, 3, 4, 8, 10, 11, 14, 15, 16, 17, 102, 103)
    ),
    # The flag NOWAIT would show whether a process has read this part of a file.
    ("preadv2", (5, INT, 0)),
    ("pwritev2", (5, INT, 0)),
    # Kernels before 6.2 have no Landlock right for truncation: refuse to truncate a
    # file that is only opened for reading. O_TMPFILE would create a file that the
    # watch of the scratch folder cannot see.
    *(
        (name, (position, mask, flags))
        for name, position in (("open", 1), ("openat", 2))
        for mask, flags in (
            (NO_CHANGE, 0),
            (NO_CHANGE | os.O_ACCMODE, os.O_TRUNC | os.O_WRONLY),
            (NO_CHANGE | os.O_ACCMODE, os.O_TRUNC | os.O_RDWR),
        )
    ),
    # asyncio wakes its loop through a pair of connected sockets. A datagram pair could
    # send to any address, but a stream pair cannot.
    ("socketpair", (0, WHOLE, AF_UNIX), (1, SOCK_TYPE, SOCK_STREAM)),
    # Type, error, listening, protocol, family. Not allowed: the peer's credentials, a
    # descriptor of its process, and a number that the kernel counts for all sockets.
    *(
        ("getsockopt", (1, INT, SOL_SOCKET), (2, INT, option))
        for option in (3, 4, 30, 38, 39)
    ),
    # Timeouts, which the judge needs; nobody needs larger buffers.
    *(("setsockopt", (1, INT, SOL_SOCKET), (2, INT, option)) for option in (20, 21)),
    # Harmless requests to a terminal or a descriptor: TCGETS, TIOCGWINSZ, FIONREAD,
    # FIONBIO, FIONCLEX, FIOCLEX. Not allowed: TIOCSTI, for example.
    *(
        ("ioctl", (1, INT, request))
        for request in (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
    ),
    # Duplicate, flags, F_GETLK, size of a pipe. Not allowed: F_SETOWN and F_SETSIG (the
    # kernel would send any signal to any process of the same user); leases,
    # notifications and write hints (other processes see them); F_SETPIPE_SZ (no limit
    # of the process counts a pipe of 1 MiB).
    *(("fcntl", (1, INT, command)) for command in (*range(6), 36, 1030, 1032)),
    ("prctl", (0, INT, 15)),  # PR_SET_NAME
    ("prctl", (0, INT, 16)),  # PR_GET_NAME
    ("prctl", (0, INT, 0x53564D41)),  # PR_SET_VMA
    ("prlimit64", (0, WHOLE, 0), (2, WHOLE, 0)),  # read the process's own limits
]
# Locks (F_SETLK, F_SETLKW, and those of an open file) seem to succeed, like `flock`.
RESTRICTED_NO_OPS: list[Row] = [("fcntl", (1, INT, lock)) for lock in (6, 7, 37, 38)]

# With a network: TCP and UDP to other computers, and the options of sockets and of TCP
# that libraries set. Not allowed: raw packets, local sockets and the kernel's; to
# listen at a port (other submissions could use it, and waiting connections take
# memory); SO_LINGER (every process that closes such a socket waits, even the kernel).
# sendmsg is needed to look up names; a descriptor that is being sent can take some
# memory.
NETWORK_CALLS = "connect recvmmsg sendmmsg sendmsg"
TCP = 6
IPV6 = 41
V6ONLY = 26
OPTIONS_BY_LEVEL = {
    TCP: (1, 4, 5, 6, 18),
    SOL_SOCKET: (2, 6, 9),
    IPV6: (V6ONLY,),
}
KINDS = [((1, SOCK_TYPE, kind), (2, INT, way)) for kind in (1, 2) for way in (0, 6, 17)]
OPTIONS = [
    ((1, INT, level), (2, INT, number))
    for level, numbers in OPTIONS_BY_LEVEL.items()
    for number in numbers
]
NETWORK = _rows(NETWORK_CALLS)
NETWORK += [("socket", (0, WHOLE, inet), *kind) for inet in (2, 10) for kind in KINDS]
NETWORK += [(f"{how}sockopt", *option) for how in ("get", "set") for option in OPTIONS]


@cache
def _filter(network: bool) -> Any:
    """Build and compile the part of the filter that all processes share, once."""
    import pyseccomp as sc  # type: ignore[import-untyped]

    words = " ".join((FILES, EVENTS, MEMORY, SOCKET, PROCESS, SIGNALS))
    done = sc.ERRNO(0)
    answers = [
        (sc.ALLOW, _rows(words)),
        (sc.ERRNO(errno.ENOSYS), _rows(ABSENT)),
        (done, _rows(NO_OPS)),
        (sc.ERRNO(errno.EOPNOTSUPP), [(UNSUPPORTED,)]),
        (sc.ALLOW, RESTRICTED + NETWORK * network),
        (done, RESTRICTED_NO_OPS),
    ]
    program = sc.SyscallFilter(sc.ERRNO(errno.EPERM))
    # 32-bit and x32 calls have other numbers, so they must not be mistaken for these.
    program.set_attr(sc.Attr.ACT_BADARCH, sc.KILL_PROCESS)
    # A balanced tree instead of 150 comparisons for each call.
    program.set_attr(sc.Attr.CTL_OPTIMIZE, 2)
    for answer, rows in answers:
        for name, *conditions in rows:
            # An older libseccomp may not know a newer call, which then stays forbidden.
            number = sc.resolve_syscall(sc.Arch.NATIVE, name)
            if number == -1:
                continue
            arguments = []
            for position, *mask_and_value in conditions:
                argument = sc.Arg(position, sc.MASKED_EQ, *mask_and_value)
                arguments.append(argument)
            program.add_rule(answer, name, *arguments)
    with Path(os.devnull).open("wb") as nowhere:
        program.export_bpf(nowhere)  # compiles; libseccomp 2.6 keeps the program
    return program


def prepare(policy: Policy) -> None:
    """Do the slow part of `confine` once for all forks.

    `ImportError`, `RuntimeError`, `OSError`: pyseccomp or libseccomp.so.2 is missing,
    or does not work.
    """
    _filter(policy.network)


def confine(policy: Policy) -> None:
    """Load the filter into this process, which must have no_new_privs set.

    It raises the same exceptions as `prepare`, also if the kernel refuses the filter.
    """
    import pyseccomp as sc

    # First, a small filter for this process. Of two filters, the stricter one counts.
    seccomp_filter = sc.SyscallFilter(sc.ALLOW)
    for name in SIGNALS.split():
        seccomp_filter.add_rule(
            sc.ERRNO(errno.EPERM), name, sc.Arg(0, sc.NE, os.getpid())
        )
    seccomp_filter.load()
    _filter(policy.network).load()
    # Check that the filter works: a call that is not on the list must fail.
    try:
        os.getxattr("/", "user.nothing")
    except OSError as error:
        if error.errno == errno.EPERM:
            return
    raise OSError(errno.EPERM, f"the seccomp filter is not in force on {sys.platform}")
