"""What the Python part of RUN does without Docker, with real pip and uv and a folder of wheels."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fsd_files.dockerfile import parse_dockerfile
from fsd_files.ignore import Ignore
from fsd_files.tree import read_tree
from fsd_local.errors import LocalCode, LocalError
from fsd_local.image.indexes import without_silent_indexes
from fsd_local.image.interpreters import (
    find_interpreter,
    find_local_python,
    named_version,
)
from fsd_local.image.layers import Layers, OuterLink, materialize
from fsd_local.image.old_builds import advise_old_build
from fsd_local.image.stages import FileSnapshot, play
from fsd_local.image.steps import Steps
from tests.fakes.wheels import make_wheel

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
SITE = f"usr/local/lib/python{VERSION}/site-packages"
FROM = f"FROM python:{VERSION}-slim\nWORKDIR /app\n"
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "s3cret-aws",
    "AWS_SESSION_TOKEN": "s3cret-session",
    "GITHUB_TOKEN": "s3cret-github",
    "FSD_INPUT_GITHUB_TOKEN": "s3cret-input",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "s3cret-oidc",
    "SSH_AUTH_SOCK": "/run/s3cret-agent",
    "PIP_TARGET": "/s3cret-target",
    "VIRTUAL_ENV": "/s3cret-environment",
    "PYTHONPATH": "/s3cret-path",
}


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Layers:
    """One for all: an environment with pip takes seconds to make."""
    return Layers(folder=tmp_path_factory.mktemp("layers"))


@dataclass
class Image:
    folder: Path
    layers: Layers
    done: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def make(self, text: str, *, allow_run: bool = False, **build_args: str) -> FileSnapshot:
        steps = Steps(layers=self.layers, on_line=self.done.append, allow_run=allow_run)
        self.notes = steps.notes
        return play(
            parse_dockerfile(text),
            context=read_tree(self.folder, Ignore()),
            build_args=build_args,
            architecture="amd64",
            worker=steps,
        )

    def says(self, snapshot: FileSnapshot, tmp_path: Path, *command: str) -> str:
        """What a program of the image says, run in a folder with all of it."""
        root = tmp_path / "root"
        if not root.exists():
            root.mkdir()
            materialize(snapshot.tree, root)
        argv = [f"{root}{word}" if word.startswith("/") else word for word in command]
        ended = subprocess.run(argv, capture_output=True, text=True, check=False, env={}, cwd=root)
        return ended.stdout.strip() or ended.stderr


@pytest.fixture
def image(tmp_path: Path, layers: Layers, monkeypatch: pytest.MonkeyPatch) -> Image:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "dependency")
    make_wheel(wheels, "program", modules={"program.py": "def main(): print('it runs')\n"},
               script="program:main", requires="dependency")  # fmt: skip
    make_wheel(wheels, "click", "8.1.7")
    for name in [n for n in os.environ if n.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(wheels))
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "requirements.txt").write_text("dependency==1.0\n")
    return Image(folder=folder, layers=layers)


# --- pip ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "place"),
    [
        ("python -m pip install --break-system-packages -r /app/requirements.txt", SITE),
        ("set -eux; cd /; bash -lc 'pip3 install --no-cache-dir -r /app/requirements.txt'", SITE),
        ('["/usr/local/bin/pip", "install", "dependency"]', SITE),
        ("pip install --user dependency", f"root/.local/lib/python{VERSION}/site-packages"),
        ("pip install --target=/deps dependency", "deps"),
        ("pip install --prefix=/out dependency", f"out/lib/python{VERSION}/site-packages"),
        ("pip install no-such-thing || pip install dependency", SITE),
        ("poetry run pip install dependency", SITE),
        ("python -m venv .venv && pdm run pip install dependency",
         f"app/.venv/lib/python{VERSION}/site-packages"),
        ("python -m venv /opt/venv && /opt/venv/bin/pip install dependency",
         f"opt/venv/lib/python{VERSION}/site-packages"),
        ("python -m venv /opt/venv && /opt/venv/bin/python -m pip install dependency",
         f"opt/venv/lib/python{VERSION}/site-packages"),
        ("python -m venv .venv && .venv/bin/python3 -m pip install dependency",
         f"app/.venv/lib/python{VERSION}/site-packages"),
        ("python3 -m venv venv && . venv/bin/activate && pip install dependency",
         f"app/venv/lib/python{VERSION}/site-packages"),
        ("uv pip install --system dependency", SITE),
        ("uv venv && uv pip install dependency", f"app/.venv/lib/python{VERSION}/site-packages"),
    ],
)  # fmt: skip
def test_run__an_install__is_where_the_dockerfile_says(image: Image, run: str, place: str) -> None:
    made = image.make(f"{FROM}COPY requirements.txt .\nRUN {run}\nCMD x")

    assert f"{place}/dependency.py" in made.tree, image.done
    assert made.skipped == ()


def test_run__program_of_a_package__is_run_by_the_images_own_python(
    image: Image, tmp_path: Path
) -> None:
    made = image.make(f"{FROM}RUN pip install program\nCMD program")

    assert image.says(made, tmp_path, "/usr/local/bin/program") == "it runs"
    prefix = ("/usr/local/bin/python", "-c", "import sys; print(sys.prefix)")
    assert image.says(made, tmp_path, *prefix) == str(tmp_path / "root" / "usr" / "local")


def test_run__packages_of_a_service__never_in_ours(image: Image, tmp_path: Path) -> None:
    import click

    made = image.make(f"{FROM}RUN pip install click==8.1.7\nCMD x")

    version = ("/usr/local/bin/python", "-c", "import click; print(click.VERSION, click.__file__)")
    assert image.says(made, tmp_path, *version).startswith("8.1.7 ")
    ours = subprocess.run(
        [sys.executable, "-c", "import click; print(click.__file__)"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    assert ours == click.__file__


def test_run__same_step_again__is_not_done_again(image: Image) -> None:
    text = f"{FROM}COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\nCMD x"
    image.make(text)
    before = len(image.done)
    (image.folder / "app.py").write_text("print(1)\n")

    image.make(text)
    assert len(image.done) == before
    (image.folder / "requirements.txt").write_text("dependency\n")
    image.make(text)

    assert image.done[before:] == ["RUN pip install -r requirements.txt"]


def test_run__two_stages__share_what_is_the_same(image: Image) -> None:
    made = image.make(
        f"FROM python:{VERSION} AS one\nRUN pip install dependency click\n"
        f"FROM python:{VERSION} AS two\nRUN pip install dependency click\n"
        f"FROM two\nCOPY --from=one /usr/local/lib /lib-of-one\nCMD x"
    )

    assert image.done == ["RUN pip install dependency click"]
    assert f"lib-of-one/python{VERSION}/site-packages/dependency.py" in made.tree


def test_run__stage_that_nobody_needs__is_not_done(image: Image) -> None:
    image.make(
        f"FROM python:{VERSION} AS tests\nRUN pip install no-such-package\n"
        f"FROM python:{VERSION}\nRUN pip install 'dependency<2'\nCMD x"
    )

    assert image.done == ["RUN pip install 'dependency<2'"]


@pytest.mark.parametrize(
    "text",
    [
        "RUN pip install --prefix=/install program\n{next}COPY --from=build /install /usr/local",
        "RUN python -m venv /opt/v && /opt/v/bin/pip install program\n"
        "{next}COPY --from=build /opt/v /opt/v\nENV PATH=/opt/v/bin:$PATH",
        "RUN pip wheel --wheel-dir /wheels program\n"
        "{next}COPY --from=build /wheels /wheels\nRUN pip install --no-index /wheels/*.whl",
    ],
)
def test_run__built_in_one_stage_and_copied__runs_in_the_other(
    image: Image, tmp_path: Path, text: str
) -> None:
    next_stage = f"FROM python:{VERSION}-slim\n"
    made = image.make(f"FROM python:{VERSION} AS build\n{text.format(next=next_stage)}\nCMD x")
    program = next(path for path in made.tree if path.endswith("/bin/program"))

    assert image.says(made, tmp_path, f"/{program}") == "it runs"


def test_run__heredoc__each_line(image: Image) -> None:
    made = image.make(
        f"{FROM}RUN <<EOF\napt-get install -y gcc\npip install dependency\nEOF\nCMD x"
    )

    assert f"{SITE}/dependency.py" in made.tree
    assert made.skipped == ("RUN apt-get install -y gcc",)


@pytest.mark.parametrize(("dev", "is_there"), [("true", True), ("false", False)])
def test_run__if_with_an_argument__takes_the_branch(image: Image, dev: str, is_there: bool) -> None:
    made = image.make(
        f'{FROM}ARG DEV=x\nRUN pip install click; if [ "$DEV" = "true" ]; then \\\n'
        "  pip install dependency; fi\nCMD x",
        DEV=dev,
    )

    assert (f"{SITE}/dependency.py" in made.tree) is is_there
    assert made.skipped == ()


def test_run__output_to_a_file__is_in_the_image(image: Image) -> None:
    made = image.make(f"{FROM}RUN pip install dependency && pip freeze > frozen.txt\nCMD x")

    with made.tree["app/frozen.txt"].open() as file:
        assert file.read() == b"dependency==1.0\n"


# --- uv ----------------------------------------------------------------------------------------

PROJECT = f"""\
[project]
name = "mine"
version = "1"
requires-python = ">={VERSION}"
dependencies = ["dependency"]
"""


def test_run__uv_sync__environment_of_the_project(image: Image) -> None:
    (image.folder / "pyproject.toml").write_text(PROJECT)

    made = image.make(
        f"{FROM}COPY --from=ghcr.io/astral-sh/uv:0.8 /uv /bin/\nENV UV_COMPILE_BYTECODE=0\n"
        "COPY pyproject.toml .\n"
        f"RUN --mount=type=cache,target=/root/.cache/uv uv sync --no-dev\nCMD x"
    )

    assert f"app/.venv/lib/python{VERSION}/site-packages/dependency.py" in made.tree
    assert made.skipped == ()
    assert not [path for path in made.tree if path.startswith("root/.cache/uv")]


# --- what is not done --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "skipped"),
    [
        ("apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*",
         "RUN apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*"),
        ("apt-get install -y gcc && pip install dependency && apt-get purge -y gcc",
         "RUN apt-get install -y gcc"),
        ("curl -sSL https://example.com/x.sh | sh && pip install dependency",
         "RUN curl -sSL https://example.com/x.sh | sh"),
        ("pip install dependency && ./build.sh --all", "RUN ./build.sh --all"),
        ("echo hello | tee /greeting && pip install dependency", "RUN echo hello | tee /greeting"),
        ("for x in a b; do pip install $x; done && pip install dependency",
         "RUN for x in a b; do pip install $x; done"),
        ('pip install dependency && eval "$(ssh-agent)"', 'RUN eval "$(ssh-agent)"'),
    ],
)  # fmt: skip
def test_run__other_commands__are_named(image: Image, run: str, skipped: str) -> None:
    made = image.make(f"{FROM}RUN {run}\nCMD x")

    assert made.skipped == (skipped,)


@pytest.mark.parametrize(
    "run",
    [
        "useradd -m app && chown -R app /app",
        "apt-get update && rm -rf /var/lib/apt/lists/* /tmp/*",
        "mkdir -p /app/data && chmod 777 /app/data",
        "pip cache purge && true",
        "curl -sSL https://install.python-poetry.org | python3 - --version 1.8.2",
        "curl -LsSf https://astral.sh/uv/install.sh | sh",
    ],
)
def test_run__what_a_process_cannot_miss__is_not_named(image: Image, run: str) -> None:
    assert image.make(f"{FROM}RUN {run}\nCMD x").skipped == ()


def test_run__paths_of_the_machine__are_never_touched(image: Image, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (image.folder / "link").symlink_to("/" + "../" * 20 + str(outside)[1:])

    made = image.make(
        f"{FROM}COPY . .\nRUN mkdir -p {outside}/made /app/link/through && "
        f"pip install --target={outside} dependency && pip freeze > {outside}/out.txt\nCMD x"
    )

    assert not outside.exists()
    assert f"{str(outside)[1:]}/dependency.py" in made.tree


def test_run__install_fails__says_why_and_what_was_skipped_before(image: Image) -> None:
    with pytest.raises(LocalError) as raised:
        image.make(f"{FROM}RUN apt-get install -y libpq-dev && pip install no-such-thing\nCMD x")

    error = raised.value
    assert (error.code, str(error.where)) == (LocalCode.BUILD_FAILED, "Dockerfile:3:1")
    assert error.what.startswith("`pip install no-such-thing` ended with 1:\n")
    assert "No matching distribution found for no-such-thing" in error.what
    assert "this was skipped before it: RUN apt-get install -y libpq-dev" in error.fix


@pytest.mark.parametrize(
    ("says", "is_named"),
    [
        ("Can not find valid pkg-config name.", True),
        ("error: command 'gcc' failed: No such file or directory", True),
        ("ZeroDivisionError: division by zero", False),
    ],
)
def test_run__install_fails__names_what_an_earlier_step_would_have_brought(
    image: Image, says: str, is_named: bool
) -> None:
    (image.folder / "setup.py").write_text(f"raise SystemExit({says!r})\n")
    apt = "RUN apt-get update && apt-get install -y libpq-dev"

    with pytest.raises(LocalError) as raised:
        image.make(f"{FROM}{apt}\nCOPY . .\nRUN python setup.py install\nCMD x")

    told = f"without Docker this was skipped before it: {apt}"
    assert raised.value.fix.startswith(told) is is_named


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="base images have no wheel since 3.12")
def test_run__build_without_isolation__has_the_wheel_of_a_base_image(
    image: Image, tmp_path: Path
) -> None:
    make_wheel(tmp_path / "wheels", "wheel")
    (image.folder / "setup.py").write_text(
        "try:\n    import wheel\nexcept ImportError:\n"
        "    raise SystemExit(\"error: invalid command 'bdist_wheel'\")\n"
        "raise SystemExit(f'wheel {wheel.VERSION} is there')\n"
    )

    with pytest.raises(LocalError) as raised:
        image.make(f"{FROM}COPY . .\nRUN pip install --no-build-isolation .\nCMD x")

    assert "wheel 1.0 is there" in raised.value.what


@pytest.mark.parametrize(
    ("pin", "version", "fix"),
    [
        ("poetry==1.1", "1.1", 'install "poetry~=1.1.0" in place of poetry==1.1, or a newer'),
        ("poetry==1.1.3", "1.1.3", 'install "poetry~=1.1.0" in place of poetry==1.1.3, or a'),
        ("poetry", "1.1", "install a newer version of poetry"),
    ],
)
def test_run__tool_that_does_not_start__another_version_of_it(
    image: Image, tmp_path: Path, pin: str, version: str, fix: str
) -> None:
    broken = {"poetry.py": "import poetry_core_toml\n"}
    make_wheel(tmp_path / "wheels", "poetry", version, modules=broken, script="poetry:main")

    with pytest.raises(LocalError) as raised:
        image.make(f"{FROM}RUN pip install {pin} && poetry config virtualenvs.create false\nCMD x")

    assert raised.value.fix.startswith("poetry does not start with the versions of its own")
    assert fix in raised.value.fix


_BUILD = ("  Getting requirements to build wheel did not run successfully.", "  File setup.py")
_CONSTRAINED = (
    "a package does not build with the newest setuptools: use a newer version of the package, or "
    "write `setuptools<{}` into a file `build-constraints.txt` in the build context, and above "
    "this step `COPY build-constraints.txt /tmp/` and `ENV {}`"
)
_OF_PIP = (
    "PIP_CONSTRAINT=/tmp/build-constraints.txt PIP_BUILD_CONSTRAINT=/tmp/build-constraints.txt"
)
_OF_UV = "UV_BUILD_CONSTRAINT=/tmp/build-constraints.txt"


@pytest.mark.parametrize(
    ("command", "said", "fix"),
    [
        (
            "pipenv sync --system",
            "[x] ImportError: cannot import name 'Feature' from 'setuptools' (/a/__init__.py)",
            _CONSTRAINED.format(46, _OF_PIP),
        ),
        (
            "pip install -r requirements.txt",
            "      error in suds-jurko setup command: use_2to3 is invalid.",
            _CONSTRAINED.format(58, _OF_PIP),
        ),
        (
            "uv pip install x",
            "ModuleNotFoundError: No module named 'setuptools.command.test'",
            _CONSTRAINED.format(72, _OF_UV),
        ),
        (
            "pip install x",
            "InvalidConfigError: Invalid dash-separated key 'description-file' in 'metadata'",
            _CONSTRAINED.format(78, _OF_PIP),
        ),
        (
            "pip install x",
            "ModuleNotFoundError: No module named 'pkg_resources'",
            _CONSTRAINED.format(81, _OF_PIP),
        ),
        (
            "poetry install",
            "AttributeError: cython_sources",
            "a package does not build with the newest Cython: use a newer version of the package",
        ),
        (
            "pip install x",
            "AttributeError: module 'pkgutil' has no attribute 'ImpImporter'",
            "a package does not build with this Python: use a newer version of the package, or "
            "FROM python:3.11-slim",
        ),
        (
            "pip install x",
            "aiohttp/_websocket.c:198:12: fatal error: longintrepr.h: No such file or directory",
            "a package does not build with this Python: use a newer version of the package, or "
            "FROM python:3.10-slim",
        ),
        ("pip install x", "ERROR: No matching distribution found for x", ""),
    ],
    ids=["Feature", "use_2to3", "test", "dash", "pkg_resources", "Cython", "ImpImporter",
         "longintrepr", "another"],
)  # fmt: skip
def test_advise_old_build__what_the_build_says__the_tool_that_it_was_written_for(
    command: str, said: str, fix: str
) -> None:
    assert advise_old_build(command, (*_BUILD, said)) == fix


def test_advise_old_build__said_by_no_build__nothing() -> None:
    said = "ModuleNotFoundError: No module named 'pkg_resources'"

    assert advise_old_build("python -m compileall .", (said,)) == ""


@pytest.mark.parametrize("form", ["--extra-index-url {}", "--extra-index-url={}"])
def test_run__extra_index_that_is_not_there__pip_does_without_it(image: Image, form: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    option = form.format(f"http://127.0.0.1:{port}/simple")

    made = image.make(f"{FROM}RUN pip install {option} dependency\nCMD x")

    assert f"{SITE}/dependency.py" in made.tree
    assert "127.0.0.1 cannot be reached: pip does without it" in image.done
    with pytest.raises(LocalError) as raised:
        image.make(f"{FROM}RUN pip install {option} no-such-thing\nCMD x")
    assert raised.value.fix.startswith("let this machine reach 127.0.0.1 (")


def test_without_silent_indexes__index_that_answers__is_kept() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/simple"
        words = ["pip", "install", "--extra-index-url", url, "--extra-index-url=file:///a", "x"]

        assert without_silent_indexes(words) == (words, [])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("ENV POETRY_VIRTUALENVS_CREATE=false\n", "usr/local"),
        ("COPY poetry.toml .\n", "usr/local"),
        ("", ""),
        ("ENV VIRTUAL_ENV=/opt/venv POETRY_VIRTUALENVS_CREATE=false\n", "opt/venv"),
    ],
)
def test_run__poetry_that_makes_no_environment__is_told_of_the_images(
    image: Image, tmp_path: Path, settings: str, told: str
) -> None:
    """Else it installs into the Python below every environment: this machine's."""
    (image.folder / "poetry").write_text('#!/bin/sh\necho "$VIRTUAL_ENV" > told.txt\n')
    (image.folder / "poetry").chmod(0o755)
    (image.folder / "poetry.toml").write_text("[virtualenvs]\ncreate = false\n")

    made = image.make(
        f"{FROM}{settings}COPY poetry /usr/local/bin/\nRUN poetry install --only main\nCMD x"
    )

    root = tmp_path / "root"
    root.mkdir()
    materialize(made.tree, root)
    said = (root / "app" / "told.txt").read_text().strip()
    assert said == (f"{root}/{told}" if told else "")


