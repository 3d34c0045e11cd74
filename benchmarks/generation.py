"""What twenty missing components take side by side, from a server that needs one second for each.

    python benchmarks/generation.py            # a table, and exit code 1 where a bound is exceeded
    python benchmarks/generation.py --rounds 9 # steadier

A server on loopback answers every request with a protocol that passes the starter's checks, in ten pieces over one
second. "Side by side" is a whole `gitforge generate` of twenty components, with all twenty commits, less an
interpreter's start with the same imports in the same round; "one after the other" is the same with
`gitforge.concurrency` 1, once. The figures are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from commands import floor_of, run, timed

COMPONENTS = 20
PIECES = 10
PAUSE = 0.1  # seconds before each piece
MOST_SECONDS = 1.6
LEAST_RATIO = 10.0


class Handler(BaseHTTPRequestHandler):
    """Answers chat completions, each over one second."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's word
        """Says nothing."""

    def do_POST(self) -> None:
        """One stream."""
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        text = protocol(asked.rpartition("For part ")[2].partition(".")[0])
        size = len(text) // PIECES + 1
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for number in range(PIECES):
            time.sleep(PAUSE)
            self._send({"content": text[number * size : (number + 1) * size]})
        self._send({}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def _send(self, delta: dict[str, str], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        chunk = {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [choice],
        }
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())


def protocol(number: str) -> str:
    """A draft with everything that the starter's rules for protocols want, and no five words of it said twice."""
    lines = [f"## Part {number}", ""]
    for heading, start in (("Inputs", "-"), ("Steps", "{}."), ("Output", "-"), ("Done when", "- [ ]")):
        lines += [f"### {heading}", ""]
        for item in range(1, 6):
            unit = f"{heading[0]}{number}.{item}"
            lines.append(
                f"{start.format(item)} Take {unit}a to {unit}b, note {unit}c, and show {unit}d beside {unit}e."
            )
        lines.append("")
    return "\n".join(lines)


class Server(ThreadingHTTPServer):
    """Takes all connections at once: the default of five would make the others wait for a second SYN."""

    request_queue_size = 128
    daemon_threads = True


def main() -> int:
    """Measures, prints, and says whether every bound holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds side by side (default: 5)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="gitforge-bench-") as folder, serving() as url:
        workspace = Path(folder) / "work"
        prepare(workspace, url)
        floor = floor_of(arguments(), workspace)
        start_over(workspace)
        side_by_side = []
        for _ in range(rounds):
            start = timed(partial(run, floor, workspace))
            side_by_side.append(timed(partial(generate, workspace)) - start)
            start_over(workspace)
        one_by_one = timed(partial(generate, workspace, "1")) - timed(partial(run, floor, workspace))
    seconds = statistics.median(side_by_side)
    ratio = one_by_one / seconds
    print(f"{'':<24}{'seconds':>8}")
    print(f"{'one after the other':<24}{one_by_one:>8.2f}")
    print(f"{'side by side':<24}{seconds:>8.2f}  at most {MOST_SECONDS}: {verdict(seconds <= MOST_SECONDS)}")
    print(f"{'ratio':<24}{ratio:>8.1f}  at least {LEAST_RATIO:.0f}: {verdict(ratio >= LEAST_RATIO)}")
    return 0 if seconds <= MOST_SECONDS and ratio >= LEAST_RATIO else 1


@contextmanager
def serving() -> Iterator[str]:
    """A server in threads of this process, which only waits meanwhile; gives its base URL."""
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def prepare(workspace: Path, url: str) -> None:
    """A workspace with the starter library, whose drafts come from the server."""
    for name in list(os.environ):
        if name.startswith(("GITFORGE_", "OPENAI_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    run([sys.executable, "-m", "gitforge", "init", str(workspace)], workspace.parent)
    own = {"user.name": "bench", "user.email": "bench@example.org", "gc.auto": "0"}
    for key, value in {**own, "gitforge.base-url": url, "gitforge.model": "m"}.items():
        run(["git", "config", key, value], workspace)
    run(["git", "tag", "start"], workspace)


def arguments() -> list[str]:
    """The command line that asks for all of them."""
    names = [f"part_{number}.md" for number in range(COMPONENTS)]
    described = [
        word for name in names for word in ("--describe", f"{name}=For {Path(name).stem.replace('_', ' ')}.")
    ]
    return ["generate", *(f"protocols/{name}" for name in names), *described, "--no-review"]


def generate(workspace: Path, jobs: str = "20") -> None:
    """Generates all of them, and makes sure that they are there."""
    run(["git", "config", "gitforge.concurrency", jobs], workspace)
    run([sys.executable, "-m", "gitforge", *arguments()], workspace)
    made = list((workspace / "library" / "protocols").glob("part_*.md"))
    if len(made) != COMPONENTS:
        sys.exit(f"only {len(made)} components were made")


def start_over(workspace: Path) -> None:
    """The workspace as it was before."""
    run(["git", "reset", "--quiet", "--hard", "start"], workspace)


def verdict(holds: bool) -> str:  # noqa: FBT001
    """In one word."""
    return "ok" if holds else "EXCEEDED"


if __name__ == "__main__":
    sys.exit(main())
