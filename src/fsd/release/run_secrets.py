"""What is secret in this run: the one place that knows, handed to whatever tells."""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fsd.release.mask import HIDDEN

_SHORTEST = 4  # characters; shorter ones are in every second word
_SHORTEST_PART = 6  # of a URL


@dataclass(frozen=True, slots=True)
class RunSecrets:
    """The values, and the ways in which programs write them. Never printed."""

    variants: tuple[str, ...] = field(default=(), repr=False)  # the longest first

    def and_also(self, values: Iterable[str]) -> RunSecrets:
        found = {*self.variants, *(v for value in values for v in _variants(value))}
        return RunSecrets(tuple(sorted(found, key=lambda text: (-len(text), text))))

    def hide(self, text: str) -> str:
        for variant in self.variants:
            text = text.replace(variant, HIDDEN)
        return text

    def hide_in(self, value: Any) -> Any:
        """In every text of a JSON value; names and numbers stay."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {name: self.hide_in(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.hide_in(part) for part in value]
        return value


def _variants(value: str) -> Iterator[str]:
    """As it is, each line of it, the parts of a URL; encoded as URLs, JSON, base64 and reprs do."""
    for text in {value.strip(), *(line.strip() for line in value.splitlines())}:
        if len(text) < _SHORTEST:
            continue
        for part in {text, *url_parts(text)}:
            yield part
            yield urllib.parse.quote(part, safe="")
            yield urllib.parse.quote(part)
            yield urllib.parse.quote_plus(part)
            yield json.dumps(part)[1:-1]
            yield json.dumps(json.dumps(part)[1:-1])[1:-1]
            yield repr(part)[1:-1]
            yield part.replace("|", "\\|")
            yield _markdown(part)
            yield html.escape(part)
            yield from _base64(part)


def _markdown(text: str) -> str:
    """As a comment's words are escaped (`fsd.report.github_text.escape`; a test compares)."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_\[\]|~])", r"\\\1", text)
    return re.sub(r"(@|#|://|www\.)", "\\1\N{ZERO WIDTH SPACE}", text)


def _base64(text: str) -> Iterator[str]:
    """Wherever it begins among the three bytes that make four characters: `user:password` too."""
    raw = text.encode()
    if len(raw) < _SHORTEST_PART:
        return
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + raw).decode()
        # The characters that other bytes have a part in are left out.
        inner = encoded[(0, 2, 3)[lead] : len(encoded.rstrip("=")) - (len(raw) + lead) % 3 % 2]
        inner = inner[: -(1 if (len(raw) + lead) % 3 else 0) or None]
        if len(inner) >= _SHORTEST_PART:
            yield inner
            yield inner.translate(str.maketrans("+/", "-_"))


def url_parts(text: str) -> Iterator[str]:
    """User, password and the values of the query, as written and decoded."""
    match = re.match(r"[A-Za-z][\w+.-]{0,30}://", text)
    if match is None:
        return
    authority, _, query = text[match.end() :].partition("?")
    user, at, _ = authority.rpartition("@")
    name, _, password = user.partition(":")
    found = [password, *([name] if at and not password else [])]
    found += [pair.partition("=")[2] for pair in re.split("[&;]", query.partition("#")[0])]
    if password:
        found.append(name if len(name) >= 2 * _SHORTEST_PART else "")
    for part in found:
        for form in {part, urllib.parse.unquote(part)}:
            if len(form) >= (_SHORTEST if part is password else _SHORTEST_PART):
                yield form
