"""Which variables a program reads, in each library's way of saying it."""

from __future__ import annotations

import pytest

from fsd.scaffold.modules import read_program
from fsd.scaffold.variables import Variable, find_variables, is_secret

SETTINGS = "from pydantic_settings import BaseSettings, SettingsConfigDict\nimport enum\n"
READS = [
    ("import os\nx = os.environ['A']", ("A", None, True, ())),
    ("import os\nx = os.getenv('A', 'b')", ("A", "b", False, ())),
    ("import os\nx = os.environ.get('A')", ("A", None, False, ())),
    ("from os import environ\nx = environ['A']", ("A", None, True, ())),
    ("from decouple import config\nx = config('A', default=3, cast=int)", ("A", "3", False, ())),
    ("from decouple import config\nx = config('A')", ("A", None, True, ())),
    ("from environs import Env\nenv = Env()\nx = env.int('A', 5)", ("A", "5", False, ())),
    ("import environ\nenv = environ.Env()\nx = env('A')", ("A", None, True, ())),
    ("import environ\nenv = environ.Env()\nx = env.db()", ("DATABASE_URL", None, True, ())),
    ("from starlette.config import Config\nc = Config()\nx = c('A', default='b')",
     ("A", "b", False, ())),
    (SETTINGS + "class S(BaseSettings):\n    a: str", ("A", None, True, ())),
    (SETTINGS + "class S(BaseSettings):\n    a: bool = False", ("A", "false", False, ())),
    (SETTINGS + "class S(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix='X_')\n"
     "    a: int = Field(default=3)", ("X_A", "3", False, ())),
    (SETTINGS + "class S(BaseSettings):\n    a: str = Field(..., validation_alias='B')",
     ("B", None, True, ())),
    (SETTINGS + "class B(BaseSettings): ...\nclass S(B):\n    a: Literal['x', 'y'] = 'x'",
     ("A", "x", False, ("x", "y"))),
    (SETTINGS + "class E(str, enum.Enum):\n    ONE = 'one'\n    TWO = 'two'\n"
     "class S(BaseSettings):\n    a: E | None = E.TWO", ("A", "two", False, ("one", "two"))),
    ("import typer\nx = typer.Option(1, envvar='A')", ("A", None, False, ())),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), READS)
def test_find_variables__each_way__name_default_and_values(
    source: str, expected: tuple[str, str | None, bool, tuple[str, ...]]
) -> None:
    found = find_variables(read_program({"main.py": source}))

    assert [(v.name, v.default, v.is_needed, v.values) for v in found.values()] == [expected]


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.environ['A'] = '1'",
        "import os\nx = os.environ['PATH']",
        "import os\nx = os.getenv('AWS_SECRET_ACCESS_KEY')",
        "config = {}\nx = config.get('A', 1)",
        "class S:\n    a: str = 'x'",
        "import os\nx = os.environ[name]",
        "def application(environ, start):\n    return environ['PATH_INFO']",
    ],
)
def test_find_variables__what_is_none__nothing(source: str) -> None:
    assert find_variables(read_program({"main.py": source})) == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, True) for name in ("DATABASE_URL", "SECRET_KEY", "API_KEY", "OPENAI_API_KEY")),
        *((name, True) for name in ("DB_PASSWORD", "github_token", "SENTRY_DSN", "REDIS_URL")),
        *((name, True) for name in ("JWT_SECRET", "SLACK_WEBHOOK_URL", "POSTGRES_PASSWORD")),
        *((name, False) for name in ("LOG_LEVEL", "ACCESS_TOKEN_EXPIRE_MINUTES", "MAX_TOKENS")),
        *((name, False) for name in ("DB_HOST", "TOKEN_URL", "KEYBOARD", "COMPASS", "BUCKET_NAME")),
        *((name, False) for name in ("PASSWORD_MIN_LENGTH", "JWT_ALGORITHM", "SECRET_ARN")),
    ],
)
def test_is_secret__name__by_what_it_is_for(name: str, expected: bool) -> None:
    assert is_secret(name) is expected
    assert Variable(name=name, where="x").is_secret is expected
