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
import posixpath
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fsd_files.tree import FOLDER, Kind, Node, Tree
from fsd_local.errors import LocalCode, LocalError
from fsd_local.image.children import build_environment
from fsd_local.image.files import change_files, echoed, write_text
from fsd_local.image.indexes import without_silent_indexes
from fsd_local.image.installs import Purpose, allowed_argv, classify, gets_a_tool, make_argv
from fsd_local.image.interpreters import HOME_OF_PYTHON, find_interpreter, find_uv
from fsd_local.image.layers import (
    PLACEHOLDER,
    Layer,
    Layers,
    OuterLink,
    identity,
    materialize,
)
from fsd_local.image.poetry import (
    export_argv,
    found_no_packages,
    installs_into_system,
    is_poetry,
)
from fsd_local.image.programs import ProgramEnd, run_program
from fsd_local.image.shell import ExpandedWord, ScriptCommand, UnreadableScriptError, parse_script
from fsd_local.image.stages import Step
from fsd_local.rootfs import inside

_FORMAT = "4"  # another with every change of what a step does
_PROGRAM = ("bin/python", "python")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LINES_OF_A_FAILURE = 15
_SHELL_OF_BUSYBOX = re.compile(r"alpine|busybox", re.IGNORECASE)
_NO_OPTION = "no such option: --"
_NO_WHEEL = re.compile(r"invalid command 'bdist_wheel'|No module named '(?:setuptools|wheel)'")
_SHELLS = frozenset({"sh", "bash", "dash", "ash"})
_MOST_SCRIPTS = 4  # that call one another
_LONGEST_SCRIPT = 1 << 16  # bytes
_ARGUMENTS = re.compile(r"\$(?:[@*#]|\{?[1-9])")
_SAYS = ("echo", "printf")
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
        kinds = _kinds(commands, step.variables, _ScriptsOf(tree, step.working_directory))
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
            running = Running(step=step, root=root, work=work, allow_run=self.allow_run)
            running.on_line = self.on_line
            if not running.run(commands):
                raise _failed(step, running, self.notes)
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


# What a build says that misses a compiler, a header or a library of the system.
_NEEDS_A_SYSTEM = re.compile(
    r"pkg-config|\bfatal error: \S+\.h|\b(?:gcc|g\+\+|cc|clang|cmake|make|rustc|cargo|go|swig)\b"
    r".*(?:not found|not installed|No such file|failed)|\w+[_-]config (?:executable|is|not)"
    r"|ld: cannot find -l|Could not (?:find|build wheels)|[Ff]ailed (?:building|to build)"
    r"|header files? (?:not|could not)|Please install|is required to (?:build|compile)"
)
_GETS_A_SYSTEM = re.compile(r"\b(?:apt-get|apt|apk|yum|dnf|microdnf)\b.*\b(?:install|add)\b")
_MOST_NAMED = 2
_FRAME_OF_TOOL = re.compile(r'File "\S*/bin/(?:poetry|pdm|pipenv|pip3?)", line \d+, in <module>')
_DOES_NOT_START = re.compile(r"(?:ModuleNotFoundError|ImportError|AttributeError): ")
_NO_CONNECTION = re.compile(r"Failed to establish a new connection|Temporary failure in name res")
_UNREACHED = (
    re.compile(r"HTTPS?ConnectionPool\(host='(?P<host>[^']+)', port=\d+\): Max retries exceeded"),
    re.compile(r"Could not resolve (?:host|hostname):? (?P<host>[\w.-]+)", re.IGNORECASE),
    re.compile(r"(?:error sending request|Failed to fetch|connect).*?https?://(?P<host>[\w.-]+)"),
)


def _unreached(line: str) -> str:
    """The host that a program could not connect to, as pip, git and uv say it."""
    found = next((match for each in _UNREACHED if (match := each.search(line))), None)
    return found["host"] if found else ""


def _as_command(argv: Sequence[str]) -> ScriptCommand:
    (command,) = parse_script(shlex.join(argv))
    return command


