"""Judges that nobody here wrote: botocore for API inputs, cfn-lint for templates."""

from __future__ import annotations

import json
from functools import cache

import botocore.session
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from cfnlint.api import lint

from fsd.compile.desired import Json


def assert_valid_input(service: str, operation: str, parameters: Json) -> None:
    shape = _model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(parameters, shape)
    assert not report.has_errors(), report.generate_report()


def lint_template(template: Json) -> list[str]:
    """cfn-lint's errors and warnings."""
    return [str(match) for match in lint(json.dumps(template), regions=["us-east-1"])]


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)
