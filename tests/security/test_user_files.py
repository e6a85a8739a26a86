"""Every file that somebody else wrote is read in one way, and in CI it lies in the checkout."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import fsd
from fsd.action.inputs import find_service_files
from fsd.app.inside import require_inside
from fsd.app.user_text import read_text
from fsd.errors import ManifestError, RefusedError
from tests.security.test_hostile_contexts import (
    endless_device,
    folder,
    in_time,
    link_to_a_pipe,
    link_to_itself,
    listening_socket,
    no_utf_8,
    pipe,
    sparse,
    utf_16,
)

SOURCE = Path(fsd.__file__).parent
# Reads of what is no user's: our own pages, the pipe of scripts/action, the one way itself, what
# the shell opened for us (`<(…)`), answers of GitHub's, a session that is no file, and a note of
# our own in the user's state.
OURS = {
    "lint/pages.py": 1,
    "lint/registry.py": 1,
    "cli/wiring.py": 1,
    "user_files.py": 0,
    "app/user_text.py": 1,
    "github/oidc.py": 1,
    "github/api.py": 1,
    "release/exec_session.py": 1,
    "image/built.py": 1,
}
_READS = frozenset({"read_text", "read_bytes", "open"})


def reads(tree: ast.AST) -> Iterator[int]:
    """Lines that open or read a file by its path, and do not write it."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        owner = getattr(getattr(function, "value", None), "id", "")
        modes = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        writes = any(isinstance(mode, str) and mode[:1] in ("w", "a", "x") for mode in modes)
        is_own = isinstance(function, ast.Name) and name == "read_text"  # `fsd.app.user_text`'s
        if name in _READS and owner != "os" and not writes and not is_own:
            yield node.lineno


def test_source__a_users_file__is_read_in_one_way() -> None:
    found = {
        str(file.relative_to(SOURCE)): lines
        for file in sorted(SOURCE.rglob("*.py"))
        if "local" not in file.relative_to(SOURCE).parts[:1]
        and (lines := list(reads(ast.parse(file.read_text(encoding="utf-8")))))
    }
    allowed = {name for name, count in OURS.items() if count}
    # A node of a tree is opened by `Node.open`, which uses the one way.
    through_nodes = {"image/tree.py", "image/key.py", "image/snapshot.py", "image/stages.py"}

    assert {
        name: lines for name, lines in found.items() if name not in allowed | through_nodes
    } == {}


@pytest.mark.parametrize(
    "plant",
    [pipe, folder, listening_socket, endless_device, link_to_itself, link_to_a_pipe, utf_16,
     no_utf_8, sparse],
    ids=lambda plant: plant.__name__,
)  # fmt: skip
def test_read_text__odd_manifest__an_error_in_time(
    tmp_path: Path, plant: Callable[[Path], None]
) -> None:
    plant(tmp_path / "service.yml")

    with in_time(), pytest.raises(ManifestError) as caught:
        read_text(tmp_path / "service.yml")

    assert "service.yml" in str(caught.value.where)
    assert caught.value.fix


def leading_out(checkout: Path, kind: str) -> str:
    """The name of a Service YAML below the checkout that is not there in truth."""
    outside = checkout.parent / "outside"
    outside.mkdir()
    (outside / "service.yml").write_text("kind: Service\n")
    match kind:
        case "a link":
            (checkout / "service.yml").symlink_to(outside / "service.yml")
        case "a relative link":
            (checkout / "service.yml").symlink_to("../outside/service.yml")
        case "a linked folder":
            (checkout / "services").symlink_to(outside)
            return "services/service.yml"
        case "a link to a link":
            (checkout / "a").symlink_to("b")
            (checkout / "b").symlink_to(outside)
            return "a/service.yml"
        case "a link to nothing outside":
            (checkout / "service.yml").symlink_to(outside / "not there")
        case "a link to /proc":
            (checkout / "service.yml").symlink_to("/proc/self/environ")
    return "service.yml"


KINDS = (
    "a link", "a relative link", "a linked folder", "a link to a link", "a link to nothing outside",
    "a link to /proc",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_find_service_files__link_out_of_the_checkout__refused(tmp_path: Path, kind: str) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    name = leading_out(checkout, kind)

    with pytest.raises(RefusedError) as caught:
        find_service_files(name, checkout)

    assert caught.value.code == "outside-checkout"


@pytest.mark.parametrize("kind", ["a link", "a relative link"])
def test_find_service_files__glob_that_finds_a_link_out__refused(tmp_path: Path, kind: str) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    leading_out(checkout, kind)

    with pytest.raises(RefusedError):
        find_service_files("*.yml", checkout)


def test_find_service_files__link_within_the_checkout__is_taken(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "service.yml").write_text("")
    (tmp_path / "service.yml").symlink_to("real/service.yml")
    link = tmp_path.with_name(f"{tmp_path.name}-link")
    link.symlink_to(tmp_path)

    assert find_service_files("service.yml", tmp_path) == (Path("service.yml"),)
    assert find_service_files("service.yml", link) == (Path("service.yml"),)
    os.unlink(link)


@pytest.mark.parametrize("kind", KINDS)
def test_require_inside__environments_file_that_leads_out__refused(
    tmp_path: Path, kind: str
) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    name = leading_out(checkout, kind)

    with pytest.raises(RefusedError, match="out of the checkout"):
        require_inside(checkout / name, checkout, where="environments file")
