"""The table of what a stranger's text may say to the model behind its reader's back.

It is in the code, so that no library can switch it off. Sources: OWASP LLM01 (prompt injection) and CVE-2021-42574
("Trojan Source").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

Alternative = tuple[tuple[str, ...], ...]  # words in lower case; of each group one has to be there


class Gravity(IntEnum):
    """How much of a person's attention a place deserves; the gravest first."""

    ORDER = 0
    """It reads as an order to the model, or does harm where it is followed."""
    HIDING = 1
    """A reader does not see it, or cannot read it."""
    ODDITY = 2
    """It is out of the ordinary, and seldom more."""


@dataclass(frozen=True)
class Form:
    """A form that a payload can have.

    Attributes:
        what: What it may be, as the rest of a sentence that begins with a file's name.
        gravity: How grave it is.
        pattern: What it looks like.
        needs: What any match has in it, in one of these ways. It is looked for first, because nearly every text is
            clean, and a search for words is a tenth of the work.
        run: A text with so many characters in a row can have a match without `needs`; None where none can.
    """

    what: str
    gravity: Gravity
    pattern: re.Pattern[str]
    needs: tuple[Alternative, ...]
    run: int | None = None

    def may_be_in(self, text: Words) -> bool:
        """Whether a text can have a match; False where it certainly has none."""
        if self.run is not None and text.longest >= self.run:
            return True
        return any(
            all(any(word in text.lowered for word in group) for group in alternative)
            for alternative in self.needs
        )


class Words:
    """A text as a search for words needs it.

    Attributes:
        lowered: It in lower case, with ASCII letters for those that `re.IGNORECASE` takes for them, and with one
            space where white space is.
        longest: The length of its longest run without white space.
    """

    def __init__(self, text: str) -> None:
        if not text.isascii():
            for sign, plain in _FOLDED:
                text = text.replace(sign, plain)
        words = text.lower().split()
        self.lowered = " ".join(words)
        self.longest = max(map(len, words), default=0)


_FOLDED = (("\u0130", "i"), ("\u0131", "i"), ("\u017f", "s"), ("\u212a", "k"))

_OLD_WORDS = (
    "previous",
    "prior",
    "earlier",
    "above",
    "preceding",
    "foregoing",
    "system",
    "original",
    "initial",
    "existing",
)
_RULE_WORDS = (
    "instruction",
    "prompt",
    "rule",
    "direction",
    "guideline",
    "command",
    "message",
    "context",
    "constraint",
    "directive",
)
_SEND_WORDS = ("send", "post", "upload", "transmit", "exfiltrate", "forward", "mail", "beacon", "deliver")
_USER_WORDS = ("user", "human", "operator", "reviewer", "owner", "developer", "anyone", "anybody", "person")
_OLD = f"(?:{'|'.join(_OLD_WORDS)})"
_RULES = f"(?:{'|'.join(_RULE_WORDS)})s?"
_SEND = r"(?:send|post|upload|transmit|exfiltrate|forward|(?:e-?)?mail|beacon|deliver|POST)(?:ing|s)?"
_USER = f"(?:{'|'.join(_USER_WORDS)})"
_HANDED = (
    r"(?:system prompt|hidden prompt|credentials?|api[ _-]?keys?|access tokens?|environment variables?"
    r"|private keys?|ssh keys?|passwords?|\.env\b|cookies)"
)
_NOT = r"(?:do not|don't|do n't|never|must not|mustn't|should not|without)"
_WEB = ("http://", "https://")


def _form(what: str, gravity: Gravity, pattern: str, *needs: Alternative, run: int | None = None) -> Form:
    return Form(what, gravity, re.compile(pattern, re.IGNORECASE | re.MULTILINE), needs, run)


