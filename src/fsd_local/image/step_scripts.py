"""What the commands of a step are for, with those of the shell scripts that it calls: by path, by a
shell, or as `sh -c "…"`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fsd_files.tree import Kind, Tree
from fsd_local.image.installs import Purpose, classify
from fsd_local.image.shell import ScriptCommand, UnreadableScriptError, parse_script

_SHELLS = frozenset({"sh", "bash", "dash", "ash"})
_ARGUMENTS = re.compile(r"\$(?:[@*#]|\{?[1-9])")
MOST_SCRIPTS = 4  # that call one another
LONGEST_SCRIPT = 1 << 16  # bytes
SAYS = ("echo", "printf")


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


def purposes_of(
    commands: Sequence[ScriptCommand], variables: Mapping[str, str], scripts: ScriptsOf
) -> set[Purpose]:
    """What there is to do, whether or not it comes to it."""
    found: set[Purpose] = set()
    for command in commands:
        if command.branches is not None:
            for branch in command.branches:
                found |= purposes_of(branch, variables, scripts)
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
            found |= purposes_of(inner, variables, scripts)
        elif words and posixpath.basename(words[0]) in SAYS:
            found.add(Purpose.NOTHING if command.output is None else Purpose.FILES)
        else:
            found.add(classify(words))
            found |= purposes_of(scripts.find(words), variables, scripts.below())
    return found


@dataclass(frozen=True, slots=True, kw_only=False)
class ScriptsOf:
    """The shell scripts of a tree, as a step names them."""

    tree: Tree
    folder: str
    depth: int = 0

    def find(self, words: Sequence[str]) -> tuple[ScriptCommand, ...]:
        name = script_name(words)
        if not name or self.depth >= MOST_SCRIPTS:
            return ()
        node = self.tree.get(posixpath.normpath(posixpath.join(self.folder, name)).lstrip("/"))
        if node is None or node.kind is not Kind.FILE:
            return ()
        with node.open() as file:
            return read_script(file.read(LONGEST_SCRIPT), is_named=name != words[0])

    def below(self) -> ScriptsOf:
        return ScriptsOf(self.tree, self.folder, self.depth + 1)


def installs_something(commands: Sequence[ScriptCommand], variables: Mapping[str, str]) -> bool:
    return Purpose.INSTALL in purposes_of(commands, variables, ScriptsOf({}, "/", MOST_SCRIPTS))
