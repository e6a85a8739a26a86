"""scripts/action: what is between a runner's bash and Python, with a package that is made here."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.action.workflow import ROOT, TIMEOUT, plain_environment

# Says what the real `fsd ci` would meet.
MAIN = """\
import json, os, sys
import dependency
print(json.dumps({
    "pid": os.getpid(),
    "argv": sys.argv[1:],
    "path": sys.path,
    "dependency": dependency.__file__,
    "python": sys.executable,
}))
"""


@dataclass
class Bootstrap:
    action: Path
    checkout: Path
    temp: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(self) -> tuple[int, int, str]:
        """(exit code, pid of the entry process, log)."""
        process = subprocess.Popen(
            [
                "bash",
                "-e",
                "-o",
                "pipefail",
                "-c",
                'exec bash "$GITHUB_ACTION_PATH/scripts/action"',
            ],
            cwd=self.checkout,
            env={
                **plain_environment(),
                "GITHUB_ACTION_PATH": str(self.action),
                "RUNNER_TEMP": str(self.temp),
                "PIP_NO_INDEX": "1",
                "PIP_FIND_LINKS": str(self.action / "wheels"),
                "PIP_CONFIG_FILE": os.devnull,
                **self.environ,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            log, _ = process.communicate(timeout=TIMEOUT)
        return process.returncode, process.pid, log

    def ok(self) -> tuple[dict[str, Any], str]:
        code, pid, log = self.run()
        assert code == 0, log
        said: dict[str, Any] = json.loads(log.splitlines()[-1])
        assert said["pid"] == pid
        return said, log


@pytest.fixture
def bootstrap(tmp_path: Path) -> Bootstrap:
    action, checkout = tmp_path / "action", tmp_path / "checkout"
    package = action / "src" / "fsd" / "cli"
    package.mkdir(parents=True)
    for name in ("src/fsd/__init__.py", "src/fsd/cli/__init__.py"):
        (action / name).touch()
    (package / "main.py").write_text(MAIN)
    (action / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "action", action / "scripts" / "action")
    (action / "wheels").mkdir()
    digest = make_wheel(action / "wheels")
    (action / "requirements").mkdir()
    pin = f"dependency==1.0 --hash=sha256:{digest}\n"
    (action / "requirements" / "action.txt").write_text(pin)
    digest = make_wheel(action / "wheels", "uv", uv_script(tmp_path / "uv.log"))
    (action / "requirements" / "uv.txt").write_text(f"uv==1.0 --hash=sha256:{digest}\n")
    checkout.mkdir()
    return Bootstrap(action=action, checkout=checkout, temp=tmp_path / "temp")


def make_wheel(folder: Path, name: str = "dependency", script: str = "") -> str:
    """`name` 1.0 with one module, and a program of the same name; returns the wheel's SHA-256."""
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    if script:
        files[f"{name}-1.0.data/scripts/{name}"] = script
    record = ""
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (0o100755 if "/scripts/" in path else 0o100644) << 16
            archive.writestr(entry, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            record += f"{path},sha256={digest.rstrip(b'=').decode()},{len(text)}\n"
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def uv_script(log: Path) -> str:
    """The real uv, which also says that it was called, and with what of its own variables."""
    return (
        "#!/bin/sh\n"
        f'echo "$0 UV_TARGET=$UV_TARGET" >>{log}\n'
        f'exec {Path(sys.executable).parent / "uv"} "$@"\n'
    )


def programs(folder: Path, **scripts: str) -> str:
    """A PATH with what a runner has, this Python and the scripts; without a uv but of these."""
    folder.mkdir()
    for name in ("bash", "dirname", "cat", "env", "sh", "rm", "touch"):
        (folder / name).symlink_to(str(shutil.which(name)))
    for name, script in {"python3": f'#!/bin/sh\nexec {BASE_PYTHON} "$@"\n', **scripts}.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    return str(folder)


# Not that of the tests' environment: it need not have pip.
BASE_PYTHON = Path(sys.base_prefix) / "bin" / "python3"


TOKENS = {"FSD_INPUT_GITHUB_TOKEN": "ghs_s3cret", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "oidc_s3cret"}
# In the place of `fsd ci`: what it could read of itself, and what comes by the pipe.
LOOK = """\
import os, sys
print("BEGAN " + open("/proc/self/environ").read().replace("\\0", "\\n"))
print("PIPE " + os.read(int(os.environ["FSD_TOKENS_FD"]), 4096).decode())
"""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc")
@pytest.mark.parametrize("planted", [{}, {"FSD_TOKENS_FD": "9", "FSD_TOKENS_PID": "1"}])
def test_bootstrap__tokens__are_in_no_processs_environment_and_come_by_a_pipe(
    bootstrap: Bootstrap, tmp_path: Path, planted: dict[str, str]
) -> None:
    said = tmp_path / "said"
    (bootstrap.action / "src" / "fsd" / "cli" / "main.py").write_text(LOOK)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "python3").write_text(
        "#!/bin/sh\n"
        f"tr '\\0' '\\n' </proc/self/environ >>{said}\n"
        f"tr '\\0' '\\n' </proc/$PPID/environ >>{said}\n"
        f"cat <&9 >>{said} 2>/dev/null\n"
        f'exec {sys.executable} "$@"\n'
    )
    (tools / "python3").chmod(0o755)
    bootstrap.environ = {**TOKENS, **planted, "PATH": f"{tools}:{os.environ['PATH']}"}

    code, _, log = bootstrap.run()

    began, _, pipe = log[log.index("BEGAN") :].partition("PIPE ")
    assert code == 0, log
    assert "PATH=" in said.read_text()
    assert "s3cret" not in said.read_text() + began
    assert pipe.splitlines()[:2] == [f"{name}={value}" for name, value in TOKENS.items()]


