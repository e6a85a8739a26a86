"""The rules of a package: one a file. To add one, add the file, and its page in `pages/`.

A rule is a module with a function `check`; its id is the module's name with hyphens. What it is
called, how severe it is and why it matters is said by its page alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from fsd.manifest.finding import Severity

_PAGES = Path(__file__).with_name("pages")
_Subject = TypeVar("_Subject")
_Problem = TypeVar("_Problem")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[_Subject, _Problem]):
    id: str
    check: Callable[[_Subject], Iterable[_Problem]]

    @property
    def severity(self) -> Severity:
        return _severity(self.id)


def list_rules(package: ModuleType) -> tuple[Rule[Any, Any], ...]:
    """Sorted by id; raises AttributeError for a module without `check`."""
    files = (file.name for folder in package.__path__ for file in Path(folder).iterdir())
    names = sorted(name.removesuffix(".py") for name in files if name.endswith(".py"))
    return tuple(
        Rule(id=name.replace("_", "-"), check=import_module(f"{package.__name__}.{name}").check)
        for name in names
        if name != "__init__"
    )


@cache
def _severity(id_: str) -> Severity:
    """As the page begins: `*warning*: …`. Read only when something is found."""
    page = _PAGES / f"{id_}.md"
    return Severity(page.read_text(encoding="utf-8").split("*", maxsplit=2)[1])