def test_run__scripts__only_where_they_are_allowed(image: Image) -> None:
    (image.folder / "build.sh").write_text("#!/bin/sh\necho built > built.txt\n")
    (image.folder / "build.sh").chmod(0o755)
    (image.folder / "make.py").write_text("open('made.txt', 'w').write('made')\n")
    text = f"{FROM}COPY . .\nRUN ./build.sh && python make.py && cp made.txt /copy.txt\nCMD x"

    without = image.make(text)
    with_scripts = image.make(text, allow_run=True)

    assert without.skipped == (
        "RUN ./build.sh",
        "RUN python make.py",
        "RUN cp made.txt /copy.txt",  # which is not there
    )
    assert "app/built.txt" not in without.tree
    assert with_scripts.skipped == ()
    assert {"app/built.txt", "app/made.txt", "copy.txt"} <= set(with_scripts.tree)
    assert not Path("/copy.txt").exists()


@pytest.mark.parametrize(
    ("script", "run", "skipped"),
    [
        ("#!/usr/bin/env bash\nset -e\npip install dependency\n", "chmod +x i.sh && ./i.sh", ()),
        ("cd /app\npip install dependency\nnpm ci\n", "bash ./i.sh", ("RUN npm ci",)),
        ("#!/bin/sh\n. ./other.sh\npip install no-such-thing\n", "sh i.sh", ("RUN sh i.sh",)),
        ("#!/bin/sh\npip install $1\n", "sh i.sh dependency", ("RUN sh i.sh dependency",)),
        ("#!/usr/bin/env python\npip install\n", "./i.sh", ("RUN ./i.sh",)),
        ("#!/bin/sh\npip install dependency; ./i.sh\n", "./i.sh", ("RUN ./i.sh",)),  # no end
    ],
)
def test_run__script_of_the_image__what_it_installs(
    image: Image, script: str, run: str, skipped: tuple[str, ...]
) -> None:
    (image.folder / "i.sh").write_text(script)

    made = image.make(f"{FROM}COPY i.sh .\nRUN {run}\nCMD x")

    assert made.skipped[:1] == skipped
    installs = script.partition("pip install ")[2].startswith("dependency")
    assert (f"{SITE}/dependency.py" in made.tree) is installs


