"""The system calls that a sandboxed process keeps: threads yes, processes no.

An allow-list, not a deny-list: what NumPy, matplotlib and IPython need is a short
list that changes slowly, while every kernel adds calls nobody thought of.  What is
not named here fails with EPERM, which Python shows as a readable `PermissionError`.

Built with pyseccomp over libseccomp, which knows the numbers of each call on x86-64
and arm64 alike; libseccomp.so.2 is on every Debian, Ubuntu, Fedora and Arch (apt and
systemd need it).  The alternatives were libseccomp's own binding (wants a compiler),
and young packages that carry their own tables of numbers.
"""

from __future__ import annotations

import errno
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

FILES = """
    access chdir close close_range copy_file_range dup dup2 dup3 epoll_create
    epoll_create1 epoll_ctl epoll_pwait epoll_wait eventfd eventfd2 faccessat faccessat2
    fadvise64 fallocate fchdir fdatasync flock fstat fstatfs fsync ftruncate
    getcwd getdents getdents64 lseek lstat mkdir mkdirat newfstatat pipe pipe2 poll
    ppoll pread64 preadv preadv2 pselect6 pwrite64 pwritev pwritev2 read readlink
    readlinkat readv rename renameat renameat2 rmdir select sendfile stat statfs statx
    timerfd_create timerfd_gettime timerfd_settime umask unlink unlinkat write writev
"""
MEMORY = "brk madvise membarrier mincore mprotect mremap msync munmap"
# The process has one socket, made for it beforehand; it can use it, not make another.
SOCKET = """
    getpeername getsockname getsockopt recvfrom recvmsg sendmsg sendto setsockopt
    shutdown
"""
PROCESS = """
    alarm arch_prctl clock_getres clock_gettime clock_nanosleep exit exit_group futex
    futex_requeue futex_wait futex_waitv futex_wake get_robust_list getcpu getegid
    geteuid getgid getgroups getitimer getpgid getpgrp getpid getppid getpriority
    getrandom getresgid getresuid getrlimit getrusage getsid gettid gettimeofday getuid
    nanosleep pause restart_syscall riscv_flush_icache rseq rt_sigaction rt_sigpending
    rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getparam sched_getscheduler
    sched_yield set_robust_list set_tid_address setitimer sigaltstack sysinfo time
    timer_create timer_delete timer_getoverrun timer_gettime timer_settime times uname
    wait4 waitid
"""
# raise() and abort() send a signal to the own process; none may go elsewhere.
SIGNALS = "kill tgkill"
# glibc tries these first and falls back to an older call, but only after ENOSYS.
ABSENT = "clone3 epoll_pwait2 map_shadow_stack mseal openat2"

CLONE_THREAD = 0x00010000
MAP_SHARED_ANONYMOUS = 0x01 | 0x20
AF_UNIX, SOCK_STREAM, SOCK_TYPE = 1, 1, 0xF
# Ask a terminal or a descriptor something harmless; TIOCSTI and the like stay out.
TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO = 0x5401, 0x5413, 0x541B, 0x5421
FIONCLEX, FIOCLEX = 0x5450, 0x5451
# Duplicating, flags, locks, the size of a pipe. F_SETOWN and F_SETSIG stay out: with
# them the kernel sends any signal to any process of the same user.
DESCRIPTOR_COMMANDS = (*range(8), *range(36, 39), 1030, 1031, 1032)
PR_SET_NAME, PR_GET_NAME, PR_SET_VMA = 15, 16, 0x53564D41
O_TMPFILE = getattr(os, "O_TMPFILE", 0) & ~os.O_DIRECTORY if os.name == "posix" else 0


