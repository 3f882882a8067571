"""What each detector finds, and what it leaves alone. `<...>` marks what must be hidden."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from gateway.masking.detectors import DETECTORS, GROUPS, NAMES, READ, UnknownDetector, expand
from gateway.masking.scanner import Scanner, scanner
from gateway.masking.shapes import Shape, Span

ALL = tuple(name for name in DETECTORS if name not in READ)

FOUND: dict[str, list[str]] = {
    "email": [
        "mail <jane.doe@example.com> now",
        "<jane+tag@sub.example.co.uk>, <x@y.io>.",
        "<o'brien@example.ie>",
        "f'<ann@example.com>'",
        "N'<ann@example.com>' || 'x'",
        '{"a":"\\n<ann@example.com>\\u003e"}',
        "mailto:<ann@example.com>?subject=x",
        "q=%20<ann%40example.com>&x=1",
        "<<ann@example.com>>",
        "ж <jane@пример.рф> 请联系<jane@x.com>。",
        "<張伟@例子.公司>",
        "<élan@example.fr>",
        "<user@163.com> <_x@a-b.museum> <1@a.de>",
        "\\\\n<ann@example.com>",
    ],
    "payment_card": [
        "card <4111\u00a01111\u00a01111\u00a01111>, <4111+1111+1111+1111>",
        "?c=<4111%201111%201111%201111>&x=1",
        "<4111 1111 1111 1111>",
        "<4111-1111-1111-1111>,<5555555555554444>",
        "amex <3782 822463 10005> or <378282246310005>",
        "<6011111111111117> <3530111333300000> <30569309025904> <2223003122003222>",
        '"card":"<4111111111111111>"',
        "pan_<4111111111111111>",
        "x\\n<4111111111111111>",
        "<4222222222222>",
        "<4000 0000 0000 0000 006>",
        "<4111.1111.1111.1111>",
        "<4111 1111 1111 1111> 123",
        "12/26 <4111111111111111>",
    ],
    "iban": [
        "<DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000>",
        "<DE89 3704 0044 0532 0130 00> BANK",
        "<GB29NWBK60161331926819>",
        "iban=<de89370400440532013000>;",
        "<NO9386011117947> <MT84MALT011000012345MTLCAST001S>",
        "<FR14 2004 1010 0505 0001 3M02 606>",
        "<DE89-3704-0044-0532-0130-00>",
    ],
    "ssn": [
        "SSN <374\u201151\u20115809>",
        "ssn <123-45-6789>",
        "SSN: <123456789>",
        '"ssn": "<123 45 6789>"',
        "<900-70-1234>",
        "social security number is <123456789>",
    ],
    "phone": [
        "<+33\u202f6\u202f12\u202f34\u202f56\u202f78> phone: <415\u2013867\u20132931>",
        "<+1 555 123 4567> and <+44 7700 900123>",
        "<+14155552671>",
        "<(555) 123-4567>, <555-123-4567>, <212.555.0123>",
        "<1-800-555-0199> <1 (212) 555-0123>",
        "<020 7946 0958> <0171/1234567> <06 12 34 56 78>",
        "<+49 (0)30 123456> x",
        "call <0049 30 123456>",
        "phone: <5551234567>",
        '{"phone":"<5551234567>"}',
        "my number is <212 555 0123>",
        "tel. <030/1234567>",
        "(<(11) 91234-5678>)",
        "<+33612345678>, <+86 138 0013 8000>, <+91 98765 43210>",
        "mobile_number=<07911123456>",
        '{"a":"\\n<+14155552671>\\u003e", "b":"\\t<(415) 555-2671>\\n"}',
        "q=%20<+49 30 901820>%20",
        "<1-888-555-0123 ext 5>, <(415) 555-2671 x22>",
    ],
    "ip": [
        "from <10.0.0.1>:8080",
        "<2001:db8::1>/64",
        "<::ffff:10.1.2.3>",
        "<fe80::1>%eth0",
        "[<2001:db8::2:1>]:443",
    ],
    "jwt": [
        "<eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U>;",
        "t=<eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.>",
    ],
    "private_key": [
        "a <-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabc+/=\n-----END RSA PRIVATE KEY-----> b",
        '{"k":"<-----BEGIN PRIVATE KEY-----\\nMIIE\\nxyz=\\n-----END PRIVATE KEY-----\\n>"}',
        "<-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk>",
        "<-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY----->",
    ],
    "password": [
        "password=<hunter2>",
        "password: <Tr0ub4dor&3>",
        "password=<s3cr3t>&next=1",
        "password=<s3cr3t>&amp;next=1",
        "export PASSWORD=<s3cr3t> && run",
        "PASSWORD=<s3cr3t>&&run",
        'DB_PASSWORD="<my pass phrase>"',
        "DB_PASSWORD=<$ecret9Zk>\n",
        "password: '<@dmin2024>'",
        '{"password": "<(x7!Kq2zP)w>"}',
        '{"pass": "<[9oEa/y6LR;sSF3U>"}',
        "PASSWORD '<%ecret9Zk>';",
        "PASS <vuz7Rt9qLm>",
        "AUTH default <vuz7Rt9qLm>",
        "kim:<vuz7Rt9q>@mq:5672",
        "id,username,password\n1,kim,<trustnoone>",
        '{"password": "<hunter2>", "b": 1}',
        '\\"password\\":\\"<hunter2>\\"',
        '{"password":"<a\\"b>"}',
        "Server=x;Password=<abc>;Uid=y",
        "a=1,password=<xyz>,user=bob",
        "CREATE ROLE x PASSWORD '<x y>'",
        "IDENTIFIED BY '<pw>'",
        "--password <hunter2> --x",
        "<password><hunter2></password>".replace("<password>", "‹password›").replace(
            "</password>", "‹/password›"
        ),
        "client_secret: <8a7b6c5d>",
        "apiKey: '<0123456789abcdef>'",
        "token: <abc123def>",
        "postgres://user:<p%40ss>@host/db",
        "amqp://u:<p@ss>@host/",
        "redis://:<pw1>@h:6379",
        "PGPASSWORD=<s3cret> psql",
        "aws_secret_access_key = <wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY>",
        "host=db user=x password='<it is long>' dbname=y",
        "passwd:<xK9>",
        "spring.datasource.password=<s3cr3t!>",
        "?access_token=<abcdef123456>&x=1",
        "tacacs-server key 7 <0207165218120E2D>",
        'createUser monitor SHA "<auth-pass-99>" AES <privpass99>',
        "rocommunity <n0c-r34d> 10.0.0.0/8",
        "user worker on ><w0rker-acl> ~jobs:*",
        "PWD={<br@ce;d>};",
        '"db_password": {"sensitive": true, "value": "<tf-0utput>"}',
        'variable "admin_password" {\n  type = string\n  default = "<tf-d3fault>"\n}',
        "radius server a\n key 0 <is3-shared>",
    ],
    "bearer": [
        "Authorization: Bearer <abc.def.ghi>",
        'authorization: "bearer <x1>"'.replace("x1", "x1yz"),
        "Bearer <mF_9.B5f-4.1JqM>",
    ],
    "basic_auth": ["Authorization: Basic <dXNlcjpwYXNz>", "basic <dXNlcjpwYXNz>"],
    "auth_header": [
        "X-Api-Key: <12345678>",
        "Authorization: token <abcdefgh1>",
        "Authorization: AWS4-HMAC-SHA256 <Credential=x/y, SignedHeaders=host, Signature=fe5f>\n",
    ],
    "cookie": [
        "Cookie: sid=<abc123>; theme=dark\nHost: x",
        "Cookie: lang=en; sid=<abc123; auth=9f8e7d6c5b>; theme=dark\n",
        "Set-Cookie: sid=<abc123>; HttpOnly",
        "PHPSESSID=<0e26fw25s744goxjkph8l3i3mp>;",
        '"session_id": "<0e26fw25s744goxjkph8l3i3mp>"',
    ],
    "password_hash": [
        "root:<$6$rounds=5000$usesomesillystri$KqJWpanXZHKq2BOB43TSaYhEWsQ1Lr5QNyPCDH/Tp.6>:19000:0",
        "bob:<$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe>",
        "alice:<$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/>",
        "'<$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b2dWRWJTmaQ>'",
        "<pbkdf2_sha256$260000$abcdefghijkl$Wy0R/8mR1OyKk1MJ8r+M0s6pA0xKJ0aXv8q0j0o0o0o>",
        "<SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=>",
        "<*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19>",
        "userPassword: <{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g1qz0=>",
    ],
    "national_id": [
        "NINO <AB123456C>, again <AB 12 34 56 C>",
        "DNI: <12345678Z>; NIE <X1234567L>",
        "CPF <529.982.247-25>, cpf: <52998224725>",
        "codice fiscale <RSSMRA85T10A562S>",
        "BSN: <111222333> PESEL <44051401359>",
        "aadhaar <2341 2341 2346>",
        "身份证号：<11010519491231002X>",
        "personnummer <811228-9874>",
        "SIN: <046 454 286>, NHS number <943 476 5919>",
        "CURP <HEGG560427MVZRRL04>",
        "AHV-Nr. <756.9217.0769.85>",
        "NIR <2 55 08 14 168 025 38>",
    ],
    "tax_id": [
        "EIN: <12-3456789>",
        "USt-IdNr.: <DE129273398>, VAT: <GB999999973>",
        "Steuer-ID: <86095742719>",
        "CNPJ: <11.222.333/0001-81>",
        "PAN card <ABCPE1234F>, TFN <123 456 782>",
        "P. IVA <00743110157>",
    ],
    "passport": [
        "passport no. <C01X00T47>",
        "Reisepass: <C01X00T47>",
        "<L898902C36UTO7408122F1204159ZE184226B«««««10>",
    ],
    "bank_account": [
        "Routing number: <021000021>",
        "account number: <1234567890>",
        "sort code <20-00-00>",
        "BLZ <37040044>, BIC: <DEUTDEFF500>",
    ],
    "encoded_secret": [
        "x: <cG9zdGdyZXM6Ly9hcHA6czNjcjN0LXBhc3NAZGIvc2hvcA==>",
        'a: "<LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF>"',
        "kind: Secret\ndata:\n  username: <YXBwLXVzZXI=>\n  b: 1",
        'data:\n  "2024": <YXBwLXVzZXI=>\n  b: <YW5vdGhlciBvbmU=>\nkind: Secret\n',
        "kind: Secret\ndata:\n  'on': <YWJj>\n  b: <YXBwLXVzZXI=>\n",
        "@@ -1,4 +1,4 @@\n apiVersion: v1\n data:\n-  p: <YXBwLXVzZXI=>\n+  p: <YW5vdGhlciBvbmU=>\n kind: Secret\n",
    ],
    "aws_key": ["<AKIAIOSFODNN7EXAMPLE>", "id_<ASIAIOSFODNN7EXAMPLE>"],
    "gcp_key": ["k=<AIzaSyA1234567890abcdefghijklmnopqrstuv>", "<ya29.a0AfH6SMBx1234567890abcdef>"],
    "azure_key": ["AccountName=x;AccountKey=<" + "Ab1+" * 21 + "Ab==>;"],
    "github_token": ["<ghp_abcdefghijklmnopqrstuvwxyzABCDEF1234>", "<github_pat_" + "a1" * 41 + ">"],
    "gitlab_token": ["<glpat-abcdefghij0123456789>"],
    "slack_token": [
        "<xoxb-123456789012-abcdefABCDEF>",
        "see <https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX>",
    ],
    "stripe_key": ["<sk_live_abcdefghijklmnop>", "<whsec_abcdefghijklmnopqrstuvwx>"],
    "anthropic_key": ["<sk-ant-api03-abcdefghijklmnopqrstuvwxyz>"],
    "openai_key": [
        "<sk-proj-abcdefghijklmnopqrstuvwxyz>",
        "<sk-abcdefghijklmnopqrstT3BlbkFJabcdefghijklmnopqrst>",
    ],
    "npm_token": ["<npm_abcdefghijklmnopqrstuvwxyz0123456789>"],
    "pypi_token": ["<pypi-AgEIcHlwaS5vcmcCJDAwMDAw>"],
    "vendor_key": [
        "<hf_abcdefghijklmnopqrstuvwxyzABCDEFGH>",
        "<SG.abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuv>",
    ],
}

LEFT_ALONE = [
    'password: $db_pass1 password=%DB2_PASSWORD% password: "{user.name}:{port}" password: *default_pass1',
    '"password": "[A-Za-z0-9]{8,}" "password": "(?=.*[A-Z])(?=.*[0-9]).{8,}"',
    "passwd: files systemd",
    "PASS TestLogin2\nPASS src/a1.test.ts",
    "AUTH CRAM-MD5",
    "CEP 01310-100",
    "psk: wpa2 security=wpa2-psk",
    'labels.password = "Kennwort"',
    "http://localhost:8080/@scope/pkg:latest http://127.0.0.1:3000/users?to=a@b",
    "order_id: 4000123412341234",
    "algorithms: SHA 256, AES 128",
    "service password-encryption",
    "--from-file=password=./pw.txt password: $__file{/etc/pw}",
    "550e8400-e29b-41d4-a716-446655440000",
    "2024-01-15 12:34:56.123456+00",
    "2024-01-15T12:34:56Z 1700000000 1700000000000 1700000000000000",
    "d41d8cd98f00b204e9800998ecf8427e e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "v1.2.3 1.2.3.4.5 10.15.7-beta.1 node 18.17.0",
    "$1,234,567.89 1.234.567,89 EUR 19.99",
    "40.712776,-74.005974 +40.7128-074.0060/",
    "ORD-2024-001234 INV-555-123-4567-8 SKU 4006381333931",
    "order number 212 555 0123",
    "4111111111111112 4111 1111 1111 1112 1234567890123456",
    '"GET / HTTP/1.1" 404 512 1024 "-"',
    "01.02.2024 10:30 01/02/2024 31-12-1999",
    "icon@2x.png git@github.com:x/y.git react@18.2.0 getty@tty1.service user@localhost @handle",
    "DE89370400440532013001 XX89370400440532013000",
    "000-12-3456 666-12-3456 123-00-4567 123-45-6789-0",
    "password: ${PASSWORD} password=$1 password = %s password=? password: null password: required",
    "pwd=/home/jane PWD=/srv max_tokens: 4096 secretName: foo token: str password: str",
    "password=os.environ['X'] password=get_password() password: <your password> password=[redacted]",
    "the bearer certificate was basic stuff",
    "forgot your password? reset the token. secret garden",
    "http://example.com:8080/path http://u@h/ 12:34:56 00:1b:44:11:3a:b7",
    "0.4111111111111111 4111111111111111.50",
    "ip 127.0.0.1 ::1 0.0.0.0",
    "+02:00 +1234567 1e+1234567890",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "eyJub3QiOiJhIGp3dCJ9.abc.def",
    "sk-learn task-1234567890 desk_live_x",
    "9783161484100 5901234123457 4006381333931",
    "page 1-800 of 555-1234 lines 100-200-3000",
    "rows 200 300 4000 took 100 200 3000",
    "SELECT id, password FROM users WHERE token IS NOT NULL",
    "1234-5678-9012-3456 0000-0000-0000-0000",
    "git commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "$argon2 2147483647 9223372036854775807",
]


def spans(marked: str) -> tuple[str, list[str]]:
    """The text without its marks, and the marked parts."""
    parts = re.findall(r"<((?:[^<>]|(?<=-)>)*?)>", marked)
    return re.sub(r"<((?:[^<>])*?)>", r"\1", marked), parts


@pytest.mark.parametrize(
    ("name", "marked"), [(name, text) for name, texts in FOUND.items() for text in texts]
)
def test_a_value_is_found_from_its_first_byte_to_its_last(name: str, marked: str) -> None:
    text, wanted = spans(marked)
    text = text.replace("‹", "<").replace("›", ">").replace("«", "<")
    data = text.encode()
    found = [(hit, data[start:end].decode()) for start, end, hit in scanner(expand([name])).find(data)]
    assert found == [(name, value.replace("«", "<")) for value in wanted]


@pytest.mark.parametrize(
    ("name", "marked"), [(name, text) for name, texts in FOUND.items() for text in texts]
)
def test_with_every_detector_on_the_value_is_still_hidden(name: str, marked: str) -> None:
    text, wanted = spans(marked)
    data = text.replace("‹", "<").replace("›", ">").replace("«", "<").encode()
    covered = bytearray(data)
    for start, end, _ in scanner(ALL).find(data):
        covered[start:end] = b"*" * (end - start)
    for value in wanted:
        assert value.replace("«", "<").encode() not in covered


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_only_looks_alike_is_left_alone(text: str) -> None:
    data = text.encode()
    assert [
        (name, data[start:end]) for start, end, name in scanner(expand(set(ALL) - {"ip"})).find(data)
    ] == []


@pytest.mark.parametrize("text", [text for text in LEFT_ALONE if "1.2.3.4" not in text])
def test_addresses_are_not_found_in_other_numbers(text: str) -> None:
    assert scanner(("ip",)).find(text.encode()) == []


def test_every_detector_has_examples() -> None:
    assert set(FOUND) == set(ALL)


def test_groups_mean_their_members_and_unknown_names_are_refused() -> None:
    assert set(expand(["secrets"])) == GROUPS["secrets"]
    assert set(expand(["secrets", "email"])) == GROUPS["secrets"] | {"email"}
    assert set(DETECTORS) | {"secrets"} <= NAMES
    with pytest.raises(UnknownDetector, match="there is no detector 'emial'; the detectors are"):
        expand(["emial"])


HOSTILE = {
    "digits": b"1234567890" * 6_000,
    "digit groups": b"4111 1111 1111 1112 " * 3_000,
    "dotted": b"1.2.3.4." * 8_000,
    "at signs": b"a@b.c@" * 10_000,
    "keywords": b"password=${X} " * 4_000,
    "armour": b"-----BEGIN PRIVATE KEY-----\n" * 2_000,
    "tokens": b"eyJhbGciOiJIUzI1NiJ9-" * 3_000,
    "escapes": b"\\n\\t\\u0041" * 6_000,
    "brackets": b"(555) (555) " * 5_000,
    "quotes": b'password="' * 6_000,
    "schemes": b"a://b:" * 10_000,
    "one long word": b"a" * 64_000,
    "pluses": b"+1 +1 +1 " * 7_000,
    "headers": b"Authorization: " * 4_000,
    "cookies without values": b"Cookie: a " * 6_000,
    "placeholders": b"password=yourabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst! " * 1_000,
    "password files": b":5432:a:b:c" * 5_500,
    "working directories": b"pwd=/hom:" * 6_000,
    "mailboxes without an end": b"@b.cc" * 12_000 + b"9",
    "cookies": b"Cookie:lang=" * 5_000,
    "encoded in encoded": b"bearer%20" * 6_000,
    "drawn keys": b"xKey=" + b"aB1" * 20_000,
    "names of keys": b'"key":"' * 9_000,
    "lists of users": b"[users]\n" * 6_000,
    "users without an end": b"[users]\n" + b"ann = Ab1234567\n" * 4_000,
    "addresses before passwords": b"]:25 a@b.cc:" * 5_000,
    "stars": b" * Ab1234567" * 5_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_costs_in_proportion_to_its_length(name: str) -> None:
    """Of four times the text the checks are given little more than four times as much to look at: nothing is quadratic."""
    whole = HOSTILE[name]
    given = 0

    def counted(shape: Shape) -> Shape:
        def check(data: bytes, start: int, end: int) -> Span | None:
            nonlocal given
            given += len(data)
            return shape.check(data, start, end)

        return replace(shape, check=check)

    found = Scanner(
        [
            replace(DETECTORS[each], shapes=tuple(counted(shape) for shape in DETECTORS[each].shapes))
            for each in ALL
        ]
    )
    looked_at = []
    for data in (whole[: len(whole) // 4], whole):
        given = 0
        found.find(data)
        looked_at.append(max(given, 4 * len(data)))  # a value of its own is seen a few times over
    assert looked_at[1] <= 5 * looked_at[0]


def test_what_is_turned_down_was_not_looked_at_to_its_end() -> None:
    seen = []

    def check(data: bytes, start: int, end: int) -> Span | None:
        seen.append(len(data))
        return (start, len(data)) if len(data) < 5_000 else None

    far = b"x" * 100_000
    shape = Shape(pattern=b"name", check=check)
    span = shape.judge(b"name" + far, 0, 4)
    assert span == (0, seen[-2]), "what it said yes to is hidden, though more made it say no"
    assert seen[-1] < 10 * seen[-2]
    assert replace(shape, check=lambda *_: None).judge(b"name" + far, 0, 4) is None


@pytest.mark.parametrize(
    ("head", "part"),
    [(b"token=", b"/a"), (b"password ", b"/a"), (b"secret: ", b"a-"), (b"api_key=", b"Ab.")],
)
def test_no_value_is_parted_in_every_way_that_there_is(head: bytes, part: bytes) -> None:
    """It ends at all: trying each of 2 to the 60 ways of parting a value that is none in the end would not."""
    assert scanner(ALL).find(head + 60 * part + b"!\n" + head + b"hunter2!x")
