"""The files of a folder that say what kind of service it is. Bounded, and never outside of it.

Symbolic links, devices, huge files and hidden folders are not read: what is in them is not what
somebody wrote here. What cannot be read is left out.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fsd_files.user_files import open_user_file

MAX_BYTES = 256 * 1024
MAX_SOURCES = 300
MAX_NAMED = 200
MAX_SOURCE_BYTES = 4 * 1024 * 1024  # of all together: a few seconds of parsing
_MAX_ENTRIES = 20_000
_MAX_DEPTH = 8
_NOT_OURS = frozenset(
    {"node_modules", "site-packages", "venv", "env", "build", "dist", "__pycache__", "vendor"}
)
# Read where they lie in the folder itself; everything else is told by its name.
_NAMED = frozenset(
    {"pyproject.toml", "setup.cfg", "setup.py", "Makefile", "tox.ini", "tox.toml", "noxfile.py"}
    | {
        ".python-version",
        "runtime.txt",
        "gunicorn.conf.py",
        "hatch.toml",
        "Pipfile",
        "Procfile",
        "pytest.ini",
        "uwsgi.ini",
    }
)
_READ = re.compile(
    r"(?:.*/)?(?:Dockerfile(?:[._-][\w.-]+)?|[\w.-]+\.[Dd]ockerfile|Containerfile)"
    r"|(?:(?:docker|deploy|deployment|infra|compose)/)?(?:docker-)?compose(?:[.-][\w-]+)?\.ya?ml"
    r"|(?:.*/)?gunicorn(?:[._-]conf(?:ig)?)?\.py"
    r"|(?:[\w-]+/){0,3}[\w.-]+\.sh|(?:docker/|scripts/|bin/|compose/)?(?:[\w-]+/){0,2}"
    r"(?:start|entrypoint|run|boot|prestart|docker-entrypoint|server|serve|web)"
    r"|(?:[\w-]+/)?\.?env[._-](?:example|sample|template|dist|tpl|default)"
    r"|(?:[\w-]+/)?(?:\.env(?:\.\w+)?\.(?:example|sample|template|dist)|(?:example|sample)\.env)"
)
_TEST_FOLDERS = frozenset(
    {"tests", "test", "testing", "e2e", "loadtest", "loadtests", "load_tests", "benchmarks"}
    | {"examples", "docs", "migrations", "alembic"}
)
_COMPOSE = re.compile(r"(?:docker-)?compose(?:[.-][\w-]+)?\.ya?ml")
_OWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
_REQUIREMENTS = re.compile(
    r"(?:requirements/)?[\w-]*requirements[\w.-]*\.txt|requirements/[\w-]+\.txt"
)
_TEST = re.compile(r"(?:.*/)?(?:test_[^/]+|[^/]+_test|tests|conftest)\.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Paths are relative to `root`, with `/`."""

    root: Path
    repository: Path | None  # the folder with `.git`, which may be above
    texts: Mapping[str, str]  # what is not Python source
    sources: Mapping[str, str]  # Python, without tests
    tests: tuple[str, ...]
    names: frozenset[str]  # of every file
    has_dockerfile: bool  # also one that cannot be read
    remote: str = ""  # of `origin`
    owners: str = ""  # the text of CODEOWNERS
    owners_path: str = ""

    @property
    def below_repository(self) -> str:
        """`services/api/`; empty for the repository's own folder."""
        if self.repository is None or self.repository == self.root:
            return ""
        return f"{self.root.relative_to(self.repository).as_posix()}/"


def read_folder(path: Path) -> Folder:
    root = path.resolve()
    repository = _repository(root)
    files = sorted(_files(root), key=lambda name: (name.count("/"), name))
    python = [name for name in files if name.endswith(".py")]
    tests = tuple(name for name in python if _is_test(name))
    own = [name for name in python if name not in tests and not _is_test_folder(name)]
    named = [
        name
        for name in files
        if name in _NAMED or _REQUIREMENTS.fullmatch(name) or _READ.fullmatch(name)
    ][:MAX_NAMED]
    owners_path, owners = _code_owners(repository or root)
    return Folder(
        root=root,
        repository=repository,
        texts={**_above(root, repository), **_linked(root), **_texts(root, named)},
        sources=_texts(root, own[:MAX_SOURCES]),
        tests=tests,
        names=frozenset(files),
        has_dockerfile=(root / "Dockerfile").exists(),
        remote=_remote(repository),
        owners=owners,
        owners_path=owners_path,
    )