@cache
def _filter() -> Any:
    """Build and compile the filter, all but what names the process: slow, so once."""
    import pyseccomp as sc  # type: ignore[import-untyped]

    made = sc.SyscallFilter(sc.ERRNO(errno.EPERM))
    # 32-bit and x32 calls have other numbers: never let one be mistaken.
    made.set_attr(sc.Attr.ACT_BADARCH, sc.KILL_PROCESS)
    # A balanced tree instead of 150 comparisons for each call.
    made.set_attr(sc.Attr.CTL_OPTIMIZE, 2)

    def allow(name: str, *conditions: Any, action: int = sc.ALLOW) -> None:
        # An older libseccomp may not know a newer call; then it stays forbidden.
        if sc.resolve_syscall(sc.Arch.NATIVE, name) != -1:
            made.add_rule(action, name, *conditions)

    def bits(position: int, mask: int, value: int) -> Any:
        return sc.Arg(position, sc.MASKED_EQ, mask, value)

    def equals(position: int, value: int) -> Any:
        return sc.Arg(position, sc.EQ, value)

    for name in (FILES + MEMORY + SOCKET + PROCESS + SIGNALS).split():
        allow(name)
    for name in ABSENT.split():
        allow(name, action=sc.ERRNO(errno.ENOSYS))
    allow("clone", bits(0, CLONE_THREAD, CLONE_THREAD))
    # Shared anonymous memory escapes RLIMIT_DATA: allow a map that is private, or
    # that is of a file.
    allow("mmap", bits(3, MAP_SHARED_ANONYMOUS, 0x20))
    allow("mmap", bits(3, MAP_SHARED_ANONYMOUS, 0x01))
    allow("mmap", bits(3, MAP_SHARED_ANONYMOUS, 0x00))
    # Kernels before 6.2 have no Landlock right for truncation: refuse to truncate a
    # file that is only opened for reading.  O_TMPFILE would make a file that the
    # watch over the scratch folder cannot see.
    for name, flags in (("open", 1), ("openat", 2)):
        allow(name, bits(flags, os.O_TRUNC | O_TMPFILE, 0))
        for mode in (os.O_WRONLY, os.O_RDWR):
            wanted = os.O_TRUNC | mode
            allow(name, bits(flags, os.O_TRUNC | O_TMPFILE | os.O_ACCMODE, wanted))
    allow("creat")
    # asyncio wakes its loop through a pair of connected sockets.  A datagram pair
    # could still send to any address, a stream pair cannot.
    allow("socketpair", equals(0, AF_UNIX), bits(1, SOCK_TYPE, SOCK_STREAM))
    for request in (TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX):
        allow("ioctl", bits(1, 0xFFFFFFFF, request))
    for command in DESCRIPTOR_COMMANDS:
        allow("fcntl", bits(1, 0xFFFFFFFF, command))
    for option in (PR_SET_NAME, PR_GET_NAME, PR_SET_VMA):
        allow("prctl", bits(0, 0xFFFFFFFF, option))
    allow("prlimit64", equals(0, 0), equals(2, 0))
    allow("sched_setaffinity", equals(0, 0))
    with Path(os.devnull).open("wb") as nowhere:
        made.export_bpf(nowhere)  # compiles; libseccomp 2.6 keeps the program
    return made


def prepare() -> None:
    """Do the slow half of `confine` beforehand, once for all forks.

    Raises
    ------
    ImportError, RuntimeError, OSError
        pyseccomp or libseccomp.so.2 is not here, or refuses.
    """
    _filter()


def confine() -> None:
    """Load the filter into this process, which must have no_new_privs set.

    Raises
    ------
    ImportError, RuntimeError, OSError
        pyseccomp or libseccomp.so.2 is not here, or the kernel refuses the filter.
    """
    import pyseccomp as sc

    # First a small filter that knows this process; the stricter of two counts.
    own = sc.SyscallFilter(sc.ALLOW)
    for name in SIGNALS.split():
        own.add_rule(sc.ERRNO(errno.EPERM), name, sc.Arg(0, sc.NE, os.getpid()))
    own.load()
    _filter().load()
    # Loading is not believed, it is tried: a call that is not on the list must fail.
    try:
        os.getxattr("/", "user.nothing")
    except OSError as error:
        if error.errno == errno.EPERM:
            return
    raise OSError(errno.EPERM, f"the seccomp filter is not in force on {sys.platform}")
