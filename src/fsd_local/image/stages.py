"""Plays a Dockerfile without Docker: what COPY puts where, and what the configuration becomes.

No base image is at hand: a stage begins with what stands for one, unless it begins with an earlier
stage. What a RUN does is up to `StepWorker`; every step that could not be done is named in
`Snapshot.skipped`.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn, Protocol

from fsd_files.dockerfile import (
    Instruction,
    dockerfile_error,
    pairs,
    substitute,
    unquote,
)
from fsd_files.tree import FOLDER, Kind, Node, Tree

_SHELL = ("/bin/sh", "-c")
# Its only content is uv, which is here without it.
_UV_IMAGE = re.compile(r"\bastral-sh/uv(?::|@|$)")
_URL = re.compile(r"(https?|git|ssh)://|git@")
# https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope
_PLATFORM_ARGUMENTS = ("PLATFORM", "OS", "ARCH")
_WITHOUT_EFFECT = {"HEALTHCHECK", "MAINTAINER", "ONBUILD", "STOPSIGNAL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What a container of the image starts with."""

    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str = "/"
    entry_point: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    user: str = ""
    ports: tuple[str, ...] = ()  # 8000/tcp
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSnapshot:
    tree: Tree
    configuration: Configuration
    skipped: tuple[str, ...]
    base: str = ""  # the image that the stage begins with
    notes: tuple[str, ...] = ()  # what else is another than with Docker


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A RUN, and what it sees."""

    instruction: Instruction
    working_directory: str
    variables: Mapping[str, str]  # ARG and ENV
    user: str
    mounted: Tree = field(default_factory=dict)  # what is there for this step alone
    left_out: tuple[str, ...] = ()  # of the steps before it


class StepWorker(Protocol):
    """Does what takes programs."""

    def begin(self, image: str) -> Tree:
        """What stands for a base image."""

    def run(self, step: Step, tree: Tree) -> tuple[str, ...]:
        """Change the tree as the step does; what of it was not done."""


class NoStepWorker:
    """Does nothing: every stage begins empty, every RUN is left out."""

    def begin(self, image: str) -> Tree:
        del image
        return {}

    def run(self, step: Step, tree: Tree) -> tuple[str, ...]:
        del tree
        return (step.instruction.summary,)


@dataclass(slots=True, kw_only=True)
class _Stage:
    """One stage while it is played."""

    name: str
    tree: Tree
    configuration: Configuration
    base: str = ""
    worker: StepWorker
    arguments: dict[str, str] = field(default_factory=dict)
    shell: tuple[str, ...] = _SHELL
    has_own_command: bool = False
    skipped: list[str] = field(default_factory=list)
    needs: list[_Stage] = field(default_factory=list)

    @property
    def variables(self) -> dict[str, str]:
        return {**self.arguments, **self.configuration.environment}


@dataclass(slots=True, kw_only=True)
class _Play:
    context: Tree
    given: Mapping[str, str]  # build arguments
    globals: dict[str, str]
    worker: StepWorker
    wanted: frozenset[int] | None = None  # stages that are worth work, by number; None: all
    stages: list[_Stage] = field(default_factory=list)

    def find_stage(self, name: str) -> _Stage | None:
        by_name = next(
            (s for s in reversed(self.stages) if s.name and s.name == name.lower()), None
        )
        if by_name is not None:
            return by_name
        is_number = name.isdecimal() and int(name) < len(self.stages)
        return self.stages[int(name)] if is_number else None


def play(
    instructions: Sequence[Instruction],
    *,
    context: Tree,
    build_args: Mapping[str, str],
    architecture: str,
    target: str = "",
    worker: StepWorker | None = None,
) -> FileSnapshot:
    """The stage `target`, by name or number, or the last. `architecture` is amd64 or arm64.

    Raises FileError (dockerfile-invalid), and what the worker raises.
    """
    state = _Play(
        context=context, given=build_args, globals=_platform(architecture), worker=NoStepWorker()
    )
    stage = _play(state, instructions, target)
    if worker is not None:
        # Once more, with work for the stages that it is made from: others are not built.
        wanted = frozenset(_numbers(state.stages, stage))
        state = replace(
            state, globals=_platform(architecture), worker=worker, stages=[], wanted=wanted
        )
        stage = _play(state, instructions, target)
    skipped = tuple(dict.fromkeys(_skipped(state.stages, stage)))
    return FileSnapshot(
        tree=stage.tree, configuration=stage.configuration, skipped=skipped, base=stage.base
    )


def _play(state: _Play, instructions: Sequence[Instruction], target: str) -> _Stage:
    stage: _Stage | None = None
    for instruction in instructions:
        if instruction.name == "FROM":
            stage = _begin(state, instruction)
            state.stages.append(stage)
        elif stage is not None:
            _apply(state, stage, instruction)
        elif instruction.name == "ARG":
            _global_argument(state, instruction)
        else:
            _refuse(instruction, "the first instruction must be FROM", "begin with FROM")
    if stage is None:
        _refuse(instructions[-1], "the Dockerfile has no FROM", "begin with FROM")
    if target:
        stage = state.find_stage(target)
        if stage is None:
            named = ", ".join(found.name for found in state.stages if found.name) or "none"
            _refuse(
                instructions[-1],
                f"no stage is named `{target}`",
                f"name one with AS, or correct `build.target`; there are: {named}",
            )
    return stage


def _skipped(stages: Sequence[_Stage], last: _Stage) -> Iterator[str]:
    """In the file's order, of the stages that the last is made from; others are not built."""
    for number in _numbers(stages, last):
        yield from stages[number].skipped


