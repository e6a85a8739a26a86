"""Log lines with a secret in them: every kind of value, name and writing, made up from a seed.

Nothing here is a real secret or has the shape of one in this file: values are put together when a
test runs, so that no scanner of repositories finds one.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ALNUM = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"
_BASE64 = f"{_ALNUM}+/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    kind: str
    secret: str
    lines: tuple[str, ...]


# `S` is where the secret is; the same forms with every name and value.
_NAMES = (
    "password", "DB_PASSWORD", "dbPassword", "passwd", "POSTGRES_PASSWORD", "smtp_pass", "user_pwd",
    "PGPASSWORD", "passphrase", "client_secret", "clientSecret", "SECRET_KEY", "token", "auth_token",
    "refreshToken", "access_token", "api_key", "apiKey", "API-KEY", "aws_secret_access_key",
    "private_key", "encryption_key", "signing_key", "MASTER_KEY", "credential", "WEBHOOK_SECRET",
    "AccountKey", "subscription-key", "JWT_SECRET", "csrf_token", "fernet_key", "app.secret",
    "spring.datasource.password", "REDIS_PASSWORD", "license_key", "unseal_key",
)  # fmt: skip
_WRITINGS = (
    "N=S", "N = S", "N: S", "N:S", "N='S'", 'N="S"', "N=b'S'", "N: 'S',", '"N": "S"', '"N":"S"',
    "{'N': 'S', 'a': 1}", "{'N': b'S'}", '{\\"N\\": \\"S\\"}', '{\\\\\\"N\\\\\\":\\\\\\"S\\\\\\"}', '"N"=>"S"',
    ":N=>'S'", "N => S", "--N=S", "--N S", "export N=S", "set N=S && run", "-e N=S", "ENV N=S",
    "N＝S", "N：S", "GET /x?N=S&a=1", "GET /x?a=1&N=S HTTP/1.1", "body: a=1&N=S", "N%3DS%26a%3D1",
    "<N>S</N>", "<x:N>S</x:N>", '<add key="N" value="S" />', '{"name": "N", "value": "S"}',
    "{'Name': 'N', 'Value': 'S'}", "Config(host='x', N='S', port=1)", "Config(N=SecretStr('S'))",
    "os.environ['N'] = 'S'", "('N', 'S')", "user[N]=S", "host=x;N=S;port=1", "host=x N=S dbname=y",
    "\x1b[36mN\x1b[0m=\x1b[35mS\x1b[0m", "\\u001b[36mN\\u001b[0m=\\u001b[35mS\\u001b[0m",
    "#033[36mN#033[0m=S", "&quot;N&quot;:&quot;S&quot;", "%22N%22%3A%22S%22", "ERROR N=S: refused",
    "2026-01-02T03:04:05Z INFO app N=S", 'level=info N="S" msg=x', "[N=S]", "(N: S)", "N->S", "N := S",
    '"body": "{\\"N\\": \\"S\\"}"', "b'{\"N\": \"S\"}'", "b'N=S&a=1'", "{N: S}", "N=S;",
    "{\"a\": {\"b\": [{\"N\": \"S\"}]}}", "N=S\\nnext=1", "N=S\\u0026a=1", "`N`: `S`",
    "N:\n  S", "N=\nS", "N: |\n  S", "N: >-\n    S", "--N \\\n  S", "- name: N\n  value: S", "N:\n  - S",
    'Content-Disposition: form-data; name="N"\n\nS',
    "| N | S |", "│ N │ S │", "| `N` | `S` |", "N ?= S", "N: str = 'S'", "N\n=\nS", "N\u00a0=\u00a0S", "\ufeffN=S",
    "- name: N\n  # of prod\n  value: S", "Key: N\nValue: S", "Name: N\nType: SecureString\nValue: S",
    '{"value": "S", "name": "N"}', "{'Value': 'S', 'Name': 'N'}", "<N><![CDATA[S]]></N>", "<key>N</key><string>S</string>",
    "<key>N</key>\n<string>S</string>", 'N = """S"""', "N = \'\'\'S\'\'\'", '["N"]=>\n  string(8) "S"', "user,N\nbob,S",
    "N\n  Input should be valid [type=x, input_value='S', input_type=str]", "INSERT INTO u (a, N) VALUES (1, 'S')",
    '{"Name": "/prod/N", "Type": "SecureString", "Value": "S"}', "N%253DS", '~ N = "b4" -> "S"',
)  # fmt: skip
_HEADERS = (
    "Authorization: Bearer S", "authorization: bearer S", "Authorization: S", "Authorization: Token S",
    "Proxy-Authorization: Basic S", "Cookie: sid=S", "Cookie: a=b; c=d; zz=S; e=f", "X-Api-Key: S",
    "Set-Cookie: x=S; Path=/; HttpOnly", "x-auth-token: S", "X-Amz-Security-Token: S", "PRIVATE-TOKEN: S",
    "X-Vault-Token: S", "Ocp-Apim-Subscription-Key: S", "X-CSRFToken: S", "DD-API-KEY: S",
    "curl -H 'Authorization: Bearer S' https://x", 'curl -H "X-Api-Key: S" https://x',
    "> Authorization: Bearer S", "< set-cookie: a=S; Secure", "header: Authorization: Bearer S",
    "send: b'GET / HTTP/1.1\\r\\nAuthorization: Bearer S\\r\\nHost: x\\r\\n\\r\\n'",
    "{'Authorization': 'Bearer S', 'Host': 'x'}", "{'Cookie': 'a=b; sid=S', 'Host': 'x'}",
    "[(b'host', b'x'), (b'authorization', b'Bearer S'), (b'accept', b'*/*')]",
    "[['Authorization', 'Bearer S'], ['Host', 'x']]", "Headers({'authorization': 'Bearer S'})",
    '{"headers": {"authorization": ["Bearer S"]}}', "HTTP_AUTHORIZATION=Bearer S", "HTTP_COOKIE='sid=S'",
    "Authorization: Digest username=\"u\", realm=\"r\", response=\"S\"", "authorization=[Bearer S]",
    "Authorization: AWS4-HMAC-SHA256 Credential=X/2026, SignedHeaders=host, Signature=S",
    "curl -H 'Bearer S'", "got Bearer S from the client", "metadata: authorization=Bearer S",
)  # fmt: skip
_URLS = (
    "postgresql://app:S@db:5432/x", "postgres+asyncpg://app:S@db/x?ssl=1", "mysql+pymysql://u:S@h/x",
    "redis://:S@cache:6379/0", "rediss://default:S@c:6380", "amqp://u:S@mq:5672/%2F", "https://u:S@x.io/p",
    "mongodb+srv://u:S@c.x.net/d?w=1", "mongodb://u:S@a:1,b:2,c:3/d", "mssql+pyodbc://sa:S@h/d",
    "git clone https://x-access-token:S@github.com/o/r", "smtp://u:S@mail:587", "ftp://u:S@h/f",
    "nats://u:S@n:4222", "ldap://cn:S@l:389", "clickhouse://u:S@h:9000", "could not connect to \"postgres://u:S@h/x\"",
    "create_engine('postgresql://u:S@h/x')", "url=amqps://u:S@mq/v", "amqp://a:S@m1,amqp://b:c@m2",
    "jdbc:postgresql://h/x?user=a&password=S", "jdbc:sqlserver://h;user=sa;password=S;x=1",
    "jdbc:mysql://h/x?user=a&password=S&useSSL=1", "jdbc:oracle:thin:scott/S@h:1521/x", "u:S@tcp(db:3306)/x",
    "app:S@db.internal:5432", "Server=h;Database=d;User Id=u;Password=S;Encrypt=1", "Server=h;Uid=u;Pwd=S;",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=S;EndpointSuffix=core",
    "Endpoint=sb://x/;SharedAccessKeyName=r;SharedAccessKey=S", "host=db user=a password=S dbname=x",
    "https://a.blob.core.windows.net/c?sv=2020&sig=S&se=1", "https://x.s3.amazonaws.com/k?X-Amz-Signature=S",
    "https://b.s3.amazonaws.com/k?X-Amz-Security-Token=S&a=1", "GET /x?access_token=S&a=1", "/cb?code=S&state=x",
    "GET /maps?key=S", "wss://x/socket?token=S", "sftp://u:S@h/", "kafka://u:S@k:9092", "docker login -u u -p S reg",
    "mysql -u root -pS app", "mysqldump -h db -p S app", "sshpass -p S ssh h", "curl -u user:S https://x",
    "curl --user u:S https://x", "redis-cli -h c -a S ping", "psql --password S", "az login -u u -p S",
    "helm --set db.password=S", "kubectl create secret generic x --from-literal=password=S",
    "requests.get(url, auth=('user', 'S'))", "auth=HTTPBasicAuth('user', 'S')", "BasicAuth(login='u', password='S')",
    "basic_auth=(\"u\", \"S\")", "Access denied: password \"S\" for user", "with password 'S'", "password is S",
    "CREATE USER app IDENTIFIED BY 'S'", "SET PASSWORD FOR 'a'@'%' = 'S'", "requirepass S", "db.x:5432:app:app:S",
    "[\"app\", \"--db-password\", \"S\"]", "postgres%3A%2F%2Fu%3AS%40h%2Fd", "git+https://S@github.com/o/r", "echo S | docker login x",
    "unzip -P S a.zip", "zip -P S a.zip b", "7z x -pS a.7z", "snmpget -v2c -c S host", "openssl enc -k S",
    "openssl rsa -passin pass:S", "keytool -storepass S -keypass x", "smbclient //h/s -U bob%S", "lftp -u bob,S h",
    "vault login S", "net use Z: \\\\srv\\share S /user:bob", "curl -b 'sid=S' https://x", "AUTH PLAIN S", "a1 LOGIN bob S",
    "PASS S", "ACL SETUSER a on >S ~*", 'ConvertTo-SecureString "S" -AsPlainText', "echo S | gh auth login --with-token",
    'proxy_set_header X-Api-Key "S";', 'RequestHeader set Authorization "Basic S"', "X-Registry-Auth: S", "X-Honeycomb-Team: S",
    "Stripe-Signature: t=1,v1=ab,v0=S", "X-Hub-Signature-256: sha256=S", "HMAC: S", "client-key-data: S",
    '<input type="password" name="x" value="S">', '<meta name="csrf-token" content="S">', '{"kty": "oct", "k": "S"}',
    "PlainCredentials('a', 'S')", "Password for bob: S", "Use the following password to go on:\n\nS", "https://u:ab/S@git.x.io/r",
    "пароль: S", "密码：S", "パスワード: S", "contraseña: S", "mot de passe : S", "ｐａｓｓｗｏｒｄ=S", "pass\u200bword=S",
    '{"pass\\u0077ord":"S"}', '{"m":"{\\"password\\":\\"ab\\\\\\"S\\"}"}', "password=ab;S", "DB_PASSWORD=ab&S", "password=ab'S",
    "the password was S", "Incorrect API key provided: S", "your temporary password is: S",
)  # fmt: skip


_NAME = re.compile(r"(?<![A-Za-z])N(?![A-Za-z])|(?<=\\n|\dm)N")


def named_lines(seed: int) -> Iterator[Planted]:
    """Each writing with each name, and a value of each kind in turn."""
    made = random.Random(seed)
    for place, writing in enumerate(_WRITINGS):
        for number, name in enumerate(_NAMES):
            if ("<" in writing or ":N" in writing) and "." in name:
                continue
            yield _plant(
                made, f"writing {writing!r}", _NAME.sub("\0", writing), name, place + number
            )


def other_lines(seed: int) -> Iterator[Planted]:
    """Headers, addresses, commands, connection strings, prose."""
    made = random.Random(seed)
    for form in (*_HEADERS, *_URLS):
        for _ in range(3):
            yield _plant(made, f"form {form!r}", form, "", 0)


def _plant(made: random.Random, kind: str, form: str, name: str, turn: int) -> Planted:
    secret = _VALUES[turn % len(_VALUES)](made)
    before, _, after = form.rpartition("S") if form.count("S") == 1 else _split(form)
    text = f"{before}{secret}{after}".replace("\0", name)
    return Planted(kind=kind, secret=secret, lines=tuple(text.split("\n")))


def _split(form: str) -> tuple[str, str, str]:
    """The `S` that is no part of a word."""
    for index, letter in enumerate(form):
        around = form[index - 1 : index] + form[index + 1 : index + 2]
        before = form[max(index - 2, 0) : index]
        if letter == "S" and (not any(c.isalpha() for c in around) or before in {"\\n", "-p"}):
            return form[:index], "S", form[index + 1 :]
    index = form.index("pS") + 1
    return form[:index], "S", form[index + 1 :]


def _of(made: random.Random, alphabet: str, length: int) -> str:
    """Never a word: there is a digit in it."""
    return "".join(made.choices(alphabet, k=length - 3)) + "9zQ"


_VALUES = (
    lambda made: _of(made, _ALNUM, 12),
    lambda made: _of(made, string.ascii_lowercase, 9),
    lambda made: _of(made, _ALNUM, 40),
    lambda made: _of(made, _HEX, 32),
    lambda made: _of(made, f"{_ALNUM}-_", 24),
    lambda made: f"{_of(made, _ALNUM, 10)}!{_of(made, _ALNUM, 5)}",
    lambda made: f"{_of(made, _ALNUM, 6)}${_of(made, _ALNUM, 6)}",
)


_FORMATS = Path(__file__).with_name("secret_formats.txt")
_KINDS: dict[str, tuple[str, str, int]] = {
    "pw": ("", _ALNUM, 12),
    "pwsym": ("", _ALNUM, 13),
    "pw50": ("", f"{string.ascii_lowercase}{string.digits}!@#%^*(-_=+)", 50),
    "pin": ("", string.digits, 9),
    "tok": ("", _ALNUM, 40),
    "tok24": ("", _ALNUM, 24),
    "b64": ("", _BASE64, 44),
    "b64url": ("", _ALNUM, 43),
    "hex32": ("", _HEX, 32),
    "hex40": ("", _HEX, 40),
    "hex48": ("", _HEX, 48),
    "hex64": ("", _HEX, 64),
    "ghp": ("ghp_", _ALNUM, 36),
    "pypi": ("pypi-AgEIcHlwaS5vcmc", _ALNUM, 120),
    "aws40": ("", _BASE64, 40),
    "pem": ("", _BASE64, 60),
    "pem64": ("", _BASE64, 64),
    "ya29": ("ya29.", _ALNUM, 80),
    "aiza": ("AIza", _ALNUM, 35),
    "jwt": ("eyJhbGciOiJIUzI1NiJ9.", _ALNUM, 84),
    "uuid": ("", _HEX, 36),
    "sklive": ("sk_live_", _ALNUM, 24),
    "skproj": ("sk-proj-", _ALNUM, 60),
    "dapi": ("dapi", _HEX, 32),
    "b32": ("", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32),
}


def format_lines(seed: int) -> Iterator[Planted]:
    """What tools, frameworks and services print, a format each; `@S` is where the secret is."""
    made = random.Random(seed)
    for block in _FORMATS.read_text().rstrip("\n").split("\n===\n"):
        head, _, text = block.partition("\n")
        kind, _, value = head.rpartition("|")
        secret = _secret(made, value)
        yield Planted(kind=kind, secret=secret, lines=tuple(text.replace("@S", secret).split("\n")))


def _secret(made: random.Random, kind: str) -> str:
    begin, alphabet, length = _KINDS[kind]
    body = "".join(made.choices(alphabet, k=length - 2))
    body += made.choice("23456789") + made.choice([c for c in alphabet if c.isalpha()] or ["3"])
    match kind:
        case "jwt":
            body = f"{body[:40]}.{body[40:]}"
        case "uuid":
            body = f"{body[:8]}-{body[8:12]}-4{body[13:16]}-a{body[17:20]}-{body[20:32]}"
        case "pin":
            body = f"{body[:3]}-{body[3:6]}-{body[6:]}"
        case "pwsym":
            body = f"{body[:6]}{made.choice('!#$%^*&')}{body[6:]}"
        case _:
            pass
    return begin + body


_UPPER = string.ascii_uppercase + string.digits
# (what, the beginning, the alphabet, its length)
_PREFIXES = (
    ("AWS", "AKIA", _UPPER, 16), ("AWS temporary", "ASIA", _UPPER, 16), ("GitHub", "ghp_", _ALNUM, 36),
    ("GitHub app", "ghs_", _ALNUM, 36), ("GitHub OAuth", "gho_", _ALNUM, 36), ("GitHub user", "ghu_", _ALNUM, 36),
    ("GitHub fine", "github_pat_", f"{_ALNUM}_", 82), ("Slack bot", "xoxb-1234-5678-", _ALNUM, 24),
    ("Slack user", "xoxp-1234-5678-", _ALNUM, 32), ("Slack app", "xapp-1-A0B-", _ALNUM, 64),
    ("Slack rotating", "xoxe.xoxb-1-", _ALNUM, 40), ("Slack refresh", "xoxe-1-", _ALNUM, 60),
    ("Stripe", "sk_live_", _ALNUM, 24), ("Stripe restricted", "rk_test_", _ALNUM, 24),
    ("Stripe webhook", "whsec_", _ALNUM, 32), ("OpenAI", "sk-", _ALNUM, 48), ("OpenAI project", "sk-proj-", _ALNUM, 60),
    ("OpenAI service", "sk-svcacct-", _ALNUM, 60), ("Anthropic", "sk-ant-api03-", f"{_ALNUM}-_", 93),
    ("OpenRouter", "sk-or-v1-", _HEX, 64), ("Google", "AIza", _ALNUM, 35), ("Google OAuth", "ya29.", _ALNUM, 60),
    ("Google client", "GOCSPX-", _ALNUM, 28), ("Google refresh", "1//0", _ALNUM, 50), ("GitLab", "glpat-", _ALNUM, 20),
    ("GitLab deploy", "gldt-", _ALNUM, 20), ("GitLab runner", "glrt-", _ALNUM, 20), ("GitLab trigger", "glptt-", _HEX, 40),
    ("GitLab job", "glcbt-64_", _ALNUM, 20), ("npm", "npm_", _ALNUM, 36), ("PyPI", "pypi-AgE", _ALNUM, 90),
    ("SendGrid", "SG.abcdefghijklmnopqrstuv.", _ALNUM, 43), ("Hugging Face", "hf_", _ALNUM, 34),
    ("Databricks", "dapi", _HEX, 32), ("DigitalOcean", "dop_v1_", _HEX, 64), ("DigitalOcean OAuth", "doo_v1_", _HEX, 64),
    ("Vault", "hvs.", _ALNUM, 90), ("Vault batch", "hvb.", _ALNUM, 90), ("Grafana", "glsa_", _ALNUM, 41),
    ("Grafana Cloud", "glc_", _ALNUM, 60), ("New Relic", "NRAK-", _UPPER, 27), ("Twilio", "SK", _HEX, 32),
    ("Mailgun", "key-", _HEX, 32), ("Square", "sq0atp-", _ALNUM, 22), ("Square secret", "sq0csp-", _ALNUM, 43),
    ("Shopify", "shpat_", _HEX, 32), ("Docker", "dckr_pat_", _ALNUM, 27), ("Atlassian", "ATATT3x", _ALNUM, 180),
    ("Bitbucket", "ATBB", _ALNUM, 32), ("Linear", "lin_api_", _ALNUM, 40), ("RubyGems", "rubygems_", _HEX, 48),
    ("Figma", "figd_", _ALNUM, 40), ("Notion", "ntn_", _ALNUM, 46), ("Pulumi", "pul-", _HEX, 40),
    ("Supabase", "sbp_", _HEX, 40), ("Doppler", "dp.pt.", _ALNUM, 43), ("PlanetScale", "pscale_pw_", _ALNUM, 43),
    ("Sentry", "sntrys_", _ALNUM, 80), ("Groq", "gsk_", _ALNUM, 52), ("xAI", "xai-", _ALNUM, 80),
    ("Replicate", "r8_", _ALNUM, 37), ("Perplexity", "pplx-", _ALNUM, 48), ("Telegram", "123456789:AA", _ALNUM, 33),
    ("Brevo", "xkeysib-", _HEX, 64), ("age", "AGE-SECRET-KEY-1", _UPPER, 58), ("Netlify", "nfp_", _ALNUM, 40),
    ("Alibaba", "LTAI", _ALNUM, 20), ("HubSpot", "pat-na1-12345678-1234-1234-1234-", _HEX, 12),
    ("Slack webhook", "https://hooks.slack.com/services/T0/B0/", _ALNUM, 24),
    ("Discord webhook", "https://discord.com/api/webhooks/123/", _ALNUM, 68),
    ("Terraform", "abcdefghijklmn.atlasv1.", _ALNUM, 67), ("Tailscale", "tskey-auth-k1-", _ALNUM, 32),
    ("Facebook", "EAA", _ALNUM, 100), ("Contentful", "CFPAT-", _ALNUM, 43), ("Postman", "PMAK-" + "a1" * 12 + "-", _HEX, 34),
    ("Microsoft Entra", "ab18Q~", _ALNUM, 34), ("Dropbox", "sl.u.", _ALNUM, 130), ("Prefect", "pnu_", _ALNUM, 36),
)  # fmt: skip
_AROUND = (
    "S",
    "got S",
    "denied for S.",
    "'S'",
    '"S",',
    "(S)",
    "<S>",
    "remote: S denied",
    "[S]",
    "a=S",
    "\x1b[31mS\x1b[0m",
)


def known_lines(seed: int) -> Iterator[Planted]:
    """Texts that say themselves what they are, with nothing around that does."""
    made = random.Random(seed)
    for what, begins, alphabet, length in _PREFIXES:
        secret = "".join(made.choices(alphabet, k=length))
        for around in _AROUND:
            yield Planted(
                kind=what, secret=secret, lines=(around.replace("S", begins + secret, 1),)
            )
    for parts, what in ((3, "JWT"), (5, "JWE")):
        for around in _AROUND:
            head = (
                base64.urlsafe_b64encode(json.dumps({"alg": "HS256"}).encode()).decode().rstrip("=")
            )
            secret = ".".join("".join(made.choices(_ALNUM, k=30)) for _ in range(parts - 1))
            yield Planted(
                kind=what, secret=secret, lines=(around.replace("S", f"{head}.{secret}", 1),)
            )


_KEY_KINDS = ("RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ", "", "SSH2 ENCRYPTED ")
_LINE_STARTS = (
    "",
    "  ",
    "2026-01-02T03:04:05Z INFO ",
    "app-1  | ",
    "key: ",
    "> ",
    "\x1b[2m10:00\x1b[0m ",
)


def key_lines(seed: int) -> Iterator[Planted]:
    """Private keys: whole, from the middle, cut off, with a prefix, in one line, as JSON."""
    made = random.Random(seed)
    for kind in _KEY_KINDS:
        width = 70 if "OPENSSH" in kind else 64
        body = ["".join(made.choices(_BASE64, k=width)) for _ in range(6)]
        last = "".join(made.choices(_ALNUM, k=20)) + "=="
        begin, end = f"-----BEGIN {kind}PRIVATE KEY-----", f"-----END {kind}PRIVATE KEY-----"
        whole = [begin, *body, last, end]
        for start in _LINE_STARTS:
            for what, part in (("whole", whole), ("middle", whole[2:]), ("cut", whole[:-2])):
                for secret in {body[2], part[-2] if part[-1] == end else body[4]}:
                    lines = ("starting", *(start + line for line in part), "going on")
                    yield Planted(kind=f"key {kind}{what} {start!r}", secret=secret, lines=lines)
        for text in (
            "\\n".join(whole),
            json.dumps({"private_key": "\n".join(whole)}),
            " ".join(whole),
            repr("\n".join(whole)),
        ):
            yield Planted(kind=f"key {kind}in a line", secret=body[2], lines=(f"loaded {text}",))
