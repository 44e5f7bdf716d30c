"""What people read, in English and Simplified Chinese: the one place for error sentences.

Each sentence says what happened and what to do next; the one about money comes from the error's
charge, so no error can leave it out. A part of a sentence, a note or a line is a :class:`Text`.
"""

from __future__ import annotations

from .charges import CHARGE_TEXT
from .errors import MESSAGES
from .message import Message, join_sentences
from .notes import ORIGINS, PHASES
from .text import (
    TEXTS,
    Text,
    bilingual,
    join_texts,
    language,
    localize,
    rewrite,
    text_of,
    to_chinese,
)

__all__ = [
    "CHARGE_TEXT",
    "MESSAGES",
    "ORIGINS",
    "PHASES",
    "TEXTS",
    "Message",
    "Text",
    "bilingual",
    "join_sentences",
    "join_texts",
    "language",
    "localize",
    "rewrite",
    "text_of",
    "to_chinese",
]
