"""`python -m tests.privilege`: take every permission away, and write what needs it to needs.csv.

Exit code 1: a row of the table differs from what it was; each is named.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import pkgutil
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import fsd
from tests.local.cli import TIMEOUT, Ended, Fsd
from tests.privilege.account import embedded_aws
from tests.privilege.mutation import Lost, Place, Recorded, Wanted, assign, mutate, record
from tests.privilege.record import Permission
from tests.privilege.scenarios import SCENARIOS
from tests.privilege.table import DENIED, Row, load_rows, merged, write_rows


@dataclass
class Forked(Fsd):
    """The same command in a fork of this process, which has imported everything already."""

    def run(self, *arguments: str, given: str | None = None) -> Ended:
        assert given is None
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            context = multiprocessing.get_context("fork")
            process = context.Process(target=_run, args=(self, arguments, out, err))
            process.start()
            process.join(TIMEOUT)
            if process.exitcode is None:
                process.kill()
                process.join()
            return Ended(process.exitcode or 0, out.read_text(), err.read_text())


def _run(client: Fsd, arguments: tuple[str, ...], out: Path, err: Path) -> None:
    from fsd.cli.main import run

    for number, path in enumerate((Path(os.devnull), out, err)):
        flags = os.O_RDWR if number == 0 else os.O_WRONLY | os.O_CREAT
        os.dup2(os.open(path, flags, 0o600), number)
    os.chdir(client.cwd)
    os.environ.clear()
    os.environ.update(client.environment())
    code = run(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _preload() -> None:
    for module in pkgutil.walk_packages(fsd.__path__, "fsd."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.privilege", description=__doc__)
    parser.add_argument(
        "--record",
        action="store_true",
        help="only list what is asked for, and write what the table does not have yet",
    )
    parser.add_argument("--scenario", action="append", help="only this one")
    parser.add_argument("--out", type=Path, help="what each command said, as JSON")
    asked = parser.parse_args()
    _preload()
    chosen = [one for one in SCENARIOS if not asked.scenario or one.name in asked.scenario]
    found: list[Lost] = []
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name, embedded_aws(Path(name), kind=Forked) as cloud:
        done: set[Permission] = set()
        for number, scenario in enumerate(chosen):
            place = Place(cloud=cloud, folder=Path(name), account=str(444_444_444_000 + number))
            recorded = record(scenario, place)
            wanted = assign(recorded, but=done)
            done |= {one for every in wanted.values() for one, _ in every}
            _tell_recorded(scenario.name, recorded, wanted)
            if asked.record:
                rows += _denied(scenario.name, wanted)
                continue
            for lost in mutate(scenario, replace(place, account=f"5{place.account[1:]}"), wanted):
                found.append(lost)
                _say(f"{lost.command}: {lost.permission} → {lost.ended}")
                if asked.out:
                    asked.out.write_text(json.dumps([asdict(each) for each in found], indent=1))
    return _write(rows + [_row_of(one) for one in found])


def _denied(scenario: str, wanted: Wanted) -> list[Row]:
    return [
        Row(permission=permission, scenario=scenario, command=command, without=DENIED)
        for command, every in wanted.items()
        for permission, _ in every
    ]


def _row_of(lost: Lost) -> Row:
    return Row(
        permission=lost.permission,
        scenario=lost.scenario,
        command=lost.command,
        without=lost.ended,
    )


def _write(found: list[Row]) -> int:
    """Into the table, beside what it has of other permissions; 1 if a row differs from before."""
    rows, differ = merged(load_rows(), found)
    write_rows(rows.values())
    for row in differ:
        _say(f"differs: {row.permission}, {row.scenario}, {row.command}: {row.without}")
    return 1 if differ else 0


def _tell_recorded(name: str, recorded: list[Recorded], wanted: Wanted) -> None:
    for one in recorded:
        _say(f"{name} · {one.command.name} {one.seconds:.1f} s, {len(one.needed)} permissions")
        for permission, resource in wanted.get(one.command.name, ()):
            _say(f"    {permission}  {resource}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
