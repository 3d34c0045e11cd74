"""What `build`, `generate` and `goal add` share: purposes, drafts, review, dry run."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gitforge import generate, review
from gitforge.build import Forge
from gitforge.cli import output, wizard
from gitforge.cli.plans import Options
from gitforge.cli.progress import Progress
from gitforge.cli.reviewing import accept_all, on_terminal
from gitforge.cli.session import open_provider
from gitforge.drafting import Draft
from gitforge.errors import AnswerMissing
from gitforge.generate import Generated
from gitforge.goals import Goal, Need
from gitforge.plan import Planned, State
from gitforge.store import spool

if TYPE_CHECKING:
    from gitforge.llm import Provider
    from gitforge.new_goal import NewGoal

GoalOf = Callable[[Need], Goal | None]

UNKNOWN_ID = "(known once the purpose is)"
UNKNOWN_PURPOSE = "(its purpose, which the build will ask for)"


def generate_missing(
    forge: Forge,
    planned: Sequence[Planned],
    goal_of: GoalOf,
    options: Options,
    new_goal: NewGoal | None = None,
) -> Generated:
    """Asks for the purposes, has the drafts made, and leads each through review to its commit."""
    generate.refuse_in_the_way(forge, planned, new_goal)
    missing = [one for one in planned if one.state is State.MISSING]
    described = _described(forge, missing, options)
    if not missing and new_goal is None:
        return Generated({})
    provider = _open_provider(forge, missing, options)
    if missing:
        _refuse_silence(missing, described, options)
    purposes = wizard.purposes([one.need for one in missing], described)
    tasks = [generate.Task(one, goal_of(one.need), purposes[one.need.path]) for one in missing]
    is_asked = not options.is_unattended
    decide = on_terminal(forge.repo.editor) if is_asked else accept_all(show=not options.no_review)
    with Progress(provider) as progress:
        done = generate.generate(forge, tasks, provider, decide, progress, new_goal)
    if done.fallback:
        output.say(("note: ", output.WARN), f"no git identity is set, so the commits are by {done.fallback}")
    return done


def dry_run(
    forge: Forge,
    planned: Sequence[Planned],
    goal_of: GoalOf,
    options: Options,
    *,
    new_goal: NewGoal | None = None,
) -> list[dict[str, Any]]:
    """For each missing component: exactly what would be sent, and exactly what would be recorded.

    A new goal and its components would be one commit: it stands in a last step, that of goals.yaml.
    """
    generate.refuse_in_the_way(forge, planned)
    missing = [one for one in planned if one.state is State.MISSING]
    described = _described(forge, missing, options)
    if not missing and new_goal is None:
        return []
    provider = _open_provider(forge, missing, options)
    steps = []
    accepted = []
    for one in missing:
        purpose = described.get(one.need.path, one.need.purpose)
        if purpose == "":
            continue
        goal = goal_of(one.need)
        kept = generate.kept_draft(forge, one, purpose) if purpose else None
        prompt = generate.prompt_for(forge, one.need, goal, purpose or UNKNOWN_PURPOSE)
        prompt_id = prompt.id if purpose else UNKNOWN_ID
        draft = kept or Draft(
            one.need, purpose or UNKNOWN_PURPOSE, "", prompt_id, provider.label, provider.is_model
        )
        reviewed = review.Reviewed(draft, is_seen=not options.is_unattended)
        accepted.append((one.path, reviewed))
        steps.append(
            {
                "path": one.path,
                "provider": provider.name,
                "model": provider.model,
                "kept_draft": kept.text if kept else None,
                "messages": []
                if kept
                else [{"role": message.role, "content": message.content} for message in prompt.messages],
                "outline": None if provider.is_model or kept else prompt.outline,
                "commit": None if new_goal else generate.message_for(forge, one.path, reviewed, goal),
            }
        )
    if new_goal is not None:
        message = generate.message_for_goal(forge, new_goal, accepted)
        path = forge.repo.relative(forge.workspace.goals_file)
        nobody: dict[str, Any] = {
            "provider": None, "model": None, "kept_draft": None, "messages": [], "outline": None,
        }  # fmt: skip
        steps.append({"path": path, **nobody, "commit": message})
    return steps


def show_steps(steps: Sequence[Mapping[str, Any]]) -> None:
    """A dry run's steps for a person."""
    for step in steps:
        drafted = f"generate {step['path']} with {step['provider']} ({step['model']})"
        what = drafted if step["messages"] else f"add the goal to {step['path']}"
        if step["kept_draft"] is not None:
            what = f"use the kept draft of {step['path']}, and ask nobody"
        output.result((f"--- would {what}", output.BOLD))
        for message in step["messages"]:
            output.result((f"--- {message['role']} message", output.BOLD))
            output.result(message["content"])
        if step["outline"] is not None:
            output.result(("--- no model is asked: the outline would be the draft", output.BOLD))
            output.result(step["outline"].rstrip("\n"))
        if step["commit"] is not None:
            output.result(("--- and record it as the commit", output.BOLD))
            output.result(step["commit"].rstrip("\n"))


def _described(forge: Forge, missing: Sequence[Planned], options: Options) -> dict[str, str]:
    """What each component is for, where it is known: said now, or when a draft that is kept was asked for."""
    others = [one.need for one in missing]
    described = wizard.parse_descriptions(options.describe, lambda name: forge.book.find(name, others))
    kept: dict[str, list[str]] = {}
    for draft in spool.drafts(forge.repo).kept if missing else ():
        kept.setdefault(draft.path, []).append(draft.purpose)
    for one in missing:
        purposes = kept.get(one.path, [])
        if one.need.path not in described and one.need.purpose is None and len(purposes) == 1:
            described[one.need.path] = purposes[0]
    return described


def _open_provider(forge: Forge, missing: Sequence[Planned], options: Options) -> Provider:
    """Who drafts, which is said; where nothing is to be drafted no setting can be in the way."""
    if not missing:
        return open_provider(forge.repo, "offline", options.model)
    provider = open_provider(forge.repo, options.provider, options.model)
    if provider.is_model:
        output.say(f"Drafts by {provider.describe}.")
        return provider
    output.say(
        (
            "No language model is set: drafts will be outlines with TODO points for you to fill in. ",
            output.WARN,
        )
    )
    output.say(
        ("Set OPENAI_API_KEY, or OPENAI_BASE_URL for a local server, to have them written.", output.DIM)
    )
    return provider


def _refuse_silence(missing: Sequence[Planned], described: Mapping[str, str], options: Options) -> None:
    """Refuses before anything is paid for, where nobody can review what would come of it."""
    purposes = {one.need.name: described.get(one.need.path, one.need.purpose) for one in missing}
    wanted = [name for name, purpose in purposes.items() if purpose != ""]
    if not wanted or options.is_unattended or output.is_interactive():
        return
    unknown = [
        f"--describe {shlex.quote(name)}='...'" for name, purpose in purposes.items() if purpose is None
    ]
    what = "Say what each is for, and accept" if unknown else "Accept"
    raise AnswerMissing(
        f"{', '.join(wanted)}: missing, and there is no terminal on which to review drafts",
        hint=f"{what} the drafts without a question: {' '.join([*unknown, '--yes'])}",
    )