def test_bootstrap__two_steps_of_a_job__installs_once_and_becomes_python(
    bootstrap: Bootstrap,
) -> None:
    first, log = bootstrap.ok()

    assert first["argv"] == ["ci"]
    assert Path(first["dependency"]).is_relative_to(bootstrap.temp)
    assert "Install FSD's dependencies" in log

    second, log = bootstrap.ok()

    assert second["python"] == first["python"]
    assert "Install" not in log


def test_bootstrap__installation_that_failed__says_so_and_is_made_anew(
    bootstrap: Bootstrap,
) -> None:
    bootstrap.environ = {"PIP_FIND_LINKS": os.devnull}
    code, _, log = bootstrap.run()

    assert code == 5
    assert "::error title=fsd: pip::" in log

    bootstrap.environ = {}
    bootstrap.ok()


def test_bootstrap__hostile_checkout_and_variables__nothing_of_them_is_imported(
    bootstrap: Bootstrap, tmp_path: Path
) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    evil = "raise SystemExit('imported from the checkout')\n"
    for name in ("dependency", "json", "pip", "venv", "hashlib", "fsd", "sitecustomize"):
        (bootstrap.checkout / f"{name}.py").write_text(evil)
    bootstrap.environ = {
        "PIP_TARGET": elsewhere,
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PIP_USER": "1",
        "PIP_NO_BINARY": ":all:",
        "PYTHONPATH": elsewhere,
        "PYTHONHOME": elsewhere,
        "VIRTUAL_ENV": elsewhere,
    }

    said, _ = bootstrap.ok()

    assert not {str(bootstrap.checkout), elsewhere, ""} & set(said["path"])
    assert not Path(elsewhere).exists()


def test_bootstrap__package_with_another_hash__is_not_installed(bootstrap: Bootstrap) -> None:
    pin = f"dependency==1.0 --hash=sha256:{'0' * 64}\n"
    (bootstrap.action / "requirements" / "action.txt").write_text(pin)

    code, _, log = bootstrap.run()

    assert code == 5
    assert "::error title=fsd: pip::" in log
    assert "DO NOT MATCH THE HASHES" in log


