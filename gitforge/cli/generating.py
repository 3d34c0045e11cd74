"""What `build`, `generate`, `regenerate` and `goal add` share: purposes, drafts, review, cost."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from gitforge import cost, generate
from gitforge.build import Forge
from gitforge.cli import output, wizard
from gitforge.cli.plans import Options
from gitforge.cli.progress import Progress
from gitforge.cli.reviewing import Replaced, accept_all, on_terminal
from gitforge.cli.session import SEEDS, open_provider, prices_and_limit, settings
from gitforge.cost import Estimate, Pricing
from gitforge.errors import AnswerMissing, Conflict, GitforgeError, ProviderError, UserError
from gitforge.generation.records import Event, Generated, OnEvent, Spent, Task, Terms
from gitforge.goals import Goal, Need
from gitforge.named import refuse_foreign
from gitforge.names import COMPONENT_SUFFIXES, component_name, foreign_parts
from gitforge.plan import Planned, State
from gitforge.store import spool
from gitforge.text import counted, did_you_mean, printable

if TYPE_CHECKING:
    from gitforge.llm import Provider
    from gitforge.new_goal import NewGoal

GoalOf = Callable[[Need], Goal | None]

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
    known = described(forge, planned, options)
    if not missing and new_goal is None:
        return Generated({})
    provider = open_for(forge, missing, options)
    if missing:
        _refuse_silence(missing, known, options)
    purposes = wizard.purposes([one.need for one in missing], known)
    tasks = [Task(one, goal_of(one.need), purposes[one.need.path]) for one in missing]
    return run_tasks(forge, tasks, provider, options, new_goal)


def run_tasks(
    forge: Forge, tasks: Sequence[Task], provider: Provider, options: Options, new_goal: NewGoal | None = None
) -> Generated:
    """Has the drafts made, leads each through review to its commit, and says what it took."""
    terms = terms_for(forge, provider, options)
    current = {task.need.path: _replaced(task, options) for task in tasks if task.current is not None}
    if options.is_unattended:
        decide = accept_all(current, show=not options.no_review)
    else:
        decide = on_terminal(forge.repo.editor, current)

    def on_estimate(expected: Estimate) -> None:
        if provider.is_model:
            _say_estimate(expected)

    try:
        with closing(provider), Progress(provider) as progress:
            done = generate.generate(
                forge,
                tasks,
                provider,
                progress.pausing(decide),
                _both(progress, options.on_event),
                new_goal,
                terms,
                on_estimate,
                _say_spent,
            )
    except (KeyboardInterrupt, GitforgeError):
        _say_what_is_kept(forge, tasks)
        raise
    if done.fallback:
        output.say(("note: ", output.WARN), f"no git identity is set, so the commits are by {done.fallback}")
    return done


def _both(progress: OnEvent, other: OnEvent) -> OnEvent:
    def tell(event: Event) -> None:
        progress(event)
        other(event)

    return tell


def _replaced(task: Task, options: Options) -> Replaced:
    """What a draft is compared with: whoever accepts it has to see all that nobody has reviewed yet."""
    text = task.current or ""
    is_more = task.is_unreviewed and not options.is_unattended
    return Replaced(text, task.reviewed if is_more else text)


def goal_using(forge: Forge, need: Need) -> Goal | None:
    """The first goal that uses a component."""
    goals = forge.book.goals.values()
    return next((one for one in goals if any(other.path == need.path for other in one.needs)), None)


def described(forge: Forge, planned: Sequence[Planned], options: Options) -> dict[str, str]:
    """What each component is for, where it is known: said now, or when a draft that is kept was asked for.

    One that is there by now may be described too: the same command can be given twice.
    """
    missing = [one for one in planned if one.state is State.MISSING]
    others = [one.need for one in planned]
    known = wizard.parse_descriptions(options.describe, lambda name: forge.book.find(name, others))
    kept: dict[str, set[str]] = {}
    for draft in spool.drafts(forge.repo).kept if missing else ():
        kept.setdefault(draft.path, set()).add(draft.purpose)
    for one in missing:
        purposes = kept.get(one.path, set())
        if one.need.path not in known and one.need.purpose is None and len(purposes) == 1:
            (known[one.need.path],) = purposes
    return known


def terms_for(forge: Forge, provider: Provider, options: Options) -> Terms:
    """How many drafts at once and of each, what they cost, and may cost."""
    found = settings(forge.repo, options.provider, options.model)
    own, limit = prices_and_limit(found)
    if not provider.is_model:
        own = 0.0, 0.0
    base_url = (found.get("base-url") or OPENAI_URL) if provider.name == "openai" else None
    limit = options.max_cost if options.max_cost is not None else limit
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
        prefer=options.prefer,
        seed=found.whole("seed", *SEEDS),
        branch=options.branch,
    )


def _say_estimate(expected: Estimate) -> None:
    drafts = counted(expected.drafts, "draft")
    output.say((f"Estimate for {drafts}: {cost.told(expected.usage, expected.dollars)}.", output.DIM))


def _say_spent(spent: Spent) -> None:
    if spent.usage is not None:
        estimated = " (estimate)" if spent.dollars is not None else ""
        output.say((f"It took {cost.told(spent.usage, spent.dollars)}{estimated}.", output.DIM))


def _say_what_is_kept(forge: Forge, tasks: Sequence[Task]) -> None:
    """What was paid for and is not recorded, after an end before its time."""
    paths = {task.planned.path for task in tasks}
    count = sum(draft.path in paths for draft in spool.drafts(forge.repo).kept)
    if count:
        drafts, them = (f"{count} drafts are", "them") if count > 1 else ("1 draft is", "it")
        output.say(
            (f"{drafts} kept: ", output.GOOD),
            f"`gitforge drafts` lists {them}, and the next run uses {them}.",
        )


def open_for(forge: Forge, missing: Sequence[Planned], options: Options) -> Provider:
    """Who drafts, which is said; where nothing is to be drafted no setting can be in the way."""
    if not missing:
        return open_provider(forge.repo, "offline", options.model)
    provider = open_provider(forge.repo, options.provider, options.model)
    if provider.is_model:
        output.say(f"Drafts by {provider.describe}.")
        return provider
    is_chosen = settings(forge.repo, options.provider).get("provider") is not None
    why = "As the setting `provider` says" if is_chosen else "No language model is set"
    output.say((f"{why}: drafts will be outlines with TODO points for you to fill in. ", output.WARN))
    if not is_chosen:
        told = "Set OPENAI_API_KEY, or OPENAI_BASE_URL for a local server, to have them written."
        output.say((told, output.DIM))
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
        hint=f"{what} the drafts without a question: `{' '.join([*unknown, '--yes'])}`.",
    )


def find(forge: Forge, name: str) -> Need:
    """A component of goals.yaml or the library; a new one if the name has its kind's folder in front."""
    refuse_unknown_foreign(forge, name)
    refuse_foreign(forge.book, name, "be generated")
    kinds = forge.book.kinds.values()
    folder, _, file = name.removeprefix("library/").rpartition("/")
    kind = next((kind for kind in kinds if kind.folder == folder), None)
    if kind is not None and file.endswith(COMPONENT_SUFFIXES):  # named whole: nothing has to be looked for
        need = Need(kind, component_name(file))
        return forge.book.needs().get(need.path, need)
    try:
        return forge.book.find(name, forge.workspace.library.all(kinds))
    except UserError:
        if kind is None:
            raise
        return Need(kind, component_name(file))


