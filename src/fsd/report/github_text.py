"""Text for GitHub: Markdown in which foreign text stays text.

Whatever FSD did not write itself (log lines, AWS's reasons, version labels, plans) is foreign: it
may hold a table's bar, a comment's end, a mention or a reference that GitHub would act on. It is
shown as code, where GitHub does none of this, or escaped; only owners are mentioned.
https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from fsd.report.words import WARNING, capitalised, clip, listed
from fsd.streams import printable

# GitHub refuses a comment of more than 65536 characters.
LIMIT = 60_000
LINE_LIMIT = 500  # characters of one foreign line


def marker(service: str, subject: str) -> str:
    """The invisible first line by which the same comment is found again.

    `subject` is an environment, `plan`, or `plan:` and the one environment that a job is for.
    """
    return f"<!-- fsd:{_plain_name(service)}:{_plain_name(subject)} -->"


def _plain_name(name: str) -> str:
    """A file's name may stand for a service that does not say its own, and be anything."""
    return re.sub(r"[^\w.:-]|(?<=--)>", "_", name, flags=re.ASCII)


# --- foreign text ------------------------------------------------------------------------------

_SPECIAL = re.compile(r"([\\`*_\[\]|~])")


def escape(text: str) -> str:
    """Foreign text as plain words: no markup, mention, reference or link comes of it."""
    text = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _SPECIAL.sub(r"\\\1", text)
    # A zero-width space: GitHub looks for mentions and references after Markdown's escapes.
    return re.sub(r"(@|#|://|www\.)", "\\1\N{ZERO WIDTH SPACE}", text)


def code(text: str) -> str:
    """Foreign text as inline code, also in a table's cell; "" stays ""."""
    text = _harmless(text).strip().replace("|", "\\|")
    if not text:
        return ""
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def sentence(text: str) -> str:
    """A sentence of ours, whose names in backticks are code. Foreign text in it may have any."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(code(part) if number % 2 else escape(part) for number, part in enumerate(parts))


def code_block(lines: Iterable[str], *, language: str = "text") -> str:
    """Foreign lines as a block of code."""
    text = "\n".join(_harmless(line) for line in lines)
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _harmless(text: str) -> str:
    """Short, and without what counts in code too: our marker, searched for in the raw text."""
    return clip(printable(text), LINE_LIMIT).replace("<!--", "<! --")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)


# --- parts of a comment ------------------------------------------------------------------------


def footer(run_url: str, updated_at: datetime, *, links: Sequence[str] = ()) -> str:
    """`run · service · updated …`, for those that have an address."""
    updated = f"updated {updated_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return " · ".join([*filter(None, (link("run", run_url), *links)), updated])


def link(text: str, url: str) -> str:
    """ "" for what is no plain web address."""
    return f"[{text}]({url})" if re.fullmatch(r"https?://[^\s()<>\[\]]+", url) else ""


def details(title: str, body: str) -> str:
    """Folded; "" where there is nothing to fold."""
    if not body:
        return ""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def note_list(notes: Sequence[str]) -> str:
    """A warning says itself that it is one."""
    lines = (
        f"- ⚠️ {sentence(capitalised(note.removeprefix(WARNING)))}"
        if note.startswith(WARNING)
        else f"- {sentence(capitalised(note))}"
        for note in notes
    )
    return "\n".join(lines)


def names(values: Sequence[str]) -> str:
    """`dev, staging and prod`."""
    return listed([escape(value) for value in values])


def row(head: str, cells: Iterable[str]) -> str:
    """Of a table."""
    return "| " + " | ".join((head, *cells)) + " |"


def join(parts: Iterable[str]) -> str:
    """Paragraphs; what would pass GitHub's limit is cut, and says so."""
    text = "\n\n".join(part for part in parts if part)
    if len(text) <= LIMIT:
        return text
    return text[:LIMIT].rpartition("\n")[0] + "\n\n… cut: too long for GitHub"
