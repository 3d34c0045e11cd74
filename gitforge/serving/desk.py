"""Where agents are served: the workspace, opened anew for each request, so that every answer is of now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gitforge.build import Forge
from gitforge.store.recovery import recover_if_needed
from gitforge.store.repo import Repo
from gitforge.workspace import Workspace


@dataclass(frozen=True)
class Desk:
    """Opens the workspace.

    Attributes:
        start: A folder in it.
        may_write: Whether requests may change anything. Without it nothing is written, in the git directory neither:
            what a killed gitforge left is not repaired, and what is read from the history is kept in memory.
        on_repair: Told what was repaired.
    """

    start: Path
    may_write: bool = False
    on_repair: Callable[[str], None] = field(default=lambda _: None, repr=False)
    _memory: dict[str, tuple[bytes, Any]] = field(default_factory=dict, repr=False)

    def workspace(self) -> Workspace:
        """The workspace, whatever is in it.

        Raises:
            UserError: There is none.
        """
        return Workspace.find(self.start)

    @contextmanager
    def opened(self) -> Iterator[Forge]:
        """The workspace as it is now, for one request.

        Raises:
            UserError: There is none, or goals.yaml or the repository cannot be used.
        """
        workspace = self.workspace()
        repo = Repo.discover(workspace.root)
        if not self.may_write:
            repo = replace(repo, memory=self._memory)
        elif (done := recover_if_needed(repo)) is not None:
            self.on_repair(done.done)
        try:
            yield Forge.open(workspace, repo)
        finally:
            workspace.close()
