"""Does the Python part of RUN without Docker, in a folder that stands for the image's root.

pip, uv, poetry, pdm and pipenv are run as they are written, by the image's own Python, in the
image's own environment at /usr/local or wherever the Dockerfile makes one. Nothing else is run:
what a package manager of the system, or any other program, would have done is named as missing,
unless `allow_run` lets scripts run that need no more than a shell and the image's files. Paths are
those of the image: what is absolute is looked for, and written, below its folder only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fsd_files.tree import FOLDER, Kind, Node, Tree
from fsd_local.errors import LocalCode, LocalError
from fsd_local.image.children import build_environment
from fsd_local.image.installs import Purpose
from fsd_local.image.interpreters import HOME_OF_PYTHON, find_interpreter, find_uv
from fsd_local.image.layers import (
    PLACEHOLDER,
    Layer,
    Layers,
    OuterLink,
    identity,
    materialize,
)
from fsd_local.image.programs import ProgramEnd, run_program
from fsd_local.image.shell import ScriptCommand, UnreadableScriptError, parse_script
from fsd_local.image.stages import Step
from fsd_local.image.step_failures import step_failed
from fsd_local.image.step_scripts import (
    ScriptsOf,
    purposes_of,
)
from fsd_local.image.step_shell import StepShell
from fsd_local.rootfs import inside

_FORMAT = "4"  # another with every change of what a step does
_PROGRAM = ("bin/python", "python")
_SHELL_OF_BUSYBOX = re.compile(r"alpine|busybox", re.IGNORECASE)
# Of any base image. COPY and WORKDIR take them for folders, as they are there.
# https://refspecs.linuxfoundation.org/FHS_3.0/fhs/index.html
_FOLDERS = (
    "etc",
    "home",
    "opt",
    "root",
    "srv",
    "tmp",
    "usr",
    "usr/local",
    "usr/local/bin",
    "usr/src",
)
_FOLDERS_OF_DATA = ("var", "var/lib", "var/log", "var/tmp", "var/www")


@dataclass(slots=True, kw_only=True)
class Steps:
    """The StepWorker of one build. `on_line` is told what is being done."""

    layers: Layers = field(default_factory=Layers)
    on_line: Callable[[str], None] = lambda _line: None
    allow_run: bool = False
    notes: list[str] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)

    def begin(self, image: str) -> Tree:
        """What stands for a base image: its Python, without any package. Empty for scratch."""
        if image == "scratch":
            return {}
        interpreter = find_interpreter(image, cache=self.layers.folder)
        if interpreter.note and interpreter.note not in self.notes:
            self.notes.append(interpreter.note)
        made: Tree = dict.fromkeys((*_FOLDERS, *_FOLDERS_OF_DATA), FOLDER)
        made |= self._environment(interpreter.path, with_pip=False).changed
        shell = Path("/bin/bash")
        if _SHELL_OF_BUSYBOX.search(image) and shell.exists():
            # Its `sh` knows `source` and `[[`, which this machine's may not.
            made["bin/sh"] = OuterLink(kind=Kind.LINK, target=str(shell))
        if interpreter.note:  # the Dockerfile may name the folders of the other one
            for place, target in (("lib/python", f"python{interpreter.version}"), _PROGRAM):
                path = f"{HOME_OF_PYTHON}/{place}{interpreter.wanted}"
                made[path] = Node(kind=Kind.LINK, target=target)
        return made

    def run(self, step: Step, tree: Tree) -> tuple[str, ...]:
        """Change the tree as the step does; what of it was not done. Raises LocalError."""
        script, argv = _script(step)
        try:
            commands = parse_script(script) if argv is None else (_as_command(argv),)
        except UnreadableScriptError:
            return (step.instruction.summary,)
        kinds = purposes_of(commands, step.variables, ScriptsOf(tree, step.working_directory))
        if not kinds & {Purpose.INSTALL, Purpose.FILES} and not (
            self.allow_run and Purpose.OTHER in kinds
        ):
            return _left_out(commands, step)
        if Purpose.INSTALL in kinds:
            self._add_pip(tree)
        key = self._key(step, script, argv, tree)
        found = self.layers.find(key)
        if found is None:
            found = self._do(key, step, commands, tree)
        found.apply(tree)
        return found.skipped

    def _add_pip(self, tree: Tree) -> None:
        """Where the stage has a Python and was not given pip yet."""
        ours = [path for path in tree if path.startswith(f"{HOME_OF_PYTHON}/")]
        python = next((tree[path] for path in ours if isinstance(tree[path], OuterLink)), None)
        if python is None or any("/site-packages/pip/" in path for path in ours):
            return
        layer = self._environment(Path(python.target), with_pip=True)
        tree.update({path: node for path, node in layer.changed.items() if path not in tree})

    def _key(self, step: Step, script: str, argv: tuple[str, ...] | None, tree: Tree) -> str:
        seen = (
            _FORMAT,
            identity({**tree, **step.mounted}, self.hashes),
            script,
            repr(argv),
            step.working_directory,
            repr(sorted(step.variables.items())),
            step.user,
            str(self.allow_run),
        )
        return hashlib.sha256("\0".join(seen).encode(errors="surrogateescape")).hexdigest()

    def _do(self, key: str, step: Step, commands: Sequence[ScriptCommand], tree: Tree) -> Layer:
        with self.layers.workspace() as work:
            root = work / "root"
            root.mkdir()
            before = materialize({**tree, **step.mounted}, root)
            running = StepShell(step=step, root=root, work=work, allow_run=self.allow_run)
            running.on_line = self.on_line
            if not running.run(commands):
                raise step_failed(step, running, self.notes)
            _unmount(root, step.mounted, tree)
            kept = {p: entry for p, entry in before.items() if p in tree or p not in step.mounted}
            return self.layers.keep(key, root, kept, skipped=tuple(running.skipped))

    def _environment(self, interpreter: Path, *, with_pip: bool) -> Layer:
        """A virtual environment at /usr/local, where the official image has its Python."""
        words = ("environment", _FORMAT, str(interpreter), str(with_pip))
        key = hashlib.sha256("\0".join(words).encode()).hexdigest()
        found = self.layers.find(key)
        if found is not None:
            return found
        with self.layers.workspace() as work:
            root = work / "root"
            place = root / HOME_OF_PYTHON
            root.mkdir()
            _make_environment(interpreter, place, work, with_pip=with_pip)
            return self.layers.keep(key, root, {})


def _unmount(root: Path, mounted: Tree, tree: Tree) -> None:
    """What was there for the step alone, deepest first; a folder with anything else in it stays."""
    for path in sorted(set(mounted) - set(tree), reverse=True):
        place = inside(root, os.path.dirname(path)) / os.path.basename(path)
        with contextlib.suppress(OSError):
            place.rmdir() if place.is_dir() and not place.is_symlink() else place.unlink()


def _make_environment(interpreter: Path, place: Path, work: Path, *, with_pip: bool) -> None:
    environment = {**build_environment(), "HOME": str(work), "TMPDIR": str(work)}
    bare = () if with_pip else ("--without-pip",)
    commands = [[str(interpreter), "-I", "-m", "venv", *bare, str(place)]]
    uv = find_uv()
    if uv and with_pip:  # a system's Python may come without ensurepip
        seeded = [uv, "venv", "--quiet", "--seed", "--clear", "--python", str(interpreter)]
        commands.append([*seeded, str(place)])
    ended = ProgramEnd(code=1, lines=())
    for command in commands:
        ended = run_program(command, environment=environment, cwd=work)
        if ended.code == 0:
            return
    raise LocalError(
        f"{interpreter} can't make a virtual environment: {' '.join(ended.lines[-3:])}",
        where=str(interpreter),
        fix="install python3-venv or uv, or use --runtime container",
        code=LocalCode.BUILD_FAILED,
    )


def _script(step: Step) -> tuple[str, tuple[str, ...] | None]:
    """(the script, or the words of the exec form)."""
    instruction = step.instruction
    if instruction.heredocs:
        return instruction.heredocs[0], None
    return instruction.text, instruction.exec_form()


def _as_command(argv: Sequence[str]) -> ScriptCommand:
    (command,) = parse_script(shlex.join(argv))
    return command


def _left_out(commands: Sequence[ScriptCommand], step: Step) -> tuple[str, ...]:
    """A step of which nothing is done, in one line; none where nothing is missed."""
    running = StepShell(step=step, root=Path(PLACEHOLDER), work=Path(PLACEHOLDER), allow_run=False)
    running.run(commands)
    return (step.instruction.summary,) if running.skipped else ()
