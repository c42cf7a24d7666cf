#!/usr/bin/env python3
"""Writes docs/parity.md: how equal fjord's pictures are to the reference's, from what the tests recorded.

Usage: scripts/parity_table.py PROGRAM...     PROGRAM: a test program, e.g. build/release/bin/test_pipeline

Every program runs with its tests of pictures; each of them records the properties "levels" (the largest difference of a
value, of 255) and "equal" (the least share of equal values in a picture); those that also record "row" and "column" make
a table of combinations. A failing test stops the writing.
"""

import collections
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

TARGET = pathlib.Path(__file__).parent.parent / "docs/parity.md"
HEAD = """# Parity

Whole pictures against the reference, value by value, in float32 on the CPU: made by `scripts/parity_table.py` from the tests named here, whose expected pictures come
from the scripts in `tests/reference`. *Levels* is the largest difference of any value, of 255; *equal* the least share of equal values in a picture. The tests ask for at
most 1 level and at least 99.5 %. [numerics.md](numerics.md) tells why, and has the errors of networks and schedulers.
"""

Row = collections.namedtuple("Row", "suite case levels equal line column")


def recorded_rows(program: str) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.xml"
        subprocess.run([program, "--gtest_filter=*Parity*:*Picture*", "--gtest_brief=1", f"--gtest_output=xml:{report}"], check=True)
        return [row for case in ElementTree.parse(report).iter("testcase") if (row := read_row(case))]


def read_row(case: ElementTree.Element) -> Row | None:
    properties = {each.get("name"): each.get("value") for each in case.iter("property")}
    if not {"levels", "equal"} <= properties.keys():
        return None
    suite = case.get("classname").split("/")[-1]
    name = case.get("name").split("/")[-1]
    return Row(suite, name, int(properties["levels"]), float(properties["equal"]), properties.get("row"), properties.get("column"))


def words(suite: str) -> str:
    """"InpaintParityTest" -> "Inpaint"."""
    return re.sub(r"(Pictures?|Parity)*(Test)?$", "", suite)


def percent(share: float) -> str:
    return f"{100 * share:.3f} %"


def badness(row: Row) -> tuple:
    return row.levels, -row.equal


def combinations(rows: list[Row]) -> list[str]:
    """What every scheduler does with every task of every family: the least share of equal values."""
    cells = {(row.line, row.column): percent(row.equal) for row in rows if row.line}
    columns = list(dict.fromkeys(column for _, column in cells))
    if not cells:
        return []
    lines = ["\nEvery scheduler with every task of every family (model of the tests, task): the share of equal values, at most 1 level apart.\n",
             f"| scheduler | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|"]
    for line in dict.fromkeys(line for line, _ in cells):
        lines.append(f"| {line.removesuffix('Scheduler')} | " + " | ".join(cells.get((line, column), "") for column in columns) + " |")
    return lines


def document(rows: list[Row]) -> str:
    suites = collections.defaultdict(list)
    for row in rows:
        suites[row.suite].append(row)
    worst = max(rows, key=badness)
    lines = [HEAD, f"{len(rows)} requests; the worst is `{worst.suite}`, `{worst.case}`: {worst.levels} level, "
             f"{percent(worst.equal)} equal.\n", "| what | requests | levels | equal | worst |", "|---|---|---|---|---|"]
    for suite, members in sorted(suites.items()):
        least = max(members, key=badness)
        lines.append(f"| {words(suite)} | {len(members)} | {least.levels} | {percent(least.equal)} | `{least.case}` |")
    lines += combinations(rows)
    for suite, members in sorted(suites.items()):
        lines += [f"\n## {words(suite)}\n", "| request | levels | equal |", "|---|---|---|"]
        lines += [f"| {row.case} | {row.levels} | {percent(row.equal)} |" for row in sorted(members, key=lambda each: each.case)]
    return "\n".join(lines) + "\n"


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    rows = [row for program in sys.argv[1:] for row in recorded_rows(program)]
    if not rows:
        sys.exit("No test recorded a picture.")
    TARGET.write_text(document(rows))
    print(f"{TARGET}: {len(rows)} rows")


if __name__ == "__main__":
    main()
