"""What `fsd approve` and `fsd reject` have in common."""

from __future__ import annotations

import json

from fsd.streams import say


def answer(
    service: str, env: str, *, region: str | None, output: str, force: bool, goes_on: bool
) -> int:
    from fsd.app.border import GuardedAction, require_allowed
    from fsd.app.operate import open_service
    from fsd.cli.wiring import connect, govern_in_workflow, who_forces
    from fsd.release.approval import answer_pause
    from fsd.report.approvals import answered_json, answered_text

    environments = govern_in_workflow()
    name = "approve" if goes_on else "reject"
    action = GuardedAction(name=name, forced_by=who_forces(force))
    require_allowed(None, env, action, environments_file=environments)
    connection, ref = open_service(
        connect, service, env, region=region, environments_file=environments
    )
    answered = answer_pause(connection.aws, ref, goes_on=goes_on)
    if output == "json":
        say(json.dumps(answered_json(answered), indent=2))
    else:
        say(answered_text(answered))
    return 0
