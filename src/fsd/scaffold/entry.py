"""A command for an image that has none: guessed from the application that the code makes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from fsd.scaffold.modules import Module, SourceModules, called

_ASGI = frozenset({"FastAPI", "Starlette", "Litestar", "Quart", "BlackSheep", "NinjaAPI"})
_WSGI = frozenset({"Flask", "APIFlask", "Bottle", "Falcon"})
_MAIN = ("main.py", "app.py", "asgi.py", "server.py", "run.py", "__main__.py")
_FILES = ("main.py", "app.py", "server.py", "worker.py", "run.py", "bot.py", "consumer.py")


def guess_command(
    program: SourceModules, uses: Mapping[str, str], *, port: int
) -> tuple[tuple[str, ...], str] | None:
    """The command, and the file that it was guessed from; None where nothing says it."""
    for module in sorted(program.modules, key=lambda each: (each.path.count("/"), each.path)):
        for name, made in _made(module, uses):
            place = f"{_dotted(module)}:{name}"
            if made in _ASGI:
                runner = next(
                    (each for each in ("uvicorn", "hypercorn") if each in uses), "uvicorn"
                )
                bind: tuple[str, ...] = ("--host", "0.0.0.0", "--port", str(port))
                if runner == "hypercorn":
                    bind = ("--bind", f"0.0.0.0:{port}")
                return (runner, place, *bind), module.path
            if made in _WSGI and "gunicorn" in uses:
                return ("gunicorn", "--bind", f"0.0.0.0:{port}", place), module.path
            if made in ("Flask", "APIFlask"):
                bind = ("--host", "0.0.0.0", "--port", str(port))
                return ("flask", "--app", place, "run", *bind), module.path
    return _of_django(program, uses, port) or _of_file(program)


def _made(module: Module, uses: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What the module itself makes, not what a function of it does: `app`, `FastAPI`."""
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                made = called(call)
                is_factory = name in ("app", "application") and module.path.endswith(_MAIN)
                if made not in _ASGI | _WSGI and is_factory:  # `app = create_app()`
                    made = "Flask" if "flask" in uses and "fastapi" not in uses else "FastAPI"
                yield name, made


def _of_django(
    program: SourceModules, uses: Mapping[str, str], port: int
) -> tuple[tuple[str, ...], str] | None:
    for module in program.modules:
        if module.path.endswith("/wsgi.py") and "application" in module.values:
            if "gunicorn" in uses:
                return ("gunicorn", "--bind", f"0.0.0.0:{port}", _dotted(module)), module.path
            return ("python", "manage.py", "runserver", f"0.0.0.0:{port}"), "manage.py"
    return None


def _of_file(program: SourceModules) -> tuple[tuple[str, ...], str] | None:
    paths = {module.path for module in program.modules}
    for path in _FILES:
        if path in paths:
            return ("python", path), path
    for module in program.modules:
        if module.path.endswith("__main__.py") and module.path.count("/") == 1:
            return ("python", "-m", module.path.partition("/")[0]), module.path
    return None


def _dotted(module: Module) -> str:
    path = module.path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__")
    return path.replace("/", ".")
