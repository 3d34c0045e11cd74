"""Where a workspace is, and which setting holds in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitforge.errors import UserError
from gitforge.workspace import SETTINGS, Settings, Workspace


def test_the_nearest_workspace_going_up_is_found(tmp_path: Path) -> None:
    below = tmp_path / "outer" / "inner" / "deep"
    below.mkdir(parents=True)
    for folder in (tmp_path / "outer", tmp_path / "outer" / "inner"):
        (folder / "goals.yaml").touch()
    assert Workspace.find(below).root == tmp_path / "outer" / "inner"


def test_no_workspace_is_an_error_that_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no goals\.yaml") as caught:
        Workspace.find(tmp_path)
    assert caught.value.hint == "Run `gitforge init` to make one here."


def test_beside_a_goal_map_the_error_says_how_to_take_it_over(tmp_path: Path) -> None:
    (tmp_path / "goal_map.json").touch()
    with pytest.raises(UserError) as caught:
        Workspace.find(tmp_path)
    assert "--from goal_map.json" in str(caught.value.hint)


def test_a_folder_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        Workspace.find(tmp_path / "none")


def test_option_then_environment_then_git_then_shared_variable_then_default() -> None:
    options = {"base-url": "option"}
    environ = {"GITFORGE_BASE_URL": "environment", "OPENAI_BASE_URL": "shared"}
    git_config = {"base-url": "git"}
    expected = ["option", "environment", "git", "shared", None]
    found = []
    for places in (
        (options, environ, git_config),
        ({}, environ, git_config),
        ({}, {"OPENAI_BASE_URL": "shared"}, git_config),
        ({}, {"OPENAI_BASE_URL": "shared"}, {}),
        ({}, {}, {}),
    ):
        found.append(Settings.resolve(*places).get("base-url"))
    assert found == expected


def test_an_empty_value_counts_as_not_given() -> None:
    found = Settings.resolve({"model": ""}, {"GITFORGE_MODEL": ""}, {"model": "from-git"})
    assert (found.get("model"), found.origins["model"]) == ("from-git", "git config gitforge.model")


@pytest.mark.parametrize("value", ["soon", "-1", "0", "inf", "nan"])
def test_a_time_that_is_none_is_an_error_that_names_its_origin(value: str) -> None:
    found = Settings.resolve({}, {"GITFORGE_TIMEOUT": value}, {})
    with pytest.raises(UserError, match="GITFORGE_TIMEOUT"):
        found.seconds("timeout")


def test_a_key_never_shows_in_a_repr() -> None:
    assert "secret" not in repr(Settings.resolve({}, {"OPENAI_API_KEY": "secret"}, {}))


def test_every_setting_is_documented() -> None:
    page = (Path(__file__).parent.parent / "docs" / "settings.md").read_text("utf-8")
    for setting in SETTINGS:
        assert f"`gitforge.{setting.name}`" in page
        assert f"`{setting.variable}`" in page
        if setting.default:
            assert f"`{setting.default}`" in page