@pytest.mark.parametrize(
    ("run", "path", "content"),
    [
        ("echo hello > /greeting", "greeting", "hello\n"),
        (
            "printf '[a]\\nb=1\\n' > /etc/a.ini && echo c >> /etc/a.ini",
            "etc/a.ini",
            "[a]\nb=1\nc\n",
        ),
        ("mkdir /b && cp a.txt /b && cp -r /b /c", "c/a.txt", "text"),
        ("mkdir d && cp a.txt d/ && cp -a d/. /e", "e/a.txt", "text"),
        ("mv a.txt /moved.txt", "moved.txt", "text"),
        ("ln a.txt /linked.txt && rm a.txt", "linked.txt", "text"),
        ("touch /empty && rm -rf /app/no", "empty", ""),
        ('touch /kept && rm -rf "$NOT_SET" /app/no', "kept", ""),
    ],
)
def test_run__file_tools__do_what_they_say(image: Image, run: str, path: str, content: str) -> None:
    (image.folder / "a.txt").write_text("text")

    made = image.make(f"FROM scratch\nWORKDIR /app\nCOPY a.txt .\nRUN mkdir /etc && {run}\nCMD x")

    assert made.skipped == ()
    with made.tree[path].open() as file:
        assert file.read().decode() == content


def test_run__link__stays_inside_and_leads_to_the_image(image: Image, tmp_path: Path) -> None:
    made = image.make("FROM scratch\nWORKDIR /app\nRUN echo a > b && ln -sf /app/b /link\nCMD x")
    root = tmp_path / "root"
    root.mkdir()
    materialize(made.tree, root)

    assert (root / "link").resolve() == (root / "app/b").resolve()