def _kinds(
    commands: Sequence[ScriptCommand], variables: Mapping[str, str], scripts: _ScriptsOf
) -> set[Purpose]:
    """What there is to do, whether or not it comes to it."""
    found: set[Purpose] = set()
    for command in commands:
        if command.branches is not None:
            for branch in command.branches:
                found |= _kinds(branch, variables, scripts)
            continue
        if not command.is_plain:
            found.add(Purpose.OTHER)
            continue
        try:
            words = [word.text for word in command.arguments(variables)]
        except UnreadableScriptError:
            found.add(Purpose.OTHER)
            continue
        inner = inner_script(words)
        if inner is not None:
            found |= _kinds(inner, variables, scripts)
        elif words and posixpath.basename(words[0]) in _SAYS:
            found.add(Purpose.NOTHING if command.output is None else Purpose.FILES)
        else:
            found.add(classify(words))
            found |= _kinds(scripts.find(words), variables, scripts.below())
    return found


@dataclass(frozen=True, slots=True, kw_only=False)
class _ScriptsOf:
    """The shell scripts of a tree, as a step names them."""

    tree: Tree
    folder: str
    depth: int = 0

    def find(self, words: Sequence[str]) -> tuple[ScriptCommand, ...]:
        name = script_name(words)
        if not name or self.depth >= _MOST_SCRIPTS:
            return ()
        node = self.tree.get(posixpath.normpath(posixpath.join(self.folder, name)).lstrip("/"))
        if node is None or node.kind is not Kind.FILE:
            return ()
        with node.open() as file:
            return read_script(file.read(_LONGEST_SCRIPT), is_named=name != words[0])

    def below(self) -> _ScriptsOf:
        return _ScriptsOf(self.tree, self.folder, self.depth + 1)


def _installs_something(commands: Sequence[ScriptCommand], variables: Mapping[str, str]) -> bool:
    return Purpose.INSTALL in _kinds(commands, variables, _ScriptsOf({}, "/", _MOST_SCRIPTS))


def script_name(words: Sequence[str]) -> str:
    """Of `./build.sh`, `bin/install`, `bash scripts/build.sh`; "" for all else."""
    if posixpath.basename(words[0]) in _SHELLS:
        return next((word for word in words[1:] if not word.startswith("-")), "")
    return words[0] if "/" in words[0] else ""


def read_script(content: bytes, *, is_named: bool) -> tuple[ScriptCommand, ...]:
    """Its commands; none where it is for another interpreter, takes arguments or is not readable.

    `is_named` says that a shell was told to run it, whatever its first line.
    """
    text = content.decode(errors="replace")
    first = text.partition("\n")[0]
    is_ours = re.match(r"#!\s*\S*(?:/|env\s+)(?:ba|da|a)?sh\b", first) is not None
    if not (is_ours or (is_named and not first.startswith("#!"))) or _ARGUMENTS.search(text):
        return ()
    try:
        return parse_script(text)
    except UnreadableScriptError:
        return ()


def inner_script(words: Sequence[str]) -> tuple[ScriptCommand, ...] | None:
    """Of `sh -c "…"`, `bash -lc "…"`."""
    is_shell = bool(words) and posixpath.basename(words[0]) in ("sh", "bash", "dash", "ash")
    options = [word for word in words[1:] if word.startswith("-")]
    if not is_shell or len(words) < 3 or not options or not options[-1].endswith("c"):
        return None
    try:
        return parse_script(words[words.index(options[-1]) + 1])
    except (UnreadableScriptError, IndexError):
        return None


def _left_out(commands: Sequence[ScriptCommand], step: Step) -> tuple[str, ...]:
    """A step of which nothing is done, in one line; none where nothing is missed."""
    running = Running(step=step, root=Path(PLACEHOLDER), work=Path(PLACEHOLDER), allow_run=False)
    running.run(commands)
    return (step.instruction.summary,) if running.skipped else ()


