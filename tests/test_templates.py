"""Templates of strangers: they lay out text, and can do nothing else."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from making import make_workspace

from gitforge import starter
from gitforge.build import Forge
from gitforge.errors import InvalidFile, UserError
from gitforge.store.repo import Repo
from gitforge.templates import _SYNTAX, MAX_BYTES, MAX_RENDERED, Templates, compiled_folder
from gitforge.workspace import Workspace

Render = Callable[..., str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "work").root


@pytest.fixture
def write(root: Path) -> Callable[..., None]:
    """`write(source, name=...)`: a template of the workspace's own."""

    def written(source: str, name: str = "templates/t.md") -> None:
        path = root / "library" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8", newline="")

    return written


@pytest.fixture
def templates(root: Path) -> Templates:
    return Templates(Workspace(root))


@pytest.fixture
def render(write: Callable[..., None], templates: Templates) -> Render:
    """`render(source, **values)`."""

    def rendered(source: str, **values: object) -> str:
        write(source)
        return templates.render("templates/t.md", values)

    return rendered


def refusal(render: Render, source: str, **values: object) -> UserError:
    with pytest.raises(UserError) as refused:
        render(source, **values)
    return refused.value


def test_values_are_laid_out_and_their_text_is_never_taken_for_syntax(render: Render) -> None:
    assert render(
        "{% for one in many %}\n- {{ one.text }}\n{% endfor %}\nend", many=[{"text": "{{ x }}"}]
    ) == ("- {{ x }}\nend")


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ one.text.__class__.__mro__[1].__subclasses__() }}",
        "{{ self.__init__.__globals__ }}",
        "{{ range.__self__ }}",
        "{{ cycler.__init__.__globals__.os.system('true') }}",
        "{{ '{0.__class__}'.format(one) }}",
        "{{ '{x.__class__}'.format_map({'x': one}) }}",
        "{{ (one.items()|list)[0].__reduce__() }}",
        "{{ one.update({'a': 1}) }}",
        "{{ many.append(1) }}",
        "{{ one.pop('text') }}",
        "{{ lipsum.__globals__['os'].popen('id').read() }}",
        "{% set one.text = 'x' %}",
        "{{ _context }}",
        "{{ environment }}",
    ],
)
def test_a_template_cannot_reach_python(render: Render, source: str) -> None:
    values = {"one": {"text": "x"}, "many": ["x"]}
    error = refusal(render, source, **values)
    assert error.message.startswith("library/templates/t.md:1: ")
    assert values == {"one": {"text": "x"}, "many": ["x"]}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{% for a in range(10 ** 12) %}{% endfor %}", "is not available in a template"),
        ("{% for a in range(999999999) %}{% endfor %}", "Range too big"),
        ("{{ 'x' * 999999999 }}", "a product is too long"),
        ("{{ 999999999 * 'x' }}", "a product is too long"),
        ("{{ [0] * 999999999 }}", "a product is too long"),
        ("{{ ('x' * 99999) * 99999 }}", "a product is too long"),
        ("{{ (1,) * 999999999 }}", "a product is too long"),
        ("{{ 2 ** 999999999 }}", "is not available in a template"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "is nested too deeply, or includes itself"),
        ("{% include 'templates/t.md' %}", "is nested too deeply, or includes itself"),
    ],
)
def test_a_template_cannot_grow_without_bound(render: Render, source: str, words: str) -> None:
    error = refusal(render, source)
    assert error.message.startswith("library/templates/t.md")
    assert words in error.message


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit a process's memory")
@pytest.mark.parametrize(
    "source",
    [
        "{{ ('%4000000000s' % 'x')|length }}",
        "{{ ('x'.ljust(4000000000))|length }}",
        "{{ ('x'|center(4000000000))|length }}",
        "{% set a = 'x' %}" + "{% set a = a ~ a %}" * 34 + "{{ a|length }}",
        "{{ ((['x' * 1000000] * 4000)|join)|length }}",
    ],
)
def test_a_template_cannot_take_all_memory_by_other_means(render: Render, source: str) -> None:
    assert refusal(render, source)


def test_the_longest_product_is_laid_out(render: Render) -> None:
    assert len(render("{{ 'x' * 1000000 }}")) == 1_000_000


