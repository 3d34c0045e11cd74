"""Every format that a prompt can be exported to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gitforge import names
from gitforge.errors import UserError
from gitforge.exporting import agents, dotprompt, fabric, llm_template, messages, promptfoo, prompty, skill
from gitforge.exporting.prompt import Prompt, Refused
from gitforge.text import did_you_mean, printable


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        name: As --to calls it.
        about: One line for people.
        layout: `library/templates/exports/to_<layout>.md`.
        files: Makes a prompt's files, by path below the folder that they go to.
        block_file: The file that has the prompt as a block, for a format that shares its file with others.
        hyphen: What stands between the words of a name.
        notes: What the user should know about the result.
        refuse: Raises Refused for a prompt that can be no block there.
    """

    name: str
    about: str
    layout: str
    files: Callable[[Prompt, str], Mapping[str, str]] | None = None
    block_file: str | None = None
    hyphen: str = "_"
    notes: Callable[[Prompt], tuple[str, ...]] = lambda _: ()
    refuse: Callable[[Prompt], None] = lambda _: None

    def name_of(self, name: str) -> str:
        """A project's or goal's name as this format can have it.

        Raises:
            Refused: Nothing of it can be used.
        """
        plain = re.sub(r"[^\w-]+", self.hyphen, unicodedata.normalize("NFKC", name).lower())
        other = "[-_]" if self.hyphen == "-" else "_"  # a skill's name has no underscore
        plain = re.sub(f"{other}+", self.hyphen, plain).strip("-_")
        if not plain:
            raise Refused(
                f"{printable(name)!r} has nothing that a file of the format {self.name} could be called",
                hint="Export it alone, with --name.",
            )
        return names.file_name(plain, "exported")


FORMATS = {
    one.name: one
    for one in (
        Format("skill", "Agent Skills: NAME/SKILL.md", "skill", skill.files, hyphen="-", notes=skill.notes),
        Format("agents", "a block in AGENTS.md", "agents", block_file="AGENTS.md"),
        Format(
            "claude", "a block in CLAUDE.md", "agents", block_file="CLAUDE.md", refuse=agents.refuse_imports
        ),
        Format(
            "llm", "template of the llm tool: NAME.yaml", "llm", llm_template.files, notes=llm_template.notes
        ),
        Format("fabric", "fabric pattern: NAME/system.md", "fabric", fabric.files, notes=fabric.notes),
        Format("dotprompt", "dotprompt: NAME.prompt", "dotprompt", dotprompt.files),
        Format("prompty", "Prompty 2: NAME.prompty", "prompty", prompty.files),
        Format("messages", "chat messages of OpenAI's API: NAME.json", "messages", messages.files),
        Format(
            "promptfoo", "promptfoo: NAME/promptfooconfig.yaml, prompt.json", "promptfoo", promptfoo.files
        ),
    )
}


def find(name: str) -> Format:
    """The format of that name.

    Raises:
        UserError: There is none.
    """
    if name in FORMATS:
        return FORMATS[name]
    known = ", ".join(FORMATS)
    raise UserError(
        f"there is no format {printable(name)!r}",
        hint=did_you_mean(name, list(FORMATS)) or f"There are {known}.",
    )
