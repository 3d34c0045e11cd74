"""Where the console scripts begin: so small that Ctrl-C finds it ready while everything else is imported."""

from __future__ import annotations

import os
import sys

_INTERRUPTED = 130  # as main.EXIT_CODES has it


def entry() -> None:
    """The console scripts `gitforge` and `git-forge`."""
    try:
        from gitforge.cli.again import say_again  # noqa: PLC0415

        code = say_again(sys.argv[1:])
        if code is None:
            code = _run()
    except KeyboardInterrupt:
        code = _INTERRUPTED
        os.write(2, b"Interrupted: nothing is half-written.\n")
    os._exit(code)  # at once: taking every module and object down first costs a tenth of a short command


def _run() -> int:
    import signal  # noqa: PLC0415

    # Who started us may want to hear of no child's end; the system would then keep it from us how git ended.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    from gitforge.cli.main import main  # noqa: PLC0415 -- most of the time until anything is done

    code = main()
    sys.stderr.flush()
    return code