def refuse_unknown_foreign(forge: Forge, name: str) -> None:
    """Raises UserError where a name is of another library, which has neither a component nor a goal of that name."""
    if name in forge.book.goals or (parts := foreign_parts(name)) is None:
        return
    if (pin := forge.book.libraries.get(parts[0])) is None or not forge.workspace.foreign.is_here(pin):
        return
    there = forge.workspace.library.known(forge.book, name)
    goals = forge.workspace.foreign.goal_names(pin)
    if forge.book.matching(name, there) or parts[1] in goals:
        return
    known = [*(need.called for need in there), *(f"{pin.name}:{goal}" for goal in goals)]
    raise UserError(
        f"the library {pin.name} has no {printable(parts[1])} at its pin, and nothing is generated for a library",
        hint=did_you_mean(name, known) or "Generate a component of your own, under a plain name.",
    )


def stop_where_failed(done: Generated) -> None:
    """Ends with the provider's exit code where a component has no draft that may be recorded."""
    clashes = [error for _, error in done.failed if isinstance(error, Conflict)]
    if len(clashes) == len(done.failed) > 0:
        raise Conflict("; ".join(error.message for error in clashes), hint=clashes[0].hint)
    if done.failed:
        paths = ", ".join(f"library/{need.path}" for need, _ in done.failed)
        _, first = done.failed[0]
        rest = "; what you accepted is recorded" if done.commits else ""
        raise ProviderError(f"there is no good draft of {paths}{rest}", hint=first.hint)
