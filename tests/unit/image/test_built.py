"""An image of the engine is pushed unbuilt only if it is the very one that FSD built."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker.errors
import pytest

from fsd.image.built import find_noted, note_built
from fsd.image.context import Source
from fsd.image.docker import _take_built
from fsd.image.job import BuildJob
from fsd.image.key import Recipe
from fsd.release.ports import Repository

KEY = "c" * 64
OURS, THEIRS = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


@dataclass(slots=True, kw_only=True)
class Tagged:
    id: str
    tags: list[str] = field(default_factory=list)

    def tag(self, repository: str, *, tag: str) -> bool:
        self.tags.append(f"{repository}:{tag}")
        return True


@dataclass(slots=True, kw_only=True)
class LocalEngine:
    by_name: dict[str, Tagged]

    @property
    def images(self) -> LocalEngine:
        return self

    def get(self, name: str) -> Tagged:
        if name not in self.by_name:
            raise docker.errors.ImageNotFound(name)
        return self.by_name[name]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def take(image: Tagged | None, lines: list[str]) -> bool:
    source = Source(
        folder=Path("."), dockerfile=Path("Dockerfile"), recipe=Recipe(),
        commit="", title="", is_dirty=False, is_plain=True, key=KEY,
    )  # fmt: skip
    job = BuildJob(
        source=source, dockerfile=Path("Dockerfile"), architecture="amd64",
        repository=Repository(name="hello", uri="registry/hello"), build_args={}, build_secrets=(),
        labels={}, on_line=lines.append, built_as=f"hello:{source.key_tag}",
    )  # fmt: skip
    engine: Any = LocalEngine(by_name={job.built_as: image} if image else {})
    return _take_built(job, engine)


def test_take_built__the_very_image__is_pushed() -> None:
    image, lines = Tagged(id=OURS), list[str]()
    note_built(KEY, OURS)

    assert take(image, lines)
    assert image.tags == [f"registry/hello:content-{KEY[:40]}"]
    assert lines == []


@pytest.mark.parametrize("noted", [OURS, ""], ids=["another", "unknown"])
def test_take_built__another_image_with_the_tag__is_built_again(noted: str) -> None:
    image, lines = Tagged(id=THEIRS), list[str]()
    if noted:
        note_built(KEY, noted)

    assert not take(image, lines)
    assert image.tags == []
    assert "is not known as FSD's own build" in lines[0]


def test_take_built__no_such_image__is_built() -> None:
    lines = list[str]()
    note_built(KEY, OURS)

    assert not take(None, lines)
    assert lines == []


def test_note_built__nowhere_to_keep_it__is_not_known(state: Path) -> None:
    state.write_text("a file")

    note_built(KEY, OURS)

    assert find_noted(KEY) == ""
