"""Log lines of real formats in which there is no secret, made up from a seed.

The formats are those of the tools themselves: nginx, ALB, uvicorn, gunicorn, Django, structlog,
SQLAlchemy, botocore, Celery, Kafka, Postgres, Redis, MySQL, pip, Docker, Kubernetes, Envoy, Java.
"""

from __future__ import annotations

import base64
import json
import random
import uuid
from collections.abc import Callable, Iterator

_LOWER = "abcdefghijklmnopqrstuvwxyz"
_HEX = "0123456789abcdef"
_BASE64 = f"{_LOWER}{_LOWER.upper()}0123456789+/"
_PATHS = (
    "/health", "/api/v1/offers/{n}", "/api/users/{n}/password-reset", "/token", "/oauth/token",
    "/login?next=/admin", "/search?q=secret+santa&page={n}", "/static/js/main.{h8}.js",
    "/items?key=name&sort=asc", "/v2/keys?limit={n}", "/callback?code=200&state=ok", "/.env",
    "/wp-login.php", "/auth/realms/x/protocol/openid-connect/token", "/api/tokens/{n}",
    "/t?code=US&lang=en", "/cookies", "/api/secrets/{n}/versions?page=2", "/u/{uuid}/avatar.png",
    "/graphql?operationName=ResetPassword", "/blob/{h40}/README.md",
)  # fmt: skip
_AGENTS = (
    "ELB-HealthChecker/2.0", "curl/8.5.0", "python-requests/2.32.3", "kube-probe/1.29",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0",
)  # fmt: skip
_MESSAGES = (
    "token bucket: 5 of 10 left", "(RequestToken: {uuid}, HandlerErrorCode: InvalidRequest)", "Unpacking libsecret-1-0:amd64 (0.20.5-3) ...", "status unpacked xauth:amd64 1:1.1.2-1",
    "see https://docs.aws.amazon.com/wellarchitected/latest/framework/ops_dev_integ_multi_env.html", "token bucket empty, waiting {n} ms", "max_tokens: {n}",
    "password reset requested for user {n}", "Password reset e-mail sent to user_id={n}",
    "secret santa drew {n} names", "prompt_tokens={n} completion_tokens={n} total_tokens={n}",
    "usage: prompt_tokens: {n}, completion_tokens: {n}", "loaded 3 secrets from Secrets Manager",
    "cache_key=offers:{n}:v2 hit", "primary_key=id partition_key=tenant", "sort key: created_at",
    "idempotency_key={uuid}", "request_id={uuid} trace_id={h32} span_id={h16}",
    "the password is wrong", "Invalid password: too short", "Incorrect username or password.",
    "password: This field is required.", "password: must contain at least 8 characters",
    "{{'password': ['This field may not be blank.']}}", "(using password: YES)",
    "password authentication failed for user \"app\"", "token expired at 2026-01-02T03:04:05Z",
    "Unexpected token < in JSON at position 0", "SyntaxError: Unexpected token: identifier",
    "token_type=Bearer expires_in=3600 scope=read", "signature: invalid", "signature expired",
    "Authentication credentials were not provided.", "Forbidden (CSRF cookie not set.): /api/x",
    "CSRF token missing or incorrect.", "KeyError: 'password'", "KeyError: 'API_KEY'",
    "environment variable DB_PASSWORD is not set", "missing required setting: SECRET_KEY",
    "ValidationError: 1 validation error for Settings\\napi_key\\n  Field required",
    "secret: arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:offer/api-key-a1B2c3:password::",
    "arn:aws:ecs:us-east-1:123456789012:task/prod/{h32}", "commit {h40} by alice", "tag sha-{h7}",
    "image 123456789012.dkr.ecr.us-east-1.amazonaws.com/offer-api@sha256:{h64}",
    "digest: sha256:{h64} size: {n}", "sha256:{h64}", "{h64}  offer.tar.gz", "{h40}", "{uuid}",
    "Successfully assumed role arn:aws:iam::123456789012:role/offer-api-task",
    "listening on http://0.0.0.0:{port}/", "connecting to postgresql://db.internal:5432/offers",
    "connecting to redis://cache.internal:6379/0", "mailto:alice@example.com bounced",
    "user alice@example.com logged in from 10.0.{o}.{o}", "http://db:5432/x?to=a@b",
    "mount /run/secrets/db_password -> /etc/app", "reading token: /var/run/secrets/token",
    "token file /var/run/secrets/kubernetes.io/serviceaccount/token rotated",
    "password_file=/run/secrets/db", "DB_PASSWORD_FILE=/run/secrets/db", "secret_name=prod/offer/db",
    "secretName: offer-db", "imagePullSecrets: []", "key: value", "keys: {n}", "public_key_id={n}",
    "AWS_ACCESS_KEY_ID is not set", "pwd: /app", "PWD=/app", "OLDPWD=/", "passed: {n}, failed: 0",
    "pass: {n} fail: 0", "bypass=true compass=north", "author=alice authority=local",
    "authorization: enabled", "auth: disabled", "auth=None", "password=None", "password=***",
    "password=<redacted>", "token=[FILTERED]", "api_key=${{API_KEY}}", "api_key: ****",
    "tokenizer: gpt2", "tokenize: {n} ms", "monkey=banana turkey: {n}", "keyboard=us hotkey=F{o}",
    "cookies: {n}", "cookie_name=sid", "cookie consent: given", "session_id={uuid} started",
    "code=200 status=ok", "exit code: 137", "error code={n}", "pin_memory=True", "pinned: false",
    "Basic authentication is disabled", "Bearer authentication required", "basic usage: fsd deploy",
    'WWW-Authenticate: Bearer realm="api", error="invalid_token"', "docker run -p 8080:80 -d nginx",
    "mkdir -p /var/lib/app", "psql -h db -p 5432 -U app", "ssh -p 2222 host", "python -u app.py",
    "curl -u https://example.com", "redis-cli -h cache ping", "mysql -h db -P 3306 -u app",
    "    token = get_token(request)", "    password = request.form[\"password\"]",
    "    self.password = password", "    api_key=settings.API_KEY,", "    if token == expected:",
    "    raise AuthError(\"token expired\")", "    client_secret=os.environ[\"CLIENT_SECRET\"],",
    "    def login(self, username: str, password: str) -> None:", "    secret = SECRETS.get(name)",
    "    return jwt.decode(token, key=self.key, algorithms=[\"HS256\"])",
    "    password=os.getenv(\"DB_PASSWORD\"),", "    credentials = session.get_credentials()",
    "    auth=(self.user, self.password),", "    token: Optional[str] = None,",
    "    fields = ['username', 'password', 'email']", "    headers['Authorization'] = header",
    "    cookie = SimpleCookie()", "    secret_key: SecretStr", "    assert token, \"no token\"",
    "Found credentials in environment variables.", "Found credentials in shared credentials file",
    "Refresh needed for SSO access token", "Refreshing temporary credentials failed",
    "credentials: include", "secrets: inherit", "secret \"offer-db\" not found",
    "MountVolume.SetUp failed for volume \"certs\" : secret \"tls-certs\" not found",
    "unable to retrieve secret from asm: service call has been retried 5 time(s)",
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource",
    "-----BEGIN CERTIFICATE-----", "ssl certificate verify failed: unable to get local issuer",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg{b60}", "avatar: data:image/gif;base64,R0lGOD{b60}",
    "etag: \"{h32}\"", "ETag: W/\"{h16}\"", "x-request-id: {uuid}", "X-Amzn-Trace-Id: Root=1-{h8}-{h24}",
    "SG 12 listening", "sk-learn 1.5.0 loaded", "task-{h8} done", "risk-assessment finished",
    "npm_config_cache=/root/.npm", "npm notice New version of npm available", "hf_hub 0.23 ready",
    "version 1.2.3+build.{h7}", "id={h24}", "ObjectId('{h24}')", "offset={n} partition=3 key=null",
    "routing_key=offers.created exchange=events", "object_key=exports/2026/01/{uuid}.csv",
    "s3://offers/exports/{uuid}.parquet", "kms key arn:aws:kms:us-east-1:123456789012:key/{uuid}",
    "Enter password:", "password policy: strong", "password_strength=3", "password_changed_at=2026-01-01",
    "refresh token expired", "token count: {n}", "next token: null", "NextToken=None", "secret=None",
    "otp sent to user {n}", "otp: sent", "otp_length=6", "pin: required", "mfa code required",
    "verification code sent by SMS", "license: MIT", "License: Apache-2.0", "license key not found",
    "signature_version=s3v4", "signing_algorithm=RS256", "key_id={uuid}", "kid={h8} alg=RS256",
    "pwned passwords checked: {n}", "hashed password in {n} ms", "password hash: bcrypt, cost 12",
    "Using token from environment", "using token auth with vault", "creds=None", "sig: 15 (SIGTERM)",
    "Processed session termination for sessionid: 0x14ede63a5a70002",
    "Auth successful for job_1445144423722_0020 (auth:SIMPLE)", "stream/token: com.apple.xpc.activity/4505: 132",
    "Skipping AppWindowToken{{df0798e token=Token{{78af589 ActivityRecord{{3b04890 u0 a/.B t761}}}}}} -- hide",
    "Failed password for invalid user webmaster from 173.234.31.{o} port {port} ssh2",
    "Failed none for invalid user 0 from 181.214.87.4 port {port} ssh2", "pull offer-api:v1b2@sha256:{h64}",
    "SIG_DFL=0", "received signal 15", "pass 1 of 3", "Password for user app:", "10.0.{o}.{o}:{port}",
)  # fmt: skip