def test_what_a_template_yields_has_a_bound(render: Render) -> None:
    error = refusal(render, "{% for a in range(20) %}{{ 'x' * 1000000 }}{% endfor %}")
    assert error.message == f"library/templates/t.md: renders to more than {MAX_RENDERED // 1024 // 1024} MiB"


@pytest.mark.parametrize(
    "source", ["one\n\n{{ nobody }}\n", "one\n\n{{ goal.nobody }}\n", "one\n\n{% if nobody %}x{% endif %}\n"]
)
def test_an_unknown_name_is_told_with_template_and_line(render: Render, source: str) -> None:
    error = refusal(render, source, goal={"name": "G"})
    assert error.message.startswith("library/templates/t.md:3: fails: ")
    assert "nobody" in error.message
    assert error.hint


def test_an_unknown_name_is_told_with_the_template_that_it_stands_in(render: Render, write: Render) -> None:
    write("{{ goal.name }}\n{{ nobody }}\n", "templates/part.md")
    error = refusal(render, "x\n{% include 'templates/part.md' %}\n", goal={"name": "G"})
    assert error.message.startswith("library/templates/part.md:2: fails: 'nobody' is undefined")


def test_an_unknown_name_in_a_block_of_a_parent_is_told_there(templates: Templates, write: Render) -> None:
    write("{% block a %}\n{{ nobody }}\n{% endblock %}", "generators/parent.md")
    write("{% extends 'generators/parent.md' %}", "generators/child.md")
    with pytest.raises(InvalidFile, match=r"library/generators/parent\.md:2: fails: 'nobody' is undefined"):
        templates.render_blocks("generators/child.md", {})


@pytest.mark.parametrize(
    "name",
    [
        "../goals.yaml",
        "/etc/passwd",
        "templates/../../goals.yaml",
        ".git/config",
        "templates//t.md",
        "a\\b",
        "",
    ],
)
def test_a_template_outside_the_library_is_refused(templates: Templates, render: Render, name: str) -> None:
    with pytest.raises(UserError, match="the template name"):
        templates.find(name)
    for word in ("include", "import", "extends"):
        tail = " as x" if word == "import" else ""
        assert "the template name" in refusal(render, "{% " + word + f" {name!r}{tail} %}}").message


def test_a_link_out_of_the_workspace_is_no_template(templates: Templates, root: Path, write: Render) -> None:
    write("x")
    (root / "library/templates/link.md").symlink_to("/etc/passwd")
    with pytest.raises(UserError, match=r"library/templates/link\.md: is a symbolic link that leads out"):
        templates.render("templates/link.md", {})
    problem = templates.problem("templates/link.md")
    assert problem is not None
    assert str(problem) == "library/templates/link.md: is a symbolic link that leads out of the workspace"


def test_a_missing_template_is_told_with_the_one_that_wants_it(templates: Templates, render: Render) -> None:
    with pytest.raises(UserError) as refused:
        templates.render("templates/none.md", {})
    assert refused.value.message == "library/templates/none.md: there is no such template"
    assert refused.value.hint
    error = refusal(render, "{% include 'templates/none.md' %}")
    assert (
        error.message
        == "library/templates/none.md: there is no such template (used by library/templates/t.md)"
    )


def test_a_template_that_the_workspace_has_not_got_is_the_starters(
    templates: Templates, write: Render
) -> None:
    path = starter.library() / "templates/persona.md"
    assert templates.find("templates/persona.md") == path
    assert templates.own() == []
    write("mine", "templates/persona.md")
    assert templates.render("templates/persona.md", {}) == "mine"
    assert templates.own() == ["templates/persona.md"]
    assert not templates.exists("templates/none.md")


BROKEN = [
    ("ok\n{% if %}\n", 2),
    ("ok\n{{ a b }}\n", 2),
    ("{% for a in b %}\n", 1),
    ("ok\n\n{% nonsense %}\n", 3),
    ("{{ x|no_such_filter }}", 1),
    ("{{ '", 1),
]


