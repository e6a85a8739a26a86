"""Writes a report, and ends: 0 where it is written.

A real one would put it into S3 with boto3; this one only prints, and needs nothing but
Python.
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    days = int(os.environ["REPORT_DAYS"])
    if days < 1:
        sys.stderr.write(f"REPORT_DAYS is {days}: there is nothing to report\n")
        return 2
    sys.stdout.write(f"report of {days} days written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
