"""How alike two texts are, and which of many are about the same thing. Simple measures that can be explained.

- Alike: the share of one text's runs of five words that stand in the other too. Two texts on one subject share
  hardly any; a copy with changed words still shares most. Source: A. Broder, On the resemblance and
  containment of documents (1997).
- About the same: the cosine of the angle between the words of two texts, each word weighted by how few texts
  have it (inverse document frequency). Source: K. Spärck Jones, A statistical interpretation of term
  specificity (1972).

Words are compared as UTF-8 bytes, ASCII letters in lower case: thousands of components take a fraction of a second.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

RUN = 5
_MIN_RUNS = 12  # of so few runs a part is chance
_SAMPLES = 32
_FIRST = 8  # of the samples: a text with none of these is passed over
_ENOUGH = 4  # of the samples: a text with an eighth of the runs is looked at as a whole
_NAME_WEIGHT = 2.0
_PUNCTUATION = bytes(byte for byte in range(128) if not chr(byte).isalnum())
_TO_LOWER = bytes(range(256)).lower()
_TO_WORDS = _TO_LOWER.translate(bytes.maketrans(_PUNCTUATION, b" " * len(_PUNCTUATION)))


@dataclass(frozen=True)
class Likeness:
    """How much of a text stands in another.

    Attributes:
        name: The other one.
        share: Of the text's runs those that the other has too, 0 to 1.
        of_other: Of the other's runs those that the text has too, 0 to 1.
    """

    name: str
    share: float
    of_other: float

    @property
    def most(self) -> float:
        """The larger of the two: a text that holds the whole of a shorter one is as much a copy."""
        return max(self.share, self.of_other)


def words(text: str | bytes) -> list[bytes]:
    """The words of a text, without its punctuation and markup."""
    plain = text.encode("utf-8", "replace") if isinstance(text, str) else text
    return plain.translate(_TO_WORDS).split()


def runs(text: str | bytes, length: int = RUN) -> list[bytes]:
    """Every run of so many words, in order."""
    found = words(text)
    return [b" ".join(found[start : start + length]) for start in range(len(found) - length + 1)]


def likeness(text: str, name: str, other: str | bytes, given: Collection[bytes] = ()) -> Likeness:
    """Compares a text with another one, whose name is given; texts too short to compare are not alike.

    Args:
        text: The one.
        name: How the other is called.
        other: The other.
        given: Runs that both may have, because they were told to: they do not count.
    """
    mine, theirs = set(runs(text)).difference(given), set(runs(other)).difference(given)
    common = len(mine & theirs)
    return Likeness(
        name,
        common / len(mine) if len(mine) >= _MIN_RUNS else 0.0,
        common / len(theirs) if len(theirs) >= _MIN_RUNS else 0.0,
    )


def alike(
    text: str, others: Iterable[tuple[str, bytes]], given: Collection[bytes] = ()
) -> Iterator[Likeness]:
    """Those of many texts that have something in common with one; the others are passed over quickly.

    A sample of the text's runs is looked for in each; only one that has some of the sample is compared.

    Args:
        text: The one.
        others: Name and content of each.
        given: Runs that do not count.
    """
    mine = [run for run in dict.fromkeys(runs(text)) if run not in given]
    if not mine:
        return
    step = -(-len(mine) // _SAMPLES)
    samples = [run.replace(b" ", b"") for run in mine[::step]]
    apart = max(1, len(samples) // _FIRST)
    first, rest = samples[::apart], [one for place, one in enumerate(samples) if place % apart]
    enough = min(_ENOUGH, len(samples))
    for name, content in others:
        letters = content.translate(_TO_LOWER, _PUNCTUATION)  # without spaces: no need to part the words
        hits = sum(sample in letters for sample in first)
        if hits and hits + sum(sample in letters for sample in rest) >= enough:
            yield likeness(text, name, content, given)


def closest(query: Iterable[str], texts: Mapping[str, tuple[str, bytes]], count: int) -> list[str]:
    """The keys of the texts that are most about the same as a query, the closest first.

    Args:
        query: What is looked for, in words.
        texts: For each key a title, whose words count double, and a content.
        count: How many keys are wanted; ties are in the order of the keys.
    """
    titles = {key: set(words(title)) for key, (title, _) in texts.items()}
    bodies = {key: titles[key] | set(words(content)) for key, (_, content) in texts.items()}
    frequency = Counter(word for found in bodies.values() for word in found)
    total = len(texts) + 1
    wanted = {word for part in query for word in words(part) if len(word) > 2}

    weights = {word: math.log(total / count) ** 2 for word, count in frequency.items()}

    def score(key: str) -> float:
        shared = wanted & bodies[key]
        common = sum(weights[word] * (_NAME_WEIGHT if word in titles[key] else 1.0) for word in shared)
        length = math.sqrt(math.fsum(map(weights.__getitem__, bodies[key])))  # whatever a set's order
        return common / length if length else 0.0

    scores = {key: score(key) for key in texts}
    return heapq.nsmallest(count, texts, key=lambda key: (-scores[key], key))


def shortlist(query: Iterable[str], names: Iterable[str], count: int) -> Sequence[str]:
    """The names that share the most words with a query, so that only those texts need be read."""
    wanted = {word for part in query for word in words(part) if len(word) > 2}
    found = list(names)
    if len(found) <= count:
        return found
    return heapq.nsmallest(count, found, key=lambda name: (-len(wanted.intersection(words(name))), name))
