"""Pages that say what tests found: true to the lists they are made of. No server."""

import pathlib
import re
import runpy

import suites
from lib import check

HERE = pathlib.Path(__file__).resolve().parent


def case_compatibility_page_agrees_with_the_lists():
    tool = runpy.run_path(str(HERE / "compatibility"))
    text = tool["PAGE"].read_text()
    check(not tool["problems"](text), tool["problems"](text))
    row = next(line for line in text.splitlines() if line.startswith("| [python](#python) | SASL_SSL |"))
    figure = row.split(" | ")[2]
    for wrong in (text.replace(row, row.replace(f" {figure} ", f" {int(figure) + 1} ", 1)), text.replace(row + "\n", ""),
                  text.replace("| KIP-848 |", "| no reason |", 1)):
        check(wrong != text and tool["problems"](wrong), "a page that says something else is told")


def case_no_test_is_on_two_lists():
    for name in suites.names():
        both = set(suites.listed(name)) & set(suites.known(name))
        check(not both, f"{name}: passes and does not pass: {both}")
        check(all(suites.listed(name).values()), f"{name}: a listed test took no time")
        check(all(re.search(r"\w", reason) for reason in suites.known(name).values()), f"{name}: a reason is missing")
