"""Nouns, then verbs, then the command line: a module imports only from lines above its own."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import gitforge
from gitforge.cli import main

PACKAGE = Path(gitforge.__file__).parent

LAYERS = [
    "gitforge",
    "errors",
    "text",
    "names",
    "compare",
    "payload_forms",
    "payloads",
    "documents",
    "yaml_output",
    "starter",
    "goals",
    "goals_file",
    "rewriting",
    "rewriting.nodes",
    "rewriting.snippets",
    "rewriting.layout",
    "rewriting.patches",
    "goals_edit",
    "three_way",
    "three_way.lines",
    "three_way.sequences",
    "three_way.values",
    "three_way.recipes",
    "three_way.recipe_book",
    "goals_merge",
    "components",
    "store",
    "store.spawn",
    "store.evidence",
    "store.durable",
    "store.answers",
    "store.dates",
    "store.records",
    "store.process",
    "store.batch",
    "store.objects",
    "foreign",
    "workspace",
    "new_goal",
    "llm",
    "llm.*",
    "cost",
    "store.watching",
    "store.discovery",
    "store.configuration",
    "store.plain",
    "store.git",
    "store.checkouts",
    "store.states",
    "store.database",
    "store.log",
    "store.repo",
    "store.addresses",
    "store.remote_environment",
    "store.remote_failures",
    "store.talking",
    "store.meter",
    "store.incoming",
    "store.transfer",
    "store.pins",
    "store.snapshots",
    "store.messages",
    "store.spoken",
    "store.origins_file",
    "store.answered",
    "store.origins",
    "store.renames",
    "store.revision",
    "store.differences",
    "store.prompts",
    "store.texts",
    "store.survey",
    "store.cloning",
    "store.history",
    "store.merge",
    "store.merge_driver",
    "store.past",
    "store.lines",
    "store.upstream",
    "store.kept",
    "store.series",
    "store.rewording",
    "store.disputes",
    "store.worktree",
    "store.filtered",
    "store.locks",
    "store.index",
    "store.tree",
    "store.spool",
    "store.journal",
    "store.edits",
    "store.submodules",
    "store.hooks",
    "store.moving",
    "store.moved_refs",
    "store.recovery",
    "store.inspection",
    "store.placing",
    "store.commit",
    "store.commit_point",
    "store.transaction",
    "store.advance",
    "store.replay",
    "store.proposal",
    "templates",
    "plan",
    "assemble",
    "drafting",
    "drafting.phrases",
    "drafting.closeness",
    "drafting.secret_forms",
    "drafting.rules",
    "drafting.repairs",
    "drafting.checks",
    "drafting.prompting",
    "drafting.draft",
    "review",
    "commits",
    "inverse",
    "scope",
    "revert",
    "undo",
    "restore",
    "toolkits",
    "hand_edits",
    "manifest",
    "inputs",
    "remake",
    "rebuild",
    "build",
    "reproduce",
    "exporting",
    "exporting.prompt",
    "exporting.slots",
    "exporting.layouts",
    "exporting.curly",
    "exporting.messages",
    "exporting.*",
    "exporting.formats",
    "exporting.placing",
    "exportable",
    "export",
    "line_ranges",
    "tracing",
    "lineage",
    "unreviewed",
    "blame",
    "generation",
    "generation.records",
    "generation.keeping",
    "generation.merging",
    "generation.workers",
    "generation.asking",
    "generation.recording",
    "generate",
    "reviews",
    "provenance",
    "named",
    "adoptions",
    "library_entries",
    "libraries",
    "unasked",
    "library_look",
    "library_add",
    "library_standing",
    "adopted_texts",
    "adopting",
    "library_changes",
    "library_update",
    "past",
    "changes",
    "catalog",
    "importing",
    "importing.records",
    "importing.source",
    "importing.naming",
    "importing.goal_map",
    "importing.promptkit",
    "importing.fabric",
    "importing.skills",
    "importing.llm_templates",
    "importing.formats",
    "importing.placed",
    "importing.kinds",
    "importing.shelf",
    "importing.placing",
    "importing.recipes",
    "importing.showing",
    "importing.recording",
    "initialise",
    "check",
    "clone",
    "stale",
    "status",
    "doctor",
    "plain_data",
    "serving",
    "serving.desk",
    "serving.pages",
    "serving.records",
    "serving.origin",
    "serving.slots",
    "serving.assembling",
    "serving.prompts",
    "serving.uris",
    "serving.resources",
    "serving.schemas",
    "serving.looking",
    "serving.tools",
    "serving.writing",
    "sharing",
    "sharing.arrivals",
    "sharing.pins_moved",
    "sharing.adopted_twice",
    "sharing.records",
    "sharing.decisions",
    "sharing.integrating",
    "sharing.publishing",
    "sync",
    "cli",
    "cli.output",
    "cli.main",
    "cli.*",
    "__main__",
]

HOMES = {
    "ruamel": ("yaml_output", "rewriting.snippets"),
    "yaml": ("documents", "rewriting.nodes"),
    "jsonschema_rs": ("goals_file", "serving.tools"),
    "git": ("store.*",),
    "openai": ("llm.openai_provider", "llm.openai_errors"),
    "llm": ("llm.llm_provider",),
    "httpx2": ("llm.openai_provider", "llm.openai_errors"),
    "jinja2": ("templates",),
    "genai_prices": ("cost",),
    "typer": ("cli.*",),
    "rich": ("cli.*",),
    "prompt_toolkit": ("cli.*",),
    "mcp": ("cli.mcp_server", "cli.mcp_stdio"),
    "mcp_types": ("cli.mcp_server", "cli.mcp_stdio", "cli.mcp_forms"),
    "anyio": ("cli.mcp_server", "cli.mcp_stdio"),
}
SAME_LINE = {"llm.*", "cli.*"}  # modules that share a line may import each other, but not in a circle

DOWNWARD = {  # inside a function: the module of the contract also chooses who holds to it
    ("llm", "llm.openai_provider"),
    ("llm", "llm.llm_provider"),
    ("llm", "llm.offline_provider"),
}

MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    .removesuffix(".__init__")
    .replace("__init__", "gitforge"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text("utf-8"))


def imports(module: str) -> Iterator[tuple[str, int]]:
    """What a module imports, wherever in it, with the line: dotted names, `from x import y` as `x.y`."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: a relative import"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def inner(name: str) -> str | None:
    """The module of ours that an imported name is or is in."""
    if name.partition(".")[0] != "gitforge":
        return None
    parts = name.split(".")[1:]
    while parts:
        if ".".join(parts) in MODULES:
            return ".".join(parts)
        parts.pop()
    return "gitforge"


