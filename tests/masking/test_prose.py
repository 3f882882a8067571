"""Secrets and numbers of which a sentence says what they are, whole and in pieces; and sentences that only speak of them."""

from __future__ import annotations

import pytest
from masking_quality import differs_in_pieces, mask
from masking_texts import Text

FOUND = mask()


def hidden(text: str) -> list[str]:
    data = text.encode()
    return [data[start:end].decode() for start, end, _ in FOUND.find(data)]


def differs(text: str) -> bool:
    return bool(differs_in_pieces(FOUND, Text(text=text, values=(), template=text)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The password for the old staging box is Tr1umph-Oak.", "Tr1umph-Oak"),
        ('The passphrase for the key is "seven lazy otters swim".', "seven lazy otters swim"),
        ("They reset the password of the service to Summer-Rain-77 today", "Summer-Rain-77"),
        ("Das neue Kennwort der Datenbank lautet Ostsee#2024!", "Ostsee#2024!"),
        ("Hasło do bazy to Zamek#331", "Zamek#331"),
        ("Salasana on Järvi#909", "Järvi#909"),
        ("パスワードは「Sakura_2024」です", "Sakura_2024"),
        ("Ask for the door code (5521#).", "5521#"),
        ("Votre code PIN est le 8472", "8472"),
        ("Your new token is shown once: hV0k3nDd9Qm2xT7bLz5R", "hV0k3nDd9Qm2xT7bLz5R"),
        ("my social security number, as you asked, is 219099999", "219099999"),
        ("The phone number for the warehouse is 4155552671", "4155552671"),
        ("O CPF do cliente é 52998224725", "52998224725"),
        ("the passport of my wife is C01X00T47", "C01X00T47"),
    ],
)
def test_a_sentence_says_what_a_value_is(text: str, value: str) -> None:
    assert hidden(text) == [value]
    assert not differs(text)


@pytest.mark.parametrize(
    "text",
    [
        "The password for the account jsmith was reset on 2024-05-01 at 10:32.",
        "The token for build 20240501.3 is expired.",
        "The password is SHA-256 hashed with a salt.",
        "The token is base64-encoded.",
        "The secret name is db-credentials-2.",
        "password was changed by admin01 from host web-03",
        "changed password hashing from md5 to argon2id",
        "the default password length is 16 characters.",
        "Das Passwort muss aus 12-16 Zeichen bestehen.",
        "kubeadm join 10.0.0.1:6443 --discovery-token-ca-cert-hash sha256:" + "8c7510f056ad0b4f" * 4,
        "The phone support ticket is 4155552671",
        "O CPF do cliente é 52998224724",
    ],
)
def test_a_sentence_that_only_speaks_of_it_is_left(text: str) -> None:
    assert hidden(text) == []
    assert not differs(text)
