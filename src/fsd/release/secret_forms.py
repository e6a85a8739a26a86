"""Writings of their own in which a secret stands: SQL, commands, protocols, hashes, addresses.

Data only. In each pattern `value` is what is hidden and `name` what stands before it and stays.
"""

from __future__ import annotations

import re

_I = re.IGNORECASE
# What has a letter and a digit is no word: the weakest thing that is asked of a value here.
_MIXED = r"(?=[^\s\"']{0,60}[A-Za-z])(?=[^\s\"']{0,60}\d)"

FORMS = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        # SQL
        (r"(?P<name>\bIDENTIFIED (?:WITH \w{1,40} )?(?:BY|AS) (?:PASSWORD )?[\"'])(?P<value>[^\"']{1,200})", _I),
        (r"(?P<name>\bSET PASSWORD FOR \S{1,100} = (?:PASSWORD\()?[\"'])(?P<value>[^\"']{1,200})", _I),
        # Redis, LDAP, .pgpass, SMTP, IMAP, FTP, NickServ
        (r"(?P<name>\bAUTH\"? (?:default )?\"?)(?P<value>(?=[^\s\"]*\d)(?=[^\s\"]*[a-z])[^\s\"]{6,200})", 0),
        (r"(?P<name>\bACL SETUSER \S{1,80} [^>]{0,80}>)(?P<value>\S{1,200})", 0),
        (r"(?P<name>\b(?:requirepass|masterauth|bindpw|auth-pass \S{1,80}|sasl-password) )(?P<value>\S{4,200})", 0),
        (r"(?P<name>\bAUTH\"? \"?[\w.@-]{1,80}\"? \"?)(?P<value>(?=[^\s\"]*\d)(?=[^\s\"]*[A-Za-z])[^\s\"]{6,200})", 0),
        (r"(?P<name>(?:(?<=\\n)|\b)AUTH(?:\\r\\n\$\d{1,4}\\r\\n[^\\]{1,80})?\\r\\n\$\d{1,4}\\r\\n)(?P<value>[^\s\\]{4,200})", 0),
        (r"(?P<name>\buser [\w.-]{1,80} (?:on|off) [^>]{0,80}>)(?P<value>\S{4,200})", 0),
        (r"(?P<name>\b(?:SMTP )?AUTH (?:PLAIN|LOGIN) \S{1,100} )(?P<value>\S{4,200})", 0),
        # pgbouncer, chap-secrets, ipsec.secrets: nothing but names and the password
        (rf"(?P<name>^\"[\w.@-]{{1,80}}\" (?:\S{{1,80}} )?\")(?P<value>{_MIXED}[^\"]{{6,200}})(?=\"[ *]{{0,4}}$)", 0),
        (r"(?P<name>(?<![\w-])(?:PSK|XAUTH|EAP) \")(?P<value>[^\"]{4,200})", 0),
        (r"(?P<name>^[\w.*-]{1,100}:(?:\d{1,5}|\*):[\w*-]{1,60}:[\w.-]{1,60}:)(?P<value>\S{4,200})$", 0),
        (r"(?P<name>\bAUTH (?:PLAIN|LOGIN|XOAUTH2|CRAM-MD5) )(?P<value>[\w+/=]{8,2000})", 0),
        (rf"(?P<name>\bLOGIN \"?[\w.@-]{{1,80}}\"? \"?)(?P<value>{_MIXED}[^\s\"]{{6,200}})", 0),
        (rf"(?P<name>(?<![\w/])PASS )(?P<value>{_MIXED}[^\s\"'\[]{{5,200}})(?=[\"']|$)", 0),
        (r"(?P<name>\bIDENTIFY )(?P<value>(?=\S*\d)\S{4,200})$", 0),
        # An AWS key id with its key behind it
        (r"(?P<name>\*\*\*[\"']?[,:;/ \t]{1,3}[\"']?)(?P<value>(?=[\w/+]{0,39}[a-z])(?=[\w/+]{0,39}[A-Z])[A-Za-z0-9/+]{40}(?![\w/+]))", 0),
        # Tokens that Django signs: https://docs.djangoproject.com/en/stable/topics/signing/
        (r"(?P<name>:(?=\w{0,5}[A-Za-z])[A-Za-z0-9]{6}:)(?P<value>(?=[\w-]{0,42}[a-z])(?=[\w-]{0,42}[A-Z])[\w-]{27,64})(?![\w-])", 0),
        # A user and the password behind it, in settings that hold both
        (rf"(?P<name>\b[\w.-]{{0,60}}(?:auth|authident|user\.?info|userpwd|creds|credentials?|userpass)[\"']?\s{{0,3}}[=:\s]\s{{0,3}}[\"']?(?!https?:)[\w.@-]{{1,60}}:)(?P<value>{_MIXED}[^\s\"':/@]{{6,200}})(?![\w@:])", _I),
        (r"(?P<name>\bBUNDLE_[A-Z_]{1,100}(?:=|:\s)[\"']?[\w.@-]{1,60}:)(?P<value>[^\s\"']{4,200})", 0),
        (rf"(?P<name>\b(?:bundle config|etcdctl|consul)\b[^|]{{0,120}}\s[\w.@-]{{1,60}}:)(?P<value>{_MIXED}[^\s\"':/]{{6,200}})(?=\s|$)", 0),
        (rf"(?P<name>\bcredentials?(?: for \S{{1,60}})?: ?[\w.@-]{{1,60}} ?/ ?)(?P<value>{_MIXED}[^\s\"']{{6,200}})", _I),
        (rf"(?P<name>(?<![\w@/.-])[\"'][\w.-]{{1,60}}:)(?P<value>{_MIXED}[^\s:@/\"']{{4,200}})(?=@[\w-]{{1,60}}(?:\.[\w-]{{1,60}}){{0,5}}[\"'])", 0),
        # Calls that take a user and a password, or a password, by their place
        (r"(?P<name>\b(?:PDO(?:->__construct)?|mysqli(?:_connect)?|Sequelize)\((?:[\"'][^\"']{0,200}[\"'], ?){2})(?P<value>[\"'][^\"']{1,200}[\"'])", 0),
        (r"(?P<name>\b(?:username_pw_set|set_credentials|add_password|setCredentials|PasswordAuthentication|UsernamePasswordCredentials|NetworkCredential|BasicCredentials|AWSStaticCredentials|StaticCredentials|BasicAWSCredentials)\((?:[\"'][^\"']{0,200}[\"'], ?){1})(?P<value>[\"'][^\"']{1,200}[\"'])", 0),
        (rf"(?P<name>\b(?:set|with|use|unsafe|from|new|Secret|SecretStr|SecretValue)[\w.]{{0,30}}(?:password|secret|token|api_?key|plain_?text|credential)s?\([\"'])(?P<value>{_MIXED}[^\"']{{6,400}})", _I),
        (rf"(?P<name>\bargs ?= ?[\[(](?:[\"'][^\"']{{0,100}}[\"'], ?){{1}}[\"'](?:root|admin|app|postgres|sa|user|[\w-]{{0,20}}user)[\"'], ?[\"'])(?P<value>{_MIXED}[^\"']{{6,200}})", 0),
        (rf"(?P<name>[\"'](?:\w{{0,30}}[_-])?(?:password|passwd|passphrase)[\"'], ?[\"'])(?P<value>{_MIXED}[^\"']{{6,200}})", _I),
        (rf"(?P<name>\b(?:authenticate|log_?in|sign_?in|auth)\([\"'][\w@.+-]{{1,80}}[\"'], ?[\"'])(?P<value>{_MIXED}[^\"']{{6,200}})", _I),
        (rf"(?P<name>\b[A-Z]\w{{0,40}}\((?:[\"'][^\"']{{0,100}}[\"'], ?){{0,2}}(?:[\[(][^()\[\]]{{0,100}}[)\]]{{1,2}}|[\"'][^\"']{{0,100}}[\"']), ?[\"'][\w@.+-]{{1,60}}[\"'], ?[\"'])(?P<value>{_MIXED}[^\"']{{6,200}})", 0),
        # A long text without words in it, as an argument without a name
        (r"(?P<name>(?:[\w)]\(|, )[\"'])(?P<value>(?=[A-Za-z_-]{0,39}\d)(?=[a-z0-9_-]{0,39}[A-Z])(?=[A-Z0-9_-]{0,39}[a-z])[A-Za-z0-9_]{32,200})(?=[\"'])", 0),
        # Words before a quote: MAIL_PASSWORD "x"
        (rf"(?P<name>\b\w{{0,60}}_(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_KEY|SECRET_KEY|ACCESS_KEY)[ \t]{{1,4}}[\"'])(?P<value>{_MIXED}[^\"']{{6,400}})", _I),
        (rf"(?P<name>\b(?:secret|token|password|credential)\w{{0,20}} value(?: is)?:? )(?P<value>{_MIXED}[^\s\"']{{6,400}})", _I),
        (rf"(?P<name>\b(?:SECRET|KEY|TOKEN|SECRET_KEY|SESSION_TOKEN) ')(?P<value>{_MIXED}[^']{{12,400}})", 0),
        # "password changed from 'a' to 'b'"
        (r"(?P<name>\bpassw\w{2,6}[^\"']{0,40} from [\"'])(?P<value>[^\"']{1,200})(?=[\"'] to [\"'])", _I),
        (r"(?P<name>\bpassw\w{2,6}[^\"']{0,40} from [\"'][^\"']{1,200}[\"'] to [\"'])(?P<value>[^\"']{1,200})", _I),
        # "A temporary password is generated for root@localhost: x"; "PASSWORD elastic = x"
        (rf"(?P<name>\b(?:password|passphrase|passwd)\b(?: [\w@.'\"/-]{{1,60}}){{1,8}}:[ \t]{{1,4}})(?P<value>{_MIXED}[^\s\"']{{6,200}})$", _I),
        (rf"(?P<name>\b(?:PASSWORD|TOKEN|SECRET) [\w.@-]{{1,60}} = )(?P<value>{_MIXED}\S{{6,200}})", 0),
        (r"(?P<name>\b(?:Unseal|Recovery|Root) (?:Key|Token)(?: \d{1,2})?: )(?P<value>\S{16,200})", _I),
        (r"(?P<name>\bsecret[_-]?id[\"']?\s{0,3}[=:]\s{0,20}[\"']?)(?P<value>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", _I),
        (r"(?P<name>[\"'](?:encrypt|github-token|[\w.-]{1,60}-oauth)[\"']\s{0,2}:\s{0,2}(?:\{\s{0,2}[\"'][\w.-]{1,60}[\"']\s{0,2}:\s{0,2})?[\"'])(?P<value>[\w+/=-]{16,400})", 0),
        (r"(?P<name>[\"']username[\"']\s{0,2}:\s{0,2}[\"'][^\"']{1,80}[\"'],\s{0,2}[\"']key[\"']\s{0,2}:\s{0,2}[\"'])(?P<value>[\w-]{16,400})", 0),
        (r"(?P<name>(?<![a-z])sonar\.login=)(?P<value>\S{8,200})", 0),
        (r"(?P<name>(?:^|(?<=[\s\"']))SAML(?:Response|Request)=)(?P<value>[^\s&\"']{16,10000})", _I),
        (r"(?P<name>::add-mask::)(?P<value>.{4,2000})", 0),
        (r"(?P<name>(?<=\s)/p(?:ass(?:word)?)?:)(?P<value>(?![/\\])\S{4,200})", 0),
        (r"(?P<name>\bmc (?:alias|config host) (?:set|add) \S{1,100} https?://\S{1,200} \S{1,100} )(?P<value>\S{4,200})", 0),
        (r"(?P<name>\baddauth digest [\w.-]{1,60}:)(?P<value>\S{4,200})", 0),
        (r"(?P<name>\bArt-Api[\"']?: ?)(?P<value>[^\s\"']{8,400})", _I),
        (rf"(?P<name>\bNew value: )(?P<value>{_MIXED}\S{{6,200}})$", 0),
        (r"(?P<name><name>[\w.-]{0,60}(?:password|passwd|secret|token|api_?key)</name>\s{0,4}<value>(?:<string>)?)(?P<value>[^<]{1,400})", _I),
        (rf"(?P<name>\*\*\*[\"'][^\n]{{0,400}}\bargs=\([\"'])(?P<value>{_MIXED}[^\"']{{6,400}})", 0),
        (r"(?P<name>[\"']value[\"']: ?[\"'])(?P<value>[^\"']{1,4000})(?=[\"'], ?[\"']id[\"']: ?[\"']https://[\w.-]{1,80}\.vault\.azure\.net/secrets/)", 0),
        (rf"(?P<name>\bpassw\w{{2,6}} to [\"']?)(?P<value>{_MIXED}[^\s\"']{{6,200}})", _I),
        (rf"(?P<name>\b(?:password|passphrase) for (?:'[^']{{1,200}}'|\"[^\"]{{1,200}}\"|\S{{1,200}}): )(?P<value>{_MIXED}\S{{6,200}})$", _I),
        (r"(?P<name>[?&]u=[^&\s]{1,80}&p=)(?P<value>[^&\s\"']{4,200})", 0),
        (r"(?P<name>\bPrivate-(?:MAC|Hash): )(?P<value>\S{16,200})", 0),
        (rf"(?P<name>\b\w{{0,60}}[a-z](?:Password|Passphrase|Secret|Token|ApiKey)[ \t]{{1,4}}[\"'])(?P<value>{_MIXED}[^\s\"']{{6,400}})", 0),
        (rf"(?P<name>\b(?:Fernet|[TH]OTP|set_?password|setpassword|sendline|send_keys|\w{{0,20}}Serializer|(?:Timestamp)?Signer|SecretBox|AESGCM)\(b?[\"'])(?P<value>{_MIXED}[^\"']{{6,400}})", 0),
        # Codes in messages
        (r"(?P<name>\b(?:verification|login|security|one-time|otp|totp|sign-in|auth)(?: code)?(?: is|:)? )(?P<value>\d{4,8})(?!\S)", _I),
        (r"(?P<name>(?<!\S))(?P<value>\d{4,8})(?= is your [\w -]{0,40}\b(?:code|pin|otp|password)\b)", _I),
        (r"(?P<name>\b(?:mnemonic|(?:seed|recovery|secret)[ _-]?phrase)\W{1,4}(?:\*\*\*|[a-z]{3,8}))(?P<value>(?:\s[a-z]{3,8}){11,23})", _I),
        # Columns of a terminal
        (r"(?P<name>(?<![A-Za-z])[A-Z]{0,20}_?(?:PASSWORD|SECRET|TOKEN|(?:secret_access|API|SECRET)_key)[ \t]{1,40})(?P<value>(?=\S*[A-Za-z])(?=\S*\d)[\w/+.!$-]{8,200}={0,2}(?!\S))", _I),
        (r"(?P<name>\bSecureString[ \t]{1,20})(?P<value>[^\s-]\S{0,400})", 0),
        (r"(?P<name>\bput-parameter\b(?=.{0,400}\bSecureString\b).{0,400}? --value[ =][\"']?)(?P<value>[^\s\"']{1,400})", 0),
        (rf"(?P<name>(?:^|\s)(?:setenv |SetEnv |export |set -g?x )?\w{{1,60}}_(?:pass|pwd|psk|passphrase)[ \t]{{1,40}})(?P<value>{_MIXED}[^\s=:\"']{{6,200}}(?!\S))", _I),
        # Encoded addresses
        (r"(?P<name>%3A%2F%2F[\w.-]{0,60}%3A)(?P<value>[^\s%]{1,200})(?=%40)", _I),
        (r"(?P<name>:\\/\\/[\w.-]{0,60}:)(?P<value>[^\s@\\]{1,200})(?=@)", 0),
        # Lists of arguments, the second value of a difference, headers in proxies' configuration
        (r"(?P<name>[\"']--?[\w-]{0,40}(?:password|token|secret|api-?key)[\"'],\s{0,2}[\"'])(?P<value>[^\"']{1,400})", 0),
        (r"(?P<name>\*\*\*[\"'] -> [\"'])(?P<value>[^\"'*]{1,400})", 0),
        (r"(?P<name>\b(?:proxy_set_header|add_header|RequestHeader set|Header set|set\w{0,10}Header\()[ \t]{0,3}[\"']?[\w-]{0,40}(?:Authorization|Key|Token|Cookie|Secret|Auth)[\"']?,?[ \t]{1,3}[\"'])(?P<value>[^\"'$]{4,400})", _I),
        # Addresses whose path is the secret
        (r"(?P<name>/bot)(?P<value>\d{8,10}:[\w-]{30,})", 0),
        (rf"(?P<name>/(?:[\w-]{{0,20}}(?:reset|invit|verif|confirm|activat|unsubscribe|magic|token|webhook|hooks?\b|receiver|inputs\b|password|otp|login)[\w-]{{0,20}})/(?:[\w-]{{1,12}}/){{0,2}})(?P<value>{_MIXED}[\w~-]{{20,400}}={{0,2}}(?![\w.]))", _I),
        (r"(?P<name>\bgit\+https?://)(?P<value>[^\s@:/]{8,200})(?=@)", 0),
        # Hashes of passwords: https://passlib.readthedocs.io/en/stable/modular_crypt_format.html
        (r"(?P<name>\$(?:1|2[abxy]?|5|6|7|y|apr1|argon2(?:id?|d)|scrypt|pbkdf2[\w-]{0,16})\$)(?P<value>[\w.,=+/$-]{12,400})", 0),
        (r"(?P<name>\bSCRAM-SHA-\d{1,3}\$\d{1,7}:)(?P<value>[\w+/=:$]{12,400})", 0),
        (r"(?P<name>\b(?:pbkdf2_sha\d{1,3}|argon2|scrypt|bcrypt(?:_sha256)?)\$)(?P<value>[\w.,=+/$-]{12,400})", 0),
        # JSON Web Keys
        (r"(?P<name>[\"'](?:d|p|q|dp|dq|qi|k)[\"']\s{0,2}:\s{0,2}[\"'])(?P<value>[\w+/=-]{10,2000})(?=[\"'])", 0),
        # HTML forms
        (r"(?P<name><input\b(?=[^>]{0,200}\btype=[\"']?password)[^>]{0,200}\bvalue=[\"']?)(?P<value>[^\"'>\s][^\"'>]{0,400})", _I),
        (r"(?P<name><(?:input|meta)\b(?=[^>]{0,200}\bname=[\"']?[\w-]{0,20}(?:token|csrf|xsrf|nonce|secret))[^>]{0,200}\b(?:value|content)=[\"']?)(?P<value>[^\"'>\s][^\"'>]{0,400})", _I),
        (r"(?P<name>ConvertTo-SecureString(?: -String)? [\"']?)(?P<value>[^\s\"'$][^\s\"']{0,400})", _I),
        (r"(?P<name>/t/)(?P<value>(?=[\w-]{0,39}\d)(?=[\w-]{0,39}[A-Za-z])[\w-]{20,80})(?=/)", 0),
        (rf"(?P<name>\b(?:echo|printf)(?: -n| '?%s'?)? [\"']?)(?P<value>{_MIXED}[\w!@#%^&*+=.-]{{6,200}})(?=[\"']? \| [a-z])", 0),
        (r"(?P<name>(?<=\s)(?:-u|-U|--user(?:name)?)[ =][^\s:]{1,80} (?:-p|-P|-w)[ =]?[\"']?)(?P<value>(?!\d{1,5}(?:\s|$))[^\s\"'-][^\s\"']{0,200})", 0),
        (r"(?P<name>\b(?:echo|printf)(?: -n| '?%s'?)? [\"']?)(?P<value>[^\s|$\"']{4,200})(?=[\"']? \| (?:docker|podman|helm|sudo|gh|oc|crane|skopeo|buildah|nerdctl) )", 0),
        (r"(?P<name>(?<![\w-])(?:-passin|-passout|-pass)[ \t]{1,4}pass:)(?P<value>\S{1,200})", 0),
        (r"(?P<name>\bpass(?:word|phrase|code) for [\w.@'\"/-]{1,80}(?: is|:)?[ \t])(?P<value>" + _MIXED + r"[^\s\"']{6,200})", _I),
    )
)  # fmt: skip