ENCODED = "has a part that is encoded, so that nobody can read it"
FORMS = (
    _form(
        "overrides instructions that the model has been given",
        Gravity.ORDER,
        rf"\b(?:ignor|disregard|forget|overrid|bypass|neglect|discard)\w*\s+(?:\w+\s+){{0,4}}{_OLD}\s+"
        rf"(?:\w+\s+){{0,2}}{_RULES}\b"
        rf"|\b(?:ignore|disregard|forget)\s+(?:all|everything|anything|what)\s+(?:\w+\s+){{0,4}}"
        rf"(?:above|before|you (?:were|have been) told|said|instructed)\b"
        r"|\b(?:stop|cease)\s+following\s+(?:\w+\s+){0,3}(?:instructions|rules|guidelines|orders)\b"
        r"|\byour\s+(?:real|true|actual|new)\s+(?:task|instructions?|goal|purpose|orders)\s+(?:is|are)\b"
        r"|\byou are no longer (?:bound|restricted|an? )\b",
        (
            ("ignor", "disregard", "forget", "overrid", "bypass", "neglect", "discard"),
            _RULE_WORDS,
            _OLD_WORDS,
        ),
        (("ignore ", "disregard ", "forget "), ("above", "before", "told", "said", "instructed")),
        (("stop following", "cease following"),),
        (("your real ", "your true ", "your actual ", "your new "),),
        (("you are no longer ",),),
    ),
    _form(
        "forges the marks between the messages of a chat",
        Gravity.ORDER,
        r"<\|[a-z_]{2,30}\|>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>",
        (("<|", "[inst]", "[/inst]", "<<sys>>", "<</sys>>", "_of_turn>"),),
    ),
    _form(
        "has data sent to an address",
        Gravity.ORDER,
        rf"(?<!-X )\b{_SEND}\b[^.!?\n]{{0,120}}?(?:https?://|\b[\w.+-]{{1,64}}@[\w-]{{1,60}}\.\w|\bwebhook\b)"
        r"|!\[[^\]\n]{0,200}\]\(\s*<?https?://[^)\s]{0,300}[?&{$]",
        ((*_WEB, "@", "webhook"), _SEND_WORDS),
        (("![",), _WEB),
    ),
    _form(
        "has secrets handed over",
        Gravity.ORDER,
        r"(?<!not )(?<!n't )(?<!never )\b(?:send|post|upload|exfiltrate|reveal"
        r"|steal|print|output|disclose|dump)\s+"
        rf"(?:\w+\s+){{0,4}}{_HANDED}",
        (
            (
                "system prompt",
                "hidden prompt",
                "credential",
                "api",
                "access token",
                "environment variable",
                "private key",
                "ssh key",
                "password",
                ".env",
                "cookies",
            ),
            (
                "send ",
                "post ",
                "upload ",
                "exfiltrate ",
                "reveal ",
                "steal ",
                "print ",
                "output ",
                "disclose ",
                "dump ",
            ),
        ),
    ),
    _form(
        "hides something from the user",
        Gravity.ORDER,
        rf"\b{_NOT}\s+(?:ever\s+)?(?:tell|mention|reveal|inform|notify|alert|disclos|warn|let)\w*\s+"
        rf"(?:[\w']+\s+){{0,5}}{_USER}s?\b"
        rf"|\b(?:secretly|covertly|stealthily|silently)\s+(?:send|add|insert|include|append|collect|run|do)\b"
        rf"|\b(?:hide|conceal|keep)\s+(?:[\w']+\s+){{0,5}}from\s+(?:the\s+|any\s+)?{_USER}s?\b",
        (
            (" tell", " mention", " reveal", " inform", " notify", " alert", " disclos", " warn", " let"),
            (
                "do not ",
                "don't ",
                "do n't ",
                "never ",
                "must not ",
                "mustn't ",
                "should not ",
                "without ",
            ),
            _USER_WORDS,
        ),
        (("secretly ", "covertly ", "stealthily ", "silently "),),
        (("hide ", "conceal ", "keep "), (" from ",), _USER_WORDS),
    ),
    _form(
        "runs a program that comes from the net",
        Gravity.ORDER,
        r"\b(?:curl|wget|iwr|invoke-webrequest)\b[^\n|]{0,300}\|\s*(?:sudo\s+)?(?:env\s+)?"
        r"(?:(?:ba|z|da|k|a)?sh|python[\d.]*|perl|ruby|node|iex)\b"
        r"|(?:<\(|(?:eval|sh|bash|zsh)\b[^\n$]{0,20}\$\()\s*(?:curl|wget)\b|\bpowershell\b[^\n]{0,60}\s-e(?:nc|ncodedcommand)?\b",
        (("curl", "wget", "iwr", "invoke-webrequest"), ("|", "<(", "$(")),
        (("powershell",),),
    ),
    _form(
        "deletes files",
        Gravity.ORDER,
        r"\brm\s+-(?:rf|fr|r\s+-f)\s+(?:--no-preserve-root\s+)?[\"']?(?:/|~|\$HOME)",
        (("rm -rf ", "rm -fr ", "rm -r -f "),),
    ),
    _form(
        ENCODED,
        Gravity.HIDING,
        r"data:[\w/+.-]{1,60};base64,|(?:\\x[0-9a-f]{2}){8}|(?:%[0-9a-f]{2}){12}|(?:&#x?[0-9a-f]{1,6};){6}"
        r"|(?<![0-9a-z])(?:[0-9a-f]{2}){48,}(?![0-9a-z])",
        ((";base64,", "\\x", "%", "&#"),),
        run=96,
    ),
    _form(
        "has a part that a rendered page does not show",
        Gravity.HIDING,
        r"<!--|^[ ]{0,3}\[[^\]\n]{1,40}\]:\s*#\s*[(\"']"
        r"|\bstyle\s*=\s*[\"'][^\"'\n]{0,300}(?:display\s*:\s*none|visibility\s*:\s*hidden"
        r"|font-size\s*:\s*0|opacity\s*:\s*0(?!\.))",
        (("<!--",),),
        (("]:",), ("#",)),
        (("style=", "style ="),),
    ),
    _form("has text far out of sight", Gravity.HIDING, r"\S[ \t]{120,}\S|\n(?:[ \t]*\r?\n){40}", run=0),
)