def line_of(module: str) -> int:
    if module in LAYERS:
        return LAYERS.index(module)
    package = f"{module.rpartition('.')[0]}.*"
    assert package in LAYERS, f"{module} has no line in LAYERS: give it one"
    return LAYERS.index(package)


def is_at_home(module: str, homes: tuple[str, ...]) -> bool:
    return module in homes or f"{module.partition('.')[0]}.*" in homes


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_lines_above_its_own(module: str) -> None:
    here = line_of(module)
    for name, line in imports(module):
        other = inner(name)
        if other is None or other == module or (module, other) in DOWNWARD:
            continue
        is_beside = line_of(other) == here and LAYERS[here] in SAME_LINE
        assert line_of(other) < here or is_beside, f"{module}:{line} imports {other}, which stands below it"


def test_every_module_is_in_the_map() -> None:
    docs = PACKAGE.parent / "docs"
    drawn = re.findall(r"\w+", (docs / "architecture.md").read_text("utf-8").split("```")[1])
    table = "".join(re.findall(r"(?m)^\| (`.*?) \|", (docs / "commit-protocol.md").read_text("utf-8")))
    stored = re.findall(r"`(\w+)\.py`", table)
    commands = [name.replace("-", "_") for name in (*main.COMMANDS, *main.HIDDEN)]
    known = {
        "": {*drawn, "gitforge", "__main__"}, "cli": {*drawn, *commands, "import_"}, "store": {*stored},
    }  # fmt: skip
    lacking = [
        module
        for module in MODULES
        for package, _, name in [module.rpartition(".")]
        if name not in known.get(package, {*drawn})
    ]
    assert lacking == []
    assert [name for name in stored if f"store.{name}" not in MODULES] == []


def test_no_import_goes_in_a_circle() -> None:
    needs = {
        module: {
            other for name, _ in imports(module) if (other := inner(name)) and (module, other) not in DOWNWARD
        }
        - {module}
        for module in MODULES
    }
    while needs:
        free = [module for module, others in needs.items() if not others & needs.keys()]
        assert free, f"a circle among {sorted(needs)}"
        for module in free:
            del needs[module]


def test_every_line_has_a_module() -> None:
    lines = {line_of(module) for module in MODULES}
    assert [layer for number, layer in enumerate(LAYERS) if number not in lines] == []


@pytest.mark.parametrize("library", HOMES)
def test_an_outside_library_has_one_home(library: str) -> None:
    users = {module for module in MODULES for name, _ in imports(module) if name.partition(".")[0] == library}
    strangers = {module for module in users if not is_at_home(module, HOMES[library])}
    assert not strangers


def test_every_outside_library_that_is_declared_is_used_and_has_a_home() -> None:
    outside = {name.partition(".")[0] for module in MODULES for name, _ in imports(module)}
    outside -= {"gitforge", *sys.stdlib_module_names}
    assert outside <= HOMES.keys()
    assert outside >= HOMES.keys()


@pytest.mark.parametrize("module", [module for module in MODULES if module.partition(".")[0] != "cli"])
def test_only_the_command_line_prints_or_asks(module: str) -> None:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "input"}, f"{module}:{node.lineno}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys":
            is_entry = module == "__main__"
            assert node.attr not in {"stdout", "stderr", "stdin"} or is_entry, f"{module}:{node.lineno}"
