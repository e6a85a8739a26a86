"""Which Dockerfile a folder's service is built from, from where, which stage, and what that runs.

A Dockerfile need not be called so, nor lie where its context is: compose files know, and the
sources of its COPYs show it.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fsd.importing.compose_file import ComposeService, read_compose
from fsd.scaffold.folder import Folder
from fsd_files.dockerfile import Instruction, parse_dockerfile, substitute, unquote
from fsd_files.errors import FileError

DOCKERFILE = re.compile(
    r"(?:(?P<folder>.*)/)?(?:Dockerfile(?:[._-](?P<suffix>[\w.-]+))?|(?P<prefix>[\w.-]+)\.[Dd]ockerfile"
    r"|Containerfile)"
)
COMPOSE = re.compile(
    r"(?:\.\./)*(?:(?:docker|deploy|deployment|infra|compose)/)?(?:docker-)?compose(?:[.-][\w-]+)?\.ya?ml"
)
PROCFILE = "Procfile"
_PRODUCTION = re.compile(r"prod|release|deploy|^live$", re.IGNORECASE)
_NOT_RUN = re.compile(r"test|dev|lint|debug|^ci$|^base$|local|docs|build", re.IGNORECASE)
_RUN_STAGE = re.compile(r"prod|runtime|^final$|^app$|^release|^runner$|^deploy", re.IGNORECASE)
_ONCE = re.compile(
    r"migrat|^test|-test|_test|^init|setup|seed|prestart|lint|collectstatic|^build|backup"
    r"|createsuperuser|^bootstrap|^cli$|shell|^docs?$|^loadtest|^e2e|initdb"
)
_ONCE_COMMAND = re.compile(
    r"\balembic\b|manage\.py (?:migrate|test|collectstatic)|\bpytest\b|flask db|\bmkdocs\b|^true\b"
    r"|^echo\b|^(?:ba|z)?sh$"
)


_OTHER_LANGUAGES = re.compile(r"(?:^|/)(?:node|golang|rust|ruby|php|openjdk|maven|gradle|bun)\b")
_OTHER_IMAGES = re.compile(
    r"(?:^|/)(?:postgres|mysql|redis|nginx|node|traefik|caddy|rabbitmq|grafana|prom|golang|httpd"
    r"|mongo|elasticsearch|kong|envoyproxy|rust|ruby|php|openjdk|bun)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBuild:
    """Paths are relative to the folder; `source` says for people where they come from."""

    dockerfile: str
    context: str  # `.`, or above: `../..`
    target: str  # "" for the last stage
    source: str
    copies: tuple[str, ...] = ()  # what of the context gets into the image; () for all of it

    @property
    def is_ordinary(self) -> bool:
        return (self.dockerfile, self.context, self.target) == ("Dockerfile", ".", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A second service of the same image: compose's `worker`, `beat`, `consumer`."""

    name: str
    command: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundContainer:
    """What is known of the image and of what it runs."""

    build: ImageBuild | None
    stage: tuple[Instruction, ...]  # what runs, with the ARGs before the first FROM
    base: str  # the image that the stage is from
    command: tuple[str, ...]  # ENTRYPOINT and CMD, or what compose or a Procfile says
    command_source: str
    is_overridden: bool  # the command is not the image's own
    scripts: Mapping[str, str]  # the folder's files that the command runs
    workers: tuple[Worker, ...]
    main: ComposeService | None
    others: tuple[str, ...]  # Dockerfiles that were not taken
    once: tuple[str, ...] = ()  # compose's services that end by themselves

    @property
    def is_procfile(self) -> bool:
        """Then the platform sets PORT, and the command may go by it."""
        return self.command_source == PROCFILE


def read_container(folder: Folder) -> FoundContainer:
    services = tuple(
        (path, service)
        for path, text in sorted(folder.texts.items(), key=lambda item: _compose_rank(item[0]))
        if COMPOSE.fullmatch(path)
        for service in read_compose(text, path=path)
    )
    ours = [(path, each) for path, each in services if _is_ours(folder, path, each)]
    main = _main(ours)
    build, others = _build(folder, main)
    every = _instructions(folder, build)
    stage, base = _stage(every, build.target if build else "")
    command, source, is_overridden = _command(folder, stage, main)
    workers, once = _workers(folder, ours, main)
    return FoundContainer(
        build=build,
        stage=stage,
        base=base,
        command=command,
        command_source=source,
        is_overridden=is_overridden,
        scripts=dict(_scripts(folder, command)),
        workers=workers,
        main=main[1] if main else None,
        others=others,
        once=once,
    )


