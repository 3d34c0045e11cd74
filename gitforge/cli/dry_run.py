"""What would be sent and recorded, without doing it: for `--dry-run`, and `gitforge show --prompt`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gitforge import commits, cost, generate, review
from gitforge.build import Forge
from gitforge.cli import generating, output
from gitforge.cli.plans import Options, spent_as_json
from gitforge.drafting.draft import Draft
from gitforge.drafting.prompting import Prompt
from gitforge.generation import keeping
from gitforge.generation.asking import prompts_for
from gitforge.llm import Usage
from gitforge.plan import Planned, State
from gitforge.provenance import provenance

if TYPE_CHECKING:
    from gitforge.new_goal import NewGoal

UNKNOWN_ID = "(known once the purpose is)"
UNKNOWN_PURPOSE = "(its purpose, which the build will ask for)"


def foresee(
    forge: Forge,
    planned: Sequence[Planned],
    goal_of: generating.GoalOf,
    options: Options,
    *,
    new_goal: NewGoal | None = None,
) -> list[dict[str, Any]]:
    """For each missing component: exactly what would be sent, and what would be recorded.

    The commit's message is exact but for what is counted only then: Tokens and Cost, where they are known.
    A new goal and its components would be one commit: it stands in a last step, that of goals.yaml.
    """
    generate.refuse_in_the_way(forge, planned)
    missing = [one for one in planned if one.state is State.MISSING]
    known = generating.described(forge, planned, options)
    if not missing and new_goal is None:
        return []
    provider = generating.open_for(forge, missing, options)
    terms = generating.terms_for(forge, provider, options)
    reviewer = str(forge.repo.identity())
    steps = []
    accepted = []
    for one in missing:
        purpose = known.get(one.need.path, one.need.purpose)
        if purpose == "":
            continue
        goal = goal_of(one.need)
        kept = keeping.kept_drafts(forge.repo, one, purpose) if purpose else {}
        count = max(0, terms.candidates - len(kept))
        wanted = [(one.need, goal, purpose or UNKNOWN_PURPOSE, None)]
        (prompt,) = prompts_for(forge, wanted, for_model=provider.is_model)
        prompt_id = prompt.id if purpose or not prompt.id else UNKNOWN_ID
        draft = kept[min(kept)] if kept else Draft(
            one.need, purpose or UNKNOWN_PURPOSE, "", prompt_id, provider.label, provider.is_model
        )  # fmt: skip
        reviewed = review.Reviewed(draft, is_seen=not options.is_unattended)
        accepted.append((one.path, reviewed))
        expected = cost.estimate([prompt.messages] * count, terms.pricing)
        steps.append(
            {
                "path": one.path,
                "provider": provider.name,
                "model": provider.model,
                "kept_draft": draft.text if kept else None,
                "drafts": count,
                "messages": messages_as_json(prompt) if count else [],
                "estimate": spent_as_json(expected.usage, expected.dollars)
                if count and provider.is_model
                else None,
                "outline": None if provider.is_model or not count else prompt.outline,
                "commit": None
                if new_goal
                else commits.generation(one.path, reviewed, goal.name if goal else None, reviewer),
            }
        )
    if new_goal is not None:
        message = commits.new_goal(new_goal.goal, accepted, reviewer)
        path = forge.repo.relative(forge.workspace.goals_file)
        nobody: dict[str, Any] = {
            "provider": None, "model": None, "kept_draft": None, "drafts": 0, "messages": [],
            "estimate": None, "outline": None,
        }  # fmt: skip
        steps.append({"path": path, **nobody, "commit": message})
    return steps


def exact_prompt(forge: Forge, one: Planned, options: Options) -> tuple[Prompt, bool]:
    """What a model would be asked for a component, there or not; and whether its purpose is known."""
    known = generating.described(forge, [one], options)
    purpose = known.get(one.need.path, one.need.purpose)
    if not purpose and one.commit is not None:
        purpose = provenance(forge.repo, one.path).purpose
    wanted = [(one.need, generating.goal_using(forge, one.need), purpose or UNKNOWN_PURPOSE, None)]
    return prompts_for(forge, wanted)[0], bool(purpose)


def messages_as_json(prompt: Prompt) -> list[dict[str, str]]:
    """A prompt's messages, as they are sent."""
    return [{"role": message.role, "content": message.content} for message in prompt.messages]


def show_messages(messages: Sequence[Mapping[str, str]]) -> None:
    """A prompt's messages, for a person."""
    for message in messages:
        output.result((f"--- {message['role']} message", output.BOLD))
        output.result(message["content"])


def show_steps(steps: Sequence[Mapping[str, Any]]) -> None:
    """A dry run's steps for a person."""
    for step in steps:
        drafted = f"generate {step['path']} with {step['provider']} ({step['model']})"
        what = drafted if step["drafts"] else f"add the goal to {step['path']}"
        if step["kept_draft"] is not None and not step["drafts"]:
            what = f"use the kept draft of {step['path']}, and ask nobody"
        output.result((f"--- would {what}", output.BOLD))
        show_messages(step["messages"])
        if step["estimate"] is not None:
            told = _told(step["estimate"], step["drafts"])
            output.result((f"--- estimate: {told}", output.BOLD))
        if step["outline"] is not None:
            output.result(("--- no model is asked: the outline would be the draft", output.BOLD))
            output.result(step["outline"].rstrip("\n"))
        if step["commit"] is not None:
            output.result(("--- and record it as the commit", output.BOLD))
            output.result(step["commit"].rstrip("\n"))


def _told(expected: Mapping[str, Any], count: int) -> str:
    drafts = f"{count} drafts, " if count > 1 else ""
    return drafts + cost.told(
        Usage(expected["input_tokens"], expected["output_tokens"]), expected["cost_usd"]
    )
