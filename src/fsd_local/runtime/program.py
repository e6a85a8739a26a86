"""What a container says to run → what a process runs: paths, variables and addresses are mapped.

Nothing of the server's own environment reaches a task. A value that is a path of the container
becomes the path in its root file system, a wildcard address becomes the task's own.
"""

from __future__ import annotations

import os
import posixpath
import re
import shlex
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fsd_local.image.interpreters import HOME_OF_PYTHON, find_uv, own_python
from fsd_local.image.poetry import installs_into_system
from fsd_local.ports import ContainerSpec, LaunchError
from fsd_local.rootfs import beneath, inside
from fsd_local.runtime import messages, orphans
from fsd_local.runtime.addresses import Lease
from fsd_local.runtime.images import ProcessImage

PAYLOAD = Path(__file__).parent / "payload"
_SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_PYTHON = re.compile(r"python(3(\.\d+)?)?")
_SHELLS = {"sh", "bash", "dash", "ash"}
_WILDCARD = re.compile(r"(?<![\w.])0\.0\.0\.0(?![\w./])")
_PATH_IN_SCRIPT = re.compile(r"(?<![\w./$~:{}-])/[\w.@+-][\w./@+-]*")
_LOCAL_URL = re.compile(r"(?<=//)(?:localhost|127\.0\.0\.1)(?::(\d+))?(?=[/\s\"']|$)")
_COMMAND_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
# A task has no users, and this machine's are nobody's business: what makes them does nothing, and
# what runs a program as one runs it.
_NOTHING = "exit 0\n"
_AS_A_USER = 'shift\nexec "$@"\n'
_SU = """while [ $# -gt 0 ]; do
  case "$1" in
    -c|--command) shift; exec sh -c "$1";;
    --) shift; exec "$@";;
  esac
  shift
done
"""
_ID = """for word; do
  shift
  case "$word" in -*) set -- "$@" "$word";; esac
done
exec /usr/bin/id "$@"
"""
_PROGRAMS_OF_USERS: Mapping[str, str] = {
    **dict.fromkeys(("chown", "chgrp", "adduser", "addgroup", "deluser", "delgroup"), _NOTHING),
    **dict.fromkeys(("useradd", "groupadd", "usermod", "groupmod", "userdel"), _NOTHING),
    **dict.fromkeys(("gosu", "su-exec"), _AS_A_USER),
    **dict.fromkeys(("su", "runuser"), _SU),
    "id": _ID,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedProgram:
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)  # has secrets
    cwd: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPlace:
    """Where a container of a task lives."""

    root: Path
    wrappers: Path  # has `python` and `python3`
    lease: Lease
    mark: str
    view: str = ""  # a folder for what `fsd_local.runtime.view` makes; "" where it cannot
    names: Mapping[str, str] = field(default_factory=dict)  # variables for the payload
    mounts: Mapping[str, Path] = field(default_factory=dict)  # path in the container → volume

    def mapped(self, path: str) -> str:
        """A path of the container that is there, or could be made there; else as it is.

        `/` alone says nothing, and `/health` is no file.
        """
        if not path.startswith("/") or posixpath.normpath(path) in ("/", "//"):
            return path
        for mount, volume in self.mounts.items():
            if path == mount or path.startswith(f"{mount}/"):
                return f"{volume}{path[len(mount) :]}"
        found = beneath(self.root, path)
        if not os.path.exists(found) and not self._is_new(path, found):
            return path
        return f"{found}/" if path.endswith("/") else str(found)

    def _is_new(self, path: str, found: Path) -> bool:
        """A file that the program may want to make in a folder of the container."""
        return found.parent != self.root and found.parent.is_dir() and not os.path.exists(path)


def make_program(
    container: ContainerSpec, image: ProcessImage, place: ContainerPlace
) -> StartedProgram:
    """Raises LaunchError, as the engine would, where there is nothing to run."""
    argv = _arguments(container, image)
    cwd = inside(place.root, container.working_directory or image.working_directory)
    try:
        cwd.mkdir(parents=True, exist_ok=True)
        return make_command(argv, _environment(container, image, place), cwd, place)
    except OSError as error:
        raise LaunchError(messages.cannot_create(str(error)), container=container.name) from error
    except LaunchError as error:
        raise LaunchError(
            error.reason, container=container.name, exit_code=error.exit_code
        ) from error