def test_copy__folder_that_every_base_has__is_one(image: Image) -> None:
    (image.folder / "a.txt").write_text("text")

    made = image.make(f"{FROM}COPY a.txt /tmp\nCOPY a.txt no-such-file* /opt/\nCMD x")

    assert {"tmp/a.txt", "opt/a.txt"} <= set(made.tree)
    assert made.skipped == ()


@pytest.mark.parametrize(("base", "is_there"), [("python:3.11-alpine", True), ("python", False)])
def test_begin__alpine__its_shell_knows_what_that_of_busybox_knows(
    image: Image, base: str, is_there: bool
) -> None:
    assert ("bin/sh" in image.make(f"FROM {base}\nCMD x").tree) is is_there


@pytest.mark.parametrize(
    ("run", "is_executable"),
    [
        ("chmod +x /app/run.sh", True),
        ("chmod 755 run.sh && chown root run.sh", True),
        ("chmod -R u+rwx,g+x .", True),
        ("chmod a+r run.sh", False),
        ("chmod +x run.sh && chmod 644 ./*.sh", False),
    ],
)
def test_run__chmod__makes_executable_what_it_names(
    image: Image, run: str, is_executable: bool
) -> None:
    (image.folder / "run.sh").write_text("#!/bin/sh\n")

    made = image.make(f"FROM scratch\nWORKDIR /app\nCOPY run.sh .\nRUN {run}\nCMD x")

    assert (made.tree["app/run.sh"].mode == 0o755) is is_executable
    assert made.skipped == ()


