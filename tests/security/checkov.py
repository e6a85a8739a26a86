"""`scripts/checkov`: what Checkov says of FSD's templates, against written reasons."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml

from fsd.account.stack import write_template
from fsd.compile.compile import compile_service
from fsd.compile.desired import Json
from fsd.manifest.load import load_manifest
from tests.builders import make_image, make_release, make_target
from tests.unit.account.test_stack import stack

ROOT = Path(__file__).parent.parent.parent
REASONS = Path(__file__).parent / "checkov.yml"
Found = set[tuple[str, str]]  # (check, logical name of the resource)


def templates() -> Iterator[tuple[str, Json]]:
    """By name: of an account with each network, and of each example in both environments."""
    for network in ("", "nat", "endpoints"):
        yield f"bootstrap-{network or 'plain'}", write_template(stack("offers", network=network))
    for folder in sorted((ROOT / "examples" / "services").iterdir()):
        text = (folder / "service.yml").read_text()
        for environment in ("dev", "prod"):
            loaded = load_manifest(text, path="service.yml", variables={"ENV": environment})
            assert loaded.manifest is not None, loaded.findings
            desired = compile_service(
                loaded.manifest, target=make_target(), image=make_image(), release=make_release()
            )
            yield f"{folder.name}-{environment}", desired.template


def ask(program: str, folder: Path) -> Found:
    """Checkov's failed checks; it must have read every template."""
    written = dict(templates())
    for name, template in written.items():
        (folder / f"{name}.json").write_text(json.dumps(template, indent=1))
    ended = subprocess.run(
        [program, "--framework=cloudformation", "--skip-download", "--compact", "--soft-fail",
         "--output=json", f"--directory={folder}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer = json.loads(ended.stdout)
    results = answer["results"]
    assert answer["summary"]["parsing_errors"] == 0, ended.stdout
    read = {one["file_path"] for kind in results.values() for one in kind if "file_path" in one}
    assert len(read) == len(written), sorted(read)
    return {
        (one["check_id"], str(one["resource"]).rpartition(".")[2])
        for one in results["failed_checks"]
    }


def load_reasons(text: str) -> Mapping[tuple[str, str], str]:
    """Why each finding stands."""
    entries = yaml.safe_load(text)
    return {
        (str(one["check"]), str(resource)): str(one["reason"])
        for one in entries
        for resource in one["resources"]
    }


def compare(found: Iterable[tuple[str, str]], known: Iterable[tuple[str, str]]) -> list[str]:
    """What is found without a reason, and what has a reason and is not found any more."""
    new, old = set(found), set(known)
    return [
        *(f"{check} on {resource}: no written reason" for check, resource in sorted(new - old)),
        *(f"{check} on {resource}: not found any more" for check, resource in sorted(old - new)),
    ]


def main(program: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        wrong = compare(ask(program, Path(folder)), load_reasons(REASONS.read_text()))
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
