"""Small folders of other tools' prompts, in each format that can be imported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

LICENCE = "<!-- SPDX-License-Identifier: MIT -->\n<!-- Copyright (c) ada -->\n\n"


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """A folder with files."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def promptkit(root: Path) -> Path:
    """Two task templates: one with all that a template can name, one that names what is not there."""

    def part(name: str, text: str) -> str:
        return f"{LICENCE}---\nname: {name}\ntype: x\napplicable_to: [all]\n---\n\n{text}\n"

    manifest = """\
version: "1.0"
personas:
  - {name: gardener, path: personas/gardener.md, description: Grows things.}
protocols:
  guardrails:
    - {name: no-poison, path: protocols/guardrails/no-poison.md}
  analysis:
    - {name: soil, path: protocols/analysis/soil.md}
    - {name: rain, path: protocols/analysis/rain.md}
    - {name: gone, path: protocols/analysis/gone.md}
templates:
  garden-work:
    - name: plan-bed
      path: templates/plan-bed.md
      description: >
        Plan a bed of vegetables.
        Season by season.
pipelines:
  year: {stages: [{template: plan-bed}]}
"""
    plan = """\
---
name: plan-bed
description: From the front matter.
persona: gardener
protocols:
  - guardrails/no-poison
  - analysis/soil
  - rain
taxonomies: [pests]
format: table
params: {place: Where it is}
---

# Task

Plan a bed for {{place}}, {% not a template %}.
"""
    free = "---\nname: free\npersona: '{{persona}}'\nprotocols: [nowhere]\nformat: null\n---\n\nDo as you like.\n"
    return write(
        root,
        {
            "manifest.yaml": manifest,
            "personas/gardener.md": part("gardener", "You grow\r\nvegetables."),
            "protocols/guardrails/no-poison.md": part("no-poison", "Never use poison."),
            "protocols/analysis/soil.md": part("soil", "Feel the soil."),
            "protocols/analysis/rain.md": part("rain", "Count the rain."),
            "taxonomies/pests.md": part("pests", "Slugs, and other pests."),
            "formats/table.md": part("table", "One row a month."),
            "templates/plan-bed.md": LICENCE + plan,
            "templates/free.md": LICENCE + free,
            "bootstrap.md": "Put prompts together.\n",
            "docs/a.md": "A.\n",
            "docs/b.md": "B.\n",
            "LICENSE": "MIT\n",
        },
    )


def fabric(root: Path) -> Path:
    """Three patterns, one of which has a text for the user's side."""
    return write(
        root,
        {
            "data/patterns/extract_ideas/system.md": "# IDENTITY\n\nYou extract ideas. All of them.\n\nINPUT:\n",
            "data/patterns/extract_ideas/user.md": "",
            "data/patterns/extract_ideas/README.md": "How to use it.\n",
            "data/patterns/rate/system.md": "You rate {{lang}} texts.",
            "data/patterns/rate/user.md": "CONTENT:\r\n",
            "data/patterns/rate/user_old.md": "OLD:\n",
            "data/patterns/empty/system.md": " \n",
            "data/patterns/pattern_explanations.md": "# What\n\n1. **rate**: Rates what it is given.\n",
            "data/strategies/cot.json": "{}\n",
        },
    )


def skills(root: Path) -> Path:
    """A skill with texts, a script, a licence and a skill within, and one without front matter."""
    return write(
        root,
        {
            "skills/make-tea/SKILL.md": "---\nname: make-tea\ndescription: Makes tea. Use it when thirsty.\n"
            "license: MIT\nallowed-tools: Bash\n---\n\nBoil water. See references/leaves.md.\n",
            "skills/make-tea/references/leaves.md": "Green, black.\n",
            "skills/make-tea/notes/deep/cups.txt": "Two cups.\n",
            "skills/make-tea/scripts/boil.py": "print('boil')\n",
            "skills/make-tea/assets/cup.png": b"\x89PNG\0\0",
            "skills/make-tea/LICENSE.txt": "MIT\n",
            "skills/make-tea/extras/pour/SKILL.md": "---\nname: pour\ndescription: Pours.\n---\nPour it.\n",
            "skills/make-tea/extras/pour/how.md": "Slowly.\n",
            "skills/plain/SKILL.md": "Be plain.\n",
            "README.md": "Skills.\n",
        },
    )


def llm_templates(root: Path) -> Path:
    """Templates with a system prompt, a prompt, both, a text alone and settings; and what is none."""
    return write(
        root,
        {
            "summary.yaml": "system: Summarise it.\nprompt: |\n  The text: $input\n\n  In $lang.\n"
            "model: some-model\ndefaults: {lang: German}\noptions: {temperature: 0.5}\nextract: true\n"
            "schema_object: {type: object}\nfunctions: |\n  def f():\n      return 'x'\n",
            "french.yaml": "name: french\nsystem: Speak French.\n",
            "ask.yml": "prompt: 'Answer: $input'\n",
            "alone.yaml": "Say this.\n",
            "dashes.yaml": 'system: "---\\na: b\\n---\\nAll of it.\\n"\n',
            "settings.yaml": "model: some-model\n",
            "compose.yaml": "services: {web: {image: x}}\n",
            "broken.yaml": "system: ok\nprompt: [a\n",
            "tagged.yaml": "system: !!python/object x\n",
            "notes.md": "Notes.\n",
        },
    )


def goal_map(root: Path) -> Path:
    """The original format: two goals, one of which lacks a component."""
    goals = {
        "Old": {
            "DIG": {
                "description": "To dig.",
                "persona": "mole.txt",
                "protocol": "dig.txt",
                "constraints": ["soft.txt"],
            },
            "FILL": {"description": "", "persona": "mole.txt", "protocol": "fill.txt"},
        }
    }
    return write(
        root,
        {
            "goal_map.json": json.dumps(goals),
            "components/personas/mole.txt": "\ufeffYou are a mole.\r\n",
            "components/protocols/dig.txt": "Dig {{ deep }}.",
            "components/constraints/soft.txt": "Be soft.\n",
            "components/constraints/unused.txt": "Nobody uses it.\n",
            "components/formats/x.txt": "X.\n",
            "orchestrator.py": "print()\n",
        },
    )


SOURCES = {
    "promptkit": promptkit,
    "fabric": fabric,
    "skills": skills,
    "llm": llm_templates,
    "goal-map": goal_map,
}
