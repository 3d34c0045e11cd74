"""The JSON Schema that ships with gitforge: valid itself, and of one mind with the loader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from gitforge import goals_file, starter
from gitforge.errors import InvalidFile
from gitforge.goals import DEFAULT_KINDS

ROOT = Path(__file__).parent.parent
GOAL_MAP = {
    "Technical & Execution": {
        "DIAGNOSE_ROOT_CAUSE": {
            "description": "To find the underlying cause of a problem.",
            "persona": "digital_detective.txt",
            "protocol": "root_cause_analysis_drilldown.txt",
            "constraints": ["principle_of_completeness.txt"],
        }
    }
}
FULL: dict[str, Any] = {
    "version": 1,
    "kinds": {
        "persona": None,
        "example": {"folder": "examples", "many": True, "key": "examples", "required": False},
    },
    "outputs": {"A.md": "templates/a.md"},
    "policy": {"require_reviewed": True},
    "libraries": {
        "acme": {
            "url": "https://example.org/acme.git",
            "commit": "0" * 40,
            "rev": "main",
            "folder": "prompts",
        }
    },
    "descriptions": {"e.md": "An example."},
    "goals": {
        "C": {
            "G": {
                "description": "d",
                "persona": {"file": "p.md", "description": "who"},
                "examples": ["e.md", {"file": "f.md", "description": "g"}],
            }
        }
    },
}


def is_valid(data: Any) -> bool:
    return jsonschema_rs.validator_for(goals_file.schema()).is_valid(data)


def test_the_schema_is_a_valid_schema_of_draft_2020_12() -> None:
    schema = goals_file.schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(schema)


def test_the_starter_goals_file_and_the_original_goal_map_hold_to_it() -> None:
    assert is_valid(yaml.safe_load((starter.directory() / "goals.yaml").read_text("utf-8")))
    assert is_valid(GOAL_MAP)


def test_every_key_that_the_loader_knows_is_in_the_schema() -> None:
    goals_file.parse(json.dumps(FULL))
    assert is_valid(FULL)
    schema = goals_file.schema()
    assert set(schema["then"]["properties"]) == set(FULL)
    assert set(schema["$defs"]["kind"]["properties"]) == set(FULL["kinds"]["example"])
    assert set(schema["then"]["properties"]["policy"]["properties"]) == set(FULL["policy"])
    component = schema["$defs"]["component"]["then"]["properties"]
    assert set(component) == set(FULL["goals"]["C"]["G"]["persona"])
    assert {key["required"][0] for key in schema["if"]["anyOf"]} == set(FULL) - {"descriptions", "libraries"}


@pytest.mark.parametrize("place", ["root", "kind", "policy", "component"])
def test_a_key_that_neither_knows_is_refused_by_both(place: str) -> None:
    data = json.loads(json.dumps(FULL))
    {
        "root": data,
        "kind": data["kinds"]["example"],
        "policy": data["policy"],
        "component": data["goals"]["C"]["G"]["persona"],
    }[place]["zebra"] = 1
    assert not is_valid(data)
    with pytest.raises(InvalidFile, match="unknown key 'zebra'"):
        goals_file.parse(json.dumps(data))


def test_the_defaults_that_the_schema_tells_an_editor_are_those_of_the_loader() -> None:
    told = goals_file.schema()["$defs"]["kind"]["properties"]["required"]["description"]
    required = [kind.name for kind in DEFAULT_KINDS if kind.required]
    assert told.endswith(f"Default: false, but true for {' and '.join(required)}.")


def test_starter_files_name_the_schema_for_editors() -> None:
    first = (starter.directory() / "goals.yaml").read_text("utf-8").splitlines()[0]
    _, _, path = first.partition("# yaml-language-server: $schema=")
    assert (starter.directory() / path).samefile(starter.library() / "goals.schema.json")