def ordinary_lines(count: int, *, seed: int) -> Iterator[str]:
    """As many, each message in each format before any comes again."""
    made = random.Random(seed)
    forms = tuple(_FORMS)
    for number in range(count):
        yield forms[number % len(forms)](made, _fill(made, _MESSAGES[number % len(_MESSAGES)]))


def messages() -> Iterator[str]:
    """Each message by itself, as some programs print them."""
    made = random.Random(0)
    return (_fill(made, message) for message in _MESSAGES)


def _fill(made: random.Random, text: str) -> str:
    def hexes(length: int) -> str:
        return "".join(made.choices(_HEX, k=length))

    return text.format(
        n=made.randint(1, 99_999),
        o=made.randint(0, 255),
        port=made.randint(1024, 65_535),
        uuid=uuid.UUID(int=made.getrandbits(128), version=4),
        b60="".join(made.choices(_BASE64, k=60)),
        **{f"h{length}": hexes(length) for length in (7, 8, 16, 24, 32, 40, 64)},
    )


def _time(made: random.Random) -> str:
    return f"2026-0{made.randint(1, 9)}-1{made.randint(0, 9)}T0{made.randint(0, 9)}:{made.randint(10, 59)}"


def _nginx(made: random.Random, message: str) -> str:
    del message
    path, agent = _fill(made, made.choice(_PATHS)), made.choice(_AGENTS)
    return (
        f"10.0.{made.randint(0, 255)}.7 - - [29/Nov/2026:05:00:41 +0000] "
        f'"GET {path} HTTP/1.1" {made.choice((200, 302, 401, 404, 500))} {made.randint(0, 9999)} "-" "{agent}"'
    )


