"""The prompts that generations answer, kept in git beside the branch.

A prompt is a blob under the ref `refs/gitforge/prompts/<SHA-256 of the prompt>`, made by the same transaction of
refs as its commit; the commit's `Prompt-Id` names it. docs/commit-protocol.md says why.
"""

from __future__ import annotations

import hashlib
import re

from gitforge.errors import UserError
from gitforge.store.repo import Repo

REFS = "refs/gitforge/prompts"
"""Where they are; `git fetch origin 'refs/gitforge/*:refs/gitforge/*'` brings them from another clone."""

_ID = re.compile(r"sha256:([0-9a-f]{64})")


def ref_of(prompt_id: str) -> str:
    """The ref that keeps a prompt.

    Raises:
        ValueError: It is no prompt's id.
    """
    found = _ID.fullmatch(prompt_id)
    if found is None:
        raise ValueError(f"{prompt_id!r} is no prompt's id")
    return f"{REFS}/{found[1]}"


def read_prompt(repo: Repo, prompt_id: str) -> str | None:
    """The messages that were sent, as JSON; None where this clone does not have them.

    Args:
        repo: The repository.
        prompt_id: From a commit, which somebody else may have written.

    Raises:
        UserError: What is kept under its name is something else.
    """
    if _ID.fullmatch(prompt_id) is None:
        return None
    blob = repo.object_of(f"{ref_of(prompt_id)}^{{blob}}")
    if blob is None:
        return None
    content = repo.objects.read_blob(blob)
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != prompt_id:
        raise UserError(
            f"{ref_of(prompt_id)} does not keep the prompt that it is named after",
            hint="Somebody has changed it; fetch it again from where it came from.",
        )
    return content.decode()