def _failed(step: Step, running: Running, notes: Sequence[str]) -> LocalError:
    said = "\n".join(line for line in running.lines[-_LINES_OF_A_FAILURE:])
    text = said.replace(str(running.root), "")
    missing = [skipped for skipped in running.skipped if "install" in skipped]
    if any(_NEEDS_A_SYSTEM.search(line) for line in running.lines):
        earlier = [each for each in step.left_out if _GETS_A_SYSTEM.search(each)]
        missing = missing or earlier[-_MOST_NAMED:]
    fix = "correct the step as the lines above say"
    host = next((found for line in running.lines if (found := _unreached(line))), "")
    if not host and any(_NO_CONNECTION.search(line) for line in running.lines):
        index = re.search(r"Looking in indexes: \w+://(?:[^/\s]*@)?([\w.-]+)", said)
        host = index[1] if index else "the package index"
    host = host or next(iter(running.unreached), "")
    broken = broken_tool(running.failed, running.lines)
    if broken:
        fix = _other_version(broken, step.instruction.text)
    elif host:
        fix = f"let this machine reach {host} (its network, proxy and certificates), and try again"
    if notes and not host and not broken:
        fix = f"{'; '.join(notes)}, or use --runtime container; else {fix}"
    if missing:
        fix = (
            f"without Docker this was skipped before it: {'; '.join(missing)}. If it needs that, "
            "install the same on this machine, or use --runtime container"
        )
    return LocalError(
        f"`{running.failed}` ended with {running.code}:\n{text}",
        where=f"{step.instruction.where}",
        fix=fix,
        code=LocalCode.BUILD_FAILED,
    )


def broken_tool(command: str, lines: Sequence[str]) -> str:
    """`poetry`, where it does not even start: an exception of its own packages; "" for all else."""
    name = posixpath.basename(command.split(" ", 1)[0])
    last = lines[-1] if lines else ""
    is_its_own = any(_FRAME_OF_TOOL.search(line) for line in lines[:3])
    return name if is_its_own and _DOES_NOT_START.match(last) else ""


def _other_version(tool: str, step: str) -> str:
    """The same release with its corrections where the step pins one; pip chose the rest itself."""
    fix = (
        f"{tool} does not start with the versions of its own packages that pip chose, with Docker "
        "as here: install "
    )
    pinned = re.search(rf"\b{tool}==(\d+\.\d+)(?:\.\d+)?(?![\d.])", step)
    if pinned is None:
        return f"{fix}a newer version of {tool}"
    return f'{fix}"{tool}~={pinned[1]}.0" in place of {pinned[0]}, or a newer version'


