from __future__ import annotations

from pathlib import Path

import pytest

from fsd.app.deploy import run_deploy
from fsd.app.deployment import DeployOptions
from fsd.app.plan import run_plan
from fsd.cli.wiring import connect
from fsd.errors import CallFailedError
from fsd.release.reporter import Silent

MANIFEST = """\
apiVersion: fsd/v1
kind: Service
metadata:
  name: hello
  pack: pack-x
service:
  type: ecs
  port: 8000
"""


@pytest.mark.parametrize("run", [run_plan, run_deploy])
@pytest.mark.parametrize("name", ["Dockerfile.nope", "folder", "../Dockerfile.nope"])
def test_prepare__named_dockerfile_is_not_there__said_before_any_call(
    tmp_path: Path, run: object, name: str
) -> None:
    (tmp_path / "service.yml").write_text(MANIFEST)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "folder").mkdir()
    options = DeployOptions(
        file=tmp_path / "service.yml", environment="dev", dockerfile=Path(name), region="nowhere"
    )

    with pytest.raises(CallFailedError) as raised:
        run(options, connect, reporter=Silent())  # type: ignore[operator]  # one of two functions

    assert raised.value.code == "dockerfile-missing"
