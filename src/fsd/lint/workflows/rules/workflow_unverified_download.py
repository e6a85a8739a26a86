"""What is downloaded and run in a deployment's job runs with the job's role on AWS.

Whoever can change the file at that address deploys in your place. A checksum that stands in the
workflow, or a signature, notices the change; HTTPS only says from which server the file came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from fsd.lint.workflows.document import Workflow, WorkflowStep, every_command
from fsd.lint.workflows.problem import WorkflowProblem, at_word
from fsd.lint.workflows.shell import Command, Word
from fsd.manifest.yaml_tree import Scalar

_DOWNLOADERS = frozenset({"curl", "wget", "aria2c"})
_INTERPRETERS = frozenset(
    {"bash", "sh", "zsh", "dash", "ksh", "python", "python3", "node", "perl", "ruby", "php"}
)
_UNPACKERS = frozenset({"tar", "bsdtar", "unzip", "gunzip", "zcat", "xz", "cpio", "7z"})
_INSTALLERS = frozenset(
    {"install", "mv", "cp", "chmod", "dpkg", "rpm", "apt", "apt-get", "yum", "dnf", "pip", "pip3"}
)
_TAKES_FILES = _INTERPRETERS | _UNPACKERS | _INSTALLERS | {"source", "."}
_PREFIXES = frozenset({"sudo", "env", "command", "exec", "nice", "nohup", "timeout"})
_PROGRAM_FOLDER = re.compile(r"(?:^|/)s?bin(?:/|$)")
_VERIFIERS = re.compile(
    r"(?:sha\d+sum|shasum|md5sum|b[23]sum|gpgv?2?|cosign|minisign|signify|slsa-verifier|openssl)"
)
_URL = re.compile(r"(?:https?|ftp)://", re.IGNORECASE)
_OWN_MACHINE = re.compile(r"\w+://(?:localhost|127\.|\[::1\]|169\.254\.)", re.IGNORECASE)
# A path with a commit in it cannot come to mean something else.
_COMMIT = re.compile(r"/[0-9a-f]{40}(?:[/.]|$)")
_SENDS = re.compile(r"-(?:X|d|F|T|-request|-data\b.*|-form|-json|-upload-file)")


def check(workflow: Workflow) -> Iterator[WorkflowProblem]:
    for job in workflow.jobs.values():
        every = [tuple(every_command(step.commands)) for step in job.steps]
        verifies = [any(map(_verifies, commands)) for commands in every]
        uses = _last_uses(every)
        for index, step in enumerate(job.steps):
            # The step after a download is where some verify it.
            if step.run is None or any(verifies[index : index + 2]):
                continue
            for url in _unverified(step, index, every[index], uses):
                yield _problem(url, step.run, step)


def _problem(url: Word, run: Scalar, step: WorkflowStep) -> WorkflowProblem:
    shown = url.text if len(url.text) <= 80 else f"{url.text[:79]}…"
    return at_word(
        url,
        run,
        at=(*step.at, "run"),
        message=f"what `{shown}` answers is run, and nothing verifies it",
        fix=(
            "use `uses: org/fsd-deploy@v1` instead of this step and those that call `fsd`: it "
            "includes its own fsd, verified by hash"
            if "fsd" in url.text.lower()
            else "download to a file, then "
            '`echo "<sha256>  FILE" | sha256sum --check` before it is used; '
            "to deploy, `uses: org/fsd-deploy@v1` needs no download"
        ),
    )


def _last_uses(every: Sequence[Sequence[Command]]) -> Mapping[str, tuple[int, int]]:
    """File → (step, command) of the last command that runs, unpacks or installs it."""
    return {
        name: (index, position)
        for index, commands in enumerate(every)
        for position, command in enumerate(commands)
        for name in _used(command)
    }


def _unverified(
    step: WorkflowStep, index: int, commands: Sequence[Command], uses: Mapping[str, tuple[int, int]]
) -> Iterator[Word]:
    running = {
        command.pipe: position
        for position, command in enumerate(commands)
        if _runs_its_input(command)
    }
    ends = {command.pipe: command for command in commands}
    for position, command in enumerate(commands):
        yield from _run_inside(command, step)
        url = _url(command, step)
        if url is None:
            continue
        files = _files(command, url, ends[command.pipe])
        if running.get(command.pipe, -1) > position or any(
            _PROGRAM_FOLDER.search(file)
            or uses.get(file.rpartition("/")[2], (-1, -1)) > (index, position)
            for file in files
        ):
            yield url


def _run_inside(command: Command, step: WorkflowStep) -> Iterator[Word]:
    """`bash <(curl …)`, `bash -c "$(curl …)"`, `eval "$(curl …)"`, `. <(curl …)`."""
    if program(command) not in _INTERPRETERS | {"eval", "source", "."}:
        return
    for word in command.words:
        if word.text.startswith(("$(", "<(", "`")):
            for inner in word.inner:
                url = _url(inner, step)
                if url is not None:
                    yield url


def _url(command: Command, step: WorkflowStep) -> Word | None:
    """What a command downloads; None for another command, and for a call to an API."""
    if program(command) not in _DOWNLOADERS or any(_SENDS.match(text) for text in command.texts):
        return None
    for word in command.words:
        address = step.resolve(word.text)
        if _URL.match(address):
            harmless = _OWN_MACHINE.match(address) or _COMMIT.search(address)
            return None if harmless else word
    return None


def _runs_its_input(command: Command) -> bool:
    name = program(command)
    if name == "tee":
        return any(_PROGRAM_FOLDER.search(text) for text in command.texts[1:])
    if name in _INTERPRETERS:  # `python -c …` and `python -m json.tool` read, they don't run
        return not any(text in ("-c", "-m", "-e", "-ne", "-pe") for text in command.texts)
    return name in _UNPACKERS


def _files(command: Command, url: Word, last: Command) -> tuple[str, ...]:
    """Where the download is written to; `last` ends its pipeline."""
    named = [word.text for word in last.targets]
    texts = command.texts
    for flag, value in zip(texts, (*texts[1:], ""), strict=True):
        if flag in ("-o", "--output", "--output-document") or re.fullmatch(r"-[A-Za-z]*[oO]", flag):
            named.append(value)
        if flag.startswith(("--output=", "--output-document=")):
            named.append(flag.partition("=")[2])
    by_address = program(command) == "wget" or any(
        re.fullmatch(r"-[A-Za-z]*O[A-Za-z]*|--remote-name", text) for text in texts
    )
    if by_address or not named:
        named.append(url.text.partition("?")[0].rstrip("/").rpartition("/")[2])
    return tuple(name for name in named if name not in ("", "-", "/dev/null"))


def _used(command: Command) -> Iterator[str]:
    """The names of files that a command runs, unpacks or installs."""
    does = program(command)
    texts = command.texts
    if does in ("mv", "cp") and not any(_PROGRAM_FOLDER.search(text) for text in texts[1:]):
        return
    if does in _TAKES_FILES:
        yield from (text.rpartition("/")[2] for text in texts)
    elif any("/" in text for text in texts):
        yield does


def _verifies(command: Command) -> bool:
    name = program(command)
    if name == "gh":
        return "verify" in command.texts
    if name in ("gpg", "gpg2"):
        return "--verify" in command.texts
    return _VERIFIERS.fullmatch(name) is not None


def program(command: Command) -> str:
    """The name of what runs, behind `sudo` and the like."""
    for text in command.texts:
        if text in _PREFIXES or text.startswith("-") or "=" in text:
            continue
        return text if text == "." else text.rpartition("/")[2]
    return ""