def make_command(
    argv: Sequence[str], environment: Mapping[str, str], cwd: Path, place: ContainerPlace
) -> StartedProgram:
    """A program in a container that is set up. Raises LaunchError where there is no such one."""
    program = _find_program(argv[0], environment["PATH"], cwd, place)
    rest = [_argument(place, argv, index) for index in range(1, len(argv))]
    return StartedProgram(
        argv=(*_with_interpreter(program, argv[0], environment["PATH"], cwd, place), *rest),
        environment=environment,
        cwd=cwd,
    )


def with_localhost(argv: Sequence[str], lease: Lease) -> tuple[str, ...]:
    """URLs to localhost in a command go to the task: only Python programs see to it themselves."""

    def reached(match: re.Match[str]) -> str:
        port = int(match[1] or 80)
        host = lease.loopback if _listens(lease.loopback, port) else lease.address
        return f"{host}:{port}"

    return tuple(_LOCAL_URL.sub(reached, argument) for argument in argv)


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except (OSError, OverflowError):
        return False


def write_wrappers(folder: Path) -> None:
    """What an image without a Python of its own, or with uv from another image, finds on its path,
    and the programs of users.

    Not the environment of the server: a service must not see what is installed there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    python, uv = str(own_python()), find_uv()
    programs = {"python": python, "python3": python, **({"uv": uv} if uv else {})}
    scripts = {name: f'exec {shlex.quote(program)} "$@"\n' for name, program in programs.items()}
    for name, script in {**_PROGRAMS_OF_USERS, **scripts}.items():
        wrapper = folder / name
        wrapper.write_text(f"#!/bin/sh\n{script}")
        wrapper.chmod(0o755)


def _arguments(container: ContainerSpec, image: ProcessImage) -> tuple[str, ...]:
    """An entry point of the task definition drops the image's command, as in Docker."""
    if container.entry_point:
        return (*container.entry_point, *(container.command or ()))
    argv = (*image.entry_point, *(container.command or image.command))
    if not argv:
        raise LaunchError(messages.no_command(), container=container.name)
    return argv


# --- environment -------------------------------------------------------------------------------


def _environment(
    container: ContainerSpec, image: ProcessImage, place: ContainerPlace
) -> dict[str, str]:
    given = {**image.environment, **container.environment}
    mapped = {name: _value(name, value, place) for name, value in given.items()}
    address = place.lease.address
    port = mapped.get("PORT") or str(container.ports[0] if container.ports else 8000)
    temporary = inside(place.root, "/tmp")
    temporary.mkdir(exist_ok=True)
    defaults = {
        "LANG": "C.UTF-8",
        "HOME": str(place.root),
        "TMPDIR": str(temporary),
        "HOST": address,
        "PORT": port,
        "UVICORN_HOST": address,
        # uvloop binds behind Python's back.
        "UVICORN_LOOP": "asyncio",
        "GUNICORN_CMD_ARGS": f"--bind={address}:{port}",
        "FLASK_RUN_HOST": address,
        "PYTHONUNBUFFERED": "1",
        # `uv run` in a container: what the image installed is all there is.
        "UV_NO_SYNC": "1",
        "UV_OFFLINE": "1",
        "UV_PYTHON_DOWNLOADS": "never",
    }
    libraries = os.environ.get("LD_LIBRARY_PATH")  # for the server's own Python
    if libraries:
        defaults["LD_LIBRARY_PATH"] = libraries
    return {
        **defaults,
        **mapped,
        "PATH": _search_path(given.get("PATH", ""), place),
        "PYTHONPATH": _joined(str(PAYLOAD), mapped.get("PYTHONPATH", ""), *_of_users(place)),
        **_of_poetry(given, image, place),
        **place.names,
        "FSD_LOCAL_ADDRESS": address,
        "FSD_LOCAL_LOOPBACK": place.lease.loopback,
        orphans.MARK: place.mark,
    }


