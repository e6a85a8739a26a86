"""A Python base image without a network: this machine's interpreter, its library, and busybox.

Made once per machine and kept in the engine. It is also tagged with the name that the example
service builds from, unless the engine has an image of that name already.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import docker.errors

REPOSITORY = "fsd-test-python"
EXAMPLE_BASE = "public.ecr.aws/docker/library/python:3.12-slim"
BUSYBOX = Path("/bin/busybox")

_VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
_FINGERPRINT = "fsd.test.fingerprint"
_LEFT_OUT = {
    "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "pydoc_data",
    "site-packages", "dist-packages", "lib-dynload",
}  # fmt: skip
_LEFT_OUT_FILES = re.compile(r".*\.(opt-\d\.pyc|a|o)|_tkinter\..*|(_test|_codecs_|_?xx).*")
_DYNLOAD = f"usr/local/lib/python{_VERSION}/lib-dynload"
_APPLETS = (
    "sh", "ash", "cat", "cp", "cut", "date", "echo", "env", "false", "grep", "head", "hostname",
    "id", "ip", "kill", "ls", "mkdir", "mv", "nc", "ps", "pwd", "rm", "sed", "sleep", "tail",
    "test", "touch", "tr", "true", "uname", "wget",
)  # fmt: skip
_LDD = re.compile(r"(?:=>\s*)?(/\S+)\s+\(0x")


def ensure_python_image(engine: docker.DockerClient) -> str:
    """The tag, e.g. fsd-test-python:3.11."""
    tag = f"{REPOSITORY}:{_VERSION}"
    with _one_at_a_time():
        if _fingerprint_of(engine, tag) != _fingerprint():
            _make(engine)
        if _fingerprint_of(engine, EXAMPLE_BASE) not in (None, _fingerprint()):
            repository, _, version = EXAMPLE_BASE.rpartition(":")
            engine.images.get(tag).tag(repository, version)
    return tag


def _make(engine: docker.DockerClient) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "python.tar"
        with tarfile.open(archive, "w") as tar:
            _fill(tar, Path(folder))
        changes = [
            "ENV PATH=/usr/local/bin:/usr/bin:/bin LD_LIBRARY_PATH=/usr/local/lib",
            'CMD ["python3"]',
            f"LABEL {_FINGERPRINT}={_fingerprint()}",
        ]
        engine.api.import_image(
            src=str(archive), repository=REPOSITORY, tag=_VERSION, changes=changes
        )


def _fill(tar: tarfile.TarFile, scratch: Path) -> None:
    for folder, mode in (("tmp", 0o1777), ("etc", 0o755), ("root", 0o700), ("proc", 0o555)):
        member = tarfile.TarInfo(folder)
        member.type, member.mode = tarfile.DIRTYPE, mode
        tar.addfile(member)
    tar.add(_interpreter(), f"usr/local/bin/python{_VERSION}")
    for name in ("python", "python3"):
        _link(tar, f"usr/local/bin/{name}", f"python{_VERSION}")
    tar.add(_library(), f"usr/local/lib/python{_VERSION}", filter=_keep)
    for module in _modules():
        tar.add(_stripped(module, scratch), f"{_DYNLOAD}/{module.name}")
    for path in _shared_libraries():
        # The loader's own place is in every program; all else is found by its name.
        is_loader = path.name.startswith("ld-linux")
        place = str(path).lstrip("/") if is_loader else f"usr/local/lib/{path.name}"
        tar.add(path.resolve() if is_loader else _stripped(path, scratch), place)
    tar.add(BUSYBOX, "bin/busybox")
    for applet in _APPLETS:
        _link(tar, f"bin/{applet}", "busybox")


def _link(tar: tarfile.TarFile, path: str, target: str) -> None:
    member = tarfile.TarInfo(path)
    member.type, member.linkname, member.mode = tarfile.SYMTYPE, target, 0o777
    tar.addfile(member)


def _stripped(path: Path, scratch: Path) -> Path:
    """Without debugging symbols, where this machine can take them off: half of the size."""
    program = shutil.which("strip")
    copy = scratch / path.name
    shutil.copy(path, copy)
    if program is not None:
        subprocess.run([program, "--strip-unneeded", str(copy)], capture_output=True, check=False)
    return copy


def _keep(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    name = os.path.basename(member.name)
    is_left_out = (
        name in _LEFT_OUT if member.isdir() else _LEFT_OUT_FILES.fullmatch(name) is not None
    )
    if is_left_out or name.startswith(f"config-{_VERSION}"):
        return None
    member.uid = member.gid = 0
    return member


def _interpreter() -> Path:
    name = f"python{_VERSION}"
    return (Path(sys.base_prefix) / "bin" / name).resolve()


def _library() -> Path:
    return Path(os.__file__).resolve().parent


def _modules() -> list[Path]:
    return [
        path
        for path in sorted((_library() / "lib-dynload").glob("*.so"))
        if not _LEFT_OUT_FILES.fullmatch(path.name)
    ]


def _shared_libraries() -> list[Path]:
    """Of the interpreter and of its extension modules, with the dynamic loader."""
    answer = subprocess.run(
        ["ldd", str(_interpreter()), *map(str, _modules())],
        capture_output=True,
        text=True,
        check=False,
    )
    return [Path(path) for path in sorted(set(_LDD.findall(answer.stdout)))]


def _fingerprint() -> str:
    made_from = f"{sys.version}\0{_interpreter()}\0{Path(__file__).read_text()}"
    return hashlib.sha256(made_from.encode()).hexdigest()[:16]


def _fingerprint_of(engine: docker.DockerClient, tag: str) -> str | None:
    """ "An empty text where there is no such image, None for one that is not ours."""
    try:
        return engine.images.get(tag).labels.get(_FINGERPRINT)
    except docker.errors.ImageNotFound:
        return ""


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Test workers are processes."""
    path = Path(tempfile.gettempdir()) / f"{REPOSITORY}-{os.getuid()}.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
