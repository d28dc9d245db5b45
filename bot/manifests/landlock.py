"""Landlock: from here on this process reads only the named files, and writes none.

The kernel's user-space interface is described in Documentation/userspace-api/landlock.rst. There is no
C library wrapper, and a wheel for three system calls would be one more thing to trust.
"""

from __future__ import annotations

import ctypes
import os
import platform
import stat
import struct
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_RULE_PATH_BENEATH = 1

_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
# Every right of the first version: the above, writing, removing and making each kind of file.
_FILE_RIGHTS_V1 = (1 << 13) - 1
_REFER, _TRUNCATE, _DEVICE_IOCTL = 1 << 13, 1 << 14, 1 << 15
_TCP_BIND_AND_CONNECT = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11
_PR_SET_NO_NEW_PRIVS = 38


def version() -> int:
    """The version of Landlock that this kernel offers, 0 for none."""
    if platform.system() != "Linux":
        return 0
    answer = ctypes.CDLL(None).syscall(
        ctypes.c_long(_CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION)
    )
    return max(0, int(answer))


def restrict(readable: Iterable[str], executable: Iterable[str]) -> None:
    """Bind this thread, and what it starts, for good. Missing paths are passed over.

    Threads that run already stay free: call it before loading a library that starts threads.
    Raises OSError where the kernel refuses.
    """
    offered = version()
    rights = _FILE_RIGHTS_V1
    rights |= _REFER if offered >= 2 else 0
    rights |= _TRUNCATE if offered >= 3 else 0
    rights |= _DEVICE_IOCTL if offered >= 5 else 0
    attributes = struct.pack("Q", rights)
    attributes += struct.pack("Q", _TCP_BIND_AND_CONNECT) if offered >= 4 else b""
    attributes += struct.pack("Q", _ABSTRACT_SOCKETS_AND_SIGNALS) if offered >= 6 else b""
    ruleset = _call(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    try:
        for path in readable:
            _allow(ruleset, path, _READ_FILE | _READ_DIR)
        for path in executable:
            _allow(ruleset, path, _READ_FILE | _READ_DIR | _EXECUTE)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(*(ctypes.c_ulong(argument) for argument in (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))) != 0:
            raise OSError(ctypes.get_errno(), "no_new_privs refused")
        _call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= ~_READ_DIR
        rule = struct.pack("=Qi", rights, descriptor)
        _call(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_RULE_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(descriptor)


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    answer = int(libc.syscall(ctypes.c_long(number), *arguments))
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock: {os.strerror(code)}")
    return answer
