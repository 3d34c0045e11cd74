"""The tool that writes a toolkit; only where the person who started the server allows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitforge import toolkits
from gitforge.build import Forge, make_toolkit
from gitforge.errors import UserError
from gitforge.goals import MANIFEST
from gitforge.serving.origin import suspicious
from gitforge.serving.records import Data, Tool
from gitforge.serving.schemas import arguments, flag, result, text, texts
from gitforge.unreviewed import refuse_unreviewed


def _write_toolkit(forge: Forge, given: Mapping[str, Any]) -> Data:
    project = given["project"]
    name = given.get("goal") or toolkits.goal_of(toolkits.folder(forge.workspace, project))
    if name is None:
        raise UserError(f"there is no toolkit {project!r} yet, so it has no goal", hint="Name one in goal.")
    goal = forge.goal(name)
    planned = forge.plan(goal)
    if forge.book.require_reviewed:
        refuse_unreviewed(forge.repo, planned.components)
    done = make_toolkit(forge, project, goal, planned)
    return {
        "project": project,
        "goal": goal.name,
        "folder": done.folder.relative_to(forge.workspace.root).as_posix(),
        "files": [*done.files, MANIFEST],
        "changed": list(done.changed),
        "merged": list(done.kept),
        "restored": list(done.restored),
        "degraded": done.is_degraded,
        "missing": [one.path for one in done.components if one.is_absent],
        "suspicious": suspicious(forge, planned.components),
    }


WRITE_TOOLKIT = Tool(
    "write_toolkit",
    "Write a toolkit",
    "Assembles the toolkit of a goal and writes its files into output/PROJECT/. What people edited in them by hand is "
    "merged with what has changed; where both changed the same lines, nothing is written and a person has to decide.",
    arguments(
        {"project": text("The toolkit's name: a folder in output/, for example checkout_outage", least=1)},
        {"goal": text("What it is for; a toolkit that is there keeps its goal without it", least=1)},
    ),
    result(
        {
            "project": text("Its name"),
            "goal": text("What it is for"),
            "folder": text("Where it is in the workspace"),
            "files": texts("Its files"),
            "changed": texts("Those of them that were written now"),
            "merged": texts("Those in which edits by hand were kept"),
            "restored": texts("Those that had been deleted by hand and are there again"),
            "degraded": flag("Whether a visible placeholder stands in for a missing component"),
            "missing": texts("The missing components"),
            "suspicious": texts("Places in components of other libraries that may be meant to mislead you"),
        }
    ),
    _write_toolkit,
    is_writing=True,
)
