"""Answers of a real provider, rearranged: the eight classes of signature wrapping, and their relatives."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.identity.saml_response import ResponseRefused
from tests.identity.saml_corp import AFFILIATION, refusal
from tests.identity.saml_documents import A, D, P, assertion, closed, evil, one, opened


def _into_object(signature, original):
    holder = etree.SubElement(signature, f"{D}Object")
    holder.append(original)


def _wrapped(message, *, whole, place):
    """An evil answer that carries the original one somewhere, with the signature that fits the original."""
    root = opened(message)
    if whole:
        original = copy.deepcopy(root)
        for signature in list(original.iter(f"{D}Signature")):
            signature.getparent().remove(signature)
        fake = evil(root)
        signature = copy.deepcopy(root.find(f"{D}Signature"))
        place(fake, signature, original)
        return closed(fake)
    original = assertion(root)
    fake = evil(original)
    place(root, original, fake)
    return closed(root)


def _under(name):
    def place(fake, signature, original):
        fake.insert(1, signature)
        if name == "signature":
            signature.append(original)
        elif name == "object":
            _into_object(signature, original)
        elif name == "extensions":
            etree.SubElement(fake, f"{P}Extensions").append(original)
        elif name == "before":
            fake.insert(0, original)
        else:
            fake.append(original)

    return place


@pytest.mark.parametrize("name", ["signature", "object", "extensions", "before", "after"])
@pytest.mark.parametrize("which", ["signed_whole", "signed_twice"])
def test_a_signed_answer_wrapped_in_another_one_proves_nothing(corp, name, which):
    assert refusal(corp, _wrapped(getattr(corp, which), whole=True, place=_under(name)))


def _evil_first(root, original, fake):
    original.addprevious(fake)


def _evil_last(root, original, fake):
    original.addnext(fake)


def _evil_around(root, original, fake):
    root.replace(original, fake)
    fake.append(original)


def _evil_with_the_signature(root, original, fake):
    fake.insert(1, original.find(f"{D}Signature"))
    original.addprevious(fake)


def _evil_around_by_its_signature(root, original, fake):
    signature = original.find(f"{D}Signature")
    root.replace(original, fake)
    fake.insert(1, signature)
    signature.append(original)


def _evil_around_by_an_object(root, original, fake):
    signature = original.find(f"{D}Signature")
    root.replace(original, fake)
    fake.insert(1, signature)
    _into_object(signature, original)


def _evil_in_extensions(root, original, fake):
    extensions = etree.Element(f"{P}Extensions")
    extensions.append(fake)
    root.insert(1, extensions)


def _original_in_extensions(root, original, fake):
    root.replace(original, fake)
    extensions = etree.Element(f"{P}Extensions")
    extensions.append(original)
    root.insert(1, extensions)


def _evil_of_the_same_id(root, original, fake):
    fake.set("ID", original.get("ID"))
    original.addprevious(fake)


def _evil_of_the_same_id_around(root, original, fake):
    fake.set("ID", original.get("ID"))
    root.replace(original, fake)
    fake.insert(1, copy.deepcopy(original.find(f"{D}Signature")))
    etree.SubElement(fake, f"{A}Advice").append(original)


def _evil_advised(root, original, fake):
    advice = etree.Element(f"{A}Advice")
    original.find(f"{A}Conditions").addnext(advice)
    advice.append(fake)


def _evil_beside_in_a_list(root, original, fake):
    holder = etree.SubElement(root, f"{P}Holder")
    holder.append(fake)


def _evil_answer_inside(root, original, fake):
    inner = evil(root)
    root.append(inner)


WRAPPINGS = [value for name, value in list(globals().items()) if name.startswith(("_evil", "_original"))]


@pytest.mark.parametrize("place", WRAPPINGS, ids=lambda place: place.__name__.strip("_"))
@pytest.mark.parametrize("which", ["signed", "signed_twice"])
def test_a_signed_assertion_beside_around_or_inside_another_one_proves_nothing(corp, place, which):
    assert refusal(corp, _wrapped(getattr(corp, which), whole=False, place=place))


def test_nothing_outside_of_what_is_signed_is_read(corp):
    """Statements that were put beside a signed assertion are not part of it."""
    root = opened(corp.signed)
    statement = copy.deepcopy(one(root, "//a:AttributeStatement"))
    one(statement, f"a:Attribute[@Name='{AFFILIATION}']")[0].text = "root"
    root.append(statement)
    root.append(copy.deepcopy(one(root, "//a:Subject")))
    assert "root" not in corp.says(closed(root)).attributes[AFFILIATION]


NAMES = ["ada@example.com", "mallory@example.com", "", "db-admins", "root"]


def _operated(root, draw):
    """One cut into the document: a node goes, is copied or moved elsewhere, or says something else."""
    nodes = list(root.iter())
    node = draw(st.sampled_from(nodes))
    where = draw(st.sampled_from(nodes))
    match draw(st.sampled_from(["remove", "copy", "move", "text", "attribute", "rename", "wrap"])):
        case "remove" if node.getparent() is not None:
            node.getparent().remove(node)
        case "copy":
            where.insert(draw(st.integers(0, len(where))), copy.deepcopy(node))
        case "move" if node.getparent() is not None and where not in node.iter():
            where.insert(draw(st.integers(0, len(where))), node)
        case "text":
            node.text = draw(st.sampled_from(NAMES))
        case "attribute" if node.attrib:
            name = draw(st.sampled_from(sorted(node.attrib)))
            node.set(
                name, draw(st.sampled_from([*NAMES, "_evil", *(each.get("ID") or "" for each in nodes)]))
            )
        case "rename":
            node.tag = where.tag
        case "wrap" if node.getparent() is not None:
            around = etree.Element(where.tag, dict(where.attrib))
            node.getparent().replace(node, around)
            around.append(node)
        case _:
            pass


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_is_cut_and_pasted_it_is_refused_or_says_the_same(corp, data):
    """All that the signature does not cover may go, so a document may survive; never with other words in it."""
    which = data.draw(st.sampled_from(["signed", "signed_whole", "signed_twice"]))
    root = opened(getattr(corp, which))
    for _ in range(data.draw(st.integers(1, 4))):
        _operated(root, data.draw)
    try:
        said = corp.says(closed(root))
    except ResponseRefused:
        return
    assert said == corp.says(getattr(corp, which))
