"""Short texts in two languages: the parts of errors, notes, checks and lines of the commands."""

from __future__ import annotations

import locale
import os
import re
from collections.abc import Callable, Iterable

from .batch import BATCH_TEXTS
from .command_help import COMMAND_HELP
from .costs import COST_TEXTS
from .first_contact import FIRST_CONTACT
from .models import MODEL_TEXTS
from .node_lines import NODE_LINES
from .notes import NOTES
from .reasons import REASONS
from .recovery import RECOVERY
from .system import describe_system_error
from .terminal import TERMINAL

TEXTS: dict[str, tuple[str, str]] = {
    **REASONS,
    **NOTES,
    **NODE_LINES,
    **RECOVERY,
    **TERMINAL,
    **COMMAND_HELP,
    **COST_TEXTS,
    **MODEL_TEXTS,
    **FIRST_CONTACT,
    **BATCH_TEXTS,
}
"""English and Chinese by key, as ``str.format`` templates. In ``{count} image(s)`` the number
decides about the plural."""
_PLURAL = re.compile(r"(\{(\w+)\} [a-z ]*[a-z])\(s\)")


class Text(str):
    """A text of the tables: an English string that carries its Chinese.

    JSON, logs and comparisons see the English. Values may be texts themselves.

    Args:
        key: of ``TEXTS``.
        values: for the places in the template.
    """

    zh: str

    def __new__(cls, key: str, /, **values: object) -> Text:
        english, chinese = TEXTS[key]
        in_chinese = {name: to_chinese(value) for name, value in values.items()}
        english = _PLURAL.sub(lambda it: it[1] + "s" * (str(values[it[2]]) != "1"), english)
        return bilingual(english.format(**values), chinese.format(**in_chinese))

    def __reduce__(self) -> tuple[Callable[[str, str], Text], tuple[str, str]]:
        return bilingual, (str(self), self.zh)


def bilingual(english: str, chinese: str) -> Text:
    """Build a text from both languages, such as one that was stored."""
    text = str.__new__(Text, english)
    text.zh = chinese
    return text


def to_chinese(value: object) -> object:
    """The Chinese of a text; any other value stays as it is."""
    return value.zh if isinstance(value, Text) else value


def rewrite(text: str, change: Callable[[str], str]) -> str:
    """Apply ``change`` to each language of a text, or to a plain string."""
    if isinstance(text, Text):
        return bilingual(change(str(text)), change(text.zh))
    return change(text)


def join_texts(texts: Iterable[str], separator: str = "; ", separator_zh: str = "；") -> Text:
    """Join texts and strings in both languages."""
    given = list(texts)
    return bilingual(separator.join(given), separator_zh.join(str(to_chinese(t)) for t in given))


def text_of(error: BaseException) -> str:
    """The text with which an exception, or the direct cause of it, was raised; else its words."""
    for one in (error, error.__cause__):
        if one is not None and one.args and isinstance(one.args[0], Text):
            return one.args[0]
    words, chinese = describe_system_error(error)
    return bilingual(words, chinese) if chinese else words


def language() -> str:
    """``zh`` where this process's locale is Chinese, else ``en``: what a terminal shows."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    chosen = next((name for name in names if name), None) or locale.getlocale()[0] or ""
    # Windows spells it out: "Chinese (Simplified)_China".
    return "zh" if chosen.lower().startswith(("zh", "chinese")) else "en"


def localize(text: str) -> str:
    """A text in the terminal's language."""
    return str(to_chinese(text)) if language() == "zh" else str(text)