@pytest.mark.parametrize(("source", "line"), BROKEN)
def test_a_template_that_does_not_compile_is_told_with_its_line(
    templates: Templates, render: Render, source: str, line: int
) -> None:
    error = refusal(render, source)
    assert error.message.startswith(f"library/templates/t.md:{line}: does not compile: ")
    problem = templates.problem("templates/t.md")
    assert problem is not None
    assert (problem.file, problem.line) == ("library/templates/t.md", line)


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{% for a in b %}" * 60 + "{% endfor %}" * 60,
        "{{ 1" + "+1" * 50000 + " }}",
    ],
    ids=["parentheses", "loops", "sum"],
)
def test_a_template_nested_beyond_reason_is_a_problem_and_no_crash(
    templates: Templates, write: Render, source: str
) -> None:
    write(source)
    problem = templates.problem("templates/t.md")
    assert problem is not None
    assert problem.file == "library/templates/t.md"


def test_a_template_too_large_or_not_utf_8_is_a_problem(
    templates: Templates, root: Path, write: Render
) -> None:
    write("x" * (MAX_BYTES + 1))
    problem = templates.problem("templates/t.md")
    assert problem is not None
    assert "is larger than" in problem.message
    (root / "library/templates/t.md").write_bytes(b"one\n\xff\n")
    with pytest.raises(InvalidFile, match=r"library/templates/t\.md:2: is not UTF-8"):
        Templates(Workspace(root)).render("templates/t.md", {})


def test_blocks_are_rendered_each_on_its_own_and_children_win(templates: Templates, write: Render) -> None:
    write("{% block a %}A {{ x }}{% endblock %}{% block b %}B{% endblock %}", "generators/parent.md")
    write("{% extends 'generators/parent.md' %}{% block b %}mine{% endblock %}", "generators/child.md")
    assert templates.render_blocks("generators/child.md", {"x": 1}) == {"a": "A 1", "b": "mine"}


def test_every_template_of_the_starter_compiles(tmp_path: Path) -> None:
    templates = Templates(Workspace(starter.directory()))
    assert len(templates.own()) > 5
    assert [templates.problem(name) for name in templates.own()] == [None] * len(templates.own())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit a process's memory")
def test_the_limit_on_memory_is_taken_back_when_threads_render_at_once(
    write: Callable[..., None], templates: Templates
) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    write("{% for one in many %}{{ one() }}{% endfor %}")
    both_inside = threading.Barrier(2, timeout=60)
    second_out = threading.Event()

    def first() -> str:
        return templates.render("templates/t.md", {"many": [both_inside.wait, lambda: second_out.wait(60)]})

    def second() -> str:
        return templates.render("templates/t.md", {"many": [both_inside.wait]})

    with ThreadPoolExecutor(2) as pool:
        slow, quick = pool.submit(first), pool.submit(second)
        quick.result()
        assert resource.getrlimit(resource.RLIMIT_AS) != before
        second_out.set()
        slow.result()
    assert resource.getrlimit(resource.RLIMIT_AS) == before