def _alb(made: random.Random, message: str) -> str:
    del message
    return _fill(
        made,
        f"https {_time(made)}:41.123456Z app/offer/{{h16}} 10.0.1.{{o}}:{{port}} 10.0.2.{{o}}:8000 "
        f'0.000 0.004 0.000 200 200 34 366 "GET https://offers.example.com:443'
        f'{made.choice(_PATHS)} HTTP/2.0" "{made.choice(_AGENTS)}" ECDHE-RSA-AES128-GCM-SHA256 '
        "TLSv1.2 arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/offer/{h16} "
        '"Root=1-{h8}-{h24}" "offers.example.com" "arn:aws:acm:us-east-1:123456789012:certificate/'
        '{uuid}" 0 2026-11-29T05:00:41.119000Z "forward" "-" "-" "10.0.2.4:8000" "200" "-" "-"',
    )


def _uvicorn(made: random.Random, message: str) -> str:
    del message
    path = _fill(made, made.choice(_PATHS))
    return f'\x1b[32mINFO\x1b[0m:     10.0.1.4:{made.randint(1024, 65535)} - "\x1b[1mGET {path} HTTP/1.1\x1b[0m" 200 OK'


def _json(made: random.Random, message: str) -> str:
    return json.dumps(
        {
            "event": message,
            "level": "info",
            "timestamp": _time(made),
            "request_id": _fill(made, "{uuid}"),
        }
    )