def _compose_rank(path: str) -> tuple[bool, bool, str]:
    """One for production says more than one for a laptop."""
    return (_PRODUCTION.search(path) is None, "override" in path or "dev" in path, path)


def _is_ours(folder: Folder, path: str, service: ComposeService) -> bool:
    """Built from a context that has this folder in it, or that is this folder."""
    if service.build is None:
        return False
    context = _below(folder.root, path, service.build.context)
    try:
        return context == folder.root or (
            folder.root.is_relative_to(context)
            and (context / service.build.dockerfile).resolve().is_relative_to(folder.root)
        )
    except OSError:
        return False


def _below(root: Path, path: str, relative: str) -> Path:
    return (root / PurePosixPath(path).parent / relative).resolve()


def _main(
    ours: Sequence[tuple[str, ComposeService]],
) -> tuple[str, ComposeService] | None:
    """The one that publishes a port; else the one without a command of its own."""
    able = [each for each in ours if not runs_once(each[1])]
    rank = sorted(
        able,
        key=lambda each: (
            not each[1].ports,
            each[1].command is not None,
            _is_worker(each[1]),
        ),
    )
    return rank[0] if rank else None


def _is_worker(service: ComposeService) -> bool:
    return re.search(r"work|beat|celery|consum|schedul|cron|queue|flower", service.name) is not None


def runs_once(service: ComposeService) -> bool:
    command = " ".join(service.command or ())
    profiles = service.raw.get("profiles")
    is_for_tests = isinstance(profiles, list) and any(
        re.search(r"test|seed|tool|debug|init|once", str(each)) for each in profiles
    )
    return (
        _ONCE.search(service.name.lower()) is not None
        or _ONCE_COMMAND.search(command) is not None
        or is_for_tests
    )


def _workers(
    folder: Folder,
    ours: Sequence[tuple[str, ComposeService]],
    main: tuple[str, ComposeService] | None,
) -> tuple[tuple[Worker, ...], tuple[str, ...]]:
    """Each name once: a second compose file says the same again."""
    found: dict[str, Worker] = {}
    once: dict[str, None] = {}
    for path, service in ours:
        if main is None or service.name == main[1].name or service.name in found:
            continue
        if runs_once(service):
            once[service.name] = None
        elif service.command and service.command != main[1].command and not service.ports:
            if not _has_python(folder, path, service):
                continue
            source = f"{path}, service {service.name}"
            found[service.name] = Worker(name=service.name, command=service.command, source=source)
    return tuple(found.values()), tuple(once)


def _has_python(folder: Folder, path: str, service: ComposeService) -> bool:
    """The stage that it is built from is not one of another language: assets, a front end."""
    if service.build is None:
        return False
    context = _below(folder.root, path, service.build.context)
    dockerfile = (context / service.build.dockerfile).resolve()
    if not dockerfile.is_relative_to(folder.root):
        return True
    name = dockerfile.relative_to(folder.root).as_posix()
    try:
        every = parse_dockerfile(folder.texts.get(name, ""), path=name)
    except FileError:
        return True
    return _OTHER_LANGUAGES.search(_stage(every, service.build.target)[1]) is None


def _build(
    folder: Folder, main: tuple[str, ComposeService] | None
) -> tuple[ImageBuild | None, tuple[str, ...]]:
    names = sorted((name for name in folder.names if DOCKERFILE.fullmatch(name)), key=_rank)
    names = [name for name in names if not name.endswith(".dockerignore")]
    if folder.has_dockerfile and "Dockerfile" not in names:
        names.insert(0, "Dockerfile")
    said = _said_by_compose(folder, main)
    if said and (not names or said.dockerfile == names[0] or _rank(names[0])[0]):
        return said, tuple(name for name in names if name != said.dockerfile)
    usable = [name for name in names if not _is_another(folder, name, names)]
    if not usable:
        return None, tuple(names)
    name = usable[0]
    target = said.target if said and said.dockerfile == name else ""
    context = said.context if said and said.dockerfile == name else _context(folder, name)
    build = ImageBuild(
        dockerfile=name,
        context=context,
        target=_target(folder, name, target),
        source=said.source if said and said.dockerfile == name else name,
        copies=_copies(folder, name),
    )
    return build, tuple(other for other in names if other != name)