def _numbers(stages: Sequence[_Stage], last: _Stage) -> list[int]:
    """Of the stages that the last is made from, and of it."""
    needed = {id(last)}
    # A stage needs only earlier ones, so one look from the end finds them all.
    for stage in reversed(stages):
        if id(stage) in needed:
            needed.update(id(other) for other in stage.needs)
    return [number for number, stage in enumerate(stages) if id(stage) in needed]


def _platform(architecture: str) -> dict[str, str]:
    values = {"PLATFORM": f"linux/{architecture}", "OS": "linux", "ARCH": architecture}
    return {
        f"{side}{kind}": values[kind]
        for side in ("TARGET", "BUILD")
        for kind in _PLATFORM_ARGUMENTS
    }


def _global_argument(play: _Play, instruction: Instruction) -> None:
    for word in instruction.words():
        name, equals, default = word.partition("=")
        if name in play.given:
            play.globals[name] = play.given[name]
        elif equals:
            play.globals[name] = unquote(substitute(default, play.globals))


def _begin(play: _Play, instruction: Instruction) -> _Stage:
    words = instruction.words()
    if not words:
        _refuse(instruction, "FROM names no image", "write FROM python:3.12-slim, or FROM scratch")
    base = unquote(substitute(words[0], play.globals))
    name = words[2].lower() if len(words) == 3 and words[1].upper() == "AS" else ""
    if not base:
        _refuse(instruction, f"`{words[0]}` is empty", "give the ARG a default before FROM")
    parent = play.find_stage(base)
    is_wanted = play.wanted is None or len(play.stages) in play.wanted
    worker = play.worker if is_wanted else NoStepWorker()
    if parent is None:
        return _Stage(
            name=name,
            tree=worker.begin(base),
            configuration=Configuration(),
            base=base,
            worker=worker,
        )
    return _Stage(
        name=name,
        tree=dict(parent.tree),
        configuration=parent.configuration,
        base=parent.base,
        worker=worker,
        shell=parent.shell,
        needs=[parent],
    )


def _apply(play: _Play, stage: _Stage, instruction: Instruction) -> None:
    if instruction.name in _WITHOUT_EFFECT:
        return
    if instruction.name == "RUN":
        _run(play, stage, instruction)
    elif instruction.name in ("COPY", "ADD"):
        _copy(play, stage, instruction)
    elif instruction.name == "ARG":
        _argument(play, stage, instruction)
    elif instruction.name in _CONFIGURES:
        _CONFIGURES[instruction.name](stage, instruction)
    else:
        _refuse(instruction, f"`{instruction.name}` is not an instruction", "correct the spelling")


def _run(play: _Play, stage: _Stage, instruction: Instruction) -> None:
    step = Step(
        instruction=instruction,
        working_directory=stage.configuration.working_directory,
        variables=stage.variables,
        user=stage.configuration.user,
        mounted=_mounted(play, stage, instruction),
        left_out=tuple(_left_out_before(stage)),
    )
    stage.skipped += stage.worker.run(step, stage.tree)


