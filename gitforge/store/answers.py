"""The answer to a question about a workspace, kept in the git directory with the evidence that it rests on.

The file can be deleted at any time. It is used only where all of its evidence is as it was, which is looked at anew
each time; whatever is wrong with it, it is ignored. It is not synced: its checksum tells when a power cut tore it.
"""

from __future__ import annotations

import os
import zlib

from gitforge.store import evidence
from gitforge.store.durable import Unreadable, read_own
from gitforge.store.evidence import Question

TYPE_CHECKING = False  # typing's own takes longer to import than most of this to do
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FORMAT = b"gitforge answer 1"
_MOST = 1 << 26  # bytes


class Kept:
    """An answer, and what it rests on.

    Args:
        key: What `evidence.key` made of that.
        root: The workspace.
        files: The files that were looked at, and how each was, as `evidence.look` has it.
        about: What git was asked about, as `Question` has it.
        texts: The answer, in as many forms as it has.
    """

    def __init__(
        self, key: str, root: str, files: Mapping[str, str], about: Mapping[str, Sequence[str]], texts: Sequence[bytes],
    ) -> None:  # fmt: skip
        self.key = key
        self.root = root
        self.files = files
        self.about = about
        self.texts = texts

    @property
    def is_unmoved(self) -> bool:
        """Whether the files are as they were.

        Raises:
            OSError: Nobody can tell.
        """
        return all(evidence.look(path) == found for path, found in self.files.items())

    def encode(self) -> bytes:
        """As it is in its file."""
        files = (part for pair in self.files.items() for part in pair)
        lists = ((self.key, self.root), files, *((verb, *of) for verb, of in self.about.items()))
        parts = (os.fsencode("\0\0".join("\0".join(one) for one in lists)), *self.texts)
        rest = b" ".join(b"%d" % len(part) for part in parts) + b"\n" + b"".join(parts)
        return b"%s %08x\n" % (_FORMAT, zlib.crc32(rest)) + rest

    @classmethod
    def decode(cls, content: bytes) -> Kept:
        """What `encode` has made.

        Raises:
            ValueError: It is something else.
        """
        head, _, rest = content.partition(b"\n")
        if head != b"%s %08x" % (_FORMAT, zlib.crc32(rest)):
            raise ValueError("it is torn, or of another format")
        lengths, _, joined = rest.partition(b"\n")
        parts, start = [], 0
        for length in map(int, lengths.split(b" ")):
            parts.append(joined[start : start + length])
            start += length
        (key, root), files, *about = (one.split("\0") for one in os.fsdecode(parts[0]).split("\0\0"))
        return cls(
            key,
            root,
            dict(zip(files[::2], files[1::2], strict=True)),
            {verb: of for verb, *of in about},
            parts[1:],
        )


class Asked:
    """A kept answer, while git is asked whether it still holds."""

    def __init__(self, kept: Kept, question: Question) -> None:
        self._kept = kept
        self._question = question

    def answer(self) -> Sequence[bytes] | None:
        """The answer's texts; None where git says something else now."""
        said = self._question.answers()
        if said is None or evidence.key(self._kept.root, said) != self._kept.key:
            return None
        return self._kept.texts


def ask(name: str, root: str) -> Asked | None:
    """Looks for a kept answer, and where the files that it rests on are as they were, begins to ask git.

    Args:
        name: What was asked.
        root: The workspace: an absolute path without symbolic links.
    """
    try:
        if (found := evidence.place(root)) is None:
            return None
        top, git_dir = found
        kept = Kept.decode(read_own(file_of(git_dir, name), _MOST))
        if kept.root != root or not kept.is_unmoved:
            return None
        return Asked(kept, Question(top, kept.about))
    except (OSError, Unreadable, ValueError):
        return None


def file_of(git_dir: str, name: str) -> str:
    """Each worktree has a HEAD of its own, and so answers of its own."""
    return os.path.join(git_dir, "gitforge", name)
