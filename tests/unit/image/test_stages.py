from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

import pytest

from fsd_files.dockerfile import parse_dockerfile
from fsd_files.errors import FileError
from fsd_files.tree import FOLDER, Kind, Node, Tree
from fsd_local.image.stages import Configuration, FileSnapshot, play


def tree(*paths: str) -> Tree:
    """Files whose content is their path; a name that ends with a slash is a folder."""
    found: Tree = {}
    for path in paths:
        if path.endswith("/"):
            found[path.rstrip("/")] = FOLDER
        else:
            found[path] = Node(kind=Kind.FILE, mode=0o644, content=path.encode())
    return found


def played(
    text: str, *paths: str, context: Tree | None = None, args: Mapping[str, str] | None = None
) -> FileSnapshot:
    return play(
        parse_dockerfile(text),
        context=tree(*paths) if context is None else context,
        build_args=args or {},
        architecture="amd64",
    )


def files(snapshot: FileSnapshot) -> dict[str, str]:
    return {
        path: node.content.decode()
        for path, node in snapshot.tree.items()
        if node.kind is Kind.FILE
    }


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        ("COPY app.py ./", {"app/app.py": "app.py"}),
        ("COPY app.py .", {"app/app.py": "app.py"}),
        ("COPY app.py main.py", {"app/main.py": "app.py"}),
        ("COPY app.py /srv/main.py", {"srv/main.py": "app.py"}),
        ("COPY app.py /app", {"app/app.py": "app.py"}),  # a folder by then: WORKDIR made it
        ("COPY pkg /srv/", {"srv/a.py": "pkg/a.py", "srv/sub/b.py": "pkg/sub/b.py"}),
        ("COPY pkg/sub pkg/a.py /srv/", {"srv/b.py": "pkg/sub/b.py", "srv/a.py": "pkg/a.py"}),
        ("COPY *.py /srv/", {"srv/app.py": "app.py"}),
        ("COPY p*/a.py /srv/", {"srv/a.py": "pkg/a.py"}),
        ('COPY ["app.py", "/a b/"]', {"a b/app.py": "app.py"}),
        ("COPY /app.py ../x/", {"x/app.py": "app.py"}),
        ("COPY ../../app.py /", {"app.py": "app.py"}),
        ("ADD app.py /srv/", {"srv/app.py": "app.py"}),
    ],
)
def test_play__copy__lands_where_docker_puts_it(copy: str, expected: dict[str, str]) -> None:
    snapshot = played(
        f"FROM scratch\nWORKDIR /app\n{copy}", "app.py", "pkg/a.py", "pkg/sub/b.py", "README"
    )

    assert files(snapshot) == expected


def test_play__copy_everything__the_whole_context() -> None:
    snapshot = played("FROM scratch\nWORKDIR /app\nCOPY . .", "a", "b/c")

    assert files(snapshot) == {"app/a": "a", "app/b/c": "b/c"}


def test_play__copy_of_what_is_not_there__names_the_line() -> None:
    with pytest.raises(FileError) as raised:
        played("FROM scratch\nCOPY nope /", "a")

    assert "`nope` is not in the build context" in raised.value.what
    assert str(raised.value.where) == "Dockerfile:2:1"


def test_play__copy_of_a_pattern_that_finds_nothing__nothing_as_in_buildkit() -> None:
    snapshot = played("FROM scratch\nCOPY a.env* /\nCOPY a b* /", "a")

    assert (files(snapshot), snapshot.skipped) == ({"a": "a"}, ())


@pytest.mark.parametrize("said", ["/data", '["/data", "/logs"]', "$PLACE"])
def test_play__volume__its_folder_is_there(said: str) -> None:
    snapshot = played(f"FROM scratch\nENV PLACE=/data\nVOLUME {said}", "a")

    assert snapshot.tree["data"].kind is Kind.DIRECTORY


def test_play__copy_chmod__sets_the_mode() -> None:
    snapshot = played("FROM scratch\nCOPY --chmod=755 run /run", "run")

    assert snapshot.tree["run"].mode == 0o755


def test_play__copy_of_a_link__copies_what_it_names() -> None:
    context = {**tree("real"), "link": Node(kind=Kind.LINK, target="real")}

    snapshot = played("FROM scratch\nCOPY link /x", context=context)

    assert files(snapshot) == {"x": "real"}


def test_play__stages__copy_from_by_name_and_number() -> None:
    snapshot = played(
        "FROM python AS Build\nWORKDIR /b\nCOPY a .\nFROM build\nCOPY b /b/\n"
        "FROM scratch\nCOPY --from=build /b /x/\nCOPY --from=1 /b/b /y",
        "a",
        "b",
    )

    assert files(snapshot) == {"x/a": "a", "y": "b"}


def test_play__stage_on_a_stage__inherits_files_and_configuration() -> None:
    snapshot = played(
        'FROM python AS base\nENV A=1\nWORKDIR /w\nCOPY a .\nCMD ["a"]\n'
        'FROM base\nENTRYPOINT ["e"]',
        "a",
    )

    assert files(snapshot) == {"w/a": "a"}
    assert snapshot.configuration == Configuration(
        environment={"A": "1"}, working_directory="/w", entry_point=("e",), command=None
    )