def _left_out_before(stage: _Stage) -> Iterator[str]:
    """In this stage and in those that it begins with or copies from."""
    for other in stage.needs:
        yield from _left_out_before(other)
    yield from stage.skipped


def _mounted(play: _Play, stage: _Stage, instruction: Instruction) -> Tree:
    """The files of bind mounts, at their places. Another image's are not at hand."""
    found: Tree = {}
    for mount in instruction.mounts:
        if mount.get("type", "bind") != "bind" or "target" not in mount:
            continue
        name = mount.get("from")
        source = play.find_stage(substitute(name, play.globals)) if name else None
        if name and source is None:
            continue
        if source is not None:
            stage.needs.append(source)
        tree = play.context if source is None else source.tree
        target = _inside(stage, substitute(mount["target"], stage.variables))
        for match in _find(tree, substitute(mount.get("source", "/"), stage.variables)):
            found[target] = match.node
            found |= {posixpath.join(target, path): node for path, node in match.below.items()}
    return found


def _argument(play: _Play, stage: _Stage, instruction: Instruction) -> None:
    for word in instruction.words():
        name, equals, default = word.partition("=")
        if name in play.given:
            stage.arguments[name] = play.given[name]
        elif equals:
            stage.arguments[name] = unquote(substitute(default, stage.variables))
        elif name in play.globals:
            stage.arguments[name] = play.globals[name]


def _environment(stage: _Stage, instruction: Instruction) -> None:
    before = stage.variables  # all pairs of one line see what was there before it
    found = {name: unquote(substitute(value, before)) for name, value in pairs(instruction)}
    stage.configuration = replace(
        stage.configuration, environment={**stage.configuration.environment, **found}
    )


def _labels(stage: _Stage, instruction: Instruction) -> None:
    found = {
        name: unquote(substitute(value, stage.variables)) for name, value in pairs(instruction)
    }
    stage.configuration = replace(
        stage.configuration, labels={**stage.configuration.labels, **found}
    )


def _work_in(stage: _Stage, instruction: Instruction) -> None:
    path = _inside(stage, unquote(substitute(instruction.text, stage.variables)))
    stage.configuration = replace(stage.configuration, working_directory=f"/{path}")
    if path:
        _put(stage.tree, path, FOLDER)


def _expose(stage: _Stage, instruction: Instruction) -> None:
    words = substitute(instruction.text, stage.variables).split()
    ports = tuple(word if "/" in word else f"{word}/tcp" for word in words)
    stage.configuration = replace(
        stage.configuration, ports=tuple(dict.fromkeys((*stage.configuration.ports, *ports)))
    )


def _make_volumes(stage: _Stage, instruction: Instruction) -> None:
    """An engine makes the folders of volumes."""
    for word in instruction.exec_form() or instruction.words():
        path = _inside(stage, unquote(substitute(word, stage.variables)))
        if path:
            _put(stage.tree, path, FOLDER)


def _be_user(stage: _Stage, instruction: Instruction) -> None:
    user = unquote(substitute(instruction.text, stage.variables))
    stage.configuration = replace(stage.configuration, user=user)


def _command(stage: _Stage, instruction: Instruction) -> None:
    stage.has_own_command = True
    stage.configuration = replace(stage.configuration, command=_argv(stage, instruction))


def _entry_point(stage: _Stage, instruction: Instruction) -> None:
    """A new entry point drops the command that came with the base.

    https://docs.docker.com/reference/dockerfile/#understand-how-cmd-and-entrypoint-interact
    """
    kept = stage.configuration.command if stage.has_own_command else None
    stage.configuration = replace(
        stage.configuration, entry_point=_argv(stage, instruction), command=kept
    )


def _choose_shell(stage: _Stage, instruction: Instruction) -> None:
    shell = instruction.exec_form()
    if not shell:
        _refuse(instruction, "SHELL takes a JSON array", 'write SHELL ["/bin/bash", "-c"]')
    stage.shell = shell


def _argv(stage: _Stage, instruction: Instruction) -> tuple[str, ...]:
    """The shell sees variables when it runs, so nothing is substituted here."""
    found = instruction.exec_form()
    return found if found is not None else (*stage.shell, instruction.text)


