"""The masks of a file: what they may name, and what becomes of it."""

from __future__ import annotations

import pytest

from gateway.policy.file import PolicyFileError, load
from gateway.vocabulary import known

FILE = """
connections:
  shop:
    protocol: postgres
    listen: 127.0.0.1:15432
    upstream: postgresql://127.0.0.1:5432/shop
    credential: {{user: gateway}}
rules:
  - name: reads
    when: {{effects: [read]}}
    then: {{allow: true, mask: pii}}
default: block
masks:
  pii: {mask}
"""


def read(tmp_path, mask: str):
    file = tmp_path / "policies.yaml"
    file.write_text(FILE.format(mask=mask))
    return load(file, known()).masks["pii"]


def test_a_mask_says_where_what_and_how(tmp_path) -> None:
    mask = read(
        tmp_path,
        '{detect: [secrets, email], keep_length: true, columns: {"*.ssn": redact, "$.items[*].token": hash, "orders.payload$..card": partial},'
        " except: {columns: [products.name], detect: [jwt]}}",
    )
    assert mask.columns == {"*.ssn": "redact", "$.items[*].token": "hash", "orders.payload$..card": "partial"}
    assert mask.of_columns == {"*.ssn": "redact", "orders.payload": "partial"}
    assert (mask.except_, mask.except_detect, mask.keep_length) == (("products.name",), ("jwt",), True)


def test_a_plain_list_of_exceptions_is_of_columns(tmp_path) -> None:
    mask = read(tmp_path, "{detect: [email], except: [email]}")
    assert (mask.except_, mask.except_detect) == (("email",), ())


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        ('{columns: {"$": redact}}', "a path names something inside the document"),
        ('{columns: {"$.a[?(@.b)]": redact}}', "the path cannot be read from"),
        ('{columns: {"a|b$.c": redact}}', "write a name with"),
        ('{columns: {"*.*": redact}}', "write a name with"),
        ("{columns: {'customers.\"SSN\"': redact}}", "leave out the quotes"),
        ("{columns: {'`ssn`': redact}}", "leave out the quotes"),
        ("{columns: {customers..ssn: redact}}", "a name is missing beside a dot"),
        ("{columns: {ssn.: redact}}", "a name is missing beside a dot"),
        ('{columns: {"*.ssn": null}}', 'in quotes, as "null"'),
        ('{columns: {"*.ssn": }}', 'in quotes, as "null"'),
        ("{detect: [email], except: {detect: [mail]}}", "mail"),
        ("{detect: [email], except: {rows: [a]}}", "rows"),
        ("{detect: [email], keep_length: long}", "keep_length"),
    ],
)
def test_what_cannot_be_meant_is_an_error(tmp_path, mask: str, said: str) -> None:
    with pytest.raises(PolicyFileError) as error:
        read(tmp_path, mask)
    assert said in str(error.value)
