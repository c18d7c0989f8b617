# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix, the marks beside the tests, and the page that tells of them."""
import json
import pathlib
import re
import subprocess

import pytest

from lab.rows import read_faults, read_proofs, read_rows

TOP = pathlib.Path(__file__).parents[2]
PAGE = TOP / "doc/SECURITY.md"
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


# --- what `make lab` makes of results

def write_results(path, extra=""):
    """As if all that prove a row had passed, and what is in @extra."""
    tests = {test for tests in read_proofs().values() for test in tests}
    with open(path / "testlog.json", "w", encoding="ascii") as file:
        for test in sorted(tests):
            if test.startswith("unit/"):
                name = test[len("unit/"):].partition("_test.c")[0]
                print(json.dumps({"name": name, "result": "OK"}), file=file)
    cases = "".join(
        f'<testcase classname="e2e.{file}" name="{name}"/>' for file, name in
        re.findall(r"e2e/(\w+)\.py::(\w+)", "\n".join(sorted(tests))))
    (path / "many.xml").write_text(
        f"<testsuites><testsuite>{cases}{extra}</testsuite></testsuites>",
        "ascii")


@pytest.mark.parametrize("how, rc", [
    (None, 0), ("<failure/>", 1), ("<error/>", 1), ("<skipped/>", 0)])
def test_results_are_bad_when_a_test_of_no_row_has_failed(tmp_path, how, rc):
    """Such as the controls, without which a row proves little."""
    write_results(tmp_path, how and '<testcase classname="e2e.test_lab" '
                  f'name="test_planted_leak_is_caught[x]">{how}</testcase>'
                  or "")
    ran = subprocess.run([TOP / "tools/rows", "--results",
                          tmp_path / "testlog.json", tmp_path / "many.xml"],
                         capture_output=True, text=True, check=False)
    assert "not proved in this run: none" in ran.stdout, ran
    assert ran.returncode == rc, ran
    named = "failed in this run: e2e/test_lab.py::test_planted_leak_is_caught"
    assert (named in ran.stdout) == (rc == 1), ran


# --- deliberate faults

MARK = b"-broken-"


def test_fault_that_is_none_is_told():
    ran = subprocess.run([TOP / "tools/lab", "broken", "nosuch"],
                         capture_output=True, text=True, check=False)
    assert ran.returncode == 1 and "'nosuch'" in ran.stderr, ran


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
