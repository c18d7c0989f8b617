# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix, the marks beside the tests, and the page that tells of them."""
import pathlib
import re

import pytest

from lab.rows import read_faults, read_proofs, read_rows

PAGE = pathlib.Path(__file__).parents[2] / "doc/SECURITY.md"
ID = re.compile(r"[KPDARSUN]\d\d")

pytestmark = pytest.mark.no_lab


def read_page():
    """The IDs that the page claims, and those it says nothing proves."""
    claims, _, bare = PAGE.read_text("utf-8").partition("## Not proved")
    claimed = re.findall(r"\[([^\]\[`]+)\](?!\()", claims)
    return [name for words in claimed for name in words.split(", ")], \
        ID.findall(bare)


def test_marks_name_rows_that_are_there():
    rows, void = read_rows()
    assert set(read_proofs()) <= set(rows), set(read_proofs()) - set(rows)
    assert not set(rows) & set(void)


def test_every_claim_of_the_page_has_a_proof():
    claimed, _ = read_page()
    proofs = read_proofs()
    assert len(claimed) > 100, "the page makes claims"
    bad = [name for name in claimed if name not in proofs]
    assert not bad, f"claimed and not proved: {bad}"


def test_page_tells_what_nothing_proves():
    rows, _ = read_rows()
    proofs = read_proofs()
    _, bare = read_page()
    assert sorted(bare) == sorted(row for row in rows if row not in proofs)


def test_marks_in_c_are_read():
    proofs = read_proofs()
    assert any(test.startswith("unit/") for test in proofs["P05"])


# --- deliberate faults

TOP = pathlib.Path(__file__).parents[2]
MARK = b"-broken-"


def choices():
    text = (TOP / "meson_options.txt").read_text("utf-8")
    block = text[text.index("option('broken'"):]
    return re.findall(r"'(\w+)'", block[block.index("["):block.index("]")])


def test_every_fault_has_a_test_that_must_notice_it():
    proofs = {test for tests in read_proofs().values() for test in tests}
    faults = read_faults()
    assert sorted(faults) == sorted(set(choices()) - {"none"})
    bad = [test for test in faults.values() if f"e2e/{test}" not in proofs]
    assert not bad, bad


def test_every_fault_is_one_in_the_header():
    header = (TOP / "src/ground/base/broken.h").read_text("utf-8")
    named = re.findall(r"^\tBROKEN_(\w+),", header, re.M)
    assert [name.lower() for name in named] == choices()


def test_ordinary_binary_has_no_trace_of_a_fault(world):
    """A broken one says so; this one neither says nor carries it."""
    said = world.nsproxy("version").out
    with open(world.nsproxy_path, "rb") as file:
        carries = MARK in file.read()
    assert not carries and "broken" not in said, said
