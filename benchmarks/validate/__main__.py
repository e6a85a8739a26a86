"""How long `fsd validate` takes, as ratios to what cannot be avoided. See README.md."""

from __future__ import annotations

import argparse
import compileall
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import fsd

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent

COLD_GOAL = 1.6
MANY_GOAL = 3.0
MEMORY_GOAL = 150  # MB

FLOOR = "import yaml, pydantic, click"
PARSE_ALL = """
import sys, yaml
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        yaml.load(file.read(), Loader=yaml.CSafeLoader)
"""
TEMPLATE = {
    "Resources": {
        "TaskDefinition": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {"ContainerDefinitions": [{"Name": "app", "Image": "app"}]},
        }
    }
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One process, start to end. Seconds and MB."""

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Median:
    wall: float
    cpu: float
    peak: float


def main() -> int:
    options = _options()
    # As an installation does, whatever PYTHONDONTWRITEBYTECODE says here.
    compileall.compile_dir(Path(fsd.__file__).parent, quiet=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _cold(folder, rounds=options.rounds)
        _many(folder, count=options.manifests, rounds=max(3, options.rounds // 5))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/validate", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="starts of each command")
    parser.add_argument("--manifests", type=int, default=1000, help="files in one call")
    return parser.parse_args()


def _cold(folder: Path, *, rounds: int) -> None:
    manifest = HERE / "service.yml"
    schema, template = folder / "schema.json", folder / "template.json"
    schema.write_bytes(subprocess.run([BIN / "fsd", "schema"], stdout=-1, check=True).stdout)
    template.write_text(json.dumps(TEMPLATE))
    floor = [sys.executable, "-c", FLOOR]
    medians = _in_turn(
        {
            "the libraries alone": floor,
            "fsd validate": [BIN / "fsd", "validate", "--file", manifest],
        },
        rounds=rounds,
    )
    peers = _in_turn(
        {
            "cfn-lint": [BIN / "cfn-lint", template],
            "check-jsonschema": [BIN / "check-jsonschema", "--schemafile", schema, manifest],
            "ecs deploy --help": [BIN / "ecs", "deploy", "--help"],
        },
        rounds=max(3, rounds // 5),
    )
    print("one manifest, cold")
    _table({**medians, **peers}, base="the libraries alone")
    _verdict(medians["fsd validate"].wall / medians["the libraries alone"].wall, COLD_GOAL, "×")


def _many(folder: Path, *, count: int, rounds: int) -> None:
    files = _manifests(folder, count=count)
    medians = _in_turn(
        {
            "CSafeLoader alone": [sys.executable, "-c", PARSE_ALL, *files],
            "fsd validate": [BIN / "fsd", "validate", "--file", files[0].parent.parent],
        },
        rounds=rounds,
    )
    print(f"\n{count} manifests in one call")
    _table(medians, base="CSafeLoader alone")
    _verdict(medians["fsd validate"].wall / medians["CSafeLoader alone"].wall, MANY_GOAL, "×")
    _verdict(medians["fsd validate"].peak, MEMORY_GOAL, "MB")


def _manifests(folder: Path, *, count: int) -> list[Path]:
    """Each with names of its own, so that no two are the same to a cache."""
    text = (HERE / "service.yml").read_text(encoding="utf-8")
    files = [folder / "many" / f"{number:04}" / "service.yml" for number in range(count)]
    for number, file in enumerate(files):
        file.parent.mkdir(parents=True)
        file.write_text(text.replace("price-watcher", f"watcher-{number:04}"), encoding="utf-8")
    return files


def _in_turn(commands: Mapping[str, Sequence[str | Path]], *, rounds: int) -> dict[str, Median]:
    """Turn by turn; the first round warms the disk's cache and does not count."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds + 1):
        for name, command in commands.items():
            runs[name].append(_run(command))
    return {name: _median(found[1:]) for name, found in runs.items()}


def _run(command: Sequence[str | Path]) -> Run:
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode}: {command[0]} {command[1]}")
    return Run(wall=wall, cpu=usage.ru_utime + usage.ru_stime, peak=usage.ru_maxrss / 1024)


def _median(runs: Sequence[Run]) -> Median:
    return Median(
        wall=statistics.median(run.wall for run in runs),
        cpu=statistics.median(run.cpu for run in runs),
        peak=statistics.median(run.peak for run in runs),
    )


def _table(medians: Mapping[str, Median], *, base: str) -> None:
    against = medians[base]
    for name, found in medians.items():
        wall, cpu = found.wall / against.wall, found.cpu / against.cpu
        print(
            f"  {name:20} {found.wall * 1000:7.0f} ms {wall:6.2f} x"
            f"   CPU {found.cpu * 1000:7.0f} ms {cpu:6.2f} x   peak {found.peak:4.0f} MB"
        )


def _verdict(value: float, goal: float, unit: str) -> None:
    word = "holds" if value <= goal else "MISSED"
    print(f"  goal: at most {goal:g} {unit}; measured {value:.2f} {unit}: {word}")


if __name__ == "__main__":
    sys.exit(main())