# --- one step ----------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Running:
    """The shell of one step."""

    step: Step
    root: Path
    work: Path
    allow_run: bool
    skipped: list[str] = field(default_factory=list)
    lines: tuple[str, ...] = ()  # what the last program said
    failed: str = ""
    code: int = 0
    depth: int = 0  # of scripts that call one another
    tried_tools: bool = False
    unreached: list[str] = field(default_factory=list)  # indexes that were left out
    on_line: Callable[[str], None] = lambda _line: None
    variables: dict[str, str] = field(init=False)
    cwd: str = field(init=False)

    def __post_init__(self) -> None:
        self.variables = dict(self.step.variables)
        self.cwd = self.step.working_directory

    def run(self, commands: Sequence[ScriptCommand]) -> bool:
        """Whether it ends well, as a shell has it."""
        is_well = True
        for command in commands:
            if (command.before == "&&" and not is_well) or (command.before == "||" and is_well):
                continue
            is_well = self._command(command)
        return is_well

    def _command(self, command: ScriptCommand) -> bool:
        if command.branches is not None:
            return self._branch(command)
        if not command.is_plain:
            return True if gets_a_tool(command.text) else self._skip(command.text)
        try:
            words = command.arguments(self.variables)
            assigned = command.assignments(self.variables)
        except UnreadableScriptError:
            return self._skip(command.text)
        if not words:
            self.variables |= assigned
            return True
        inner = inner_script([word.text for word in words])
        if inner is not None:
            return self.run(inner)
        return self._program(command, words, assigned)

    def _branch(self, command: ScriptCommand) -> bool:
        assert command.branches is not None
        condition, then, otherwise = command.branches
        answers = [self._test(one) for one in condition]
        if None in answers:
            return self._skip(command.text)
        return self.run(then if all(answers) else otherwise)

    def _test(self, command: ScriptCommand) -> bool | None:
        """What `[ … ]` answers; None where it takes more than words and files."""
        try:
            words = [word.text for word in command.arguments(self.variables)]
        except UnreadableScriptError:
            return None
        return _tested(words, self._exists)

    def _exists(self, path: str, kind: str) -> bool:
        place = self.mapped(posixpath.join(self.cwd, path))
        return {"f": os.path.isfile, "d": os.path.isdir}.get(kind, os.path.exists)(place)

    def _program(
        self, command: ScriptCommand, words: Sequence[ExpandedWord], assigned: Mapping[str, str]
    ) -> bool:
        texts = [word.text for word in words]
        if posixpath.basename(texts[0]) in _SAYS:
            return self._echo(command, texts)
        match classify(texts):
            case Purpose.NOTHING:
                return True
            case Purpose.SHELL:
                return self._builtin(texts)
            case Purpose.TEST:
                answer = _tested(texts, self._exists)
                return True if answer is None else answer
            case Purpose.FILES:
                every = [text for word in words for text in self._files(word)]
                return self._change_files(command, every)
            case Purpose.INSTALL:
                return self._install(command, words, assigned)
            case _ if self.allow_run:
                return self._allowed(command, words, assigned)
            case _:
                return self._own_script(texts) or self._skip(command.text)

    def _own_script(self, words: Sequence[str]) -> bool:
        """A script of the image that installs something: what it says, by the same rules.

        False where it is none, or ends badly: then it is named as left out.
        """
        name = script_name(words)
        found = self.find_script(name) if name and self.depth < _MOST_SCRIPTS else None
        if found is None:
            return False
        commands = read_script(found.read_bytes()[:_LONGEST_SCRIPT], is_named=name != words[0])
        if not _installs_something(commands, self.variables):
            return False
        cwd, variables, skipped = self.cwd, dict(self.variables), list(self.skipped)
        self.depth += 1
        is_well = self.run(commands)
        self.depth -= 1
        self.cwd, self.variables = cwd, variables
        if not is_well:
            self.skipped = skipped
        return is_well

    def find_script(self, name: str) -> Path | None:
        place = self.place(name)
        return place if place.is_file() else None

    def _skip(self, text: str) -> bool:
        self.skipped.append(f"RUN {text}")
        return True

    def _builtin(self, words: Sequence[str]) -> bool:
        if words[0] == "cd":
            self.cwd = posixpath.normpath(posixpath.join(self.cwd, words[1] if words[1:] else "/"))
        elif words[0] == "export":
            pairs = (word.partition("=") for word in words[1:] if "=" in word)
            self.variables |= {name: value for name, _, value in pairs}
        elif words[0] in (".", "source") and words[-1].endswith("/bin/activate"):
            place = posixpath.normpath(posixpath.join(self.cwd, words[-1]))
            home = posixpath.dirname(posixpath.dirname(place))
            self.variables["VIRTUAL_ENV"] = home
            self.variables["PATH"] = f"{home}/bin:{self.path}"
        return words[0] != "false"

    def _change_files(self, command: ScriptCommand, words: Sequence[str]) -> bool:
        return change_files(self.root, self.place, words) or self._skip(command.text)

    def _echo(self, command: ScriptCommand, words: Sequence[str]) -> bool:
        """Where it goes to a file; on a screen nobody misses it."""
        if command.output is None:
            return True
        text = echoed(words)
        if text is None:
            return self._skip(command.text)
        (target,) = command.output.expand(self.variables)
        with contextlib.suppress(OSError):
            write_text(self.place(target.text), text, appends=command.appends)
            return True
        return self._skip(command.text)

    def _install(
        self, command: ScriptCommand, words: Sequence[ExpandedWord], assigned: Mapping[str, str]
    ) -> bool:
        argv = make_argv(self, [t for word in words for t in self._files(word)])
        if argv is None:
            return self._skip(command.text)
        argv, unreached = without_silent_indexes(argv)
        for host in unreached:
            self.on_line(f"{host} cannot be reached: pip does without it")
        self.unreached += unreached
        if is_poetry(argv) and installs_into_system(
            {**self.variables, **assigned}, self.home, self.cwd, self._read
        ):
            assigned = {**assigned, "VIRTUAL_ENV": f"/{HOME_OF_PYTHON}"}
        return self._execute(command, argv, assigned)

    def _read(self, path: str) -> str:
        place = self.place(path)
        return place.read_text(errors="replace") if place.is_file() else ""

    def _allowed(
        self, command: ScriptCommand, words: Sequence[ExpandedWord], assigned: Mapping[str, str]
    ) -> bool:
        argv = allowed_argv(self, [t for word in words for t in self._files(word)])
        if argv is None:
            return self._skip(command.text)
        return self._execute(command, argv, assigned)

    def _execute(
        self, command: ScriptCommand, argv: Sequence[str], assigned: Mapping[str, str]
    ) -> bool:
        self.on_line(f"RUN {command.text}")
        cwd = self.place(".")
        cwd.mkdir(parents=True, exist_ok=True)
        output = None
        if command.output is not None:
            (target,) = command.output.expand(self.variables)
            output = self.place(target.text)
        ended = run_program(
            argv,
            environment=self.environment(assigned),
            cwd=cwd,
            output=output,
            appends=command.appends,
        )
        self.lines, self.code, self.failed = ended.lines, ended.code, command.text
        if ended.code != 0 and self._has_newer_tools(argv, ended.lines):
            return self._execute(command, argv, assigned)
        if ended.code != 0 and found_no_packages(argv, ended.lines):
            return self._install_locked(argv, assigned)
        return ended.code == 0

    def _install_locked(self, argv: Sequence[str], assigned: Mapping[str, str]) -> bool:
        """By pip, what Poetry's lock names; whether that went well."""
        python = self.find_program(f"{assigned.get('VIRTUAL_ENV') or '.venv'}/bin/python")
        target = self.work / "locked.txt"
        base = str(self.find_program(f"/{HOME_OF_PYTHON}/bin/python") or python)
        export = export_argv(argv, base, self._read("pyproject.toml"), str(target))
        if python is None or export is None:
            return False
        pip = [base, "-m", "pip", "--python", str(python), "install", "--no-deps", "-r"]
        self.on_line("RUN pip install what poetry.lock names: Poetry found no packages")
        for words in (export, [*pip, str(target)]):
            ended = run_program(words, environment=self.environment(assigned), cwd=self.place("."))
            if ended.code != 0:
                self.lines = (*self.lines, *ended.lines)
                return False
        return True

    def _has_newer_tools(self, argv: Sequence[str], lines: Sequence[str]) -> bool:
        """A base image has a pip of its own time: one that comes with this Python may be older. It
        has setuptools and wheel too, up to Python 3.11, which a build without isolation takes.

        https://github.com/docker-library/python/issues/952
        """
        is_pip = list(argv[1:3]) == ["-m", "pip"]
        said = "\n".join(lines)
        lacking = ["--upgrade", "pip"] if _NO_OPTION in said else []
        if _NO_WHEEL.search(said) and self._is_before_312(argv[0]):
            lacking = ["setuptools", "wheel"]
        if self.tried_tools or not is_pip or not lacking:
            return False
        self.tried_tools = True
        install = [argv[0], "-m", "pip", "install", "--quiet", *lacking]
        ended = run_program(install, environment=self.environment({}), cwd=self.place("."))
        return ended.code == 0

    def _is_before_312(self, python: str) -> bool:
        folders = Path(python).parent.parent.glob("lib/python3.*")
        return any(int(each.name.partition("3.")[2]) < 12 for each in folders)

    # --- paths and variables of the image

    @property
    def path(self) -> str:
        return self.variables.get("PATH") or _PATH

    @property
    def home(self) -> str:
        user = self.step.user.partition(":")[0]
        default = "/root" if user in ("", "root", "0") or user.isdecimal() else f"/home/{user}"
        return self.variables.get("HOME") or default

    def mapped(self, path: str) -> str:
        """A path of the image, below its folder whether or not it is there."""
        return str(inside(self.root, path)) if path.startswith("/") else path

    def place(self, path: str) -> Path:
        return inside(self.root, posixpath.join(self.cwd, path))

    def find_program(self, name: str) -> Path | None:
        """In the image's own folders of PATH; an absolute name only there."""
        folders = [posixpath.dirname(name)] if "/" in name else self.path.split(":")
        for folder in folders:
            place = inside(self.root, posixpath.join(self.cwd, folder)) / posixpath.basename(name)
            if place.is_file() and os.access(place, os.X_OK):
                return place
        return None

    def _files(self, word: ExpandedWord) -> list[str]:
        """What a pattern stands for, in the words of the image."""
        if not word.is_pattern:
            return [word.text]
        start = self.root if word.text.startswith("/") else self.place(".")
        pattern = word.text.lstrip("/")
        try:
            found = sorted(start.glob(pattern))
        except (ValueError, NotImplementedError):
            found = []
        if not found:
            return [word.text]
        prefix = "/" if word.text.startswith("/") else ""
        return [f"{prefix}{path.relative_to(start)}" for path in found]

    def environment(self, assigned: Mapping[str, str]) -> dict[str, str]:
        """Of a program: what reaches an index, and the image's own."""
        given = {**self.variables, **assigned}
        dropped = {"PIP_NO_CACHE_DIR", "PIP_USER", "PIP_BREAK_SYSTEM_PACKAGES", "UV_SYSTEM_PYTHON"}
        own = {n: self._value(v) for n, v in given.items() if n not in dropped and n != "PATH"}
        base = build_environment()
        machine = base["PATH"]
        folders = [self.mapped(folder) for folder in self.path.split(":")]
        usual = str(self.root / HOME_OF_PYTHON / "bin")
        cache = self.work.parent.parent
        return {
            **base,
            "HOME": self.mapped(self.home),
            "TMPDIR": str(self.work),
            "PIP_CACHE_DIR": str(cache / "pip"),
            "UV_CACHE_DIR": str(cache / "uv"),
            **own,
            "PATH": ":".join(dict.fromkeys((*folders, usual, machine))),
        }

    def _value(self, value: str) -> str:
        if ":" in value and "//" not in value:
            return ":".join(self._value(part) if part else "" for part in value.split(":"))
        if not value.startswith("/"):
            return value
        mine = self.mapped(value)
        return value if os.path.exists(value) and not os.path.exists(mine) else mine


def _tested(words: Sequence[str], exists: Callable[[str, str], bool]) -> bool | None:
    """https://pubs.opengroup.org/onlinepubs/9799919799/utilities/test.html"""
    inner = list(words[1:])
    if not words or words[0] not in ("[", "test") or (words[0] == "[" and inner[-1:] != ["]"]):
        return {"true": True, ":": True, "false": False}.get(words[0]) if words else None
    if words[0] == "[":
        inner.pop()
    is_not = inner[:1] == ["!"]
    answer = _answer(inner[1:] if is_not else inner, exists)
    return answer if answer is None or not is_not else not answer


def _answer(inner: Sequence[str], exists: Callable[[str, str], bool]) -> bool | None:
    match list(inner):
        case []:
            return False
        case [word]:
            return bool(word)
        case ["-z", word]:
            return not word
        case ["-n", word]:
            return bool(word)
        case ["-e" | "-f" | "-d" | "-r" | "-s" as option, path]:
            return exists(path, option[1])
        case [left, "=" | "==", right]:
            return left == right
        case [left, "!=", right]:
            return left != right
    return None