def _said_by_compose(folder: Folder, main: tuple[str, ComposeService] | None) -> ImageBuild | None:
    if main is None or main[1].build is None:
        return None
    path, service = main
    build = service.build
    assert build is not None
    context = _below(folder.root, path, build.context)
    dockerfile = (context / build.dockerfile).resolve()
    if not dockerfile.is_relative_to(folder.root) or not dockerfile.is_file():
        return None
    name = dockerfile.relative_to(folder.root).as_posix()
    return ImageBuild(
        dockerfile=name,
        context=_relative(folder.root, context),
        target=_target(folder, name, build.target),
        source=f"{path}, service {service.name}",
        copies=_copies(folder, name),
    )


def _relative(root: Path, other: Path) -> str:
    if other.is_relative_to(root):
        return other.relative_to(root).as_posix()
    return "/".join(".." for _ in root.relative_to(other).parts)


def _rank(name: str) -> tuple[int, int, str]:
    """`Dockerfile` first, then one for production; what is for tests or a laptop last."""
    match = DOCKERFILE.fullmatch(name)
    assert match is not None
    word = match["suffix"] or match["prefix"] or ""
    folder = match["folder"] or ""
    words = f"{word} {folder}"
    if re.search(r"template|tmpl|example|sample|\.j2$", words):  # of which somebody makes one
        kind = 4
    elif _PRODUCTION.search(words):
        kind = 1
    elif _NOT_RUN.search(word) or re.search(r"test|dev|local|docs", folder):
        kind = 4
    else:
        kind = 2 if word else 0
    return (kind + (2 if name.count("/") and kind == 0 else 0), name.count("/"), name)


def _is_another(folder: Folder, name: str, names: Sequence[str]) -> bool:
    """Of something else than Python: a database, a proxy, a front end; or a test's."""
    if name == "Dockerfile":
        return False
    if _rank(name)[0] >= 4 and len(names) > 1:
        return True
    text = folder.texts.get(name, "")
    froms = re.findall(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)", text, re.MULTILINE | re.IGNORECASE)
    image = froms[-1] if froms else ""
    return _OTHER_IMAGES.search(image) is not None


def _context(folder: Folder, name: str) -> str:
    """The nearest folder, from the Dockerfile's own upwards, that has all that it copies."""
    text = folder.texts.get(name, "")
    wanted = list(_copied(text))
    top = folder.repository or folder.root
    here = (folder.root / name).parent
    if (above := _works_below(text, here, top)) is not None:
        return _relative(folder.root, above)
    if here == folder.root and all((here / each).exists() for each in wanted):
        return "."
    candidates = [each for each in (here, *here.parents) if each.is_relative_to(top)]
    is_telling = any(each not in (".", "./") for each in wanted)
    for candidate in candidates if is_telling else ():
        if all((candidate / each).exists() for each in wanted):
            return _relative(folder.root, candidate)
    return "."


def _works_below(text: str, here: Path, top: Path) -> Path | None:
    """The folder above that is copied as a whole: then WORKDIR is the Dockerfile's own in it."""
    try:
        instructions = parse_dockerfile(text)
    except FileError:
        return None
    whole, place = "", "/"
    for each in instructions:
        words = each.exec_form() or tuple(map(unquote, each.words()))
        if each.name == "FROM":
            whole, place = "", "/"
        elif each.name == "COPY" and len(words) == 2 and words[0] in (".", "./"):
            whole = posixpath.normpath(posixpath.join(place, words[1]))
        elif each.name == "WORKDIR" and words:
            place = posixpath.normpath(posixpath.join(place, words[0]))
            below = place.removeprefix(f"{whole.rstrip('/')}/") if whole else place
            is_own = below != place and (f"{here}/").endswith(f"/{below}/")
            above = here.parents[below.count("/")] if is_own else here
            if is_own and above.is_relative_to(top) and not (here / below).exists():
                return above
    return None


def _copied(text: str) -> Iterator[str]:
    """Sources of COPY and ADD that are plain paths of the context."""
    try:
        instructions = parse_dockerfile(text)
    except FileError:
        return
    for each in instructions:
        if each.name not in ("COPY", "ADD") or "from" in each.flags or each.has_heredoc:
            continue
        words = each.exec_form() or tuple(map(unquote, each.words()))
        for word in words[:-1]:
            if not re.search(r"[*?\[$]|://", word):
                yield word.lstrip("/") or "."


