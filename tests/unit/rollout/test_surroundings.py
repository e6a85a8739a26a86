"""A variable or a server that is not there, in the words of frameworks and of people."""

from __future__ import annotations

import pytest

from fsd.report.cause_advice import advice_text
from fsd.rollout.surroundings import find_unreachable, find_variables, is_unreachable

UNSET = "Requested setting LOGGING_CONFIG, but settings are not configured. You must either "


@pytest.mark.parametrize(
    ("exception", "name"),
    [
        ("KeyError: 'SHOP_KEY'", "SHOP_KEY"),
        ("KeyError: \"Config 'SHOP_KEY' is missing, and has no default.\"", "SHOP_KEY"),
        (f"x.ImproperlyConfigured: {UNSET}define the environment variable A_B or", "A_B"),
        ("x.ImproperlyConfigured: Set the SHOP_KEY environment variable", "SHOP_KEY"),
        ("x.ImproperlyConfigured: The SECRET_KEY setting must not be empty.", "SECRET_KEY"),
        ("decouple.UndefinedValueError: SHOP_KEY not found. Declare it as envvar or", "SHOP_KEY"),
        ('environs.EnvError: Environment variable "SHOP_KEY" not set', "SHOP_KEY"),
        ("x.ValidationError: 1 validation error for Settings shop_key Field required", "SHOP_KEY"),
        ("/srv/run.sh: line 3: SHOP_KEY: unbound variable", "SHOP_KEY"),
        ("./run.sh: 2: SHOP_KEY: parameter not set", "SHOP_KEY"),
        ("ValueError: SHOP_KEY environment variable is not set", "SHOP_KEY"),
        ("RuntimeError: Missing required environment variables: SHOP_KEY, OTHER", "SHOP_KEY"),
        ("AssertionError: SHOP_KEY must be set", "SHOP_KEY"),
        ("KeyError: 'price'", ""),
        ("ValueError: price is missing", ""),
        ("TypeError: f() missing 1 required positional argument: 'X'", ""),
        ("KeyError: 'user_id must be set'", ""),
        ("OSError: [Errno 98] Address already in use", ""),
    ],
)
def test_find_variables(exception: str, name: str) -> None:
    assert find_variables(exception) == ((name,) if name else ())


def test_find_variables__several_fields_of_a_settings_class__all() -> None:
    exception = (
        "ValidationError: 3 validation errors for Settings database_url Field required, "
        "secret_key Field required, database_url Field required"
    )

    assert find_variables(exception) == ("DATABASE_URL", "SECRET_KEY")


@pytest.mark.parametrize(
    ("exception", "advice"),
    [
        ("Error -2 connecting to cache:6379. Name or service not known.", "`cache` cannot be resolved in a task"),
        ('could not translate host name "db" to address', "`db` cannot be resolved in a task"),
        ("(2003, \"Can't connect to MySQL server on 'db' ([Errno -2] Name or service not known)\")", "`db` cannot be resolved in a task"),
        ("HTTPConnectionPool(host='search', port=9200): Max retries exceeded: [Errno -2] Name or service not known", "`search` cannot be resolved in a task"),
        ("Cannot connect to amqp://a:**@queue:5672//: [Errno -2] Name or service not known", "`queue` cannot be resolved in a task"),
        ('connection to server on socket "/run/pg/.s.PGSQL.5432" failed: No such file or directory', "no database's host is set, so the program looks for a server on the Unix socket `/run/pg/.s.PGSQL.5432` of"),
        ("(2002, \"Can't connect to local MySQL server through socket '/run/mysqld/mysqld.sock' (2)\")", "no database's host is set, so the program looks for a server on the Unix socket `/run/mysqld/mysqld.sock` of"),
        ('connection to server at "db" (10.0.0.2), port 5432 failed: Connection refused', "make `db:5432` reachable"),
        ("Error 111 connecting to localhost:6379. Connection refused.", "nothing listens on `localhost:6379` in the task"),
        ("OSError: [Errno 111] Connect call failed ('127.0.0.1', 5432)", "nothing listens on `127.0.0.1:5432` in the task"),
        ("OSError: [Errno 111] Connect call failed ('::1', 5432, 0, 0)", "nothing listens on `::1:5432` in the task"),
        ('could not translate host name "db.example.com" to address', "make `db.example.com` reachable"),
        ("socket.gaierror: [Errno -2] Name or service not known", "make the server that the program connects to reachable"),
    ],
)  # fmt: skip
def test_unreachable_advice__names_whom(exception: str, advice: str) -> None:
    assert is_unreachable(exception)
    assert advice_text(find_unreachable(exception)).startswith(advice)
