"""Becomes a task's program, whose binds its parent answers from then on.

Run alone: `python -I -S launcher.py SOCKET ROOT PLACE PROGRAM ARGUMENT…`. The image's files in ROOT
are seen at their own paths, where PLACE names a folder for that (see `view`). A filter of the
kernel stops each bind(2) of the process and of its children, whatever language they are written in,
and asks whoever holds the filter's descriptor, which goes to the parent by the socket. A task has
no users: to become another one, or to give a file to one, succeeds and changes nothing. Where the
kernel has no such filter the program runs without it. What exec says goes by the socket too.
https://man7.org/linux/man-pages/man2/seccomp_unotify.2.html
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import socket
import struct
import sys

# machine → (the audit architecture, seccomp(2), bind(2))
# https://github.com/torvalds/linux/blob/master/include/uapi/linux/audit.h
_MACHINES = {"x86_64": (0xC000003E, 317, 49), "aarch64": (0xC00000B7, 277, 200)}
# By what a program becomes another user, and gives files to one: setuid, setgid, setreuid,
# setregid, setgroups, setresuid, setresgid, setfsuid, setfsgid; chown, fchown, lchown, fchownat.
# https://github.com/torvalds/linux/blob/master/arch/x86/entry/syscalls/syscall_64.tbl
# https://github.com/torvalds/linux/blob/master/scripts/syscall.tbl
_OF_USERS = {
    "x86_64": (105, 106, 113, 114, 116, 117, 119, 122, 123, 92, 93, 94, 260),
    "aarch64": (146, 144, 145, 143, 159, 147, 149, 151, 152, 54, 55),
}
_SET_NO_NEW_PRIVILEGES = 38
_SET_MODE_FILTER, _NEW_LISTENER = 1, 1 << 3
_ALLOW, _ASK = 0x7FFF0000, 0x7FC00000
_DONE = 0x00050000  # an error number of 0: the call is not made, and has succeeded
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER, _ARCHITECTURE = 0, 4  # offsets in struct seccomp_data


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def listen() -> int:
    """The filter's descriptor; -1 where there can be none."""
    known = _MACHINES.get(os.uname().machine)
    if known is None or sys.platform != "linux":
        return -1
    architecture, seccomp, bind = known
    users = _OF_USERS[os.uname().machine]
    instructions = b"".join(
        struct.pack("=HBBI", *fields)
        for fields in (
            (_LOAD, 0, 0, _ARCHITECTURE),
            (_JUMP_IF_EQUAL, 0, len(users) + 2, architecture),
            (_LOAD, 0, 0, _NUMBER),
            (_JUMP_IF_EQUAL, len(users) + 1, 0, bind),
            *(
                (_JUMP_IF_EQUAL, len(users) - index + 1, 0, number)
                for index, number in enumerate(users)
            ),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _ASK),
            (_RETURN, 0, 0, _DONE),
        )
    )
    libc = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(instructions) // 8, instructions)
    if libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return -1
    found = libc.syscall(seccomp, _SET_MODE_FILTER, _NEW_LISTENER, ctypes.byref(program))
    return int(found)


def show(root: str, place: str) -> None:
    """`view.show`, loaded by its path: this program has no packages."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "view.py")
    spec = importlib.util.spec_from_file_location("view", path)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = os.getcwd()
    if module.show(root, place):
        os.chdir(folder)


def main(descriptor: int, root: str, place: str, argv: list[str]) -> None:
    if place:
        show(root, place)
    parent = socket.socket(fileno=descriptor)
    parent.set_inheritable(False)  # so that the parent sees its end when the program runs
    listener = listen()
    if listener < 0:
        parent.send(b"-")
    else:
        socket.send_fds(parent, [b"+"], [listener])
        os.close(listener)
    try:
        os.execve(argv[0], argv, os.environ)
    except OSError as error:
        parent.send(str(error.errno).encode())
    os._exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:])
