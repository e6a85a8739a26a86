"""The shell of one step: runs what installs and changes files, and notes what it skips."""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fsd_local.image.children import build_environment
from fsd_local.image.files import change_files, echoed, write_text
from fsd_local.image.indexes import without_silent_indexes
from fsd_local.image.installs import Purpose, allowed_argv, classify, gets_a_tool, make_argv
from fsd_local.image.interpreters import HOME_OF_PYTHON
from fsd_local.image.poetry import (
    export_argv,
    found_no_packages,
    installs_into_system,
    is_poetry,
)
from fsd_local.image.programs import run_program
from fsd_local.image.shell import ExpandedWord, ScriptCommand, UnreadableScriptError
from fsd_local.image.stages import Step
from fsd_local.image.step_scripts import (
    LONGEST_SCRIPT,
    MOST_SCRIPTS,
    SAYS,
    inner_script,
    installs_something,
    read_script,
    script_name,
)
from fsd_local.rootfs import inside

_NO_OPTION = "no such option: --"
_NO_WHEEL = re.compile(r"invalid command 'bdist_wheel'|No module named '(?:setuptools|wheel)'")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(slots=True, kw_only=True)
class StepShell:
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
        if posixpath.basename(texts[0]) in SAYS:
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
        found = self.find_script(name) if name and self.depth < MOST_SCRIPTS else None
        if found is None:
            return False
        commands = read_script(found.read_bytes()[:LONGEST_SCRIPT], is_named=name != words[0])
        if not installs_something(commands, self.variables):
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
