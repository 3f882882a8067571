"""What secrets are called, and what else is called so."""

from __future__ import annotations

import re

FOREIGN = "contraseña|contrasena|contrasenya|senha|palavra[_ -]?passe|mot[_ -]?de[_ -]?passe|mdp|passwort|kennwort|wachtwoord|lösenord|losenord|adgangskode|passord|salasana|hasło|haslo|zaporka|lozinka|geslo|heslo|jelszó|parol[aă]|(?:ş|Ş)ifre|parola|[пП]ароль|ПАРОЛЬ|κωδικός|סיסמה|كلمة المرور|パスワード|密码|密碼|口令|비밀번호|암호|mật khẩu|Mật khẩu|kata sandi|รหัสผ่าน|पासवर्ड".encode()  # fmt: skip
"""What a password is called elsewhere."""
PASSWORD_NAMES = (
    rb"pass(?:[_-]?(?:word|wd|phrase|code)|wrd)|pwd|\bpsw|psswd|pswd|authtok\b|db_?pass|mysql_pwd|psk|(?:require|auth_)pass|masterauth|erlang_?cookie|(?:bind|root|user|admin|sudo)_?pw|"
    + FOREIGN
)
SECRET_NAMES = (
    rb"(?:security|secret)[_ -]?answer|secret(?:[_ -]?access)?(?:[._ -]?key)?|token|jwt[_ -]?key|csrf|api[_ -]?key"
    rb"|(?:private|encrypt(?:ion)?|signing|master|access|account|shared|storage|hmac|aes|crypto|service|subscription|functions?|consumer|app|application|admin|write|session|cookie"
    rb"|server|license|auth|host|ssh|webhook|verification|ingest|wep)[_ -]?key|(?:key|trust)store[._-]key"
    rb"|oauth_(?:signature|consumer_key)|credentials?|client[_ -]?key[_ -]?data|x-(?:amz|goog)-(?:signature|security-token)"
)
OWNED = rb"(?:ssh|sudo|root|user|admin|mysql|pg|smtp|mail|imap|ftp|redis|mongo|ldap|proxy|bind|rpc)_?pass"
_CODES = rb"(?:security|verification|confirmation|login|sms|2fa|mfa|one[_-]?time)[ _-]?code"
_SHORT = rb"pass|pw|pin|puk|otp|cvv2?|cvc2?|" + _CODES + rb"|_?auth|_authtoken"
_SUFFIX = (
    rb"(?:[_-]?(?:base|value|string|confirm(?:ation)?|again|repeat|old|new|current|previous|prod(?:uction)?|dev|staging|test|live|main"
    rb"|primary|secondary|backup|plain(?:text)?|clear(?:text)?|b64|base64|data|hash|digest|sha(?:1|2|256|512)|md5|bcrypt|encrypted|crypted|[0-9]{1,2}))?"
)
NAMES = (
    rb"(?:(?i:"
    + PASSWORD_NAMES
    + rb"|"
    + SECRET_NAMES
    + rb"|(?:\b|_|-|%5B)(?:"
    + _SHORT
    + rb"|"
    + OWNED
    + rb"))|[a-z](?:Pass|Pin)|_KEY)"
    rb"(?i:" + _SUFFIX + rb")"
)
IS_PASSWORD = re.compile(rb"(?i)[_-]?(?:" + PASSWORD_NAMES + rb"|" + OWNED + rb")")
IS_CODE = re.compile(_CODES)
NOT_SECRET_BEFORE = re.compile(
    rb"(?i)(?:(?<![a-z])|(?<=(?-i:[a-z]))(?=(?-i:[A-Z])))(?:next|page|continuation|continue|input|output|client[_ -]?request|(?:next[_ -]?)?lock|starting|sync|resume|cursor|start|max|min|num|total|prompt|completion|pad|eos|bos|unk|mask|stop|public|publishable"
    rb"|primary|foreign|sort|partition|cache|idempotency|routing|tenant|pkce|public[_ -]?key|checksum/)[_ -]?\Z|(?:[0-9]{12}|\*|\}):\Z|(?-i:AWS::[A-Za-z0-9]{1,24}::[A-Za-z0-9]{0,24})\Z"
)
"""Words before a name that make something else of it: the token of a page, a column's key."""
