"""What cannot be read of a build context, as FSD says it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fsd.errors import CallFailedError, ErrorCode
from fsd_files.errors import FileError


@contextmanager
def as_call_failed() -> Iterator[None]:
    try:
        yield
    except FileError as error:
        raise CallFailedError(
            error.what, where=error.where, fix=error.fix, code=ErrorCode.from_id(error.code)
        ) from error