# (a command, what follows its option): what `-p`, `-a` and `-u` mean depends on the command.
COMMANDS = (
    (
        re.compile(r"\b(?:mysql\w*|mariadb[\w-]*|sshpass|mongo\w*|(?:docker|podman|helm|az|oc)\b"
                   r".{0,60}\blogin|sqlcmd|influx|rabbitmqadmin|7za?|p7zip|rar|unrar)\b"),
        re.compile(r"(?P<name>(?<=\s)-[pP] ?)(?P<value>[^\s-]\S*+)"),
    ),
    (
        re.compile(r"(?<![\w.-])(?:zip|unzip)\b"),
        re.compile(r"(?P<name>(?<=\s)-P ?)(?P<value>[^\s-]\S*+)"),
    ),
    (
        re.compile(r"\b(?:redis-cli|keydb-cli|valkey-cli)\b"),
        re.compile(r"(?P<name>(?<=\s)-a )(?P<value>[^\s-]\S*+)"),
    ),
    (
        re.compile(r"\bsnmp(?:get|walk|set|bulkwalk|bulkget|getnext|trap|inform|table|status)\b"),
        re.compile(r"(?P<name>(?<=\s)-[cAX] ?)(?P<value>[^\s-]\S*+)"),
    ),
    (
        re.compile(r"\bopenssl (?:enc|aes|des|dgst|cms|smime|mac)\b"),
        re.compile(r"(?P<name>(?<=\s)-(?:k|K|iv|hmac|macopt) (?:(?:hex)?key:)?)(?P<value>[^\s-]\S*+)"),
    ),
    (
        re.compile(r"\b(?:smbclient|rpcclient|net ads|wmic|smbmap|mount\.cifs)\b"),
        re.compile(r"(?P<name>(?<=\s)-(?:U|-user)[ =]?[\"']?[^\s%\"']{1,80}%)(?P<value>[^\s\"']++)"),
    ),
    (
        re.compile(r"\blftp\b"),
        re.compile(r"(?P<name>(?<=\s)-u [^\s,]{1,80},)(?P<value>\S++)"),
    ),
    (
        re.compile(r"\bnet use\b", re.IGNORECASE),
        re.compile(r"(?P<name>\\\\\S{1,200} )(?P<value>[^\s/*]\S*+)(?= |$)"),
    ),
    (
        re.compile(r"\b(?:mosquitto_(?:pub|sub|rr)|crane auth login|skopeo login|buildah login|sftp|ncftp|tsh login)\b"),
        re.compile(r"(?P<name>(?<=\s)-[pP] ?)(?P<value>[^\s-]\S*+)"),
    ),
    (
        re.compile(r"\brabbitmqctl\b|\bhtpasswd -\w*b|\bnet user\b|\bmysqladmin\b|\bsmbpasswd\b"),
        re.compile(r"(?P<name>\b(?:add_user|change_password|authenticate_user|htpasswd -\w{1,6} \S{1,200}|net user)"
                   r" [\w.@\\-]{1,80} |\bpassword )(?P<value>[^\s/*-]\S*+)"),
    ),
    (
        re.compile(r"\bsecurity (?:unlock-keychain|import|create-keychain|set-key-partition-list)\b"),
        re.compile(r"(?P<name>(?<=\s)-[pPk] )(?P<value>[^\s/-]\S*+)"),
    ),
    (
        re.compile(r"\b(?:signtool|certutil|osslsigncode)\b"),
        re.compile(r"(?P<name>(?<=\s)(?:/p|-p|-pass) )(?P<value>[^\s/-]\S*+)"),
    ),
    (
        re.compile(r"\b(?:cargo|wandb|railway|netlify|vercel|flyctl|doppler|snyk|codecov|pulumi)\b"),
        re.compile(r"(?P<name>(?<=\s)(?:login|auth|-t|--token)[ =])(?P<value>(?=\S*\d)[\w.-]{16,400}+)"),
    ),
    (
        re.compile(r"\bpulumi config set\b.{0,80}--secret\b"),
        re.compile(r"(?P<name>--secret [\w:.-]{1,80} )(?P<value>[^\s-]\S*+)"),
    ),
    (
        re.compile(r"\b(?:sqlplus|rman|expdp|impdp|sqlldr)\b"),
        re.compile(r"(?P<name>(?<=\s)[\w$#]{1,60}/)(?P<value>[^\s@/]{1,200}+)(?=@|\s|$)"),
    ),
    (
        re.compile(r"\bvault login\b"),
        re.compile(r"(?P<name>\blogin (?:token=)?)(?P<value>[^\s=-][^\s=]*+)$"),
    ),
    (
        re.compile(r"\b(?:curl|http|https|wget|ldapsearch|ldapmodify|ldapwhoami)\b"),
        re.compile(r"(?P<name>(?<=\s)-(?:u|U|w|-user|-proxy-user|a)[ =]?[\"']?"
                   r"(?:[^\s:\"']{1,80}+:)?)(?P<value>[^\s\"'-][^\s\"']*+)"),
    ),
    (
        re.compile(r"\bcurl\b"),
        re.compile(r"(?P<name>(?<=\s)(?:-b|--cookie)[ =]?[\"']?[^\s=\"']{1,80}=)(?P<value>[^\s\"']++)"),
    ),
)  # fmt: skip

