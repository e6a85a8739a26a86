"""What a run tells people: annotations, the job's summary, the comment on the pull request.

Telling may fail, and the deployment is what counts: whatever goes wrong here is a warning. A signal
that comes meanwhile ends the telling, and is remembered for the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fsd.action.ports import CommentsPort
from fsd.errors import ErrorCode, FsdError, Interrupted, Location
from fsd.github.context import Context
from fsd.github.runner import Level, Runner
from fsd.manifest.finding import Finding, Severity
from fsd.release.notes import Note, Remark
from fsd.release.ports import Clock
from fsd.release.reporter import Reporter
from fsd.release.result import Phase, PhaseName, PhaseState, Progress, Result
from fsd.report.annotations import (
    SUMMARY_FULL,
    error_annotation,
    finding_annotation,
    untold_annotation,
)
from fsd.report.github_text import marker
from fsd.report.markdown import render_progress_comment
from fsd.report.notes import note_text
from fsd.report.words import log_texts

_LEVELS = {
    Severity.ERROR: Level.ERROR,
    Severity.WARNING: Level.WARNING,
    Severity.INFO: Level.NOTICE,
}
# Phases worth a new text in the comment: each costs a second of GitHub's rate limit.
BETWEEN_EVENTS = timedelta(seconds=30)
_COMMENTED = frozenset({PhaseName.IMAGE, PhaseName.ROLLOUT, PhaseName.ROLLBACK})


def without_log_lines(result: Result) -> Result:
    """For those who may read a comment, and not the service's log."""
    diagnosis = result.diagnosis
    if diagnosis is None or not log_texts(diagnosis):
        return result
    without = replace(
        diagnosis,
        causes=diagnosis.causes_without_log or diagnosis.causes,
        causes_without_log=(),
        log_lines=(),
        logs_elsewhere=(),
        log_error=None,
        log_task="",
    )
    return replace(result, diagnosis=without, notes=(*result.notes, Remark.LOG_LINES_ELSEWHERE))


def without_output(error: FsdError) -> FsdError:
    """Without what docker said, which stands below the error's first line."""
    if error.code is not ErrorCode.BUILD_FAILED or "\n" not in error.what:
        return error
    first, not_here = error.what.partition("\n")[0], note_text(Remark.LOG_LINES_ELSEWHERE)
    return type(error)(f"{first}\n{not_here}", where=error.where, fix=error.fix, code=error.code)


@dataclass(slots=True, kw_only=True)
class Announcer:
    """`comments` becomes None for the rest of the run where GitHub refuses once."""

    runner: Runner
    context: Context
    comments: CommentsPort | None
    clock: Clock
    interrupted: Interrupted | None = None
    _number: int | None = field(default=None, init=False)
    _is_searched: bool = field(default=False, init=False)
    _gathered: list[str] | None = field(default=None, init=False)

    def findings(self, findings: Iterable[Finding]) -> None:
        """On the lines that they are about; what an override brought is about no line."""
        for finding in findings:
            where = finding.where if isinstance(finding.where, Location) else None
            self.runner.annotate(
                _LEVELS[finding.severity],
                finding_annotation(finding),
                title=f"{finding.severity}[{finding.id}]",
                where=where,
                width=finding.width,
            )

    def error(self, error: FsdError, *, level: Level = Level.ERROR) -> None:
        where = error.where if isinstance(error.where, Location) else None
        self.runner.annotate(
            level, error_annotation(error), title=f"fsd: {error.code}", where=where
        )

    def gather_summaries(self) -> None:
        """From now on, until `take_summaries`: a job of several services has one summary."""
        self._gathered = []

    def take_summaries(self) -> tuple[str, ...] | None:
        """What was gathered; None where each was written at once."""
        gathered, self._gathered = self._gathered, None
        return None if gathered is None else tuple(gathered)

    def summary(self, text: str) -> None:
        if self._gathered is not None:
            self._gathered.append(text)
            return

        def write() -> None:
            if not self.runner.summary(text):
                self.runner.annotate(Level.WARNING, SUMMARY_FULL)

        self.guard(write)

    def comment(self, body: str, *, service: str, subject: str) -> str:
        """The comment's URL; "" where there is no pull request, or GitHub refuses."""
        comments = self.comments
        number = self._find_number()
        if comments is None or number is None:
            return ""
        urls: list[str] = []
        mark = marker(service, subject)
        # The first line is how the comment is found again; nothing in it is foreign.
        body = mark + self.runner.secrets.hide(body.removeprefix(mark))
        if not self.guard(lambda: urls.append(comments.publish(number, body, marker=mark))):
            self.comments = None
        return urls[0] if urls else ""

    def _find_number(self) -> int | None:
        """The pull request of the event, else the one that brought the commit; asked once."""
        if self.context.pull_request is not None:
            return self.context.pull_request.number
        if not self._is_searched and self.comments is not None:
            self._is_searched = True
            if not self.guard(self._search):
                self.comments = None
        return self._number

    def _search(self) -> None:
        if self.comments is not None:
            self._number = self.comments.find_pull_request(
                self.context.commit, branch=self.context.branch
            )

    def guard(self, tell: Callable[[], object]) -> bool:
        """Whether it could be told."""
        try:
            tell()
        except Interrupted as signal:
            self.interrupted = signal
            return False
        except FsdError as error:
            self.error(error, level=Level.WARNING)
            return False
        except (OSError, ValueError) as error:  # a file of the runner's; text that is none
            self.runner.annotate(Level.WARNING, untold_annotation(error), title="fsd: not told")
            return False
        return True


@dataclass(slots=True, kw_only=True)
class CommentingReporter:
    """Passes everything on, and shows in the comment the phase reached and the last event."""

    inner: Reporter
    announcer: Announcer
    service: str
    environment: str
    _phase: Phase | None = field(default=None, init=False)  # the one that the comment shows
    _shown_at: datetime | None = field(default=None, init=False)

    def begin(self, headline: str) -> None:
        self.inner.begin(headline)

    def phase(self, phase: Phase) -> None:
        self.inner.phase(phase)
        if phase.state is not PhaseState.RUNNING:
            self._phase = None
        if phase.name not in _COMMENTED or phase.state is not PhaseState.RUNNING:
            return
        self._phase = phase
        self._show(phase)

    def _show(self, phase: Phase, progress: Progress | None = None) -> None:
        now = self._shown_at = self.announcer.clock.now()
        body = render_progress_comment(
            self.service,
            self.environment,
            phase,
            run_url=self.announcer.context.run_url,
            updated_at=now,
            progress=progress,
        )
        self.announcer.comment(body, service=self.service, subject=self.environment)
        if self.announcer.interrupted is not None:
            # In mid-deployment a signal is the deployment's to answer.
            signal, self.announcer.interrupted = self.announcer.interrupted, None
            raise signal

    def progress(self, progress: Progress) -> None:
        self.inner.progress(progress)
        phase, shown_at = self._phase, self._shown_at
        if phase is None or shown_at is None or not progress.note:
            return
        if self.announcer.clock.now() - shown_at >= BETWEEN_EVENTS:
            self._show(phase, progress)

    def note(self, note: Note) -> None:
        self.inner.note(note)