def test_run__child__gets_no_secret_of_the_user(
    image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    (image.folder / "setup.py").write_text(
        "import json, os\nopen('seen.json', 'w').write(json.dumps(dict(os.environ)))\n"
    )

    made = image.make(f"{FROM}COPY . .\nRUN python setup.py build\nCMD x")

    with made.tree["app/seen.json"].open() as file:
        seen = file.read().decode()
    assert "s3cret" not in seen
    assert '"PIP_FIND_LINKS"' in seen


# --- which Python ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image_name", "version"),
    [
        ("python:3.12-slim", "3.12"),
        ("public.ecr.aws/docker/library/python:3.11.4-alpine3.18", "3.11"),
        ("ghcr.io/astral-sh/uv:python3.13-bookworm-slim", "3.13"),
        ("tiangolo/uvicorn-gunicorn-fastapi:python3.10", "3.10"),
        ("mcr.microsoft.com/devcontainers/python:3.9", "3.9"),
        ("public.ecr.aws/lambda/python:3.12", "3.12"),
        ("python:slim", ""),
        ("python:3-slim", ""),
        ("ubuntu:22.04", ""),
        ("registry.example.com:5000/python3.8/app:1.2", "3.8"),
    ],
)
def test_named_version__reference__the_python_it_names(image_name: str, version: str) -> None:
    assert named_version(image_name) == version


