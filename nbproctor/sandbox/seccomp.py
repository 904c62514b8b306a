"""The system calls that a sandboxed process keeps: threads yes, processes no.

An allow-list: what NumPy, matplotlib and IPython need is short and changes slowly. What
is not named here fails with EPERM, which Python shows as a readable `PermissionError`.

To allow one more call is one word or one row here. Each was looked at for two things
besides escape: does it reach memory, disk or time past a limit, and does it carry a bit
from one sandboxed process to another (now, or to one that comes later)? The reason why
it is here stands next to it; what no filter can take away, in docs/security.md.

pyseccomp over libseccomp knows the numbers of each call on x86-64 and arm64 alike.
"""

from __future__ import annotations

import errno
import os
import sys
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Any

from nbproctor.sandbox.policy import Policy

# Calls that are let through, whatever their arguments --------------------------------

# Landlock governs what is opened, made, removed and renamed; the rest works on
# descriptors that were opened so.  stat, access and readlink tell of files outside
# whether they exist and how big they are, but nobody can change one.  statfs tells of
# free space, which nobody can change either, but where the scratch is no tmpfs; glibc
# needs it for what fallocate would do.
# Not here: fallocate (space at once, faster than any watch), mincore and readahead
# (what others have read), and whatever changes attributes, which Landlock does not
# govern (chmod, chown, utime, xattr).
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
# The own address space; RLIMIT_DATA and RLIMIT_AS count it (see `mmap`, `madvise`).
MEMORY = "brk mprotect mremap msync munmap"
# The process has one socket, made for it beforehand; it can use it, not make another
# that leads out (see `socketpair`).  recvmsg: a judge gets the sockets of its students
# by it.  Not sendmsg: a descriptor on its way is no longer counted for the process, and
# the socket behind it keeps what was written.
SOCKET = "getpeername getsockname recvfrom recvmsg sendto shutdown"
# Threads, time and numbers of the process itself.  sysinfo tells of memory and load of
# the machine: glibc's qsort asks, without looking whether it got an answer.  getrusage
# tells, as time does, whether a page had to be fetched from the disk; %time asks.  Not
# here: sched_setaffinity (anybody reads it), timer_create (counted for the user, not
# for the process; setitimer does the same).
PROCESS = """
    alarm arch_prctl exit exit_group getcpu getegid geteuid getgid getgroups getitimer
    getpgrp getpid getppid getrandom getresgid getresuid getrlimit getrusage gettid
    gettimeofday getuid nanosleep pause restart_syscall riscv_flush_icache rseq
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait
    sched_get_priority_max sched_get_priority_min sched_yield set_robust_list
    set_tid_address setitimer sigaltstack sysinfo time times uname wait4 waitid
"""
# raise() and abort() send a signal to the own process; `confine` forbids any other.
SIGNALS = "kill tgkill"

# Calls that are not done, but answered -----------------------------------------------

# Callers try these first and an older call after ENOSYS only.
ABSENT = """
    clone3 epoll_pwait2 futex_requeue futex_wait futex_waitv futex_wake map_shadow_stack
    mseal openat2
"""
# Answered as done, and not done.  A scratch folder has one process, to which its own
# locks are never in the way, so sqlite and others work as ever; a lock on a file that
# all can read would be a message (also by `fcntl`, below).  Advice on what is read next
# may be ignored.
NO_OPS = "fadvise64 flock"
# glibc then reserves space by writing, and is counted.
UNSUPPORTED = "fallocate"

# Calls that are held to some of their arguments --------------------------------------