def test_bootstrap__environment_that_requires_provenance__installs_what_verifies_it(
    bootstrap: Bootstrap,
) -> None:
    pin = f"dependency==1.0 --hash=sha256:{'0' * 64}\n"
    (bootstrap.action / "requirements" / "provenance.txt").write_text(pin)
    bootstrap.ok()
    named = bootstrap.checkout / "named.yml"
    named.write_text("spec: {requireProvenance: {repository: org/offers}}\n")
    bootstrap.ok()

    bootstrap.environ = {"FSD_INPUT_ENVIRONMENTS_FILE": "named.yml"}
    by_input = bootstrap.run()
    bootstrap.environ = {}
    (bootstrap.checkout / ".fsd").mkdir()
    named.rename(bootstrap.checkout / ".fsd" / "environments.yml")
    by_place = bootstrap.run()

    assert (by_input[0], by_place[0]) == (5, 5)
    assert "DO NOT MATCH THE HASHES" in by_input[2]


def test_bootstrap__python_too_old__says_what_to_do(bootstrap: Bootstrap, tmp_path: Path) -> None:
    old = '#!/usr/bin/env bash\n[ "$1" = --version ] && echo "Python 3.10.4"\nexit 1\n'
    bootstrap.environ = {"PATH": programs(tmp_path / "programs", python3=old)}

    code, _, log = bootstrap.run()

    assert code == 5
    assert "Python 3.11 or newer is needed" in log
    assert "actions/setup-python" in log


def test_bootstrap__fsd_python__is_used_as_it_is(bootstrap: Bootstrap) -> None:
    (bootstrap.action / "src" / "dependency.py").touch()
    bootstrap.environ = {"FSD_PYTHON": sys.executable}

    said, log = bootstrap.ok()

    assert said["python"] == sys.executable
    assert "Install" not in log


def test_bootstrap__runner_with_uv__installs_with_it(bootstrap: Bootstrap, tmp_path: Path) -> None:
    log = tmp_path / "uv.log"
    path = programs(tmp_path / "programs", uv=uv_script(log))
    bootstrap.environ = {"PATH": path, "UV_TARGET": str(tmp_path / "elsewhere")}
    # Configuration of the checkout's, which uv would take from the folder that it starts in.
    (bootstrap.checkout / "uv.toml").write_text('index-url = "https://attacker.example/simple"\n')

    said, output = bootstrap.ok()

    assert "pip does" not in output, output
    assert log.read_text() == f"{path}/uv UV_TARGET=\n"
    assert Path(said["dependency"]).is_relative_to(bootstrap.temp)
    assert not (tmp_path / "elsewhere").exists()


def test_bootstrap__runner_without_uv__takes_the_wheel_with_its_hash(
    bootstrap: Bootstrap, tmp_path: Path
) -> None:
    bootstrap.environ = {"PATH": programs(tmp_path / "programs")}

    said, log = bootstrap.ok()
    assert "pip does" not in log, log

    called = (tmp_path / "uv.log").read_text()
    assert called.startswith(str(bootstrap.temp))
    assert Path(said["dependency"]).is_relative_to(bootstrap.temp)


@pytest.mark.parametrize("what", ["uv fails", "another hash"])
def test_bootstrap__uv_that_cannot__pip_installs(
    bootstrap: Bootstrap, tmp_path: Path, what: str
) -> None:
    scripts = {"uv": "#!/bin/sh\nexit 2\n"} if what == "uv fails" else {}
    if what == "another hash":
        pin = f"uv==1.0 --hash=sha256:{'0' * 64}\n"
        (bootstrap.action / "requirements" / "uv.txt").write_text(pin)
    bootstrap.environ = {"PATH": programs(tmp_path / "programs", **scripts)}

    said, log = bootstrap.ok()

    assert "pip does" in log
    assert not (tmp_path / "uv.log").exists()
    assert Path(said["dependency"]).is_relative_to(bootstrap.temp)
