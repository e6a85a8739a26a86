"""An error as JSON: what `--format json` prints where the command has no result."""

from __future__ import annotations

import json

from fsd.errors import FsdError, Location

SCHEMA = "fsd/error/v1"


def error_json(error: FsdError) -> str:
    """`where` is a place in a file, or the name of a resource, an option, a command."""
    where: object = error.where
    if isinstance(where, Location):
        where = {"path": where.path, "line": where.line, "column": where.column}
    document = {
        "schema": SCHEMA,
        "code": error.code,
        "exitCode": int(error.exit_code),
        "what": error.what,
        "where": where,
        "fix": error.fix,
    }
    return json.dumps(document, indent=2)
