"""A system-call filter for the renderers: no network, no other process, no rare corner of the kernel.

Landlock rules files; this rules everything else. It is a list of refusals: a list of permissions would
break with every release of Python, Go and the C library. Calls newer than the list answer ENOSYS, which
callers take as an old kernel.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator

# name: (x86-64, arm64), None where the architecture has no such call; from asm/unistd_64.h and asm-generic.
_NETWORK = {
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
}
_OTHER_PROCESSES = {
    "fork": (57, None),
    "vfork": (58, None),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
}
_KERNEL = {
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "syslog": (103, 116),
    "quotactl": (179, 60),
    "acct": (163, 89),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
}
# Changes to files that Landlock does not govern (truncate only since its third version).
_FILE_ATTRIBUTES = {
    "truncate": (76, 45),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "fanotify_init": (300, 262),
    "inotify_add_watch": (254, 27),
}
_PROGRAMS = {"execve": (59, 221), "execveat": (322, 281)}
_CLONE, _CLONE3, _TGKILL, _PRLIMIT64 = (56, 220), (435, 435), (234, 131), (302, 261)
_NEWEST_KNOWN = 451
_FIRST_X32 = 0x40000000

# Index into the pairs above, and the kernel's name for the architecture (linux/audit.h).
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_LOAD, _EQUAL, _GREATER, _HAS_BITS, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_KILL, _ALLOW, _ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
_NUMBER_OFFSET, _ARCHITECTURE_OFFSET, _FIRST_ARGUMENT_OFFSET = 0, 4, 16
_CLONE_THREAD = 0x10000
_PR_GET_SECCOMP, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _SECCOMP_MODE_FILTER = 21, 22, 38, 2


def is_available() -> bool:
    """Whether this kernel and processor can run the filter."""
    if platform.system() != "Linux" or platform.machine() not in _ARCHITECTURES:
        return False
    return int(ctypes.CDLL(None).prctl(_PR_GET_SECCOMP, 0, 0, 0, 0)) >= 0


def restrict(*, may_execute: bool) -> None:
    """Bind this process, and the program it becomes, to the filter for good.

    `may_execute` allows becoming another program, which Landlock then limits to the named ones.
    Raises OSError where the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    program = b"".join(_program(may_execute=may_execute))
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the number of instructions and where they are.
    filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
    for arguments in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(filter_), 0, 0),
    ):
        if libc.prctl(*(ctypes.c_ulong(argument) for argument in arguments)) != 0:
            code_ = ctypes.get_errno()
            raise OSError(code_, os.strerror(code_))


def _program(*, may_execute: bool) -> Iterator[bytes]:
    column, architecture = _ARCHITECTURES[platform.machine()]
    refused = [*_NETWORK.values(), *_OTHER_PROCESSES.values(), *_KERNEL.values(), *_FILE_ATTRIBUTES.values()]
    if not may_execute:
        refused.extend(_PROGRAMS.values())
    yield _step(_LOAD, _ARCHITECTURE_OFFSET)
    yield _step(_EQUAL, architecture, when_true=1)
    yield _step(_RETURN, _KILL)
    yield _step(_LOAD, _NUMBER_OFFSET)
    yield from _answer_when(_GREATER, _FIRST_X32 - 1, _ERRNO | errno.EPERM)
    yield from _answer_when(_GREATER, _NEWEST_KNOWN, _ERRNO | errno.ENOSYS)
    # The C library and Go then use clone, whose flags a filter can see.
    yield from _answer_when(_EQUAL, _CLONE3[column], _ERRNO | errno.ENOSYS)
    for number in (pair[column] for pair in refused):
        if number is not None:
            yield from _answer_when(_EQUAL, number, _ERRNO | errno.EPERM)
    # Threads are fine, processes are not.
    yield _step(_EQUAL, _CLONE[column], when_false=4)
    yield _step(_LOAD, _FIRST_ARGUMENT_OFFSET)
    yield _step(_HAS_BITS, _CLONE_THREAD, when_false=1)
    yield _step(_RETURN, _ALLOW)
    yield _step(_RETURN, _ERRNO | errno.EPERM)
    # Its own limits have the number 0.
    yield from _only_on(_PRLIMIT64[column], 0)
    # Go interrupts its own threads by signal; nobody else's.
    yield from _only_on(_TGKILL[column], os.getpid())
    yield _step(_RETURN, _ALLOW)


def _only_on(number: int, process: int) -> Iterator[bytes]:
    yield _step(_EQUAL, number, when_false=4)
    yield _step(_LOAD, _FIRST_ARGUMENT_OFFSET)
    yield _step(_EQUAL, process, when_true=1)
    yield _step(_RETURN, _ERRNO | errno.EPERM)
    yield _step(_RETURN, _ALLOW)


def _answer_when(comparison: int, operand: int, answer: int) -> Iterator[bytes]:
    yield _step(comparison, operand, when_false=1)
    yield _step(_RETURN, answer)


def _step(code: int, operand: int, *, when_true: int = 0, when_false: int = 0) -> bytes:
    """Pack a struct sock_filter; the jumps count instructions to skip."""
    return struct.pack("HBBI", code, when_true, when_false, operand)
