"""What `build`, `generate` and `goal add` share: purposes, drafts, review, cost, dry run."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from gitforge import commits, cost, generate, keeping, review
from gitforge.asking import prompts_for
from gitforge.build import Forge
from gitforge.cli import output, wizard
from gitforge.cli.plans import Options, spent_as_json
from gitforge.cli.progress import Progress
from gitforge.cli.reviewing import accept_all, on_terminal
from gitforge.cli.session import SEEDS, open_provider, settings
from gitforge.cost import Estimate, Pricing
from gitforge.drafting import Draft
from gitforge.errors import AnswerMissing, GitforgeError, UserError
from gitforge.generation import Generated, Task, Terms
from gitforge.goals import Goal, Need
from gitforge.llm import Usage
from gitforge.plan import Planned, State
from gitforge.prompting import Prompt
from gitforge.store import spool

if TYPE_CHECKING:
    from gitforge.llm import Provider
    from gitforge.new_goal import NewGoal

GoalOf = Callable[[Need], Goal | None]

UNKNOWN_ID = "(known once the purpose is)"
UNKNOWN_PURPOSE = "(its purpose, which the build will ask for)"
OPENAI_URL = "https://api.openai.com/v1"


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
    described = _described(forge, planned, options)
    if not missing and new_goal is None:
        return Generated({})
    provider = _open_provider(forge, missing, options)
    terms = _terms(forge, provider, options)
    if missing:
        _refuse_silence(missing, described, options)
    purposes = wizard.purposes([one.need for one in missing], described)
    tasks = [Task(one, goal_of(one.need), purposes[one.need.path]) for one in missing]
    is_asked = not options.is_unattended
    decide = on_terminal(forge.repo.editor) if is_asked else accept_all(show=not options.no_review)

    def on_estimate(expected: Estimate) -> None:
        if provider.is_model:
            _say_estimate(expected)

    try:
        with closing(provider), Progress(provider) as progress:
            done = generate.generate(
                forge, tasks, provider, progress.pausing(decide), progress, new_goal, terms, on_estimate
            )
    except (KeyboardInterrupt, GitforgeError):
        _say_what_is_kept(forge, tasks)
        raise
    if done.fallback:
        output.say(("note: ", output.WARN), f"no git identity is set, so the commits are by {done.fallback}")
    if done.spent.usage is not None:
        output.say((f"It took {cost.told(done.spent.usage, done.spent.dollars)} (estimate).", output.DIM))
    return done


def dry_run(
    forge: Forge,
    planned: Sequence[Planned],
    goal_of: GoalOf,
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
    described = _described(forge, planned, options)
    if not missing and new_goal is None:
        return []
    provider = _open_provider(forge, missing, options)
    terms = _terms(forge, provider, options)
    reviewer = str(forge.repo.identity())
    steps = []
    accepted = []
    for one in missing:
        purpose = described.get(one.need.path, one.need.purpose)
        if purpose == "":
            continue
        goal = goal_of(one.need)
        kept = keeping.kept_drafts(forge.repo, one, purpose) if purpose else {}
        count = max(0, terms.candidates - len(kept))
        wanted = [(one.need, goal, purpose or UNKNOWN_PURPOSE)]
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
    described = _described(forge, [one], options)
    purpose = described.get(one.need.path, one.need.purpose)
    wanted = [(one.need, goal_using(forge, one.need), purpose or UNKNOWN_PURPOSE)]
    return prompts_for(forge, wanted)[0], bool(purpose)


def goal_using(forge: Forge, need: Need) -> Goal | None:
    """The first goal that uses a component."""
    return next((one for one in forge.book.goals.values() if need in one.needs), None)


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


def _described(forge: Forge, planned: Sequence[Planned], options: Options) -> dict[str, str]:
    """What each component is for, where it is known: said now, or when a draft that is kept was asked for.

    One that is there by now may be described too: the same command can be given twice.
    """
    missing = [one for one in planned if one.state is State.MISSING]
    others = [one.need for one in planned]
    described = wizard.parse_descriptions(options.describe, lambda name: forge.book.find(name, others))
    kept: dict[str, list[str]] = {}
    for draft in spool.drafts(forge.repo).kept if missing else ():
        kept.setdefault(draft.path, []).append(draft.purpose)
    for one in missing:
        purposes = kept.get(one.path, [])
        if one.need.path not in described and one.need.purpose is None and len(purposes) == 1:
            described[one.need.path] = purposes[0]
    return described


_DOLLARS = (0, 10**9, "a number from 0 on")


def _terms(forge: Forge, provider: Provider, options: Options) -> Terms:
    """How many drafts at once and of each, what they cost, and may cost."""
    found = settings(forge.repo, options.provider, options.model)
    prices = [found.number(name, *_DOLLARS) for name in ("price-input", "price-output")]
    own = None
    if None not in prices:
        own = prices[0] or 0.0, prices[1] or 0.0
    elif prices != [None, None]:
        raise UserError(
            "only one of gitforge.price-input and gitforge.price-output is set", hint="Set both, or none."
        )
    if not provider.is_model:
        own = 0.0, 0.0
    base_url = (found.get("base-url") or OPENAI_URL) if provider.name == "openai" else None
    limit = options.max_cost if options.max_cost is not None else found.number("max-cost", *_DOLLARS)
    if options.candidates > 1 and not provider.is_model:
        output.say(
            ("note: ", output.WARN), "one outline is like the other, so there is one candidate of each"
        )
    return Terms(
        jobs=provider.concurrency,
        in_order=options.is_unattended,  # nobody waits, and a history that can be repeated is worth more
        candidates=options.candidates if provider.is_model else 1,
        pricing=Pricing(provider.model, base_url, own),
        max_cost=limit,
        seed=found.whole("seed", *SEEDS),
    )


def _say_estimate(expected: Estimate) -> None:
    drafts = f"{expected.drafts} drafts" if expected.drafts > 1 else "1 draft"
    output.say((f"Estimate for {drafts}: {cost.told(expected.usage, expected.dollars)}.", output.DIM))


def _say_what_is_kept(forge: Forge, tasks: Sequence[Task]) -> None:
    """What was paid for and is not recorded, after an end before its time."""
    paths = {task.planned.path for task in tasks}
    count = sum(draft.path in paths for draft in spool.drafts(forge.repo).kept)
    if count:
        drafts = f"{count} drafts are" if count > 1 else "1 draft is"
        output.say(
            (f"{drafts} kept: ", output.GOOD), "`gitforge drafts` lists them, and the next run uses them."
        )


def _told(expected: Mapping[str, Any], count: int) -> str:
    drafts = f"{count} drafts, " if count > 1 else ""
    return drafts + cost.told(
        Usage(expected["input_tokens"], expected["output_tokens"]), expected["cost_usd"]
    )


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