_CONFIGURES: Mapping[str, Callable[[_Stage, Instruction], None]] = {
    "CMD": _command,
    "ENTRYPOINT": _entry_point,
    "ENV": _environment,
    "EXPOSE": _expose,
    "LABEL": _labels,
    "SHELL": _choose_shell,
    "USER": _be_user,
    "VOLUME": _make_volumes,
    "WORKDIR": _work_in,
}


# --- COPY and ADD ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _FoundFile:
    """One source of a COPY: its place, its name, and everything below it by relative path."""

    name: str
    node: Node
    below: Tree


def _copy(play: _Play, stage: _Stage, instruction: Instruction) -> None:
    if instruction.has_heredoc:
        _refuse(
            instruction,
            f"{instruction.name} with a heredoc cannot be done without Docker",
            "put the text into a file of the context, or use --runtime container",
        )
    if "parents" in instruction.flags:
        _refuse(
            instruction,
            f"{instruction.name} --parents cannot be done without Docker",
            "copy into the folder that you mean, or use --runtime container",
        )
    form = instruction.exec_form()
    words = form if form is not None else instruction.words()
    values = [unquote(substitute(word, stage.variables)) for word in words]
    if len(values) < 2:
        _refuse(instruction, f"{instruction.name} needs a source and a destination", "name both")
    *sources, destination = values
    tree = _tree_of(play, stage, instruction)
    found = [] if tree is None else _find_all(play, instruction, tree, sources)
    if not found and tree is play.context and instruction.name == "COPY":
        return
    if tree is None or not found:
        if not _UV_IMAGE.search(instruction.flags.get("from", "")):
            stage.skipped.append(_copy_summary(instruction))
        return
    is_folder = (
        destination.endswith("/")
        or posixpath.basename(destination) in (".", "..")
        or len(found) > 1
    )
    target = _inside(stage, destination)
    for source in found:
        _place(stage, source, target, is_folder=is_folder, instruction=instruction)


def _copy_summary(instruction: Instruction) -> str:
    flag = f"--from={instruction.flags['from']} " if "from" in instruction.flags else ""
    return f"{instruction.name} {flag}{' '.join(instruction.text.split())}"


def _tree_of(play: _Play, stage: _Stage, instruction: Instruction) -> Tree | None:
    """None where it is another image, which only Docker can pull."""
    name = instruction.flags.get("from")
    if name is None:
        return play.context
    source = play.find_stage(substitute(name, play.globals))
    if source is None or source is stage:  # a stage is not yet there for itself: an image's name
        return None
    stage.needs.append(source)
    return source.tree


def _find_all(
    play: _Play, instruction: Instruction, tree: Tree, sources: Sequence[str]
) -> list[_FoundFile]:
    found: list[_FoundFile] = []
    for source in sources:
        if instruction.name == "ADD" and _URL.match(source):
            continue
        matches = list(_find(tree, source))
        # As BuildKit has it, a pattern may find nothing.
        is_pattern = any(character in source for character in "*?[")
        if not matches and tree is play.context and not is_pattern:
            _refuse(
                instruction,
                f"`{source}` is not in the build context",
                "check the path below the context, and .dockerignore",
            )
        found += matches
    return found


def _find(tree: Tree, source: str) -> Iterator[_FoundFile]:
    path = posixpath.normpath(f"/{source}").lstrip("/")
    if not path:
        yield _FoundFile(name="", node=FOLDER, below=dict(tree))
        return
    path = _through_links(tree, path)
    candidates = {path} if path in tree or _has_below(tree, path) else set(_matching(tree, path))
    for name in sorted(candidates):
        place = _resolve(tree, name)
        node = tree.get(place, FOLDER)
        below = {
            other.removeprefix(f"{place}/"): entry
            for other, entry in tree.items()
            if other.startswith(f"{place}/")
        }
        yield _FoundFile(name=posixpath.basename(name), node=node, below=below)


def _through_links(tree: Tree, path: str) -> str:
    """With the folders above it in their own places, where links stand for them."""
    parts, found = path.split("/"), ""
    for part in parts[:-1]:
        found = _resolve(tree, f"{found}/{part}".lstrip("/"))
    return f"{found}/{parts[-1]}".lstrip("/")


def _has_below(tree: Tree, path: str) -> bool:
    return any(other.startswith(f"{path}/") for other in tree)