def _of_poetry(
    given: Mapping[str, str], image: ProcessImage, place: ContainerPlace
) -> dict[str, str]:
    """`poetry run` finds what was installed into the image's own Python."""

    def read(path: str) -> str:
        file = inside(place.root, path)
        return file.read_text(errors="replace") if file.is_file() else ""

    home = given.get("HOME") or "/root"
    if not installs_into_system(given, home, image.working_directory, read):
        return {}
    python = inside(place.root, f"/{HOME_OF_PYTHON}")
    return {"VIRTUAL_ENV": str(python)} if (python / "bin" / "python").exists() else {}


def _value(name: str, value: str, place: ContainerPlace) -> str:
    if name.endswith("PATH") and ":" in value and "//" not in value:
        return ":".join(place.mapped(part) for part in value.split(":"))
    return _WILDCARD.sub(place.lease.address, place.mapped(value))


def _search_path(image_path: str, place: ContainerPlace) -> str:
    """The container's own folders first, then the wrappers, then the machine's."""
    own = [place.mapped(part) for part in (image_path.split(":") if image_path else _SYSTEM_PATH)]
    mine = [part for part in own if part.startswith(f"{place.root}/")]
    return ":".join(dict.fromkeys((*mine, str(place.wrappers), *_SYSTEM_PATH)))


def _of_users(place: ContainerPlace) -> list[str]:
    """What `pip install --user` made: a virtual environment does not look there by itself."""
    homes = (place.root / "root", *place.root.glob("home/*"))
    found = [path for home in homes for path in home.glob(".local/lib/python3*/site-packages")]
    return [str(path) for path in found]


def _joined(*parts: str) -> str:
    return ":".join(part for part in parts if part)


# --- arguments ---------------------------------------------------------------------------------


def _argument(place: ContainerPlace, argv: Sequence[str], index: int) -> str:
    argument = _WILDCARD.sub(place.lease.address, argv[index])
    if argv[index - 1] == "-c" and _reads_scripts(posixpath.basename(argv[0])):
        return _PATH_IN_SCRIPT.sub(lambda match: place.mapped(match[0]), argument)
    option, equals, value = argument.partition("=")
    if equals and value.startswith("/") and option.startswith("-"):
        return f"{option}={place.mapped(value)}"
    return place.mapped(argument)


def _reads_scripts(program: str) -> bool:
    return program in _SHELLS or _PYTHON.fullmatch(program) is not None


# --- the program -------------------------------------------------------------------------------


def _find_program(name: str, search_path: str, cwd: Path, place: ContainerPlace) -> str:
    candidates = _candidates(name, search_path, cwd, place)
    for candidate in candidates:
        if candidate.is_file():
            if os.access(candidate, os.X_OK):
                return str(candidate)
            raise LaunchError(messages.not_executable(name), exit_code=_NOT_EXECUTABLE)
    if _PYTHON.fullmatch(posixpath.basename(name)):
        return str(own_python())
    found = shutil.which(name, path=search_path)  # of the machine: /bin/sh, env, nginx …
    if found is None:
        raise LaunchError(messages.no_program(name), exit_code=_COMMAND_NOT_FOUND)
    return found


def _candidates(name: str, search_path: str, cwd: Path, place: ContainerPlace) -> list[Path]:
    """Where the container itself may have it."""
    if name.startswith("/"):
        return [beneath(place.root, name)]
    if "/" in name:
        return [cwd / name]
    own = [part for part in search_path.split(":") if part.startswith(f"{place.root}/")]
    return [Path(part) / name for part in own]


def _with_interpreter(
    program: str, name: str, search_path: str, cwd: Path, place: ContainerPlace
) -> tuple[str, ...]:
    """A script whose interpreter is only in the image it was made for gets the one that is here."""
    if not program.startswith(f"{place.root}/"):
        return (program,)
    with open(program, "rb") as file:
        first = file.readline(256)
    if not first.startswith(b"#!"):
        return (program,)
    words = first[2:].decode(errors="replace").split()
    if not words:
        return (program,)
    if posixpath.basename(words[0]) == "env" and len(words) > 1:
        words = words[1:]
    if words[0].startswith(f"{place.root}/"):
        return (*words, program)  # what was installed has its interpreter's place already
    try:
        return (_find_program(words[0], search_path, cwd, place), *words[1:], program)
    except LaunchError:
        # The kernel's answer to a script without its interpreter names the script.
        raise LaunchError(messages.no_program(name), exit_code=_COMMAND_NOT_FOUND) from None