def _copies(folder: Folder, name: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(each.rstrip("/") for each in _copied(folder.texts.get(name, ""))))
    return () if {".", "./", ""} & set(found) else found


def _target(folder: Folder, name: str, said: str) -> str:
    """Compose's stage, unless it is one for a laptop; "" where the last stage is what runs."""
    stages = re.findall(
        r"^\s*FROM\s+(?:--\S+\s+)*\S+(?:\s+AS\s+(\S+))?",
        folder.texts.get(name, ""),
        re.MULTILINE | re.IGNORECASE,
    )
    if not stages:
        return ""
    if said and said in stages and not _NOT_RUN.search(said):
        return "" if said == stages[-1] else said
    if _NOT_RUN.search(stages[-1]):
        return next((each for each in reversed(stages) if _RUN_STAGE.search(each)), "")
    return ""


def _instructions(folder: Folder, build: ImageBuild | None) -> tuple[Instruction, ...]:
    name = build.dockerfile if build else "Dockerfile"
    try:
        return parse_dockerfile(folder.texts.get(name, ""), path=name)
    except FileError:
        return ()


def _stage(every: Sequence[Instruction], target: str) -> tuple[tuple[Instruction, ...], str]:
    """The stage that runs, with those that it is from, and the image below them."""
    starts = [index for index, each in enumerate(every) if each.name == "FROM"]
    if not starts:
        return tuple(every), ""
    stages: dict[str, tuple[Instruction, ...]] = {}
    bases: dict[str, str] = {}
    chosen: tuple[Instruction, ...] = ()
    base = ""
    for start, end in zip(starts, [*starts[1:], len(every)], strict=True):
        words = every[start].words()
        parent = substitute(words[0], variables(every[: starts[0]])) if words else ""
        name = words[2] if len(words) > 2 else ""
        inherited = stages.get(parent.lower(), ())
        chosen = (*inherited, *every[start:end])
        base = bases.get(parent.lower(), parent)
        stages[name.lower()], bases[name.lower()] = chosen, base
        if target and name.lower() == target.lower():
            break
    return (*every[: starts[0]], *chosen), base


def variables(stage: Sequence[Instruction]) -> dict[str, str]:
    """What ENV and ARG set in the image."""
    found: dict[str, str] = {}
    for instruction in stage:
        if instruction.name in ("ENV", "ARG"):
            words = instruction.words()
            if instruction.name == "ENV" and words and "=" not in words[0]:
                found[words[0]] = substitute(unquote(" ".join(words[1:])), found)
                continue
            for word in words:
                name, _, value = word.partition("=")
                if value or name not in found:
                    found[name] = substitute(unquote(value), found)
    return found


def _command(
    folder: Folder,
    stage: Sequence[Instruction],
    main: tuple[str, ComposeService] | None,
) -> tuple[tuple[str, ...], str, bool]:
    """What the image runs; where it says nothing, what compose or the Procfile does."""
    own = {each.name: each for each in stage if each.name in ("CMD", "ENTRYPOINT")}
    entry = _words(own["ENTRYPOINT"]) if "ENTRYPOINT" in own else ()
    command = _words(own["CMD"]) if "CMD" in own else ()
    if command or entry:
        last = own.get("CMD") or own["ENTRYPOINT"]
        return (*entry, *command), f"{last.where.path}:{last.line} ({last.name})", False
    if main is not None and main[1].command:
        return main[1].command, f"{main[0]}, service {main[1].name}", True
    web = re.search(r"^web:\s*(.+)$", folder.texts.get("Procfile", ""), re.MULTILINE)
    if web:
        return ("sh", "-c", web[1].strip()), PROCFILE, True
    return (), "", False


def _words(instruction: Instruction) -> tuple[str, ...]:
    return instruction.exec_form() or tuple(map(unquote, instruction.words()))


def _scripts(folder: Folder, command: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`./scripts/start.sh`, wherever in the image it is copied to."""
    for word in _split(command):
        name = PurePosixPath(word).name
        if not name or ("/" not in word and not name.endswith(".sh")):
            continue
        for path, text in folder.texts.items():
            if PurePosixPath(path).name == name and (path.endswith(".sh") or text.startswith("#!")):
                yield path, text
                break


def _split(command: Sequence[str]) -> Iterator[str]:
    for word in command:
        try:
            yield from shlex.split(word)
        except ValueError:
            yield from word.split()
