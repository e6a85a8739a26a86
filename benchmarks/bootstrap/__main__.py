"""What a job waits for before the Action does anything. See README.md."""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
GOAL = 0.3
WARM = 1.0  # seconds
REFUSED = 4  # the step's exit code: no event says what to deploy


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ways: dict[str, Callable[[Path], float]] = {
        "venv and pip": with_pip,
        "the wheel of uv": lambda folder: step(folder, path=without_uv()),
        "uv on PATH": lambda folder: step(folder, path=with_uv()),
        "warm": warm,
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                times[name].append(way(Path(folder)))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name, median in medians.items():
        ratio = median / medians["venv and pip"]
        print(f"{name:<16} {median:6.1f} s   {ratio:.2f} x of venv and pip")
    is_good = medians["the wheel of uv"] <= GOAL * medians["venv and pip"]
    is_good = is_good and medians["warm"] <= WARM
    print("goals met" if is_good else f"goals missed: {GOAL} x, warm {WARM} s")
    return 0 if is_good else 1


def with_pip(folder: Path) -> float:
    began = time.monotonic()
    environment = folder / "venv"
    run([base_python(), "-I", "-m", "venv", str(environment)])
    run([str(environment / "bin" / "python"), "-I", "-m", "pip", "install", "-qq",
         "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:", "--no-deps",
         "--requirement", str(ROOT / "requirements" / "action.txt")])  # fmt: skip
    run_step(folder, path=os.environ["PATH"], python=str(environment / "bin" / "python"))
    return time.monotonic() - began


def step(folder: Path, *, path: str) -> float:
    began = time.monotonic()
    run_step(folder, path=path)
    return time.monotonic() - began


def warm(folder: Path) -> float:
    step(folder, path=with_uv())
    return step(folder, path=with_uv())


def run_step(folder: Path, *, path: str, python: str = "") -> None:
    environment = {"PATH": path, "HOME": str(folder), "RUNNER_TEMP": str(folder)}
    passed = {name: os.environ[name] for name in ("PIP_INDEX_URL",) if name in os.environ}
    ended = subprocess.run(
        ["bash", str(ROOT / "scripts" / "action")],
        cwd=folder,
        env={**environment, **passed, **({"FSD_PYTHON": python} if python else {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != REFUSED or "pip does" in ended.stdout:
        sys.exit(f"the step ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")


def run(command: list[str]) -> None:
    subprocess.run(command, check=True)


def base_python() -> str:
    return str(Path(sys.base_prefix) / "bin" / "python3")


def without_uv() -> str:
    """The Python that made this environment, and the system's programs, without a uv."""
    folders = [str(Path(base_python()).parent), *os.defpath.split(os.pathsep)]
    kept = [folder for folder in folders if not (Path(folder) / "uv").exists()]
    return os.pathsep.join(kept)


def with_uv() -> str:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        sys.exit("there is no uv beside this Python: run scripts/setup")
    folder = Path(tempfile.gettempdir()) / "fsd-benchmark-uv"
    folder.mkdir(exist_ok=True)
    link = folder / "uv"
    link.unlink(missing_ok=True)
    link.symlink_to(uv)
    return os.pathsep.join([str(folder), without_uv()])


if __name__ == "__main__":
    sys.exit(main())
