"""What somebody else said, word for word: AWS, Docker, an error. Below everything that passes it on
as a value; only `fsd.report` makes sentences of its own."""

from __future__ import annotations

from dataclasses import dataclass

from fsd.errors import FsdError


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    text: str
    where: str = ""  # "" where it does not matter

    @classmethod
    def of(cls, error: FsdError) -> Quoted:
        return cls(text=error.what)

    @classmethod
    def with_place(cls, error: FsdError) -> Quoted:
        return cls(text=error.what, where=str(error.where))
