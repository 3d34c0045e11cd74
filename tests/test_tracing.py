"""Each line of an assembled text is traced to the line of the component or template that it comes from."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitforge.components import Component
from gitforge.goals import Goal, GoalBook, Kind, Need
from gitforge.tracing import Source, lines_of, trace

KINDS = {"persona": Kind("persona", "personas", key="persona"),
         "constraint": Kind("constraint", "constraints", many=True, key="constraints")}  # fmt: skip


def traced(template: str, persona: str, *constraints: str, **others: str) -> tuple[list[str], list[Source]]:
    needs = [
        Need(KINDS["persona"], "p.md"),
        *(Need(KINDS["constraint"], f"c{n}.md") for n in range(len(constraints))),
    ]
    components = [
        Component(need, body, {}) for need, body in zip(needs, (persona, *constraints), strict=True)
    ]
    book = GoalBook("goals.yaml", KINDS, {"A.md": "templates/a.md"}, {})
    goal = Goal("G", "C", "d", tuple(needs))
    templates = {
        "templates/a.md": template,
        **{f"templates/{name}.md": text for name, text in others.items()},
    }
    text, sources = trace("p", goal, components, book, templates, "A.md")
    return lines_of(text), sources


def component(number: int, line: int) -> Source:
    return Source(number, None, line)


def template(line: int | None, name: str = "a") -> Source:
    return Source(None, f"templates/{name}.md", line)


def test_lines_of_components_and_templates_are_told_apart() -> None:
    text = "# Head\n\n{{ persona.text }}\n{% for one in constraints %}\n## {{ one.title }}\n{{ one.text }}\n{% endfor %}\nFoot"
    found, sources = traced(text, "P1\n\nP3\n", "C1\n", "D1\nD2")
    assert found == [
        "# Head\n",
        "\n",
        "P1\n",
        "\n",
        "P3\n",
        "\n",
        "## C0\n",
        "C1\n",
        "\n",
        "## C1\n",
        "D1\n",
        "D2\n",
        "Foot",
    ]
    assert sources == [
        template(1), template(2), component(0, 1), component(0, 2), component(0, 3), template(3),
        template(5), component(1, 1), template(6), template(5), component(2, 1), component(2, 2), template(8),
    ]  # fmt: skip


def test_lines_of_an_included_template_are_its_own() -> None:
    _, sources = traced("Top\n{% include 'templates/foot.md' %}\nEnd\n", "P", foot="F1\nF2 {{ goal.name }}\n")
    assert sources == [template(1), template(1, "foot"), template(2, "foot"), template(3)]


def test_a_parents_blocks_are_the_parents() -> None:
    child = "{% extends 'templates/base.md' %}\n{% block main %}\nMine {{ persona.text }}\n{% endblock %}\n"
    _, sources = traced(child, "P", base="B1\n{% block main %}{% endblock %}\nB3\n")
    assert sources[0] == template(1, "base")
    assert sources[1] == component(0, 1)
    assert sources[-1] == template(3, "base")


def test_equal_lines_of_two_components_are_told_apart() -> None:
    _, sources = traced("{{ constraints[1].text }}{{ constraints[0].text }}", "P", "same\n", "same\n")
    assert sources == [component(2, 1), component(1, 1)]


@pytest.mark.parametrize(
    "filters", ["upper", "trim", "indent(4)", "indent(4, first=true)", "trim | indent(2)", "lower"]
)
def test_marks_survive_what_templates_usually_do(filters: str) -> None:
    found, sources = traced(f"x\n{{{{ persona.text | {filters} }}}}\ny\n", "  One\n\n  two\n    three")
    assert [one.component for one in sources[1:-1]] == [0] * (len(found) - 2)
    assert sources[0] == template(1)
    assert sources[-1] == template(3)


@pytest.mark.parametrize("filters", ["wordwrap(12)", "truncate(24)", "replace('One', 'Uno')", "capitalize"])
def test_where_marks_do_not_survive_equal_lines_are_matched(filters: str) -> None:
    body = "One two\nthree\nfour five six seven eight nine\n"
    found, sources = traced(f"x\n{{{{ persona.text | {filters} }}}}\ny\n", body)
    matched = {line: source for line, source in zip(found, sources, strict=True) if line in lines_of(body)}
    assert matched
    assert all(source == component(0, lines_of(body).index(line) + 1) for line, source in matched.items())
    assert sources[0].component is None
    assert sources[-1].component is None


def test_a_template_that_counts_is_never_wrong_about_the_text() -> None:
    found, _ = traced(
        "{{ persona.text | length }} {{ persona.text | wordcount }}\n{{ persona.text }}", "One two\n"
    )
    assert found[0] == "8 2\n"


def test_white_space_control_of_a_template_stays_as_it_is() -> None:
    found, sources = traced("a\n  {%- if true %}\n b {{ persona.text }}  \n{%- endif %}\n\n\nc", "P\n")
    assert "".join(found) == "a b P\n\n\nc"
    assert sources[0] == component(0, 1)
    assert sources[-1] == template(7)


MANY = st.lists(
    st.sampled_from(["a", "b", "", " c", "\t", "x\r", "\U000f0000", "{{ y }}", "\u2028", "-"]), max_size=6
)


@settings(max_examples=150, deadline=None)
@given(MANY, MANY, st.booleans())
def test_a_line_traced_to_a_component_is_that_line(one: list[str], two: list[str], is_open: bool) -> None:
    end = "" if is_open else "\n"
    bodies = ["\n".join(lines) + end for lines in (one, two)]
    found, sources = traced(
        "Head\n{{ persona.text }}{% for c in constraints %}{{ c.text }}{% endfor %}\nFoot\n", *bodies
    )
    assert len(found) == len(sources)
    shown = 0
    for line, source in zip(found, sources, strict=True):
        if source.component is not None:
            assert source.line is not None
            said = lines_of(bodies[source.component])[source.line - 1]
            assert line.startswith(said.rstrip("\n"))
            shown += 1
    assert shown >= max(len(lines_of(body)) for body in bodies)
