"""The sessions that were opened and that nobody has connected to yet."""

from __future__ import annotations

import hmac
import secrets
import threading
from dataclasses import dataclass, field

DATA_CHANNEL = "/v1/data-channel/"
_MOST = 100  # that wait for their client


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`command` is what runs in the container, as an argument list."""

    id: str
    token: str = field(repr=False)
    task_id: str
    container: str
    command: tuple[str, ...]


class Sessions:
    """Thread-safe. A session's token opens its data channel once."""

    def __init__(self, endpoint: str) -> None:
        """`endpoint` is where the data channels are: `ws://127.0.0.1:4566`."""
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._waiting: dict[str, Session] = {}

    def open(self, *, task_id: str, container: str, command: tuple[str, ...]) -> Session:
        session = Session(
            id=f"ecs-execute-command-{secrets.token_hex(12)}",
            token=secrets.token_urlsafe(48),
            task_id=task_id,
            container=container,
            command=command,
        )
        with self._lock:
            self._waiting[session.id] = session
            for oldest in list(self._waiting)[:-_MOST]:
                del self._waiting[oldest]
        return session

    def url(self, session: Session) -> str:
        return f"{self._endpoint}{DATA_CHANNEL}{session.id}?role=publish_subscribe"

    def take(self, session_id: str, token: str) -> Session | None:
        """None for a session that is unknown or taken, and for another's token."""
        with self._lock:
            found = self._waiting.get(session_id)
            if found is None or not hmac.compare_digest(found.token.encode(), token.encode()):
                return None
            return self._waiting.pop(session_id)

    def reset(self) -> None:
        with self._lock:
            self._waiting.clear()
