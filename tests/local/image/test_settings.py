from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fsd.errors import UsageError
from fsd.image.settings import BuildFlags, BuildSettings, choose_settings
from fsd.manifest.container import Build


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A service's folder two below the top of a repository."""
    subprocess.run(["git", "init", "-q", tmp_path / "repo"], check=True)
    home = tmp_path / "repo" / "services" / "api"
    home.mkdir(parents=True)
    return home


MANIFEST = Build(
    context="../..",
    dockerfile="../docker/Dockerfile",
    target="runtime",
    args={"A": "1", "B": "2"},
    secrets=("id=pip,env=PIP",),
    cache=False,
)


def test_choose_settings__manifest_alone__paths_from_its_folder(home: Path) -> None:
    assert choose_settings(MANIFEST, BuildFlags(), home=home) == BuildSettings(
        context=home / "../..",
        dockerfile=home / "../docker/Dockerfile",
        target="runtime",
        args={"A": "1", "B": "2"},
        secrets=("id=pip,env=PIP",),
        cache=False,
    )


def test_choose_settings__nothing_said__the_manifests_folder(home: Path) -> None:
    assert choose_settings(None, BuildFlags(), home=home) == BuildSettings(context=home)


def test_choose_settings__flags__win_each_for_itself(home: Path) -> None:
    flags = BuildFlags(context=Path("/srv"), target="test", args={"B": "3"})

    found = choose_settings(MANIFEST, flags, home=home)

    assert (found.context, found.target, found.args) == (Path("/srv"), "test", {"A": "1", "B": "3"})
    assert found.dockerfile == home / "../docker/Dockerfile"


@pytest.mark.parametrize(
    "build",
    [
        Build(context="../../.."),
        Build(dockerfile="../../../Dockerfile"),
        Build(context="link"),
        Build(secrets=("id=key,src=../../../key",)),
        Build(secrets=("id=key,src=/etc/hostname",)),
    ],
)
def test_choose_settings__out_of_the_repository__refused(home: Path, build: Build) -> None:
    (home / "link").symlink_to("/")

    with pytest.raises(UsageError) as raised:
        choose_settings(build, BuildFlags(), home=home)

    assert raised.value.code == "context-outside"


def test_choose_settings__no_repository__only_the_folder_itself(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="in no repository"):
        choose_settings(Build(context=".."), BuildFlags(), home=tmp_path)

    inside = choose_settings(Build(context="app"), BuildFlags(), home=tmp_path)
    assert inside.context == tmp_path / "app"
