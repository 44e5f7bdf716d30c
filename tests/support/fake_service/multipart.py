"""Reads ``multipart/form-data`` (RFC 7578) strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_BOUNDARY = re.compile(r'multipart/form-data;\s*boundary="?([^";]{1,70})"?', re.IGNORECASE)
_NAME = re.compile(r'form-data;.*?\bname="([^"]*)"')
_FILE_NAME = re.compile(r'\bfilename="([^"]*)"')


@dataclass(frozen=True)
class Part:
    """One file of a form."""

    file_name: str
    data: bytes


@dataclass(frozen=True)
class Form:
    """A form's texts and files, by field name."""

    texts: dict[str, str] = field(default_factory=dict[str, str])
    files: dict[str, Part] = field(default_factory=dict[str, Part])


def read_form(content_type: str, body: bytes) -> Form:
    """Parse the form in ``body``.

    Raises:
        ValueError: the body is not a form.
    """
    found = _BOUNDARY.match(content_type)
    if not found:
        raise ValueError("not a multipart form")
    mark = b"\r\n--" + found.group(1).encode()
    pieces = (b"\r\n" + body).split(mark)
    if len(pieces) < 2 or pieces[0] or pieces[-1] not in (b"--", b"--\r\n"):
        raise ValueError("the form has no beginning or no end")
    form = Form()
    for piece in pieces[1:-1]:
        _read_part(piece, form)
    return form


def _read_part(piece: bytes, form: Form) -> None:
    head, parted, data = piece.partition(b"\r\n\r\n")
    disposition = next(
        (
            line.partition(":")[2].strip()
            for line in head.decode("utf-8").split("\r\n")
            if line.lower().startswith("content-disposition:")
        ),
        "",
    )
    name = _NAME.match(disposition)
    if not parted or not name:
        raise ValueError("a part has no name")
    file_name = _FILE_NAME.search(disposition)
    if file_name:
        form.files[name.group(1)] = Part(file_name.group(1), data)
    else:
        form.texts[name.group(1)] = data.decode("utf-8")
