"""What a role may not do, by IAM's simulation: asked side by side, in parts where IAM wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from fsd.account.facts import DeniedFact
from fsd.account.questions import ActionsMixed, Pair, Simulation, split
from fsd.errors import CallFailedError
from fsd.release.reads import Reads

Denied = Callable[[Simulation], dict[Pair, bool]]
_Begun = tuple[tuple[Simulation, Callable[[], dict[Pair, bool]]], ...]


def begin_asking(
    reads: Reads,
    questions: Iterable[Simulation],
    *,
    denied: Denied,
    on_refusal: Callable[[str], None],
) -> Callable[[], tuple[DeniedFact, ...]]:
    """What is returned waits for the answers. `on_refusal` is told of each question that IAM does
    not answer at all, neither as a whole nor in parts."""
    begun = _begin(reads, questions, denied)

    def get() -> tuple[DeniedFact, ...]:
        found: list[DeniedFact] = []
        waiting = begun
        while waiting:
            parts: list[Simulation] = []
            for question, answer in waiting:
                try:
                    found += _facts(question, answer())
                except CallFailedError as error:
                    smaller = _smaller(question, error)
                    parts += smaller
                    if not smaller:
                        on_refusal(error.what)
            waiting = _begin(reads, parts, denied)
        return tuple(found)

    return get


def _begin(reads: Reads, questions: Iterable[Simulation], denied: Denied) -> _Begun:
    return tuple((one, reads.start(partial(denied, one))) for one in questions)


def _smaller(question: Simulation, error: CallFailedError) -> tuple[Simulation, ...]:
    return split(question, error.groups) if isinstance(error, ActionsMixed) else ()


def _facts(question: Simulation, denied: Mapping[Pair, bool]) -> Iterator[DeniedFact]:
    for pair, by_organization in denied.items():
        yield DeniedFact(
            action=pair[0],
            resource=pair[1],
            why=question.why[pair],
            by_organization=by_organization,
        )
