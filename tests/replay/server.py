"""An AWS that answers with what AWS once answered: one answer an operation, over real HTTP.

ECS takes JSON; ELB, CloudFormation and STS take forms and answer XML, which is made from the answer
by botocore's own model of it. What no answer is given for is refused, like an API that is denied.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import ListShape, OperationModel, Shape, StructureShape

Json = dict[str, Any]
ACCOUNT = "111122223333"
_QUERY_SERVICES = {
    "2011-06-15": "sts",
    "2015-12-01": "elbv2",
    "2010-05-15": "cloudformation",
    "2010-08-01": "cloudwatch",
}
_IDENTITY = {
    "Account": ACCOUNT,
    "UserId": "AIDAEXAMPLE",
    "Arn": f"arn:aws:iam::{ACCOUNT}:user/operator",
}


@dataclass
class Replay:
    """`answers` by operation. ListTasks goes by the status that is asked for (`ListTasks RUNNING`);
    an answer with `__error` is an error."""

    answers: Json
    endpoint: str = ""
    asked: list[str] = field(default_factory=list)

    def find(self, operation: str, parameters: Mapping[str, Any]) -> Json:
        if operation == "ListTasks":
            operation = f"ListTasks {parameters.get('desiredStatus')}"
        if operation == "DescribeTasks":
            return self._tasks(list(parameters.get("tasks", [])))
        missing = {"__error": "AccessDeniedException", "message": f"no answer for {operation}"}
        defaults = {"GetCallerIdentity": _IDENTITY}
        return dict(self.answers.get(operation, defaults.get(operation, missing)))

    def _tasks(self, arns: list[str]) -> Json:
        """Each by the name under which it is listed, so that an answer may lack its ARN."""
        listed = [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in self.answers.get(f"ListTasks {status}", {}).get("taskArns", [])
        ]
        answer = dict(self.answers.get("DescribeTasks", {}))
        if "tasks" in answer:
            pairs = zip(listed, answer["tasks"], strict=False)
            answer["tasks"] = [task for arn, task in pairs if arn in arns]
        return answer


@contextmanager
def replaying(answers: Json) -> Iterator[Replay]:
    """`endpoint` is what AWS_ENDPOINT_URL is set to."""
    replay = Replay(answers=answers)

    class Handler(_Handler):
        source = replay

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    replay.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield replay
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    source: Replay

    def do_GET(self) -> None:
        self._write(404, "text/plain", "no such page")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        target = self.headers.get("X-Amz-Target", "")
        if target:
            self._answer_json(target.rpartition(".")[2], json.loads(body or "{}"))
        else:
            self._answer_xml({name: values[0] for name, values in parse_qs(body).items()})

    def _answer_json(self, operation: str, parameters: Json) -> None:
        self.source.asked.append(operation)
        answer = self.source.find(operation, parameters)
        error = answer.pop("__error", "")
        if error:
            answer = {"__type": error, "message": answer.get("message", "")}
        self._write(400 if error else 200, "application/x-amz-json-1.1", json.dumps(answer))

    def _answer_xml(self, form: dict[str, str]) -> None:
        operation = form.get("Action", "")
        self.source.asked.append(operation)
        answer = self.source.find(operation, form)
        error = answer.pop("__error", "")
        if error:
            text = escape(str(answer.get("message", "")))
            inside = f"<Error><Code>{error}</Code><Message>{text}</Message></Error>"
            return self._write(400, "text/xml", f"<ErrorResponse>{inside}</ErrorResponse>")
        model = _model(_QUERY_SERVICES[form["Version"]], operation)
        result = model.output_shape
        inside = _xml(result, answer) if result is not None else ""
        wrapper = f"{operation}Result"
        text = f"<{wrapper}>{inside}</{wrapper}><ResponseMetadata/>"
        return self._write(200, "text/xml", f"<{operation}Response>{text}</{operation}Response>")

    def _write(self, status: int, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """A test reads what FSD prints."""


def _model(service: str, operation: str) -> OperationModel:
    return botocore.session.get_session().get_service_model(service).operation_model(operation)


def _xml(shape: Shape, value: Any) -> str:
    if isinstance(shape, StructureShape):
        members = shape.members
        return "".join(
            f"<{name}>{_xml(members[name], one)}</{name}>"
            for name, one in value.items()
            if name in members
        )
    if isinstance(shape, ListShape):
        return "".join(f"<member>{_xml(shape.member, one)}</member>" for one in value)
    return escape(str(value).lower() if isinstance(value, bool) else str(value))
