"""Log lines without their secrets: they are shown in comments and in job summaries.

What looks like a secret is hidden, even where it is none. A line has up to 256 KB, so that no
pattern may look twice at a long run of characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fsd.lint.credentials import KNOWN

HIDDEN = "***"
_TOKENS = re.compile(rf"(?:{'|'.join(pattern.pattern for pattern, _ in KNOWN)})[^\s\"',;)}}\]]*")
_JSON_WEB_TOKEN = re.compile(r"\beyJ[\w-]{8,500}\.[\w-]{8,4000}\.[\w-]+")
# A name that says what it is, and its value: bare, quoted, or behind the scheme of a header.
_NAMED = re.compile(
    r"(?P<name>(?:password|passwd|passphrase|pass|pwd|secret(?!smanager)|token|credential|signature"
    r"|authorization|cookie|(?:api|access|account|private|signing|encryption)[_-]?key)[\w-]{0,40}"
    r"[\"']?\s*[=:]\s*)"
    r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
    r"|(?:(?:bearer|basic|token|digest)\s+)?[^\s\"',;}&]+)",
    re.IGNORECASE,
)
_QUERY = re.compile(r"(?P<name>[?&;]sig=)[^\s&;]+", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(?P<name>\b\w{1,30}://[^\s:/@]*:)[^\s/@]+(?=@)")
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")
_KEY_ENDS = re.compile(r"-----END [A-Z ]*PRIVATE KEY")
_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]{60,}")  # the lines may begin in the middle of a key


def mask(text: str) -> str:
    """One line, or a part of one."""
    text = _TOKENS.sub(HIDDEN, _JSON_WEB_TOKEN.sub(HIDDEN, text))
    for pattern in (_NAMED, _QUERY, _URL_PASSWORD):
        text = pattern.sub(_hide_value, text)
    return text


def mask_lines(lines: Iterable[str]) -> Iterator[str]:
    """As many lines; also those of a private key."""
    is_key = False
    for line in lines:
        is_key = is_key or bool(_KEY_BEGINS.search(line))
        yield HIDDEN if is_key or _KEY_LINE.fullmatch(line.strip()) else mask(line)
        is_key = is_key and not _KEY_ENDS.search(line)


def _hide_value(match: re.Match[str]) -> str:
    """Its quotes stay."""
    value = match[0][len(match["name"]) :]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{match['name']}{quote}{HIDDEN}{quote}"
