"""`fsd`, but with short breaths between the attempts of a call, and little patience with a call
that hangs. How often it tries stays as it is."""

from __future__ import annotations

from botocore.retries.standard import ExponentialBackoff

import fsd.aws.session
from fsd.cli.main import main

READ_TIMEOUT = 1.5  # s; an embedded AWS on a busy machine answers within it nearly always
PAUSE = 0.01


class _ShortBreaths(ExponentialBackoff):  # type: ignore[misc]
    def delay_amount(self, context: object) -> float:
        del context
        return PAUSE


if __name__ == "__main__":
    fsd.aws.session.READ_TIMEOUT = READ_TIMEOUT
    ExponentialBackoff.delay_amount = _ShortBreaths.delay_amount
    main()
