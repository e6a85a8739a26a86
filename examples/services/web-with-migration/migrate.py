"""Brings the database to what app.py needs; does nothing where it is there already."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing

MIGRATIONS = (
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    "ALTER TABLE notes ADD COLUMN title TEXT NOT NULL DEFAULT ''",
)


def main() -> None:
    # Set where a migration is to be seen failing.
    migrations = (*MIGRATIONS, os.environ.get("EXTRA_MIGRATION", "SELECT 1"))
    with closing(sqlite3.connect(os.environ["DATABASE"])) as database:
        (done,) = database.execute("PRAGMA user_version").fetchone()
        for number, migration in enumerate(migrations[done:], done + 1):
            database.execute(migration)
            database.execute(f"PRAGMA user_version = {min(number, len(MIGRATIONS))}")
            database.commit()
            sys.stdout.write(f"migration {number} done\n")


if __name__ == "__main__":
    main()