def test_play__run_and_foreign_images__skipped_and_told() -> None:
    snapshot = played(
        "FROM python AS unused\nRUN never\n"
        "FROM python AS build\nRUN make   it\n"
        "FROM python\nRUN pip install \\\n  flask\nCOPY --from=build /out /out\n"
        "COPY --from=ghcr.io/org/tool:1 /tool /bin/\nADD https://example.com/x /x\nCOPY a /",
        "a",
    )

    assert snapshot.skipped == (
        "RUN make it",
        "RUN pip install flask",
        "COPY --from=build /out /out",
        "COPY --from=ghcr.io/org/tool:1 /tool /bin/",
        "ADD https://example.com/x /x",
    )
    assert files(snapshot) == {"a": "a"}


def test_play__configuration__all_of_it() -> None:
    snapshot = played(
        'ARG BASE=python\nFROM $BASE\nARG V=1\nENV A=$V B="$A x"\nENV C=${A}2\n'
        "WORKDIR /srv\nWORKDIR app\nEXPOSE 8000 9000/udp\nUSER 10001\n"
        'LABEL a.b=$A\nENTRYPOINT ["python"]\nCMD ["app.py"]\n'
        "HEALTHCHECK CMD curl x\nSTOPSIGNAL SIGINT\nVOLUME /x"
    )

    assert snapshot.configuration == Configuration(
        environment={"A": "1", "B": " x", "C": "12"},
        working_directory="/srv/app",
        entry_point=("python",),
        command=("app.py",),
        user="10001",
        ports=("8000/tcp", "9000/udp"),
        labels={"a.b": "1"},
    )
    assert snapshot.tree["srv/app"].kind is Kind.DIRECTORY


def test_play__shell_form__runs_in_the_shell_that_was_chosen() -> None:
    snapshot = played('FROM scratch\nCMD echo $X\nSHELL ["/bin/bash", "-c"]\nENTRYPOINT a b')

    assert snapshot.configuration.command == ("/bin/sh", "-c", "echo $X")
    assert snapshot.configuration.entry_point == ("/bin/bash", "-c", "a b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM scratch\nARG V=1\nENV X=$V", "2"),  # given wins over the default
        ("ARG V=1\nFROM scratch\nARG V\nENV X=$V", "2"),
        ("ARG V=1\nFROM scratch\nENV X=$V", ""),  # global ones must be asked for
        ("FROM scratch\nENV V=env\nARG V=1\nENV X=$V", "env"),  # ENV wins over ARG
        ("FROM scratch\nARG TARGETARCH\nENV X=$TARGETARCH", "amd64"),
    ],
)
def test_play__arguments__as_docker_scopes_them(text: str, expected: str) -> None:
    snapshot = played(text, args={"V": "2"})

    assert snapshot.configuration.environment["X"] == expected


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("RUN x", "the first instruction must be FROM"),
        ("ARG A=1", "has no FROM"),
        ("FROM $NOTHING", "is empty"),
        ("FROM scratch\nCOPT a b", "`COPT` is not an instruction"),
        ("FROM scratch\nCOPY a", "needs a source and a destination"),
        ("FROM scratch\nCOPY <<EOF /a\nx\nEOF", "heredoc cannot be done without Docker"),
        ("FROM scratch\nCOPY --parents a /", "--parents cannot be done"),
        ("FROM scratch\nSHELL bash", "SHELL takes a JSON array"),
    ],
)
def test_play__what_cannot_be_done__refused(text: str, what: str) -> None:
    with pytest.raises(FileError) as raised:
        played(text, "a")

    assert what in raised.value.what
    assert raised.value.code == "dockerfile-invalid"


def test_play__add_of_an_archive__unpacks_it() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        member = tarfile.TarInfo("../sub/x")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"hi"))
    context = {"a.tgz": Node(kind=Kind.FILE, content=file.getvalue())}

    added = played("FROM scratch\nADD a.tgz /to/", context=context)
    copied = played("FROM scratch\nCOPY a.tgz /to/", context=context)

    assert files(added) == {"sub/x": "hi"}  # `..` leads out of /to, and no further than the root
    assert list(copied.tree) == ["to", "to/a.tgz"]


STAGES = """
FROM scratch AS base
CMD ["base"]
FROM base AS runtime
CMD ["run"]
FROM base AS test
CMD ["test"]
"""


@pytest.mark.parametrize(
    ("target", "command"), [("", "test"), ("runtime", "run"), ("RUNTIME", "run"), ("0", "base")]
)
def test_play__target__that_stage_or_the_last(target: str, command: str) -> None:
    snapshot = play(
        parse_dockerfile(STAGES), context={}, build_args={}, architecture="amd64", target=target
    )

    assert snapshot.configuration.command == (command,)


def test_play__target_that_is_no_stage__refused_with_those_there_are() -> None:
    with pytest.raises(FileError) as raised:
        play(
            parse_dockerfile(STAGES), context={}, build_args={}, architecture="amd64", target="prod"
        )

    assert "base, runtime, test" in raised.value.fix
