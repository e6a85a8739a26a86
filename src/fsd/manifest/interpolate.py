"""`${ENV}` and its like, replaced in the parsed tree: a value can never change the structure.

`$$` is a dollar; a dollar before anything but `{` stands for itself. Keys are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fsd.errors import Location
from fsd.manifest.finding import MOST, Finding, FindingId, Severity, with_the_rest
from fsd.manifest.key_path import KeyPath
from fsd.manifest.yaml_tree import Branch, Entry, Items, Node, Scalar

# What stands in for a value that is not known offline; each satisfies every pattern it may meet.
PLACEHOLDERS: Mapping[str, str] = {
    "ENV": "env",
    "AWS_REGION": "us-east-1",
    "AWS_ACCOUNT_ID": "000000000000",
    "SERVICE": "service",
    "VERSION": "v0",
    "COMMIT": "0" * 40,
}
VARIABLES = tuple(PLACEHOLDERS)

_DOLLAR = re.compile(r"\$\$|\$\{(?P<name>[^{}]*)\}|\$\{")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpolated:
    tree: Node
    findings: tuple[Finding, ...]
    assumed: frozenset[str]  # variables that were used, but not known


def interpolate(
    tree: Node, *, variables: Mapping[str, str], lines: Sequence[str] = ()
) -> Interpolated:
    """Replace every variable in every value; one that is known but not given gets a placeholder."""
    pass_ = _Pass(variables=variables, lines=lines)
    done = pass_.node(tree)
    findings = with_the_rest(pass_.findings, pass_.more)
    return Interpolated(tree=done, findings=findings, assumed=frozenset(pass_.assumed))


def variables_in(text: str) -> tuple[str, ...]:
    """Names that a text uses, known or not."""
    return tuple(match["name"] for match in _DOLLAR.finditer(text) if match["name"] is not None)


@dataclass(slots=True, kw_only=True)
class _Pass:
    variables: Mapping[str, str]
    lines: Sequence[str]
    findings: list[Finding] = field(default_factory=list)
    assumed: set[str] = field(default_factory=set)
    more: int = 0  # errors that are not among the findings
    path: KeyPath = ()  # of the value that is being read

    def node(self, node: Node, path: KeyPath = ()) -> Node:
        match node:
            case Branch(entries=entries):
                return self._branch(node, entries, path)
            case Items(items=items):
                done = [self.node(item, (*path, index)) for index, item in enumerate(items)]
                is_same = all(new is old for new, old in zip(done, items, strict=True))
                return node if is_same else replace(node, items=tuple(done))
            case Scalar(value=str() as value) if "$" in value:
                self.path = path
                return replace(node, value="".join(self._pieces(value, node)))
        return node

    def _branch(self, node: Branch, entries: Mapping[str, Entry], path: KeyPath) -> Branch:
        """The same object where nothing in it changes: most of a file has no variables."""
        changed: dict[str, Entry] = {}
        for key, entry in entries.items():
            value = self.node(entry.value, (*path, key))
            if value is not entry.value:
                changed[key] = replace(entry, value=value)
        return replace(node, entries={**entries, **changed}) if changed else node

    def _pieces(self, text: str, scalar: Scalar) -> Iterator[str]:
        end = 0
        for match in _DOLLAR.finditer(text):
            yield text[end : match.start()]
            end = match.end()
            yield self._value(match, scalar)
        yield text[end:]

    def _value(self, match: re.Match[str], scalar: Scalar) -> str:
        name = match["name"]
        if name is None:
            if match[0] != "$$":
                self._error(
                    "`${` is not closed", "close it with `}`, or write `$${`", match[0], scalar
                )
                return match[0]
            return "$"
        if name in self.variables:
            return self.variables[name]
        if name in PLACEHOLDERS:
            self.assumed.add(name)
            return PLACEHOLDERS[name]
        from difflib import get_close_matches

        close = get_close_matches(name.upper(), VARIABLES, n=1)
        meant = f"did you mean `${{{close[0]}}}`? " if close else ""
        known = ", ".join(f"${{{variable}}}" for variable in VARIABLES)
        self._error(
            f"there is no variable `${{{name}}}`",
            f"{meant}known: {known}; `$$` is a dollar",
            match[0],
            scalar,
        )
        return match[0]

    def _error(self, message: str, fix: str, text: str, scalar: Scalar) -> None:
        if len(self.findings) == MOST:
            self.more += 1
            return
        where, width = self._place(text, scalar)
        self.findings.append(
            Finding(
                id=FindingId.UNKNOWN_VARIABLE,
                severity=Severity.ERROR,
                where=where,
                message=message,
                fix=fix,
                key_path=self.path,
                width=width,
            )
        )

    def _place(self, text: str, scalar: Scalar) -> tuple[Location | str, int]:
        """The placeholder itself where it is in the value's first line, else the value."""
        where = scalar.where
        if isinstance(where, Location) and where.line <= len(self.lines):
            column = self.lines[where.line - 1].find(text, where.column - 1)
            if column >= 0:
                return replace(where, column=column + 1), len(text)
        return where, scalar.width
