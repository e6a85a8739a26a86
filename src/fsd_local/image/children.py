"""What a program gets to see that installs what a Dockerfile names.

A package's setup script is anybody's code. It gets no token, no key and no password of the user's
environment, but for what reaches an index: its address and the certificates of this machine.
"""

from __future__ import annotations

import configparser
import os
from pathlib import Path

# Where packages come from, and how to get there. Not PIP_TARGET, PIP_USER and the like: where they
# go to is not the machine's to say.
_INDEXES = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_NO_INDEX",
    "PIP_TRUSTED_HOST",
    "PIP_CERT",
    "PIP_PROXY",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_RETRIES",
    "PIP_CONSTRAINT",
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_NO_INDEX",
    "UV_INSECURE_HOST",
    "UV_INDEX_STRATEGY",
)
_NETWORK = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)
_MACHINE = ("LD_LIBRARY_PATH", "TZ")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What pip's configuration says of indexes, in uv's words.
_UV_WORDS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
}
_PIP_WORDS = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_NO_INDEX": "UV_NO_INDEX",
}


def quiet_environment() -> dict[str, str]:
    """For a program of this machine that installs nothing into an image."""
    return {**_inherited(_NETWORK + _MACHINE), **_home(), "PATH": os.environ.get("PATH", "")}


def build_environment() -> dict[str, str]:
    """For what is run in an image's folder; HOME and PATH are the image's to say."""
    found = _inherited(_INDEXES + _NETWORK + _MACHINE)
    files = _pip_files()
    if "PIP_CONFIG_FILE" in os.environ:
        found["PIP_CONFIG_FILE"] = os.environ["PIP_CONFIG_FILE"]
    elif files:
        # HOME is another, so that the user's own file would not be found.
        found["PIP_CONFIG_FILE"] = str(files[-1])
    for option, name in _UV_WORDS.items():
        value = _configured(option, files)
        if value:
            found.setdefault(name, value)
    for pip, uv in _PIP_WORDS.items():
        if pip in found and uv not in _inherited(_INDEXES):
            found[uv] = found[pip]
    # Of pip's five, which with an index that cannot be reached is eight seconds a package.
    found.setdefault("PIP_RETRIES", "2")
    # As pip has it: the best version of all indexes, not the first index that knows the name.
    found.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return {
        **found,
        "PATH": _SYSTEM_PATH,
        "LANG": "C.UTF-8",
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        "UV_SYSTEM_CERTS": "1",
        "UV_NATIVE_TLS": "1",
        "PYTHONUTF8": "1",
        # A project's environment is found by its place, not by a name made from the path.
        "POETRY_VIRTUALENVS_IN_PROJECT": "true",
        "POETRY_NO_INTERACTION": "1",
        "PIPENV_VENV_IN_PROJECT": "1",
        "PIPENV_NOSPIN": "1",
        "PDM_IGNORE_SAVED_PYTHON": "1",
        "PDM_CHECK_UPDATE": "0",
    }


def _inherited(names: tuple[str, ...]) -> dict[str, str]:
    lower = tuple(name.lower() for name in names if name.endswith("_PROXY"))
    return {name: os.environ[name] for name in (*names, *lower) if name in os.environ}


def _home() -> dict[str, str]:
    return _inherited(("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "UV_PYTHON_INSTALL_DIR"))


def _pip_files() -> tuple[Path, ...]:
    """The user's configuration of pip; the machine's own is read wherever HOME is.

    https://pip.pypa.io/en/stable/topics/configuration/#location
    """
    home = Path.home()
    configured = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    candidates = (home / ".pip" / "pip.conf", configured / "pip" / "pip.conf")
    return tuple(path for path in candidates if path.is_file())


def _configured(option: str, files: tuple[Path, ...]) -> str:
    found = ""
    machine = (Path("/etc/pip.conf"), Path("/etc/xdg/pip/pip.conf"))
    named = os.environ.get("PIP_CONFIG_FILE")
    for path in (*machine, *files, *((Path(named),) if named else ())):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path)
        except (OSError, configparser.Error, UnicodeDecodeError):
            continue
        found = parser.get("global", option, fallback="") or found
    return " ".join(found.split())
