"""`gitforge search`: where a text stands in goals and components."""

from __future__ import annotations

from pathlib import Path

from program import CONSTRAINT, GOAL, gitforge


def test_a_line_of_a_component_is_found_with_file_and_number(workspace: Path) -> None:
    lines = (workspace / CONSTRAINT).read_text().splitlines()
    number, line = next((number, line) for number, line in enumerate(lines, 1) if "picked at random" in line)
    done = gitforge("search", "PICKED at Random", cwd=workspace)
    assert done.code == 0
    assert done.out == f"{CONSTRAINT}:{number}: {line.strip()}\n"


def test_a_goal_is_found_by_its_name_and_a_component_by_its_file_name(workspace: Path) -> None:
    found = gitforge("search", "root_cause", "--json", cwd=workspace).json
    assert found[0]["text"].startswith(f"{GOAL}: To find the underlying cause")
    assert found[0]["place"].startswith("goals.yaml:")
    assert "library/protocols/root_cause_analysis_drilldown.md" in {one["place"] for one in found}


def test_what_is_nowhere_is_not_found(workspace: Path) -> None:
    done = gitforge("search", "no such words anywhere", cwd=workspace)
    assert (done.code, done.out) == (1, "")


def test_a_search_for_nothing_is_refused(workspace: Path) -> None:
    done = gitforge("search", " ", cwd=workspace)
    assert done.code == 1
    assert "there is nothing to search for" in done.err
