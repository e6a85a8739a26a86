"""Environments: where a service goes. `.fsd/environments.yml`, or its defaults without the file.

Pure: the file's text is handed in.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from fsd.spec.models import Model

EnvironmentId = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,29}[a-z0-9])?$")]


class Vpc(Model):
    id: str = Field(pattern=r"^vpc-", description="The VPC.")
    private_subnets: tuple[str, ...] = Field(default=(), description="For tasks and internal ALBs.")
    public_subnets: tuple[str, ...] = Field(default=(), description="For public ALBs.")


class Environment(Model):
    """One document of `.fsd/environments.yml`."""

    name: EnvironmentId = Field(description="dev, prod, …; `local` is built in.")
    account: Annotated[str, StringConstraints(pattern=r"^\d{12}$")] | None = Field(
        default=None, description="A guard: any other account is refused."
    )
    region: str | None = Field(default=None, description="AWS region; the session's without it.")
    role_arn: str | None = Field(default=None, description="The role that a deployment assumes.")
    cloud_formation_role_arn: str | None = Field(
        default=None, description="The role that CloudFormation uses."
    )
    cluster: str | None = Field(default=None, description="ECS cluster; the name without it.")
    vpc: Vpc | None = Field(default=None, description="Found by tag without it.")
    branches: tuple[str, ...] = Field(default=(), description="Branches that deploy here.")
    promote_from: str | None = Field(
        default=None, description="Takes only digests that succeeded in that environment."
    )
    overrides: dict[str, str | int | float | bool | None] = Field(
        default={}, description="The same paths as --override."
    )
    protected: bool = Field(default=False, description="Refuses what is not from a branch of its.")

    @property
    def cluster_name(self) -> str:
        return self.cluster or self.name


class EnvironmentDocument(Model):
    api_version: Literal["fsd/v1"] = Field(description="The language's version.")
    kind: Literal["Environment"] = Field(description="Always Environment.")
    metadata: dict[str, str] = Field(description="name")
    spec: dict[str, object] = Field(description="The environment's keys.")