class TestCompiled:
    """What is kept of a template so that it is compiled once."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "git" / "compiled"

    @pytest.fixture
    def again(self, root: Path, folder: Path) -> Callable[[], str]:
        """Renders it as the next command would."""
        return lambda: Templates(Workspace(root), folder).render("templates/t.md", {"x": "X"})

    def test_a_template_is_compiled_once(
        self, write: Callable[..., None], again: Callable[[], str], folder: Path
    ) -> None:
        write("say {{ x }}")
        assert again() == "say X"
        (kept,) = folder.iterdir()
        os.utime(kept, (1, 1))
        assert again() == "say X"
        assert kept.stat().st_mtime == 1

    def test_another_text_is_compiled_anew(
        self, write: Callable[..., None], again: Callable[[], str]
    ) -> None:
        write("say {{ x }}")
        again()
        write("tell {{ x }}")
        assert again() == "tell X"

    @pytest.mark.parametrize(
        "damage", [lambda whole: b"", lambda whole: whole[:60], lambda whole: whole[:-1] + b"x"]
    )
    def test_one_that_is_torn_is_compiled_anew(
        self,
        write: Callable[..., None],
        again: Callable[[], str],
        folder: Path,
        damage: Callable[[bytes], bytes],
    ) -> None:
        write("say {{ x }}")
        again()
        (kept,) = folder.iterdir()
        whole = kept.read_bytes()
        kept.write_bytes(damage(whole))
        assert again() == "say X"
        assert kept.read_bytes() == whole

    def test_a_link_in_its_place_is_not_followed(
        self, write: Callable[..., None], again: Callable[[], str], folder: Path, tmp_path: Path
    ) -> None:
        write("say {{ x }}")
        again()
        (kept,) = folder.iterdir()
        kept.rename(tmp_path / "elsewhere")
        kept.symlink_to(tmp_path / "elsewhere")
        assert again() == "say X"
        assert not kept.is_symlink()

    def test_a_folder_that_cannot_be_made_is_done_without(
        self, write: Callable[..., None], again: Callable[[], str], folder: Path
    ) -> None:
        folder.parent.write_text("a file")
        write("say {{ x }}")
        assert again() == "say X"

    def test_a_folder_that_others_can_write_to_is_not_used(
        self, write: Callable[..., None], again: Callable[[], str], folder: Path
    ) -> None:
        write("say {{ x }}")
        again()
        (kept,) = folder.iterdir()
        whole = kept.read_bytes()
        kept.write_bytes(b"torn")
        folder.chmod(0o777)
        assert again() == "say X"
        assert kept.read_bytes() == b"torn"
        folder.chmod(0o755)
        assert again() == "say X"
        assert kept.read_bytes() == whole

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
    def test_a_folder_of_somebody_elses_is_not_used(
        self, write: Callable[..., None], again: Callable[[], str], folder: Path
    ) -> None:
        folder.mkdir(parents=True)
        os.chown(folder, 12345, 12345)
        write("say {{ x }}")
        assert again() == "say X"
        assert list(folder.iterdir()) == []

    @pytest.mark.parametrize(
        "put", [lambda place, _: os.mkfifo(place), lambda place, to: place.symlink_to(to)]
    )
    def test_what_stands_in_the_way_is_neither_waited_for_nor_written_through(
        self,
        write: Callable[..., None],
        again: Callable[[], str],
        folder: Path,
        tmp_path: Path,
        put: Callable[[Path, Path], None],
    ) -> None:
        precious = tmp_path / "precious"
        precious.write_text("mine")
        write("say {{ x }}")
        again()
        (kept,) = folder.iterdir()
        kept.unlink()
        for name in (f".{kept.name}.new", f"{kept.name}.new"):
            put(folder / name, precious)
        assert again() == "say X"
        assert precious.read_text() == "mine"

    def test_with_other_settings_it_is_compiled_anew(
        self,
        write: Callable[..., None],
        again: Callable[[], str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        write("{% if x %}\n{{ x }}\n{% endif %}\n")
        assert again() == "X\n"
        monkeypatch.setitem(cast("dict[str, bool]", _SYNTAX), "trim_blocks", False)
        assert again() == "\nX\n\n"

    def test_it_is_kept_also_in_a_folder_whose_name_is_no_text(self, tmp_path: Path, folder: Path) -> None:
        root = make_workspace(tmp_path / os.fsdecode(b"caf\xe9")).root
        template = root / "library/templates/t.md"
        template.parent.mkdir(parents=True, exist_ok=True)
        template.write_text("say {{ x }}")
        for _ in range(2):
            assert Templates(Workspace(root), folder).render("templates/t.md", {"x": "X"}) == "say X"
        assert len(list(folder.iterdir())) == 1

    def test_they_are_kept_in_the_users_cache_and_of_who_only_looks_nothing_is(
        self, root: Path, git: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        git("init", "-q", ".", cwd=root)
        repo = Repo.discover(root)
        memories: tuple[dict[str, tuple[bytes, object]] | None, ...] = ({}, None)
        for memory in memories:
            forge = Forge.open(Workspace(root), replace(repo, memory=memory))
            assert forge.templates.problem("generators/base.md") is None
            assert (tmp_path / "cache/gitforge/templates").exists() == (memory is None)
        assert not (root / ".git/gitforge").exists()

    @pytest.mark.parametrize(
        ("environment", "folder"),
        [
            ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, Path("/c/gitforge/templates")),
            ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, Path("/h/.cache/gitforge/templates")),
            ({"HOME": "/h"}, Path("/h/.cache/gitforge/templates")),
            ({"HOME": ""}, None),
            ({}, None),
            ({"XDG_CACHE_HOME": "/r/.cache", "HOME": "/h"}, None),  # where a stranger's commit may have it
            ({"XDG_CACHE_HOME": "/h/../r", "HOME": "/h"}, None),
            ({"HOME": "/r"}, None),
        ],
    )
    def test_the_cache_is_where_the_environment_says(
        self, environment: dict[str, str], folder: Path | None
    ) -> None:
        assert compiled_folder(environment, Path("/r")) == folder