# Texts that only a credential begins with, beyond those of `fsd.lint.credentials`: some are public by
# design or may stand in a configuration, so that the lint rule does not name them. Prefixes as their vendors and secret scanners list them.
# https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns
# https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml
LOGGED = (
    r"\b(?:ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}\b",
    r"\b(?:whsec|[prs]k_(?:live|test|prod))_[A-Za-z0-9]{16,}",
    r"\bxoxe\.xox[bp]-[\w-]{8,}|\bx(?:app|oxc|oxd|wfp)-[\w%-]{10,}",
    r"\bgl[a-z]{2,8}-[\w-]{18,}",  # GitLab: gldt-, glrt-, glptt-, glcbt-, …
    r"\bsk-[\w-]{20,}|\b(?:gsk|xai|pplx|tvly|fw|csk|r8)[_-][A-Za-z0-9]{20,}",
    r"\bAIza[\w-]{20,}|\bGOCSPX-[\w-]{20,}|\bya29\.[\w-]{20,}|\b1//0[\w-]{20,}",
    r"\bAAAA[\w-]{7}:[\w-]{100,}",  # Firebase
    r"\bSK[0-9a-f]{32}\b",  # Twilio
    r"\bkey-[0-9a-f]{32}\b|\b[0-9a-f]{32}-us\d{1,2}\b",  # Mailgun, Mailchimp
    r"\bxkeysib-[0-9a-f]{32,}",
    r"\bsq0(?:atp|csp|idp)-[\w-]{20,}|\bEAAA[\w-]{40,}",  # Square
    r"\bEAA[A-Za-z0-9]{40,}",  # Facebook
    r"\bshp(?:at|ca|pa|ss|ua)_[0-9a-fA-F]{32}",  # Shopify
    r"\bhv[sbr]\.[\w-]{20,}|(?<![\w.])s\.[A-Za-z0-9]{24}\b",  # Vault
    r"\b(?:NRAK|NRII|NRJS|NRRA|NRIQ)-[A-Za-z0-9-]{19,}|\b[0-9a-f]{36}NRAL\b",
    r"\bgl(?:sa|c)_[\w+/=]{32,}|\beyJrIjoi[\w+/=-]{30,}",  # Grafana
    r"\bdckr_(?:pat|oat)_[\w-]{20,}",
    r"\bAT(?:ATT|CTT|BB)[A-Za-z0-9_=-]{20,}",  # Atlassian
    r"\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}",
    r"\b(?:lin_api|lin_oauth|rubygems|figd|rdme|sbp|nfp|nfc|ntn|pul|pat|pnu|tskey"
    r"|crates|cio|rpa|api_org|vercel|vcp|prefect|dt0c01|sgp|sb_secret|sb_publishable"
    r"|sntry[su]|bkua|oaat|waka|hrku-?|ctp|fm[12]|fo1|phx|phc|dp\.(?:pt|st|ct|sa|scim)"
    r"|pscale_(?:tkn|pw|oauth)|CFPAT|HRKU|sl\.u)[._-][A-Za-z0-9_=.+/-]{24,}",
    # Of a maker that is not known here: a prefix, and letters and digits as chance has them.
    r"\b[a-z][a-z0-9]{1,11}(?:_[a-z0-9]{1,8}){0,2}_(?=(?:[A-Za-z]*[0-9]){3})"
    r"(?=(?:[a-z0-9]*[A-Z]){3})(?=(?:[A-Z0-9]*[a-z]){3})[A-Za-z0-9]{28,}",
    r"\bpcsk_[\w-]{30,}|\blsv2_[a-z]{2}_[0-9a-f_]{32,}|\bk8s-aws-v1\.[\w=-]{40,}",
    r"\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}|\baccess_token\$(?:production|sandbox)\$\w+\$\w+",
    r"\btskey-[a-z]+-[\w-]{16,}|\bsecret_[A-Za-z0-9]{40,}",
    r"\bpat-[a-z]{2}\d-[0-9a-f-]{36}",  # HubSpot
    r"\bLTAI[A-Za-z0-9]{12,20}\b|\bAKID[A-Za-z0-9]{32}\b",  # Alibaba, Tencent
    r"\bEZ[AT]K[A-Za-z0-9]{40,}|\bFLWSECK[\w-]{20,}|\bSB-Mid-server-[\w-]{16,}",
    r"\bamzn\.mws\.[0-9a-f-]{36}",
    r"\b[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,}",  # a Discord bot
    r"\b\d{8,10}:AA[\w-]{32,}",  # a Telegram bot
    r"(?<![\w~.])[\w~.-]{3}\dQ~[\w~.-]{31,34}",  # a Microsoft Entra client secret
    r"\b[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}",  # HCP Terraform
    r"\bv1\.0-[0-9a-f]{24}-[0-9a-f]{100,}",  # Cloudflare
    r"\bdoo_v1_[0-9a-f]{40,}|\bdop_v1_[0-9a-f]{40,}",
    r"\bwebhook\.office\.com/webhookb2/\w|\bhooks\.zapier\.com/hooks/catch/\w",
    r"\bhooks\.slack\.com/(?:services|workflows|triggers)/\w",
    r"\bops_eyJ[\w-]{24,}",  # 1Password
    r"\bPuTTY-User-Key-File-\d",
    r"\bS[AUONCX][A-Z2-7]{56}\b",  # a seed of NATS
)