def _above(root: Path, repository: Path | None) -> dict[str, str]:
    """The compose files of the folders above, up to the repository's: they build this one too."""
    texts: dict[str, str] = {}
    if repository is None:
        return texts
    for level, folder in enumerate(root.parents, start=1):
        if not folder.is_relative_to(repository):
            break
        for entry in _entries(folder):
            if _COMPOSE.fullmatch(entry.name):
                text = _read(folder / entry.name)
                if text is not None:
                    texts[f"{'../' * level}{entry.name}"] = text
    return texts


def _linked(root: Path) -> dict[str, str]:
    """A Dockerfile that is a link to one elsewhere in the folder, as in `docker/Dockerfile`."""
    link = root / "Dockerfile"
    try:
        found = link.resolve() if link.is_symlink() else root
    except (OSError, RuntimeError):  # a loop
        return {}
    text = _read(found) if found.is_relative_to(root) else None
    return {} if text is None else {"Dockerfile": text}


def _texts(root: Path, names: list[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    room = MAX_SOURCE_BYTES
    for name in names:
        text = _read(root / name)
        if text is not None and len(text) <= room:
            texts[name] = text
            room -= len(text)
    return texts


def _read(path: Path) -> str | None:
    """None for what is no small regular UTF-8 file."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BYTES:
            return None
        with open_user_file(path, follows_links=False) as file:
            content = file.read(MAX_BYTES)
        text = content.decode("utf-8-sig")
    except (OSError, ValueError):
        return None
    return None if "\0" in text else text


def _files(root: Path) -> Iterator[str]:
    waiting = [(root, 0)]
    seen = 0
    while waiting:
        folder, depth = waiting.pop(0)
        for entry in _entries(folder):
            seen += 1
            if seen > _MAX_ENTRIES:
                return
            if entry.is_symlink() or not entry.name.isprintable():  # names stand in comments
                continue
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                if depth < _MAX_DEPTH and _is_ours(path):
                    waiting.append((path, depth + 1))
            elif entry.is_file(follow_symlinks=False):
                yield path.relative_to(root).as_posix()


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _is_ours(folder: Path) -> bool:
    is_hidden = folder.name.startswith(".") and folder.name not in (".docker", ".deploy")
    hidden = is_hidden or folder.name.endswith((".egg-info", ".dist-info"))
    return not hidden and folder.name not in _NOT_OURS and not (folder / "pyvenv.cfg").exists()


def _is_test(name: str) -> bool:
    """By its name, or Django's `tests/__init__.py` and what lies beside it."""
    return _TEST.fullmatch(name) is not None and not name.endswith("conftest.py")


def _is_test_folder(name: str) -> bool:
    folders, file = name.split("/")[:-1], name.rpartition("/")[2]
    is_tool = file in ("conftest.py", "locustfile.py", "noxfile.py", "setup.py", "fabfile.py")
    return is_tool or any(part in _TEST_FOLDERS for part in folders)


def _repository(root: Path) -> Path | None:
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)


def _code_owners(root: Path) -> tuple[str, str]:
    """GitHub takes the first of these files.

    https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
    """
    for name in _OWNERS:
        text = _read(root / name)
        if text is not None:
            return name, text
    return "", ""


def read_origin(path: Path) -> str:
    """The URL of the remote `origin`; "" where there is none."""
    return _remote(_repository(path.resolve()))


def _remote(repository: Path | None) -> str:
    """The URL of `origin`. Read, not asked for: git would run what its configuration says."""
    text = _read(repository / ".git" / "config") if repository is not None else None
    section = re.search(
        r'^\[remote "origin"\]\n(?P<body>(?:[ \t].*\n?)*)', text or "", re.MULTILINE
    )
    url = re.search(r"^\s*url\s*=\s*(\S+)", section["body"], re.MULTILINE) if section else None
    return url[1] if url else ""
