"""The runner's side of a step: inputs, outputs, masks, groups, annotations, the summary.

The one adapter for it. actions-toolkit knows the syntax (escaping, the delimiters of files) and is
used for that; what it prints it does not flush, so a mask could come after the secret: everything
is written here, to one stream, and flushed.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from fsd.errors import CallFailedError, ErrorCode, Location, UsageError
from fsd.release.run_secrets import RunSecrets
from fsd.streams import Unbreakable, printable

# Not the runner's INPUT_*: a composite action's run step does not get them, so action.yml maps
# each input to one of these. https://github.com/actions/runner/issues/665
PREFIX = "FSD_INPUT_"
# The runner drops a step's whole summary where it is larger than 1 MiB.
SUMMARY_LIMIT = 900 * 1024
_WRITE_TIMEOUT = 60.0  # seconds, with a runner that does not read

_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})


class Level(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class Runner:
    """One step. Foreign text belongs between `foreign_text`, on the same stream: the runner reads
    commands from a step's stderr too, and keeps no order between the two."""

    def __init__(self, environ: Mapping[str, str], *, stream: TextIO) -> None:
        self._environ = environ
        self.stream = stream
        # A line that stops commands must not get lost before the foreign text that it is for.
        self._sink = Unbreakable(stream, timeout=_WRITE_TIMEOUT, is_final=True)
        self._stopped_by = ""
        self.secrets = RunSecrets()  # hidden in everything that leaves here

    # --- inputs ----------------------------------------------------------------------------

    def input(self, name: str) -> str:
        """The trimmed text; "" where it is not given, or given as nothing."""
        return self._environ.get(PREFIX + name.upper().replace("-", "_"), "").strip()

    def is_empty(self, name: str) -> bool:
        """Whether it is given as nothing, as an expression without a value gives it."""
        variable = PREFIX + name.upper().replace("-", "_")
        return variable in self._environ and not self._environ[variable].strip()

    def lines(self, name: str) -> tuple[str, ...]:
        """The lines of a multi-line input, trimmed, without empty ones."""
        return tuple(line.strip() for line in self.input(name).splitlines() if line.strip())

    def variable(self, name: str) -> str:
        return self._environ.get(name, "")

    def flag(self, name: str, *, default: bool) -> bool:
        """A boolean of YAML 1.2's core schema. Raises UsageError for anything else."""
        text = self.input(name)
        if not text:
            return default
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        raise UsageError(
            f"`{text}` is neither true nor false",
            where=f"input {name}",
            fix="write true or false",
        )

    # --- commands --------------------------------------------------------------------------

    def mask(self, secret: str) -> None:
        """Show `***` in its place from now on, in this log and in all later steps'."""
        for line in filter(None, (line.strip() for line in secret.splitlines())):
            self._command("add-mask", line)
        self.hide([secret])

    def hide(self, values: Iterable[str]) -> None:
        """Show `***` in their place in all that this step says."""
        self.secrets = self.secrets.and_also(values)

    def annotate(
        self,
        level: Level,
        message: str,
        *,
        title: str = "",
        where: Location | None = None,
        width: int = 1,
    ) -> None:
        """A message on the run's page and, with a place in a file, on the line of a change."""
        properties = {"title": title} if title else {}
        if where is not None:
            properties |= {
                "file": where.path,
                "line": str(where.line),
                "col": str(where.column),
                "endColumn": str(where.column + width),
            }
        self._command(level, message, properties)

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Lines that the log folds under a title."""
        self._command("group", title)
        try:
            yield
        finally:
            self._command("endgroup")

    @contextmanager
    def foreign_text(self) -> Iterator[None]:
        """No command is taken from what is written here, but this class's own still work."""
        outer = self._stopped_by
        if not outer:
            self._stop()
        try:
            yield
        finally:
            if not outer:
                self._resume()

    def write(self, text: str) -> None:
        """Foreign lines into the log."""
        lines = self.secrets.hide(text).split("\n")
        with self.foreign_text():
            self._line("\n".join(printable(line) for line in lines))

    def _command(
        self, name: str, message: str = "", properties: Mapping[str, str] | None = None
    ) -> None:
        from actions_toolkit.command import Command

        if name != "add-mask":
            message = self.secrets.hide(message)
            properties = {key: self.secrets.hide(text) for key, text in (properties or {}).items()}
        stopped = bool(self._stopped_by)
        if stopped:
            self._resume()
        self._line(str(Command(name, dict(properties or {}), message)))
        if stopped:
            self._stop()

    def _stop(self) -> None:
        self._stopped_by = uuid.uuid4().hex
        self._line(f"::stop-commands::{self._stopped_by}")

    def _resume(self) -> None:
        self._line(f"::{self._stopped_by}::")
        self._stopped_by = ""

    def _line(self, text: str) -> None:
        self._sink.write(f"{text}\n")

    # --- files -----------------------------------------------------------------------------

    def output(self, name: str, value: str) -> None:
        """Set an output, where there is a runner that takes one.

        Raises ValueError for a line break: no output of ours has one, and a step that splits the
        value into lines would be fooled by it.
        """
        from actions_toolkit.file_command import prepare_key_value_message

        if re.search(r"[\r\n]", value):
            raise ValueError(f"the output {name} has a line break")
        value = self.secrets.hide(value)
        self._append("GITHUB_OUTPUT", prepare_key_value_message(name, value) + "\n")

    def summary(self, markdown: str) -> bool:
        """Append to the job's summary; False where there is no room left for it."""
        path = self._environ.get("GITHUB_STEP_SUMMARY", "")
        if not path:
            return True
        used = Path(path).stat().st_size if Path(path).exists() else 0
        text = self.secrets.hide(markdown).rstrip("\n") + "\n\n"
        if used + len(text.encode()) > SUMMARY_LIMIT:
            return False
        self._append("GITHUB_STEP_SUMMARY", text)
        return True

    def _append(self, variable: str, text: str) -> None:
        path = self._environ.get(variable, "")
        if not path:
            return
        try:
            # A pipe that nobody reads is an error here, and not a step that hangs.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
            with os.fdopen(os.open(path, flags, 0o666), "a", encoding="utf-8", newline="") as file:
                file.write(text)
        except OSError as error:
            raise CallFailedError(
                f"the runner's file cannot be written: {error}",
                where=f"{variable}={path}",
                fix="check that no earlier step removed it, and that the disk is not full",
                code=ErrorCode.RUNNER_FILE,
            ) from error
