"""Jinja2 and Nunjucks: how a text with `{{`, `{%` or `{#` in it is written so that they render exactly it.

Nunjucks also stumbles over `#}` where no comment is open.
"""

from __future__ import annotations

import re

from gitforge.exporting.prompt import Text

_SIGNS = re.compile(r"\{[{%#]|#\}")


def escape(text: Text) -> str:
    """A text as a template that renders to it, with its slots as variables."""
    written = ""
    for index, part in enumerate(text):
        if not isinstance(part, str):
            written += f"{{{{ {part.name} }}}}"
            continue
        plain = _SIGNS.sub(lambda found: _quoted(found[0]), part)
        is_touching = plain.endswith("{") and index + 1 < len(text)  # the braces of the variable behind it
        written += plain[:-1] + _quoted("{") if is_touching else plain
    return written


def _quoted(text: str) -> str:
    return f'{{{{ "{text}" }}}}'
