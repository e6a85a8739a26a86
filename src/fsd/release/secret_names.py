"""Which names say that what follows is a secret."""

from __future__ import annotations

import re
from enum import StrEnum, auto
from functools import lru_cache

# As text has it, and as JSON, HTML and URLs write it.
QUOTE = r"(?:\\{0,7}[\"'`]|&quot;|&apos;|&#0?3[49];|&#x2[27];|%2[27])"
# A name and the sign behind it: `password=`, `"token": `, `API_KEY => `.
NAME = re.compile(
    r"(?<![\w.$-])(?P<name>(?:(?:api|access|secret|private|encryption|signing|account|master"
    r"|license|auth|subscription|shared|storage|client|recovery|verification|one-time|pin"
    r"|mot de) )?"
    rf"[\w$.]*+(?:-(?!>)[\w$.]*+)*+)(?<=[\w$.-])(?P<close>{QUOTE}?(?:\]|%5[Dd]|\))?)"
    r"(?P<sign>[ \t]{0,40}"
    r"(?:=>|[:?]=|->|:[ \t]?(?:str|string|String|SecretStr|bytes)(?: \| None)? ?="
    r"|(?<![!<>=])=(?!=)|::?|%(?:25)?3[DdAa]|\\u003[dD]|[＝：→])[ \t]{0,40})",
    re.IGNORECASE,
)


class SecretKind(StrEnum):
    """What a name promises about the value; it decides where that ends."""

    NONE = auto()
    PASSWORD = auto()  # may have spaces
    HEADER = auto()  # to the end of the line
    CODE = auto()  # digits are enough
    AUTH = auto()  # a user and a password, or a word
    WORD = auto()  # a token, a key
    RANDOM = auto()  # often something else: only what has capitals, small letters and digits


_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
_HEADERS = re.compile(
    r"(?:authorization|cookies?2?|registryauth|honeycombteam|stripesignature|hubsignature256|hubsignature)$"
)
_PASSWORDS = re.compile(
    r"passw[o0]rd|passwd|storepass|keypass|passphrase|passcode|passwort|kennwort|contrase[nñ]a|motdepasse|пароль|密码|密碼|パスワード|비밀번호|wachtwoord|lösenord|hasło|heslo|jelszó|mnemonic"
    r"|ugfzc3dvcmq6|authtok|requirepass|masterauth|seedphrase|(?:db|smtp|mail|user|mysql|pg|redis|admin|root|ftp|ldap|my|rabbit|mongo|ssh|sudo"
    r"|become|git|http|proxy|ssl|store|trust|svn|vpn|kafka|bind|login|account|svc|web|rsync|wifi|ansible|elastic|sa|sys)pass$"
    r"|\w(?<!c)pwd$"
)
_PASSWORD_PARTS = frozenset({"pass", "pwd", "pw", "psk", "senha", "mdp"})
_CODES = re.compile(
    r"(?:otp|totp|mfa|2fa|verification|recovery|onetime|backup|sms|device|auth|authorization"
    r"|user)(?:code|pin)$"
)
_CODE_PARTS = frozenset({"otp", "totp", "pin", "cvv", "cvc"})
_WORDS = re.compile(
    r"secret|salt$|crumb$|codeverifier|hmac$|keydata$|token(?!i[sz])|credential|signature|csrf|xsrf|sessionid$|sessid|connectsid"
    r"|(?:api|access|account|private|signing|encryption|decryption|fernet|auth|master|license"
    r"|licence|shared|subscription|storage|webhook|deploy|session|functions|jwt|hmac|aes|crypt|app"
    r"|consumer|integration|admin|write|instrumentation|ingestion|client|service|server|root|ssh"
    r"|gpg|rsa|tls|ssl|wg|preshared|data|security|host|vault|unseal|django|flask|application|cipher"
    r"|symmetric|encrypt|sign|flask|rails|stripe|openai|anthropic|sendgrid|mailgun|datadog|google"
    r"|maps|azure|aws|gcp|github|gitlab|bearer|user|fcm|push|vapid|sentry|cosmos|primaryaccess)key$"
)
_WORD_PARTS = frozenset({"sig", "creds", "cred", "jwt", "bearer", "apitoken"})
_RANDOM = frozenset(
    {"key", "nonce", "passkey", "routingkey", "session", "dsn", "seed", "license", "licence"}
)
# CloudFormation's RequestToken is an id of a handler's call.
_NEVER = re.compile(
    r"secretsmanager|^requesttoken$|secretar|cookiecutter|passwordless|secretsanta|publickey"
)
# The last part of a name that only speaks about the secret.
_ABOUT = frozenset(
    """
    at age alg algorithm arn attempts backend bucket budget cache changed class count created date
    domain enabled endpoint env error errors exp expiration expired expires expiry field fields file
    filename form format header headers hint host id ids in issuer invalid kind label length len
    lifetime limit limits list location manager max method min missing mode name names namespace
    offset param params path
    paths per pattern policy prefix provider ref region required requests
    reset rotation rule rules scope scopes seconds server service size source state status store
    strength strip template timeout title ttl type types uri url urls usage use used user username
    using valid validator validators validity version view
    window index position pos lookup middleware
    keyref model serializer consent httponly samesite secure exchange introspection estimate total
    """.split()  # noqa: SIM905  # two hundred quoted words read worse
)
# The last part of a name that says which of several, or in which form.
_ALSO = frozenset(
    """
    b b64 base64 encoded plain plaintext raw old new primary secondary current previous prod dev
    staging test default
    """.split()  # noqa: SIM905  # as above
)
_AUTH = frozenset({"auth", "authz", "xauth", "basicauth", "httpauth", "proxyauth"})


@lru_cache(maxsize=4096)
def _judge(name: str, sign: str) -> SecretKind:
    parts = [part.lower() for part in _PARTS.findall(name)]
    while len(parts) > 1 and (parts[-1] in _ALSO or parts[-1].isdigit()):
        parts.pop()
    if not parts:
        return SecretKind.NONE
    joined = "".join(parts)
    last = parts[-1]
    if last in _ABOUT or _NEVER.search(joined):
        return SecretKind.NONE
    if _HEADERS.search(joined):
        return SecretKind.HEADER
    if _PASSWORDS.search(joined) or last in _PASSWORD_PARTS:
        return SecretKind.PASSWORD
    if last in _CODE_PARTS or _CODES.search(joined):
        return SecretKind.CODE
    if joined in _AUTH or (last == "auth" and sign != ":"):
        return SecretKind.AUTH
    if _WORDS.search(joined) or last in _WORD_PARTS:
        return SecretKind.WORD
    if joined in _RANDOM or (last == "session" and len(parts) == 2):
        return SecretKind.RANDOM
    return SecretKind.NONE


def kind_of(name: str, *, sign: str) -> SecretKind:
    """Of a long name the end counts. `sign` is what is between the name and its value."""
    return _judge(name[-80:], sign)
