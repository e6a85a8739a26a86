"""`fsd local`: the commands of `fsd-local`, in FSD's words."""

from __future__ import annotations

import click

from fsd import embedded_aws

command: click.Group = embedded_aws.load_commands()
