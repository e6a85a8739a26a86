"""Every rule, by hand: a list that can be read, searched and typed.

Order does not matter; findings are sorted by place.
"""

from __future__ import annotations

from fsd.lint.finding import Rule
from fsd.lint.rules import (
    capacity_order,
    duplicate_secret_name,
    env_missing_in_resource_name,
    environment_secret_clash,
    external_load_balancer,
    fargate_size,
    health_check_timing,
    load_balancer_without_port,
    log_retention_missing,
    log_retention_value,
    msk_iam_flag_missing,
    msk_permissions_incomplete,
    owners_missing,
    permission_type_mismatch,
    production_single_replica,
    s3_list_bucket_missing,
    secret_arn_malformed,
    secret_arn_partial,
    secret_in_environment,
    unknown_dependency_type,
    unknown_permission,
    vpc_disabled,
    wildcard_permission,
    yaml_boolean_trap,
)

ALL_RULES: tuple[Rule, ...] = (
    capacity_order.RULE,
    duplicate_secret_name.RULE,
    env_missing_in_resource_name.RULE,
    environment_secret_clash.RULE,
    external_load_balancer.RULE,
    fargate_size.RULE,
    health_check_timing.RULE,
    load_balancer_without_port.RULE,
    log_retention_missing.RULE,
    log_retention_value.RULE,
    msk_iam_flag_missing.RULE,
    msk_permissions_incomplete.RULE,
    owners_missing.RULE,
    permission_type_mismatch.RULE,
    production_single_replica.RULE,
    s3_list_bucket_missing.RULE,
    secret_arn_malformed.RULE,
    secret_arn_partial.RULE,
    secret_in_environment.RULE,
    unknown_dependency_type.RULE,
    unknown_permission.RULE,
    vpc_disabled.RULE,
    wildcard_permission.RULE,
    yaml_boolean_trap.RULE,
)
