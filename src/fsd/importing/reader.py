"""Reads another tool's settings key by key, and remembers what nobody took.

A reader that forgets a key cannot lose it: whatever is left at the end is a loss with its place.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fsd.importing.values import Value, mapping, number, text_of

_LONGEST = 60
_SHORTEST_STOP = 2  # seconds
# An empty text is a value in these.
_VERBATIM = frozenset({"environment", "args", "dockerLabels", "tags", "options"})
_DURATION = re.compile(
    r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9})ms)?(\d{1,9})?"
)
# The environment that an import is compiled for, where the source says none; no environment can
# have this name, as theirs have no capital letters.
ANY_ENVIRONMENT = "Imported"
NO_PLACE = "the Service YAML has no place for it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What could not be expressed: where it stands in the original, its value, and why."""

    where: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """`definition` is a task definition, of which only what the source says; `around` is what the
    service, its load balancer and its scaling are told, by names such as `service.desiredCount`."""

    definition: dict[str, Value]
    around: dict[str, Value] = field(default_factory=dict)
    is_part: bool = False  # a field that it does not say may be anything
    uncompared: tuple[Loss, ...] = ()  # what has no counterpart there, each with the reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One service: the tree of its Service YAML, which may still have keys of a later language."""

    name: str
    source: str  # the file, or the service that runs
    tree: dict[str, Value]
    losses: tuple[Loss, ...]
    notes: tuple[str, ...] = ()
    folder: str = ""  # what the paths of `build` are relative to, as the source is named
    originals: Mapping[str, Original] = field(default_factory=dict)  # by environment


@dataclass(slots=True)
class Reader:
    """Of one mapping. `finish` turns what was not taken into losses."""

    values: dict[str, Value]
    at: str
    losses: list[Loss]
    taken: set[str] = field(default_factory=set)

    def take(self, key: str) -> Value:
        self.taken.add(key)
        return self.values.get(key)

    def text(self, key: str) -> str:
        """A section or a list in its place is lost."""
        found = self.take(key)
        if isinstance(found, dict | list):
            self._wrong(self.place(key), found, "it is no text")
        return text_of(found)

    def texts(self, key: str) -> dict[str, str]:
        """Of a section whose values are texts; another kind of value is lost with its key."""
        inner = self.inside(key)
        found = {name: inner.text(name) for name in inner.values}
        return {
            name: text
            for name, text in found.items()
            if is_empty(inner.values[name]) or not isinstance(inner.values[name], dict | list)
        }

    def items(self, key: str) -> list[Value]:
        """A list; one that is no list is a list of one."""
        found = self.take(key)
        if found is None:
            return []
        return found if isinstance(found, list) else [found]

    def inside(self, key: str) -> Reader:
        """What is no section is lost."""
        found = self.take(key)
        return self._reader(found, self.place(key))

    def readers(self, key: str) -> Iterator[Reader]:
        for index, item in enumerate(self.items(key)):
            yield self._reader(item, f"{self.place(key)}[{index}]")

    def _reader(self, found: Value, place: str) -> Reader:
        if not isinstance(found, dict):
            self._wrong(place, found, "it has no keys")
        return Reader(mapping(found), place, self.losses)

    def words(self, key: str) -> list[Value]:
        """A list, or one of one, of texts; what else stands in it is lost."""
        found: list[Value] = []
        for index, each in enumerate(self.items(key)):
            if isinstance(each, dict | list):
                self._wrong(f"{self.place(key)}[{index}]", each, "it is no text")
            else:
                found.append(text_of(each))
        return found

    def _wrong(self, place: str, found: Value, reason: str) -> None:
        """Said once, however often it is read."""
        is_said = any(loss.where == place for loss in self.losses)
        if not is_empty(found) and not is_said:
            self.losses.append(Loss(where=place, value=shown(found), reason=reason))

    def number(self, key: str) -> int | None:
        """What stands there and is none is lost: a placeholder, a size in words."""
        found = number(self.values.get(key))
        if found is None:
            self.lose(key, "it is no number")
        self.taken.add(key)
        return found

    def flag(self, key: str) -> bool | None:
        """What is neither true nor false is lost; None where nothing stands."""
        found = self.take(key)
        if isinstance(found, bool):
            return found
        self._wrong(self.place(key), found, "it is neither true nor false")
        return None

    def seconds(self, key: str) -> int | None:
        """`30`, `30s`, `1m30s`, `1h`; a part of a second counts as a whole one, and is lost."""
        text = text_of(self.values.get(key))
        match = _DURATION.fullmatch(text) if text else None
        if match is None:
            self.lose(key, "it is no time")
            return None
        hours, minutes, rest, thousandths, plain = (float(part or 0) for part in match.groups())
        exact = hours * 3600 + minutes * 60 + rest + thousandths / 1000 + plain
        whole = math.ceil(exact)
        if whole != exact:
            self.lose(key, f"AWS counts whole seconds, and it gets {whole}")
        self.taken.add(key)
        return whole

    def within(self, key: str, value: int | None, *, least: int, most: int) -> int | None:
        """The nearest that AWS takes: what was written beyond it is lost."""
        if value is None or least <= value <= most:
            return value
        nearest = min(max(value, least), most)
        self.lose(key, f"AWS takes {least} to {most}, and it gets {nearest}")
        return nearest

    def stop_timeout(self, key: str, seconds: int | None) -> int | None:
        """What Fargate takes: who wants no time at all gets the least, and is loss_text so.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
        """
        if seconds is None or seconds >= _SHORTEST_STOP:
            return seconds
        self.lose(key, f"the shortest time is {_SHORTEST_STOP} s, which it gets")
        return _SHORTEST_STOP

    def lose(self, key: str, reason: str) -> None:
        """Nothing is lost where nothing stands."""
        value = self.take(key)
        if not is_empty(value):
            self.losses.append(Loss(where=self.place(key), value=shown(value), reason=reason))

    def ignore(self, *keys: str) -> None:
        """What means the same with FSD, or is only an answer of AWS's."""
        self.taken.update(keys)

    def finish(self, reason: str = NO_PLACE) -> None:
        for key in self.values:
            if key not in self.taken:
                self.lose(key, reason)

    def place(self, key: str) -> str:
        return f"{self.at}.{key}" if self.at else key


def is_empty(value: Value) -> bool:
    return value is None or value in ("", [], {})


def shown(value: Value) -> str:
    """Short, on one line."""
    text = (
        text_of(value)
        if not isinstance(value, dict | list)
        else json.dumps(value, ensure_ascii=False)
    )
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def literal(text: str) -> str:
    """As a Service YAML has to write it: a dollar is doubled."""
    return text.replace("$", "$$")


def without_empty(tree: dict[str, Value], *, with_null: bool = False) -> dict[str, Value]:
    """Without what says nothing; `false` and 0 say something, and in an environment null and an
    empty list, which take away."""
    found: dict[str, Value] = {}
    for key, value in tree.items():
        is_ours = isinstance(value, dict) and key not in _VERBATIM
        is_null = with_null or key == "environments"
        inner = without_empty(mapping(value), with_null=is_null) if is_ours else value
        is_said = with_null and (value is None or value == [])
        # Without anything below it, `connect` only reaches others.
        if not is_empty(inner) or is_said or (key == "connect" and value == {}):
            found[key] = inner
    return found