def test_begin__python_that_nobody_has__another_and_a_note(image: Image) -> None:
    image.make("FROM python:3.99-slim\nRUN pip install dependency\nCMD x")

    assert image.notes == [
        f"Python 3.99 of FROM is not on this machine: tasks run on Python {VERSION}; "
        "`uv python install 3.99` gets it"
    ]


@pytest.mark.parametrize(
    ("there", "wanted", "version"),
    [
        (["3.61", "3.63"], "3.62", "3.63"),  # one that is newer runs most of what is for an older
        (["3.61", "3.60"], "3.62", "3.61"),
        (["3.61"], "3.66", VERSION),
    ],
)
def test_find_interpreter__python_that_nobody_has__the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: list[str], wanted: str, version: str
) -> None:
    for each in there:
        program = tmp_path / "bin" / f"python{each}"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho {each}; echo {program}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    find_local_python.cache_clear()

    found = find_interpreter(f"python:{wanted}-slim", cache=tmp_path / "cache")

    assert (found.version, found.wanted) == (version, wanted)
    find_local_python.cache_clear()


def test_copy__folders_of_the_python_that_is_not_here__are_those_of_the_other(
    image: Image, tmp_path: Path
) -> None:
    packages = "/usr/local/lib/python3.99/site-packages"
    made = image.make(
        "FROM python:3.99 AS build\nRUN pip install program\n"
        f"FROM python:3.99-slim\nCOPY --from=build {packages} {packages}\n"
        "COPY --from=build /usr/local/bin/program /usr/local/bin/program\nCMD x"
    )

    assert made.skipped == ()
    assert image.says(made, tmp_path, "/usr/local/bin/program") == "it runs"
    named = ("/usr/local/bin/python3.99", "-c", "import dependency; print(dependency.VERSION)")
    assert image.says(made, tmp_path, *named) == "1.0"


