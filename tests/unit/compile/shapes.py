"""Judges that nobody here wrote: botocore for API inputs, cfn-lint for templates."""

from __future__ import annotations

import json
from functools import cache

import botocore.session
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.runner import Runner

from fsd.compile.desired import Json


def assert_valid_input(service: str, operation: str, parameters: Json) -> None:
    shape = _model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(parameters, shape)
    assert not report.has_errors(), report.generate_report()


def lint_template(template: Json) -> list[str]:
    """cfn-lint's errors and warnings."""
    document, matches = decode_str(json.dumps(template))
    return [str(match) for match in matches or _cfn_lint().validate_template(document)]


@cache
def _cfn_lint() -> Runner:
    """cfn-lint with its rules. `cfnlint.api.lint` reads their 340 files anew for each template."""
    return Runner(ConfigMixIn(regions=["us-east-1"]))


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)
