"""The words of JSON (RFC 8259), as bytes."""

from __future__ import annotations

import re

BLANKS = re.compile(rb"[ \t\r\n\x1e]*")
"""The last of them begins each text of a JSON sequence (RFC 7464)."""
_NUMBER = rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
SCALAR = re.compile(_NUMBER + rb"|true|false|null|-?Infinity|NaN")
SCALAR_SIGNS = re.compile(rb"[-+.0-9A-Za-z]*")
_TEXT = rb'"[^"\\\x00-\x1f]*"'
_GAP = rb"[ \t\r\n]*"
_PLAIN = rb"(" + _TEXT + rb"|" + _NUMBER + rb"|true|false|null)" + _GAP
MEMBER = re.compile(rb"(" + _TEXT + rb")" + _GAP + rb":" + _GAP + _PLAIN + rb"([,}])" + _GAP)
"""A whole member that holds a text as it looks, or a number and its like: most are, and are passed over in one go."""
ELEMENT = re.compile(_PLAIN + rb"([,\]])" + _GAP)
