"""Files of strangers for `fsd import`: an answer or an error of ours, in time, in plain text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from fsd.cli.main import run
from fsd.importing.compose_file import read_compose
from tests.security.test_hostile_contexts import in_time

ODD = "\u001b]0;x\u0007\u202e\u009b31m\u2028\u200f\u0000"
DIGITS = "9" * 6_000
VALUES: dict[str, object] = {
    "many digits": int("9" * 4_000),
    "many digits as text": DIGITS,
    "digits and a unit": f"{DIGITS}h",
    "every so many digits": f"@every {DIGITS}h",
    "a schedule of digits": f"{DIGITS} * * * *",
    "a range of digits": f"{DIGITS}-{DIGITS}",
    "a size in digits": f"{DIGITS} GB",
    "no end of digits": "9" * 20_000 + "x",
    "infinite": float("inf"),
    "no number": float("nan"),
    "a power": "²",
    "a port of powers": "²:²",
    "less than nothing": -1,
    "marks": ODD,
    "a list": [[1], None],
    "a mapping": {"a": {"b": [1]}},
    "open braces": "${A:-" * 5_000,
    "dollars": "$" * 5_000,
    "a reference": "{{resolve:secretsmanager:p}}",
    "nothing": None,
    "a path out": "../../../../etc/passwd",
    "a date": "2020-01-01",
}
CONTAINER = (
    "name", "image", "cpu", "memory", "portMappings", "environment", "secrets", "healthCheck",
    "logConfiguration", "mountPoints", "dependsOn", "command", "entryPoint", "ulimits",
    "stopTimeout", "linuxParameters", "user", "dockerLabels",
)  # fmt: skip
TASK = ("family", "cpu", "memory", "volumes", "tags", "runtimePlatform", "ephemeralStorage")
COMPOSE = (
    "image", "build", "command", "entrypoint", "ports", "expose", "environment", "env_file",
    "deploy", "healthcheck", "volumes", "labels", "depends_on", "secrets", "extends", "mem_limit",
    "cpus", "stop_grace_period", "user", "scale",
)  # fmt: skip
COPILOT = (
    "name", "image", "http", "cpu", "memory", "count", "secrets", "variables", "environments",
    "sidecars", "network", "storage", "on", "platform", "exec", "timeout", "retries",
)  # fmt: skip
APP_RUNNER = ("runtime", "build", "run", "pre-build")


def documents(value: object) -> Iterator[tuple[str, str, str]]:
    """(a name for it, the file, its text), with the value at each key in its turn."""
    for key in CONTAINER:
        container: dict[str, object] = {"name": "a", "image": "x", key: value}
        task: dict[str, object] = {"family": "a", "containerDefinitions": [container]}
        yield f"container.{key}", "task-definition.json", json.dumps(task)
    for key in TASK:
        task = {"family": "a", "containerDefinitions": [{"name": "a", "image": "x"}], key: value}
        yield f"task.{key}", "task-definition.json", json.dumps(task)
    for key in COMPOSE:
        web: dict[str, object] = {"image": "x", key: value}
        compose = {"services": {"web": web}}
        yield f"compose.{key}", "compose.yml", json.dumps(compose)
    for key in COPILOT:
        for kind in ("Load Balanced Web Service", "Scheduled Job"):
            image = {"location": "x"}
            manifest = {"name": "web", "type": kind, "image": image, key: value}
            yield f"copilot.{key}", "manifest.yml", json.dumps(manifest)
    manifest = {"name": "web", "type": "Scheduled Job", "on": {"schedule": value}}
    yield "copilot.on.schedule", "manifest.yml", json.dumps(manifest)
    for key in APP_RUNNER:
        text = json.dumps({"version": 1.0, "runtime": "python3", "run": {"command": "x"}})
        changed = {**json.loads(text), key: value}
        yield f"apprunner.{key}", "apprunner.yaml", json.dumps(changed)


def is_plain(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("name", VALUES)
def test_import__hostile_value_at_each_key__answered_in_plain_text(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    count_inputs: Callable[[int], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    tried = list(documents(VALUES[name]))
    count_inputs(len(tried))

    for what, file, text in tried:
        (tmp_path / file).write_text(text)
        with in_time():
            code = run(["import", file, "--dry-run"])
        out, err = capsys.readouterr()
        assert code in (0, 2, 3), (what, err)
        assert is_plain(out + err), what
        assert "root:" not in out, what
        if code == 0:
            assert all(each is not None for each in yaml.safe_load_all(out)), what


def bomb() -> str:
    rows = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    rows += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise("abcdefghi")]
    return "\n".join(rows) + "\n"


FILES = {
    "a bomb": bomb() + "services: {web: {image: x, environment: *i}}\n",
    "itself": "services: &s {web: *s}\n",
    "deep": "services: " + "{a: " * 3_000 + "x" + "}" * 3_000,
    "deep lists": "[" * 100_000,
    "an object of bytes": "services: {web: {image: \x00}}",
    "many services": "services:\n" + "".join(f"  s{i}: {{image: x}}\n" for i in range(20_000)),
    "half": '{"containerDefinitions": [',
    "a colon": "services: a: b",
}
CHAIN = "".join(f"  s{i}: {{extends: s{i + 1}}}\n" for i in range(1_100))


@pytest.mark.parametrize("name", FILES)
def test_import__file_that_cannot_be_read__says_so_and_where(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "compose.yml").write_text(FILES[name])

    with in_time():
        code = run(["import", str(tmp_path), "--dry-run"])

    err = capsys.readouterr().err
    assert code == 2
    assert "compose.yml:" in err


def test_read_compose__long_chain_of_extends__is_followed_to_its_end() -> None:
    text = f"services:\n{CHAIN}  s1100: {{image: 'y:1'}}\n"

    with in_time():
        found = read_compose(text, path="compose.yml")

    assert [each.image for each in found] == ["y:1"] * 1_101
