"""Works on a queue until it is told to stop, and shows that it is alive.

A real worker asks SQS with boto3; this one only waits, so that it needs nothing but Python.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path


def main() -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    queue, alive = os.environ["QUEUE_NAME"], Path(os.environ["ALIVE"])
    sys.stdout.write(f"waiting for messages on {queue}\n")
    while not stop.wait(1):
        alive.touch()
    sys.stdout.write("finished the message in hand\n")


if __name__ == "__main__":
    main()
