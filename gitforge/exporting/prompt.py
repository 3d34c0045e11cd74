"""A toolkit or goal, flattened into what every format is made from: a system part, a user part, and its slots."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gitforge.errors import UserError
from gitforge.text import one_line, without_hidden


class Refused(UserError):
    """A text or name that a format has no way to say."""


@dataclass(frozen=True)
class Slot:
    """A place that the engineer fills in.

    Attributes:
        name: What a format's variable is called: small ASCII letters, digits and underscores.
        asks: What stands between the angle quotes.
    """

    name: str
    asks: str

    @property
    def written(self) -> str:
        """As it stands in a toolkit."""
        return f"«{self.asks}»"


Text = tuple[str | Slot, ...]


@dataclass(frozen=True)
class Origin:
    """What a prompt was made from.

    Attributes:
        project: The toolkit's name; None where it was assembled for the export alone.
        goal: What it is for.
        version: Of gitforge.
        components: `path@blob` of each, the path from the repository's root.
        edited: The toolkit's files that were edited by hand.
        missing: Paths of the components for which a placeholder stands in.
    """

    project: str | None
    goal: str
    version: str
    components: tuple[str, ...]
    edited: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def as_metadata(self, prefix: str = "") -> dict[str, str]:
        """The same for a format that has room for it: text by text, because not every format takes lists.

        Args:
            prefix: Of each key, where they stand among others.
        """
        found = {
            "version": self.version,
            "goal": self.goal,
            "project": self.project or "",
            "components": " ".join(self.components),
            "edited": " ".join(self.edited),
            "missing": " ".join(self.missing),
        }
        return {f"{prefix}{key}": one_line(without_hidden(value)) for key, value in found.items() if value}

    def as_comment(self) -> str:
        """The same as comment lines, for a format that has comments only."""
        return "".join(f"# {key}: {value}\n" for key, value in self.as_metadata("gitforge ").items())


class Template(NamedTuple):
    """A text that came from a template of the llm tool: its `$` are variables.

    Attributes:
        text: As it stands in the prompt.
        settings: What the template said besides.
    """

    text: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Prompt:
    """What is exported.

    Attributes:
        name: The project's or goal's, as errors call it.
        title: The goal's name as people write it.
        description: One line on what it is for.
        system: Who the model is; perhaps empty.
        user: What is asked, with its slots; perhaps empty.
        blank: What stands in a slot that nobody has filled, in formats that can say so.
        settings: What the layout adds to a format's own settings.
        origin: What it was made from.
        when: A sentence for agents on when it is used; perhaps empty.
        templates: Of its texts, those that are templates of the llm tool.
    """

    name: str
    title: str
    description: str
    system: str
    user: Text
    blank: str
    settings: Mapping[str, Any]
    origin: Origin = field(repr=False)
    when: str = ""
    templates: tuple[Template, ...] = ()

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Its slots, once each, in order."""
        return tuple(dict.fromkeys(part for part in self.user if isinstance(part, Slot)))

    @property
    def whole(self) -> str:
        """Both parts as one text, with their slots left as they are."""
        return "\n\n".join(part for part in (self.system, self.asked) if part)

    @property
    def asked(self) -> str:
        """The user part with its slots left as they are."""
        return write(self.user, str, lambda slot: slot.written)


def write(text: Text, plain: Callable[[str], str], variable: Callable[[Slot], str]) -> str:
    """A text in a format's own words.

    Args:
        text: Plain text and slots.
        plain: Escapes plain text.
        variable: Writes a slot.
    """
    return "".join(variable(part) if isinstance(part, Slot) else plain(part) for part in text)