def _structlog(made: random.Random, message: str) -> str:
    return (
        f"\x1b[2m{_time(made)}\x1b[0m [\x1b[32m\x1b[1minfo     \x1b[0m] \x1b[1m{message}\x1b[0m "
        f"\x1b[36muser\x1b[0m=\x1b[35m{made.randint(1, 999)}\x1b[0m"
    )


def _sqlalchemy(made: random.Random, message: str) -> str:
    del message
    columns = "users.id, users.password, users.token, users.api_key"
    return (
        f"{_time(made)}:41,123 INFO sqlalchemy.engine.Engine SELECT {columns} FROM users "
        f"WHERE users.id = %(id_1)s [cached since {made.randint(1, 99)}.2s ago] {{'id_1': {made.randint(1, 9999)}}}"
    )


def _botocore(made: random.Random, message: str) -> str:
    del message
    return _fill(
        made,
        f"{_time(made)}:41,512 botocore.parsers [DEBUG] "
        "Response headers: {{'x-amzn-RequestId': '{uuid}', 'Content-Type': "
        "'application/x-amz-json-1.1', 'Content-Length': '{n}'}}",
    )


def _binary(made: random.Random, message: str) -> str:
    body = base64.b64encode(made.randbytes(made.randint(90, 200))).decode()
    return f"{message.split(':')[0].split('=')[0].split(' ')[0]} image {body}"


_FORMS: tuple[Callable[[random.Random, str], str], ...] = (
    lambda _, message: message,
    lambda made, message: f"{_time(made)}:41,123 INFO offer.api {message}",
    lambda made, message: f"[{_time(made)}:41 +0000] [7] [INFO] {message}",
    lambda _, message: f"INFO:offer:{message}",
    lambda made, message: f"I0129 05:00:41.{made.randint(100000, 999999)}       1 main.go:42] {message}",
    lambda made, message: f'time="{_time(made)}:41Z" level=info msg="{message.replace(chr(34), chr(92) + chr(34))}"',
    lambda made, message: f"Nov 29 05:00:41 ip-10-0-1-4 app[{made.randint(2, 9999)}]: {message}",
    lambda made, message: f"{_time(made)}:41.123Z  WARN 1 --- [nio-8080-exec-1] c.e.Offer : {message}",
    lambda made, message: f"2026-11-29 05:00:41.123 UTC [{made.randint(2, 9999)}] LOG:  {message}",
    lambda made, message: f"{made.randint(2, 99)}:M 29 Nov 2026 05:00:41.123 * {message}",
    lambda _, message: f"[2026-11-29 05:00:41,123: INFO/ForkPoolWorker-1] {message}",
    _nginx, _alb, _uvicorn, _json, _structlog, _sqlalchemy, _botocore, _binary,
)  # fmt: skip