# These would tell of any process whether it is there: here of the own one, 0, only.
OWN_PROCESS = """
    get_robust_list getpgid getsid sched_getaffinity sched_getparam sched_getscheduler
"""
# Clocks have small numbers; a negative one is another process's processor time.
CLOCKS = "clock_getres clock_gettime clock_nanosleep"
INT = 0xFFFFFFFF  # the kernel reads so much of an argument that is an int
WHOLE = (1 << 64) - 1
CLONE_THREAD = 0x00010000
CLONE_NEW = 0x7E020000  # every kind of namespace
# What a map may be.  Not growing downwards or droppable, which RLIMIT_DATA does not
# count; not of huge pages, of which the machine has one pool; not locked.
MAP_FLAGS = reduce(
    or_,
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
O_TMPFILE = getattr(os, "O_TMPFILE", 0) & ~os.O_DIRECTORY if os.name == "posix" else 0
NO_CHANGE = os.O_TRUNC | O_TMPFILE
CLOCK_NUMBERS = 0x1F

# Of each kind: name, then what its arguments must be, (position, mask, value).  A call
# is let through if all of a row hold; several rows of a name are several ways.
Row = tuple[Any, ...]


def _rows(names: str) -> list[Row]:
    """Return rows of calls that are answered alike, whatever their arguments."""
    return [(name,) for name in names.split()]


RESTRICTED: list[Row] = [
    # Wait, wake, move to another address, and the same with bits.  Wakes also by a page
    # of a file that two processes map; only one that waits at that moment can tell, and
    # joining a thread and C++ need that kind.  Not those that lend priority: they look
    # for a process by a number that the caller has written down.
    *(("futex", (1, 0x7F, operation)) for operation in (0, 1, 3, 4, 5, 9, 10)),
    *((name, (0, INT, 0)) for name in OWN_PROCESS.split()),
    ("getpriority", (1, INT, 0)),  # likewise
    *((name, (0, INT & ~CLOCK_NUMBERS, 0)) for name in CLOCKS.split()),
    ("clone", (0, CLONE_THREAD | CLONE_NEW, CLONE_THREAD)),
    # Shared anonymous memory escapes RLIMIT_DATA: a map that is private, or of a file.
    *(("mmap", (3, MAP_MASK, kind)) for kind in (0x20, 0x01, 0x00)),
    # Normal, random, sequential, wanted, not wanted, free; not over a fork (and again);
    # huge pages (no, yes); not in a dump (and again); guard pages (and off again).
    # Not: page out, cold, merge, which act on pages that others see.
    *(
        ("madvise", (2, INT, advice))
        for advice in (0, 1, 2, 3, 4, 8, 10, 11, 14, 15, 16, 17, 102, 103)
    ),
    # With a flag they tell whether somebody has read this part of a file (NOWAIT).
    ("preadv2", (5, INT, 0)),
    ("pwritev2", (5, INT, 0)),
    # Kernels before 6.2 have no Landlock right for truncation: refuse to truncate a
    # file that is only opened for reading.  O_TMPFILE would make a file that the
    # watch over the scratch folder cannot see.
    *(
        (name, (position, mask, flags))
        for name, position in (("open", 1), ("openat", 2))
        for mask, flags in (
            (NO_CHANGE, 0),
            (NO_CHANGE | os.O_ACCMODE, os.O_TRUNC | os.O_WRONLY),
            (NO_CHANGE | os.O_ACCMODE, os.O_TRUNC | os.O_RDWR),
        )
    ),
    # asyncio wakes its loop through a pair of connected sockets.  A datagram pair
    # could still send to any address, a stream pair cannot.
    ("socketpair", (0, WHOLE, AF_UNIX), (1, SOCK_TYPE, SOCK_STREAM)),
    # Kind, error, listening, protocol, family; not who the peer is, a descriptor of its
    # process, or a number that the kernel counts up for all.
    *(
        ("getsockopt", (1, INT, SOL_SOCKET), (2, INT, option))
        for option in (3, 4, 30, 38, 39)
    ),
    # Timeouts, the judge's; larger buffers are nobody's.
    *(("setsockopt", (1, INT, SOL_SOCKET), (2, INT, option)) for option in (20, 21)),
    # Ask a terminal or a descriptor something harmless: TCGETS, TIOCGWINSZ, FIONREAD,
    # FIONBIO, FIONCLEX, FIOCLEX. TIOCSTI and the like stay out.
    *(
        ("ioctl", (1, INT, request))
        for request in (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
    ),
    # Duplicate, flags, whose lock is in the way (nobody's), size of a pipe.  F_SETOWN
    # and F_SETSIG stay out: with them the kernel sends any signal to any process of the
    # same user; leases, notices and write hints: others see them; F_SETPIPE_SZ: a pipe
    # of 1 MiB is memory that no limit of the process counts.
    *(("fcntl", (1, INT, command)) for command in (*range(6), 36, 1030, 1032)),
    ("prctl", (0, INT, 15)),  # PR_SET_NAME
    ("prctl", (0, INT, 16)),  # PR_GET_NAME
    ("prctl", (0, INT, 0x53564D41)),  # PR_SET_VMA
    ("prlimit64", (0, WHOLE, 0), (2, WHOLE, 0)),  # ask for the own limits
]
# Locks: F_SETLK, F_SETLKW, and of an open file; answered as done, like `flock`.
RESTRICTED_NO_OPS: list[Row] = [("fcntl", (1, INT, lock)) for lock in (6, 7, 37, 38)]

# With a network: TCP and UDP to others, no raw packets, nothing local or of the
# kernel's; and the options of a socket and of TCP that libraries set. No port is
# listened at: it would be there for other submissions, and connections that wait there
# hold memory. Not SO_LINGER: whoever closes such a socket, the kernel even, waits. A
# descriptor on its way (sendmsg, which looks up names) can hold some memory.
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
    """Build and compile the filter, all but what names the process: slow, so once."""
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
    # 32-bit and x32 calls have other numbers: never let one be mistaken.
    program.set_attr(sc.Attr.ACT_BADARCH, sc.KILL_PROCESS)
    # A balanced tree instead of 150 comparisons for each call.
    program.set_attr(sc.Attr.CTL_OPTIMIZE, 2)
    for answer, rows in answers:
        for name, *conditions in rows:
            # An older libseccomp may not know a newer call; then it stays forbidden.
            if sc.resolve_syscall(sc.Arch.NATIVE, name) == -1:
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
    """Do the slow half of `confine` beforehand, once for all forks.

    `ImportError`, `RuntimeError`, `OSError`: pyseccomp or libseccomp.so.2 is not here,
    or refuses.
    """
    _filter(policy.network)


def confine(policy: Policy) -> None:
    """Load the filter into this process, which must have no_new_privs set.

    It raises what `prepare` raises, also if the kernel refuses the filter.
    """
    import pyseccomp as sc

    # First a small filter that knows this process; the stricter of two counts.
    seccomp_filter = sc.SyscallFilter(sc.ALLOW)
    for name in SIGNALS.split():
        seccomp_filter.add_rule(
            sc.ERRNO(errno.EPERM), name, sc.Arg(0, sc.NE, os.getpid())
        )
    seccomp_filter.load()
    _filter(policy.network).load()
    # Loading is not believed, it is tried: a call that is not on the list must fail.
    try:
        os.getxattr("/", "user.nothing")
    except OSError as error:
        if error.errno == errno.EPERM:
            return
    raise OSError(errno.EPERM, f"the seccomp filter is not in force on {sys.platform}")
