"""What `build` asks for where it was not told: the project, the goal, a new goal's parts, each purpose."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from gitforge import catalog, names
from gitforge.cli import output
from gitforge.components import Library
from gitforge.errors import AnswerMissing, UserError
from gitforge.goals import Goal, GoalBook, Kind, Need
from gitforge.text import one_line

_NEW = object()
_DONE = object()


def need_answer(what: str, option: str) -> None:
    """Raises AnswerMissing where there is nobody to ask."""
    if not output.is_interactive():
        raise AnswerMissing(f"{what}, and there is no terminal to ask on", hint=f"Give {option}.")


def ask_project() -> str:
    """The toolkit's name."""
    need_answer("no project was named", "it: `gitforge build PROJECT --goal GOAL`")
    from gitforge.cli.prompts import ask  # noqa: PLC0415 -- 70 ms that only a person is worth

    return ask("Project name:", lambda name: names.file_name(name, "project"))


def ask_goal(book: GoalBook, library: Library) -> Goal | None:
    """The goal, chosen from the list; None where a new one is wanted."""
    need_answer("no goal was named", "--goal GOAL (`gitforge list` shows the goals)")
    from gitforge.cli.prompts import Choice, choose  # noqa: PLC0415

    choices = [
        Choice(goal, goal.name, category, one.fraction, not one.missing, goal.description)
        for category, one in _goals(book, library)
        for goal in [one.goal]
    ]
    new = Choice(_NEW, "new goal\u2026", "Something else", description="describe it, and name its parts")
    chosen = choose("Goal:", [*choices, new])
    return chosen if isinstance(chosen, Goal) else None


def _goals(book: GoalBook, library: Library) -> Iterator[tuple[str, catalog.Readiness]]:
    """The goals with the headings to list them under: own ones by category, then those of each other library."""
    yield from ((one.goal.category, one) for one in catalog.readiness(book, library))
    for pin in book.libraries.values():
        with suppress(UserError):  # `gitforge status` tells what is not fetched
            yield from ((f"library {pin.name}", one) for one in catalog.readiness(book, library, pin))


def ask_new_goal(book: GoalBook, library: Library) -> Goal:
    """A goal that goals.yaml has not got: its name, category, description, and components of each kind."""
    from gitforge.cli.prompts import ask  # noqa: PLC0415

    name = ask("Name of the new goal, for example REVIEW_CONTRACT:", lambda text: check_new_goal(book, text))
    description = ask_description()
    category = ask_category(book)
    needs = [need for kind in book.kinds.values() for need in _ask_components(kind, book, library)]
    return Goal(name, category, description, tuple(needs))


def ask_description() -> str:
    """What a goal is for, in one sentence."""
    from gitforge.cli.prompts import ask  # noqa: PLC0415

    def check(text: str) -> None:
        if not text:
            raise UserError("say in one sentence what it is for")

    return one_line(ask("What is it for? One sentence:", check))


def ask_category(book: GoalBook) -> str:
    """A category, there already or new."""
    from gitforge.cli.prompts import Choice, ask, choose  # noqa: PLC0415

    categories = [Choice(category, category) for category in book.categories()]
    chosen = choose("Category:", [*categories, Choice(_NEW, "new category\u2026")])
    if chosen is not _NEW:
        return str(chosen)
    return ask("Name of the category:", lambda text: names.label(text, "category"))


def check_new_goal(book: GoalBook, name: str) -> None:
    """Raises UserError where a new goal cannot have that name."""
    names.label(name, "goal")
    if name in book.goals:
        raise UserError(f"there is a goal {name!r} already")


def _ask_components(kind: Kind, book: GoalBook, library: Library) -> list[Need]:
    """Existing components, or new names, for one kind: one, or as many as wanted."""
    from gitforge.cli.prompts import Choice, ask, choose  # noqa: PLC0415

    chosen: dict[str, Need] = {}
    existing = [library.read(need) for need in library.all([kind])]
    for pin in book.libraries.values():
        with suppress(UserError):  # `gitforge status` tells what is not fetched
            existing += [library.read(need) for need in library.foreign.all(pin, [kind])]
    new = Choice(_NEW, f"new {kind.name}\u2026", description="it is generated in this build")
    while True:
        left = [one for one in existing if one.need.called not in chosen]
        choices = [*(Choice(one.need, one.need.called, description=one.description) for one in left), new]
        if chosen:
            choices.insert(0, Choice(_DONE, f"no more {kind.key}"))
        elif not kind.required:
            choices.append(Choice(_DONE, f"no {kind.key}"))
        picked = choose(f"{kind.name.capitalize()}:", choices)
        if picked is _DONE:
            break
        if picked is _NEW:
            picked = Need(
                kind, as_component_name(ask(f"File name of the new {kind.name}:", as_component_name))
            )
        chosen[picked.called] = picked
        if not kind.many:
            break
    return list(chosen.values())


def as_component_name(text: str) -> str:
    """A component's file name from what a person types: the suffix may be left out."""
    name = text.strip()
    return names.component_name(name if name.endswith(names.COMPONENT_SUFFIXES) or not name else f"{name}.md")


def as_need(book: GoalBook, kind: Kind, text: str) -> Need:
    """A component from what a person types: `name`, `name.md`, or `acme:name.md` of another library.

    Raises:
        UserError: It can be no component's name, or no such library is declared.
    """
    pin = book.pin_of(text.strip())
    if pin is None:
        return Need(kind, as_component_name(text))
    return Need(kind, as_component_name(text.partition(":")[2].removeprefix(f"{kind.folder}/")), pin=pin)


def purposes(missing: Sequence[Need], described: Mapping[str, str]) -> dict[str, str]:
    """What each missing component is for, by path: as described, as goals.yaml says, or asked.

    Args:
        missing: The components.
        described: From `--describe`, by path.

    Raises:
        AnswerMissing: One has no purpose, and there is nobody to ask.
    """
    found = {need.path: described.get(need.path, need.purpose) for need in missing}
    unknown = [need for need in missing if found[need.path] is None]
    if unknown:
        options = " ".join(f"--describe {shlex.quote(need.name)}='...'" for need in unknown)
        need_answer(f"nobody said what {', '.join(need.name for need in unknown)} should do", options)
        from gitforge.cli.prompts import ask  # noqa: PLC0415

        output.say()
        output.say(("In one line each: what are these for? (Empty: do without, for now.)", output.BOLD))
        for need in unknown:
            found[need.path] = one_line(ask(f"  {need.kind.name} {need.name}:"))
    return {path: one_line(text or "") for path, text in found.items()}


def parse_descriptions(given: Iterable[str], find: Callable[[str], Need]) -> dict[str, str]:
    """`--describe NAME=TEXT` options, as text by path.

    Raises:
        UserError: One names a component that nothing knows.
    """
    described: dict[str, str] = {}
    for option in given:
        name, _, text = option.partition("=")
        described[find(name.strip()).path] = one_line(text)
    return described
