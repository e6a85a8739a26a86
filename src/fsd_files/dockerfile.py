"""Reads a Dockerfile: text → instructions. Says what is written, not what it means.

https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fsd_files.errors import FileCode, FileError, Location
from fsd_files.user_files import read_user_text

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
_HEREDOC = re.compile(r"(?<!<)<<(?!<)(-?)([\"']?)([A-Za-z_][A-Za-z0-9_.]*)\2")
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(\S*))?(?:\s+|$)")
_VARIABLE = re.compile(
    r"(?P<escaped>\\\$)|\$(?:(?P<plain>[A-Za-z_]\w*)"
    r"|\{(?P<braced>[A-Za-z_]\w*)(?:(?P<operator>:?[-+])(?P<word>[^}]*))?\})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    name: str  # upper case
    flags: Mapping[str, str]  # without dashes; "" for one without a value
    text: str  # what stands behind name and flags
    line: int
    path: str
    heredocs: tuple[str, ...] = ()  # what stands in each, with its line breaks
    mounts: tuple[Mapping[str, str], ...] = ()  # of RUN: type, source, target, from …

    @property
    def where(self) -> Location:
        return Location(path=self.path, line=self.line, column=1)

    @property
    def has_heredoc(self) -> bool:
        return bool(self.heredocs)

    @property
    def summary(self) -> str:
        """One line, for people: of a script, its lines."""
        if self.heredocs and self.text.startswith("<<"):
            lines = (line.strip() for line in self.heredocs[0].splitlines())
            return f"{self.name} {'; '.join(line for line in lines if line)}"
        return f"{self.name} {' '.join(self.text.split())}"

    def exec_form(self) -> tuple[str, ...] | None:
        """The JSON array that it is, or None: then it is in shell form."""
        if not self.text.startswith("["):
            return None
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError):
            return None  # as Docker does: what is no JSON is for the shell
        if isinstance(found, list) and all(isinstance(part, str) for part in found):
            return tuple(found)
        return None

    def words(self) -> tuple[str, ...]:
        """Split at blanks; quotes are kept, as values are substituted first."""
        return tuple(_words(self.text))


def load_dockerfile(path: Path) -> tuple[Instruction, ...]:
    """Raises FileError for what cannot be read or is no Dockerfile."""
    try:
        text = read_user_text(path)
    except OSError as error:
        raise FileError(
            f"the Dockerfile cannot be read: {error}",
            where=str(path),
            fix="name a text file with --dockerfile",
            code=FileCode.DOCKERFILE_UNREADABLE,
        ) from error
    return parse_dockerfile(text, path=str(path))


def parse_dockerfile(text: str, *, path: str = "Dockerfile") -> tuple[Instruction, ...]:
    lines = text.splitlines()
    escape = _escape(lines)
    instructions = tuple(_instructions(lines, escape=escape, path=path))
    if not instructions:
        raise dockerfile_error(
            "the Dockerfile has no instructions",
            Location(path=path, line=1, column=1),
            fix="begin with FROM",
        )
    return instructions


def dockerfile_error(what: str, where: Location, *, fix: str) -> FileError:
    return FileError(what, where=where, fix=fix, code=FileCode.DOCKERFILE_INVALID)


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """`$X`, `${X}`, `${X:-default}`, `${X:+other}`; an unknown name is empty, as in Docker."""

    def value(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        name = match["plain"] or match["braced"]
        found = variables.get(name)
        operator = match["operator"] or ""
        is_set = found is not None and (bool(found) or not operator.startswith(":"))
        if operator.endswith("-"):
            return found if is_set and found is not None else substitute(match["word"], variables)
        if operator.endswith("+"):
            return substitute(match["word"], variables) if is_set else ""
        return found or ""

    return _VARIABLE.sub(value, text)


def unquote(word: str) -> str:
    """Take off quotes and backslashes as a shell would: `a" "b`, `'c'`, `d\\ e`."""
    found: list[str] = []
    quote = ""
    characters = iter(word)
    for character in characters:
        if character == "\\" and quote != "'":
            following = next(characters, "\\")
            keeps = quote and following not in ('"', "\\", "$")
            found.append(f"\\{following}" if keeps else following)
        elif character in "\"'" and (not quote or quote == character):
            quote = "" if quote else character
        else:
            found.append(character)
    return "".join(found)


def pairs(instruction: Instruction) -> tuple[tuple[str, str], ...]:
    """`ENV A=1 B="two words"` and the old `ENV A the rest`; values are still quoted."""
    words = instruction.words()
    if words and "=" not in words[0]:
        name, _, rest = instruction.text.partition(" ")
        if not rest.strip():
            raise dockerfile_error(
                f"{instruction.name} {name} has no value",
                instruction.where,
                fix=f"write {instruction.name} {name}=value",
            )
        return ((name, rest.strip()),)
    found = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise dockerfile_error(
                f"{instruction.name}: `{word}` is not name=value",
                instruction.where,
                fix="quote values that have blanks",
            )
        found.append((unquote(name), value))
    return tuple(found)


def _escape(lines: Sequence[str]) -> str:
    """Directives stand before anything else, comments included."""
    for line in lines:
        match = _DIRECTIVE.match(line.strip())
        if match is None:
            break
        if match[1].lower() == "escape" and match[2] in ("`", "\\"):
            return match[2]
    return "\\"


def _instructions(lines: Sequence[str], *, escape: str, path: str) -> Iterator[Instruction]:
    index = 0
    while index < len(lines):
        start = index
        logical, index = _logical_line(lines, index, escape)
        if not logical.strip():
            continue
        instruction = _instruction(logical.strip(), line=start + 1, path=path)
        if instruction.name in ("RUN", "COPY", "ADD"):
            bodies: list[str] = []
            for dash, _, word in _HEREDOC.findall(instruction.text):
                start = index
                index = _skip_heredoc(instruction, lines, index, word, is_indented=bool(dash))
                inside = lines[start : index - 1]
                bodies.append("\n".join(x.lstrip("\t") if dash else x for x in inside))
            if bodies:
                instruction = replace(instruction, heredocs=tuple(bodies))
        yield instruction


def _logical_line(lines: Sequence[str], index: int, escape: str) -> tuple[str, int]:
    """Joined over continuations; comments and blank lines between them do not count."""
    parts: list[str] = []
    while index < len(lines):
        line = lines[index]
        index += 1
        stripped = line.strip()
        if stripped.startswith("#") or (parts and not stripped):
            if not parts:
                break
            continue
        continued = line.rstrip()
        if not continued.endswith(escape):
            parts.append(line)
            break
        parts.append(continued[: -len(escape)])
    return "".join(parts), index


def _instruction(text: str, *, line: int, path: str) -> Instruction:
    name, _, rest = text.partition(" ") if " " in text else text.partition("\t")
    if not name.isalpha():
        raise dockerfile_error(
            f"`{name}` is not an instruction",
            Location(path=path, line=line, column=1),
            fix="begin the line with FROM, COPY, RUN …, or end the line before with a backslash",
        )
    found, body = _flags(rest.strip())
    return Instruction(
        name=name.upper(),
        flags=dict(found),
        text=body,
        line=line,
        path=path,
        mounts=tuple(_mount(value) for flag, value in found if flag == "mount"),
    )


def _flags(text: str) -> tuple[list[tuple[str, str]], str]:
    """A RUN may have many mounts."""
    flags: list[tuple[str, str]] = []
    while match := _FLAG.match(text):
        flags.append((match[1], match[2] or ""))
        text = text[match.end() :]
    return flags, text


def _mount(value: str) -> Mapping[str, str]:
    """https://docs.docker.com/reference/dockerfile/#run---mount"""
    names = {"src": "source", "dst": "target", "destination": "target"}
    pairs = (part.partition("=") for part in value.split(","))
    return {names.get(name, name): found for name, _, found in pairs}


def _skip_heredoc(
    instruction: Instruction, lines: Sequence[str], index: int, word: str, *, is_indented: bool
) -> int:
    """The index behind the heredoc's last line."""
    for behind, written in enumerate(lines[index:], start=index + 1):
        if (written.lstrip("\t") if is_indented else written) == word:
            return behind
    raise dockerfile_error(
        f"the heredoc <<{word} does not end",
        instruction.where,
        fix=f"end it with a line that is {word}",
    )


def _words(text: str) -> Iterator[str]:
    word, quote, is_escaped = "", "", False
    for character in text:
        if is_escaped or (character == "\\" and quote != "'"):
            is_escaped = not is_escaped
        elif character in "\"'" and (not quote or quote == character):
            quote = "" if quote else character
        elif character.isspace() and not quote:
            if word:
                yield word
            word = ""
            continue
        word += character
    if word:
        yield word
