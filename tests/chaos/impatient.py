"""`fsd`, but with short breaths between the attempts of a call, as much patience with a call that
hangs as it is told, and half a minute for a change set. How often it tries stays as it is."""

from __future__ import annotations

import os
from datetime import timedelta

from botocore.retries.standard import ExponentialBackoff

import fsd.aws.session
import fsd.aws.stacks
from fsd.cli.main import main

READ_TIMEOUT = "TEST_READ_TIMEOUT"  # in the environment; seconds
PAUSE = 0.01


def _pause(self: ExponentialBackoff, context: object) -> float:
    del self, context
    return PAUSE


if __name__ == "__main__":
    fsd.aws.session.READ_TIMEOUT = float(os.environ[READ_TIMEOUT])
    fsd.aws.stacks.CHANGE_SET_LIMIT = timedelta(seconds=30)
    ExponentialBackoff.delay_amount = _pause
    main()