def test_run__install_fails_on_another_python__says_so_first(image: Image) -> None:
    with pytest.raises(LocalError) as raised:
        image.make("FROM python:3.99\nRUN pip install no-such-thing\nCMD x")

    assert raised.value.fix.startswith("Python 3.99 of FROM is not on this machine: ")


def test_begin__python__is_the_machines_and_has_no_packages(image: Image) -> None:
    made = image.make(f"{FROM}CMD x")

    assert [p for p, node in made.tree.items() if isinstance(node, OuterLink)]
    assert not [p for p in made.tree if p.startswith(f"{SITE}/")]
    assert image.make("FROM scratch\nCMD x").tree == {}


# --- mounts ------------------------------------------------------------------------------------


def test_run__bind_mounts__are_there_for_the_step_and_not_in_the_image(image: Image) -> None:
    (image.folder / "wanted").mkdir()
    (image.folder / "wanted" / "more.txt").write_text("click\n")

    made = image.make(
        f"FROM python:{VERSION} AS lists\nWORKDIR /lists\nCOPY wanted .\n{FROM}"
        "RUN --mount=type=cache,target=/root/.cache/pip \\\n"
        "    --mount=type=bind,source=requirements.txt,target=requirements.txt \\\n"
        "    --mount=type=bind,from=lists,src=/lists,dst=/mnt/lists \\\n"
        "    pip install -r requirements.txt -r /mnt/lists/more.txt\nCMD x"
    )

    assert {f"{SITE}/dependency.py", f"{SITE}/click.py"} <= set(made.tree)
    assert not {"app/requirements.txt", "mnt/lists/more.txt", "mnt/lists"} & set(made.tree)
    assert made.skipped == ()
