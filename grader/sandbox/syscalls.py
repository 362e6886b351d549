"""Which system calls a submission's process cannot make: a seccomp filter.

Files, signals and the network are other walls' business; this one closes ways around
them: namespaces, mounts, other processes' memory, and kinds of sockets that no
namespace contains.
"""

from __future__ import annotations

import errno
import socket
from typing import Any

NAMESPACES = 0x7E020080  # CLONE_NEW{TIME,CGROUP,UTS,IPC,USER,PID,NET} and NEWNS
SOCKET_TYPE = 0xF  # what of socket()'s second argument is the type
FORBIDDEN = (
    # Mounts and namespaces.
    *("mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "move_mount"),
    *("fsopen", "fsconfig", "fsmount", "fspick", "open_tree", "mount_setattr"),
    # Other processes' memory and descriptors.
    *("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp"),
    *("process_madvise", "pidfd_send_signal"),
    # Parts of the kernel that most escapes went through.
    *("bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register", "open_by_handle_at"),
    *("name_to_handle_at", "personality", "quotactl", "acct", "syslog", "vhangup"),
    # Memory and words that no process holds: nobody counts them, and they stay.
    *("memfd_create", "memfd_secret", "shmget", "shmat", "msgget", "semget"),
    *("mq_open", "mq_unlink"),
    # Which of several processes the disk serves first.
    "ioprio_set",
    # The machine.
    *("init_module", "finit_module", "delete_module", "kexec_load", "reboot"),
    *("kexec_file_load", "swapon", "swapoff", "settimeofday", "clock_settime"),
    *("clock_adjtime", "adjtimex", "sethostname", "setdomainname", "ioperm", "iopl"),
)
# What Landlock does not look at, where the files of the machine are in sight.
OF_FILES = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown"),
    *("fchownat", "setxattr", "lsetxattr", "fsetxattr", "removexattr"),
    *("lremovexattr", "fremovexattr", "utime", "utimes", "futimesat", "utimensat"),
)
# Calls whose first argument is a process or an OS thread, 0 for who calls.
OF_PROCESSES = ("prlimit64", "sched_setaffinity", "sched_setparam", "sched_setattr")
FAMILIES = 64  # of sockets; the kernel has 46
# Of the internet's sockets: SEQPACKET and DCCP are of other protocols than TCP and UDP,
# which Landlock does not look at, as it does not at MPTCP and at what begins with data.
SEQPACKET, DCCP = 5, 6
PROTOCOLS = 256  # MPTCP is the first that has a number above
SCTP = 132
MSG_FASTOPEN = 0x20000000
FLAGS = {"sendto": 3, "sendmsg": 2, "sendmmsg": 3}  # which argument they are
WORD = 0xFFFF_FFFF  # what the kernel looks at of an argument that is an int
TIOCSTI, TIOCLINUX = 0x5412, 0x541C  # would type into a terminal


def build(datagrams: bool) -> Any:
    """Return the filter, to be loaded into a process.

    Args:
        datagrams: whether UDP is left alone, and attributes of files are: the machine's
            network and files are out of sight.

    Raises:
        ImportError, RuntimeError, OSError: there is no usable libseccomp.
    """
    import pyseccomp as seccomp

    refuse = seccomp.ERRNO(errno.EPERM)
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    for name in FORBIDDEN if datagrams else (*FORBIDDEN, *OF_FILES):
        try:
            rules.add_rule(refuse, name)
        except (OSError, RuntimeError, ValueError):  # not a call of this machine
            continue
    # glibc falls back to clone, whose flags a filter can read.
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    for bit in (1 << n for n in range(32) if NAMESPACES >> n & 1):
        rules.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, bit, bit))
    for request in (TIOCSTI, TIOCLINUX):
        masked = seccomp.Arg(1, seccomp.MASKED_EQ, WORD, request)
        rules.add_rule(refuse, "ioctl", masked)
    # Who is of the same user may set limits of the forkserver, and end it so, or see
    # to it that it waits for all others; each process may set its own.
    for name in OF_PROCESSES:
        rules.add_rule(refuse, name, seccomp.Arg(0, seccomp.NE, 0))
    # ZeroMQ gives each of its OS threads the usual turn, by number, or aborts.
    other, unusual = seccomp.Arg(0, seccomp.NE, 0), seccomp.Arg(1, seccomp.NE, 0)
    rules.add_rule(refuse, "sched_setscheduler", other, unusual)
    for argument in (0, 1):  # whose kind of number it is, and the number
        rules.add_rule(refuse, "setpriority", seccomp.Arg(argument, seccomp.NE, 0))
    for name, argument in FLAGS.items():
        masked = seccomp.Arg(argument, seccomp.MASKED_EQ, MSG_FASTOPEN, MSG_FASTOPEN)
        rules.add_rule(refuse, name, masked)
    # Name resolution looks for interfaces through AF_NETLINK.
    allowed = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK}
    for family in set(range(FAMILIES)) - {int(family) for family in allowed}:
        rules.add_rule(refuse, "socket", seccomp.Arg(0, seccomp.EQ, family))
    rules.add_rule(refuse, "socket", seccomp.Arg(0, seccomp.GE, FAMILIES))
    for family in (socket.AF_INET, socket.AF_INET6):
        kinds = [socket.SOCK_RAW, SEQPACKET, DCCP]
        ways = [
            seccomp.Arg(1, seccomp.MASKED_EQ, SOCKET_TYPE, int(kind))
            for kind in (kinds if datagrams else [*kinds, socket.SOCK_DGRAM])
        ]
        ways.append(seccomp.Arg(2, seccomp.GE, PROTOCOLS))
        ways.append(seccomp.Arg(2, seccomp.MASKED_EQ, WORD, SCTP))
        for way in ways:
            rules.add_rule(
                refuse, "socket", seccomp.Arg(0, seccomp.EQ, int(family)), way
            )
    return rules
