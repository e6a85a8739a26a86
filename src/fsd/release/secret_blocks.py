"""What several lines tell together: private keys, and values that stand below their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from fsd.release.secret_names import NAME, QUOTE, SecretKind, kind_of
from fsd.release.secret_values import end_of, is_ordinary

_KEY_BEGINS = re.compile(r"BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY")
_KEY_ENDS = re.compile(r"END [A-Z0-9 ]{0,40}PRIVATE KEY")
_PUBLIC_BEGINS = re.compile(r"-BEGIN [A-Z0-9 ]{0,40}(?:CERTIFICATE|PUBLIC KEY|SIGNATURE|MESSAGE)")
_PUBLIC_ENDS = re.compile(r"-END [A-Z0-9 ]{0,40}(?:CERTIFICATE|PUBLIC KEY|SIGNATURE|MESSAGE)")
# A whole key in one line: to its end, or to the line's.
PEM_INSIDE = re.compile(
    r"-{2,5}BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?:(?!-END ).)*+(?:-END [^-]{0,60}-{0,5})?"
)
_KEY_TEXT = re.compile(r"[A-Za-z0-9+/]{16,80}={0,2}(?:\\[nr]|[\"',\\+])*")
_KEY_REST = re.compile(r"[A-Za-z0-9+/]{1,80}={0,2}(?:\\[nr]|[\"',\\+])*")
_KEY_HEADER = re.compile(r"(?:Proc-Type|DEK-Info|Version|Comment|Hash|Subject|Private-Lines):")
_KEY_LINE = re.compile(r"[A-Za-z0-9+/]{60,72}={0,2}")  # they may begin in the middle of a key
_LONGEST_KEY = 200  # lines


def key_lines(lines: Sequence[str]) -> set[int]:
    hidden: set[int] = set()
    is_public = False
    number = 0
    while number < len(lines):
        line = lines[number]
        is_public = (is_public or bool(_PUBLIC_BEGINS.search(line))) and not _PUBLIC_ENDS.search(
            line
        )
        begins = _KEY_BEGINS.search(line)
        if begins and not _KEY_ENDS.search(line, begins.end()):
            end = _find_end(lines, number)
            hidden.update(range(number, end))
            number = end
            continue
        if not begins and _KEY_ENDS.search(line):
            before = reversed(range(number))
            hidden.add(number)
            hidden.update(takewhile(lambda n: _is_key_text(lines[n], _KEY_TEXT), before))
            if number and _is_key_text(lines[number - 1], _KEY_REST):
                hidden.add(number - 1)
                before = reversed(range(number - 1))
                hidden.update(takewhile(lambda n: _is_key_text(lines[n], _KEY_TEXT), before))
        elif not is_public and _is_part_of_key(_last_word(line)):
            hidden.add(number)
        number += 1
    return hidden


def _find_end(lines: Sequence[str], start: int) -> int:
    """Behind the key that begins at `start`; without its end, behind what looks like it."""
    for number in range(start + 1, min(start + _LONGEST_KEY, len(lines))):
        if _KEY_ENDS.search(lines[number]):
            return number + 1
    number = start + 1
    while number < len(lines) and _looks_like_key(lines[number]):
        number += 1
    return number


def _looks_like_key(line: str) -> bool:
    return not line.strip() or bool(_KEY_HEADER.search(line)) or _is_key_text(line, _KEY_TEXT)


def _is_key_text(line: str, pattern: re.Pattern[str]) -> bool:
    return pattern.fullmatch(_last_word(line).lstrip("\"'")) is not None


def _last_word(line: str) -> str:
    """Behind a time and a level that each line may have. Only its end is looked at."""
    words = line[-400:].split()
    return words[-1] if words else ""


def _is_part_of_key(word: str) -> bool:
    """Base64 in lines of 64 or 70, with all that it is made of: no digest, and no name."""
    word = word.strip("\"',")
    if not _KEY_LINE.fullmatch(word):
        return False
    return all(re.search(kind, word) for kind in ("[a-z]", "[A-Z]", "[0-9]"))


# --- a value below its name --------------------------------------------------------------------

_BARE_VALUE = r"(?P<value>\"[^\"]*\"?|'[^']*'?|\S+)\s*,?\s*$"


@dataclass(frozen=True, slots=True)
class _Below:
    """One way to write a name in one line and its value in a later one."""

    name: re.Pattern[str]  # in the last 160 characters of a line
    value: re.Pattern[str]  # from the beginning of the other
    # What may stand between the two, up to three lines of it, and how many must.
    between: re.Pattern[str] = re.compile(r"(?!)")
    least: int = 0


_EMPTY_OR_COMMENT = re.compile(r"\s*(?:#.*)?$")
_WAYS = (
    _Below(
        re.compile(
            rf"(?:--?)?(?P<name>(?:(?:api|access|secret|private|client|signing) )?[\w.-]{{2,80}})"
            rf"(?:{QUOTE})?\]?"
            r"(?P<sign>[ \t]*(?:=>|[=:＝：])[ \t]*(?:[|>][+-]?|\\)?|[ \t]+\\)[ \t\r]*$",
            re.IGNORECASE,
        ),
        re.compile(rf"(?P<before>\s*(?:- |string\(\d{{1,6}}\) )?){_BARE_VALUE}"),
    ),
    # Kubernetes and task definitions; with a comment or the type between the two
    _Below(
        re.compile(
            rf"\b(?:name|key|parameter|field|variable){QUOTE}?\s*[=:]\s*{QUOTE}?"
            rf"(?P<name>[\w./-]{{2,80}}){QUOTE}?,?\s*$",
            re.IGNORECASE,
        ),
        re.compile(rf"(?P<before>.{{0,60}}?\bval(?:ue)?{QUOTE}?\s*[=:]\s*)(?P<value>\S.*)$", re.I),
        re.compile(rf"\s*(?:#.*|{QUOTE}?type{QUOTE}?\s*[=:].{{0,60}})?$", re.I),
    ),
    _Below(
        re.compile(r"form-data;.{0,80}\bname=\"?(?P<name>[\w.-]{2,80})\"?\s*$", re.I),
        re.compile(rf"(?P<before>\s*){_BARE_VALUE}"),
        _EMPTY_OR_COMMENT,
    ),
    # Property lists
    _Below(
        re.compile(r"<key>(?P<name>[\w.-]{2,80})</key>\s*$"),
        re.compile(r"(?P<before>\s*<(?:string|data)>)(?P<value>[^<]+)"),
    ),
    # The name, the sign and the value each in a line of its own
    _Below(
        re.compile(rf"^\s*{QUOTE}?(?P<name>[\w.-]{{2,80}}){QUOTE}?\s*$"),
        re.compile(rf"(?P<before>\s*){_BARE_VALUE}"),
        re.compile(r"\s*[=:]\s*$"),
        least=1,
    ),
    # Cookies and settings on Django's page of an error, copied as text
    _Below(
        re.compile(r"^\s*(?P<name>[\w.-]{2,80})\s*$"),
        re.compile(
            r"(?P<before>\s*)(?P<value>'(?=[^']{0,80}\d)(?=[^']{0,80}[A-Za-z])[^'\s]{8,400}')\s*$"
        ),
    ),
    # Replies of redis-cli, in numbered lines
    _Below(
        re.compile(r"^\s*(?:\d{1,3}\) ){1,3}\"(?P<name>[\w.-]{2,80})\"$"),
        re.compile(r"(?P<before>\s*(?:\d{1,3}\) ){1,3})(?P<value>\"[^\"]{4,400}\")$"),
    ),
    # A path and below it what it holds, as etcdctl prints them
    _Below(
        re.compile(r"^(?:/[\w.-]{1,60}){1,8}/(?P<name>[\w.-]{2,80})$"),
        re.compile(r"(?P<before>)(?P<value>(?=\S*\d)(?=\S*[A-Za-z])\S{6,400})$"),
    ),
    # https://docs.pydantic.dev/latest/errors/validation_errors/
    _Below(
        re.compile(r"^\s*(?P<name>[\w.-]{2,80})\s*$"),
        re.compile(
            r"(?P<before>\s.{0,300}?\binput_value=)(?P<value>(?:'[^']*'?|\"[^\"]*\"?|[^,\]]+).*)"
        ),
    ),
    # "Please use the following password to proceed to installation:"
    _Below(
        re.compile(r"\b(?P<name>password|passphrase|token)\b[^:=]{1,60}:\s*$", re.I),
        re.compile(r"(?P<before>\s*)(?P<value>(?=\S*\d)(?=\S*[A-Za-z])[\w+/=.-]{8,200})\s*$"),
        _EMPTY_OR_COMMENT,
    ),
)
_PREFIX = re.compile(
    r"\[?\d{4}-\d\d-\d\d[T ]?(?:[\d:.,+Z-]*)\]?\s"
    r"(?:\[?(?:DEBUG|INFO|WARN(?:ING)?|ERROR|TRACE)\]?:?\s)?"
)


def values_below(lines: Sequence[str]) -> dict[int, int]:
    """The line of each value that stands below its name → where in it the value begins."""
    found: dict[int, int] = {}
    for number, line in enumerate(lines[:-1]):
        tail = line[-160:]
        for way in _WAYS:
            named = way.name.search(tail)
            kind = kind_of(named["name"], sign="=") if named else SecretKind.NONE
            if kind is SecretKind.NONE:
                continue
            place = _find_below(lines, number, way, kind)
            if place is not None:
                found[place[0]] = place[1]
                break
    found.update(_in_rows(lines))
    return found


def _find_below(
    lines: Sequence[str], number: int, way: _Below, kind: SecretKind
) -> tuple[int, int] | None:
    below = number + 1
    passed = 0
    while below < len(lines) - 1 and passed < 3 and way.between.match(lines[below]):
        below += 1
        passed += 1
    if passed < way.least:
        return None
    text = lines[below]
    value = way.value.match(text, end_of(_PREFIX, text, 0) if _PREFIX.match(lines[number]) else 0)
    value = value or way.value.match(text)
    if value is None or is_ordinary(value["value"].strip("\"',"), kind=kind, name="", sign="="):
        return None
    if NAME.match(value["value"]):
        return None  # the next name, so that this one has no value
    return below, value.start("value")


_HEADING = re.compile(r"\"?[A-Za-z][\w.-]{0,60}\"?")
_COLUMNS = re.compile(r"[ ]{2,}")
_RULE = re.compile(r"[-=+| :─┼│╪═├┤]{3,}\s*$")
_MOST_ROWS = 500


def _in_rows(lines: Sequence[str]) -> dict[int, int]:
    """`user,password` and below it `bob,hunter2`: from the first secret on, each row is hidden."""
    found: dict[int, int] = {}
    for number, line in enumerate(lines[:-1]):
        if len(line) > 2_000 or number in found or (headings := _headings(line)) is None:
            continue
        sign, names = headings
        for below in range(number + 1, min(number + 1 + _MOST_ROWS, len(lines))):
            if _RULE.match(lines[below]):
                continue
            fields = _fields(lines[below], sign)
            if len(fields) != len(names):
                break
            place = _first_secret(names, [text for _, text in fields])
            if place is not None:
                found[below] = fields[place][0]
    return found


def _headings(line: str) -> tuple[str, list[str]] | None:
    line = line.strip().strip("|│")
    sign = next((s for s in (*"|│,;\t", "  ") if s in line.strip()), "")
    names = [text for _, text in _fields(line, sign)] if sign else []
    is_table = len(names) > 1 and all(_HEADING.fullmatch(name.strip()) for name in names)
    kinds = [kind_of(name.strip(" \"'\r"), sign="=") for name in names] if is_table else []
    return (sign, names) if any(kind is not SecretKind.NONE for kind in kinds) else None


def _fields(line: str, sign: str) -> list[tuple[int, str]]:
    """Each with where it begins. Columns of spaces are as wide as they are."""
    pattern = _COLUMNS if sign == "  " else re.compile(re.escape(sign))
    starts = [len(line) - len(line.lstrip(" |│" if sign in "|│" else " "))]
    line = line.rstrip(" |│" if sign in "|│" else " ")
    ends = []
    for gap in pattern.finditer(line.rstrip(), starts[0]):
        ends.append(gap.start())
        starts.append(gap.end())
    return [(start, line[start:end]) for start, end in zip(starts, [*ends, len(line)], strict=True)]


def _first_secret(names: Sequence[str], fields: Sequence[str]) -> int | None:
    if len(names) != len(fields):
        return None
    for place, (name, field) in enumerate(zip(names, fields, strict=True)):
        value = field.strip(" \"'\r")
        kind = kind_of(name.strip(" \"'\r"), sign="=")
        is_word = not re.search(r"[^a-z]", value)  # another row of headings, or a sentence
        if (
            kind is not SecretKind.NONE
            and not is_word
            and not is_ordinary(value, kind=kind, name="", sign="=")
        ):
            return place
    return None