def _matching(tree: Tree, pattern: str) -> Iterator[str]:
    if not any(character in pattern for character in "*?["):
        return
    wanted = pattern.split("/")
    for path in _all_paths(tree):
        parts = path.split("/")
        if len(parts) == len(wanted) and all(
            fnmatch.fnmatchcase(part, want) for part, want in zip(parts, wanted, strict=True)
        ):
            yield path


def _all_paths(tree: Tree) -> set[str]:
    """With the folders that are only implied."""
    paths = set(tree)
    for path in tree:
        while path := posixpath.dirname(path):
            paths.add(path)
    return paths


def _resolve(tree: Tree, path: str) -> str:
    """Where a path leads; a link to something of the same tree is that, as in Docker."""
    start = path
    for _ in range(16):
        node = tree.get(path, FOLDER)
        if node.kind is not Kind.LINK:
            return path
        base = "/" if node.target.startswith("/") else f"/{posixpath.dirname(path)}"
        path = posixpath.normpath(posixpath.join(base, node.target)).lstrip("/")
        if path not in tree and not _has_below(tree, path):
            return start
    return start


def _place(
    stage: _Stage, source: _FoundFile, target: str, *, is_folder: bool, instruction: Instruction
) -> None:
    mode = _mode(instruction)
    if source.node.kind is Kind.DIRECTORY:
        if target:
            _put(stage.tree, target, FOLDER)
        for path, node in source.below.items():
            _put(stage.tree, posixpath.join(target, path), _with_mode(node, mode))
        return
    existing = stage.tree.get(target)
    if is_folder or not target or (existing is not None and existing.kind is Kind.DIRECTORY):
        target = posixpath.join(target, source.name)
    if instruction.name == "ADD" and _unpack(stage, source.node, posixpath.dirname(target)):
        return
    _put(stage.tree, target, _with_mode(source.node, mode))


def _mode(instruction: Instruction) -> int | None:
    written = instruction.flags.get("chmod", "")
    return int(written, 8) if re.fullmatch(r"[0-7]{3,4}", written) else None


def _with_mode(node: Node, mode: int | None) -> Node:
    return replace(node, mode=mode) if mode is not None and node.kind is Kind.FILE else node


def _unpack(stage: _Stage, node: Node, folder: str) -> bool:
    """ADD unpacks a local tar archive, whatever its name; False where it is none."""
    if node.kind is not Kind.FILE:
        return False
    try:
        with node.open() as file, tarfile.open(fileobj=file, mode="r:*") as archive:
            members = [(member, _member(archive, member)) for member in archive]
    except tarfile.TarError:
        return False
    for member, found in members:
        path = posixpath.normpath(f"/{folder}/{member.name}").lstrip("/")
        if found is not None and path:
            _put(stage.tree, path, found)
    return True


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Node | None:
    if member.isdir():
        return FOLDER
    if member.issym():
        return Node(kind=Kind.LINK, target=member.linkname)
    file = archive.extractfile(member) if member.isreg() or member.islnk() else None
    if file is None:
        return None
    with file:
        mode = 0o755 if member.mode & 0o111 else 0o644
        return Node(kind=Kind.FILE, mode=mode, content=file.read())


def _put(tree: Tree, path: str, node: Node) -> None:
    """Folders above are made; what was there of another kind goes."""
    parent = posixpath.dirname(path)
    while parent:
        if tree.get(parent, FOLDER).kind is Kind.FILE:
            del tree[parent]
        tree.setdefault(parent, FOLDER)
        parent = posixpath.dirname(parent)
    before = tree.get(path)
    if node.kind is Kind.DIRECTORY and before is not None and before.kind is Kind.LINK:
        return  # a link to a folder stays one
    if before is not None and before.kind is Kind.DIRECTORY and node.kind is not Kind.DIRECTORY:
        for other in [p for p in tree if p.startswith(f"{path}/")]:
            del tree[other]
    tree[path] = node


def _inside(stage: _Stage, path: str) -> str:
    """Absolute or from the working directory → relative to the root, never above it."""
    joined = posixpath.join(stage.configuration.working_directory, path)
    return posixpath.normpath(f"/{joined}").lstrip("/")


def _refuse(instruction: Instruction, what: str, fix: str) -> NoReturn:
    raise dockerfile_error(what, instruction.where, fix=fix)
