"""One page for each finding: what it is, why it matters, a manifest that has it, the same repaired.

    pages/<id>.md  ─ read_page ─▶  Page  ─▶  `fsd explain`, docs/findings.md, SARIF's help

The pages are the only place where a finding is explained, and their examples are run by a test: the
manifest under "Before" has exactly this finding, at the place that the page names, and none after
the change under "After". Neither models nor rules are imported here, so that explaining is fast.

The form of a page:

    # ID

    *SEVERITY*: what it is, in one sentence. More, where it helps.

    ## Why

    Why it matters.

    Source: https://…

    ## Before

    ```yaml
    …a whole manifest; a block of another file has its name: ```yaml .fsd/environments.yml
    ```

    Found at line 4, column 3, with `--env prod`.

    ## After

    ```diff
     a line of Before, to find the place
    -a line that goes
    +a line that comes
    ```

A line `@@` stands between two places of one file. "Found at" also takes a file, "Found at line 7,
column 3 of `.fsd/environments.yml`.", or what else a finding points at, "Found at `--override
cpu=1`.". "with" is left out where there is nothing to say. Below "After", "Use `--override cpu=2`."
says what other options there are; where only they change, "After" has no block.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "service.yml"

_FOLDER = Path(__file__).with_name("pages")
_SECTIONS = ("Why", "Before", "After")
_HEADING = re.compile(r"^## (?P<title>.+)\n", re.MULTILINE)
_BLOCK = re.compile(r"^```\w+ ?(?P<name>[^\n]*)\n(?P<body>.*?)^```\n?", re.MULTILINE | re.DOTALL)
_SEVERITY = re.compile(r"\*(?P<severity>error|warning|info)\*: (?P<what>.+)", re.DOTALL)
_SOURCE = re.compile(r"^Source: (?P<url>\S+)$", re.MULTILINE)
_NOTE = re.compile(
    r"(?:Found at (?:line (?P<line>\d+), column (?P<column>\d+)(?: of `(?P<path>[^`]+)`)?"
    r"|`(?P<where>[^`]+)`)(?:, with `(?P<arguments>[^`]+)`)?\.|Use `(?P<instead>[^`]+)`\.)?"
)


class PageError(ValueError):
    """A page that is not of the form above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamplePlace:
    """Where the finding is: a place in one of the example's files, or `where` alone."""

    path: str = MANIFEST
    line: int = 0
    column: int = 0
    where: str = ""  # what else a finding points at: an override

    def __str__(self) -> str:
        return self.where or f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    files: Mapping[str, str]  # name → text, in the page's order
    arguments: tuple[str, ...] = ()  # of `fsd validate`, beside the file


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    id: str
    severity: str
    what: str  # paragraphs with empty lines between them, like `why`
    why: str
    sources: tuple[str, ...]
    before: Example
    after: Example
    place: ExamplePlace  # of the finding in `before`

    @property
    def summary(self) -> str:
        """The first sentence, without its full stop."""
        return re.split(r"\.(?:\s|$)", self.what, maxsplit=1)[0]


def page_ids() -> tuple[str, ...]:
    """Every finding that has a page, sorted."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.md")))


def read_page(id_: str) -> Page:
    """The page of a finding; raises KeyError where there is none, PageError for another form."""
    file = _FOLDER / f"{id_}.md"
    if id_ not in page_ids():
        raise KeyError(id_)
    return parse_page(file.read_text(encoding="utf-8"), id_=id_)


def parse_page(text: str, *, id_: str) -> Page:
    head, sections = _split(text, id_)
    severity = _SEVERITY.fullmatch(head)
    if severity is None:
        raise PageError(f"{id_}: the first paragraph starts with `*warning*: ` or another severity")
    sources = tuple(match["url"] for match in _SOURCE.finditer(sections["Why"]))
    before, place = _example(sections["Before"], id_)
    if place is None:
        raise PageError(f"{id_}: `Found at …` stands below the block of Before")
    return Page(
        id=id_,
        severity=severity["severity"],
        what=_paragraphs(severity["what"]),
        why=_paragraphs(_SOURCE.sub("", sections["Why"])),
        sources=sources,
        before=before,
        after=_after(sections["After"], before, id_),
        place=place,
    )


def _split(text: str, id_: str) -> tuple[str, dict[str, str]]:
    """The first paragraphs, and the sections by their titles."""
    title, _, rest = text.partition("\n")
    if title != f"# {id_}":
        raise PageError(f"{id_}: the first line is `# {id_}`")
    head, *parts = _HEADING.split(rest)
    titles = tuple(parts[::2])
    if titles != _SECTIONS:
        raise PageError(f"{id_}: the sections are {', '.join(_SECTIONS)}, not {', '.join(titles)}")
    return head.strip(), dict(zip(titles, parts[1::2], strict=True))


def _example(section: str, id_: str) -> tuple[Example, ExamplePlace | None]:
    files, match = _blocks(section, id_)
    if not files:
        raise PageError(f"{id_}: Before has no file")
    arguments = tuple(shlex.split(match["arguments"] or ""))
    if match["line"]:
        path = match["path"] or next(iter(files))
        place = ExamplePlace(path=path, line=int(match["line"]), column=int(match["column"]))
    elif match["where"]:
        place = ExamplePlace(where=match["where"])
        is_argument = match["where"].startswith("--")
        arguments += tuple(match["where"].split(" ", 1)) if is_argument else ()
    else:
        return Example(files=files, arguments=arguments), None
    return Example(files=files, arguments=arguments), place


def _after(section: str, before: Example, id_: str) -> Example:
    """Before with the changes of After, in the files that it names."""
    changes, note = _blocks(section, id_)
    unknown = changes.keys() - before.files.keys()
    if unknown or note["line"] or note["where"] or not (changes or note["instead"]):
        raise PageError(f"{id_}: After has changes to files of Before, or other arguments")
    files = {
        name: _patched(text, changes[name], id_) if name in changes else text
        for name, text in before.files.items()
    }
    return Example(
        files=files, arguments=tuple(shlex.split(note["instead"] or "")) or before.arguments
    )


def _blocks(section: str, id_: str) -> tuple[Mapping[str, str], re.Match[str]]:
    """File → its fenced block, and the line below them."""
    files = {match["name"] or MANIFEST: match["body"] for match in _BLOCK.finditer(section)}
    note = " ".join(_BLOCK.sub("", section).split())
    match = _NOTE.fullmatch(note)
    if match is None:
        raise PageError(f"{id_}: an example is fenced blocks and one line, not: {note}")
    return files, match


def _patched(text: str, change: str, id_: str) -> str:
    """Each part of a change is where its old lines stand, which must be one place only."""
    whole = f"\n{text}"
    done, rest = "", whole
    for part in re.split(r"^@@\n", change, flags=re.MULTILINE):
        lines = part.splitlines()
        old = "".join(f"\n{line[1:]}" for line in lines if not line.startswith("+"))
        new = "".join(f"\n{line[1:]}" for line in lines if not line.startswith("-"))
        before, found, after = rest.partition(f"{old}\n")
        if not found or whole.find(found) != whole.rfind(found):
            raise PageError(f"{id_}: these lines are not in Before, or more than once:{old}")
        done, rest = f"{done}{before}{new}", f"\n{after}"
    return (done + rest).removeprefix("\n")


def _paragraphs(text: str) -> str:
    """Each paragraph in one line; an empty line between two."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))
