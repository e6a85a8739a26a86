from __future__ import annotations

from fsd_local.sessions.store import Sessions


def test_take__the_right_token__once() -> None:
    sessions = Sessions("ws://127.0.0.1:4566")
    session = sessions.open(task_id="a", container="app", command=("sh",))

    assert sessions.take(session.id, "another") is None
    assert sessions.take(session.id, session.token) == session
    assert sessions.take(session.id, session.token) is None


def test_take__after_a_reset__nothing() -> None:
    sessions = Sessions("ws://127.0.0.1:4566")
    session = sessions.open(task_id="a", container="app", command=("sh",))
    sessions.reset()

    assert sessions.take(session.id, session.token) is None


def test_open__many_that_nobody_takes__the_oldest_go() -> None:
    sessions = Sessions("ws://127.0.0.1:4566")
    opened = [sessions.open(task_id="a", container="app", command=("sh",)) for _ in range(101)]

    assert sessions.take(opened[0].id, opened[0].token) is None
    assert sessions.take(opened[1].id, opened[1].token) == opened[1]


def test_repr__a_session__has_no_token() -> None:
    session = Sessions("ws://127.0.0.1:4566").open(task_id="a", container="app", command=("sh",))

    assert session.token not in repr(session)
