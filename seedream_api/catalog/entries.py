"""Read model entries, those of the catalogue and those that a user adds.

A mistake is reported with its line, entry and key, and with what is allowed there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn, cast

from ..messages import Text, bilingual
from .entry_rules import KEYS, Rule
from .json_lines import JsonLines
from .model import CHOICES, Family, Model, of_family

_FIELD_ORDER: Mapping[Family, tuple[str, ...]] = MappingProxyType({
    Family.PREFERENTIAL: ("model", "prompt", "size", "image", "watermark", "output_format"),
    Family.EVOLINK: (
        "model", "prompt", "size", "quality", "n", "image_urls", "prompt_priority", "output_format",
    ),
})  # fmt: skip
"""Every body field of a family, in the order of the service's documentation."""
_PLAIN_KEYS = (
    "sizes", "qualities", "prompt_priorities", "output_formats", "default_size", "default_quality",
    "max_references", "max_results", "sends_n", "extra", "alpha", "prices", "sources",
)  # fmt: skip


def parse_models(text: str, known: Mapping[str, Model] | None = None) -> Mapping[str, Model]:
    """Return the known models and those of a JSON list of entries, in that order.

    Args:
        known: models that an entry may be ``like``; an entry with the id of one replaces it.

    Raises:
        EntryError: an entry has a mistake.
        ValueError: it is not a list of objects; the text states the line.
    """
    try:
        entries: Any = json.loads(text)
        lines = JsonLines(text)
    except json.JSONDecodeError as error:
        found = error.msg[:1].lower() + error.msg[1:]
        raise ValueError(
            Text("not_json_at", line=error.lineno, column=error.colno, reason=found)
        ) from None
    except RecursionError:
        raise ValueError(Text("nested_too_deeply")) from None
    if not isinstance(entries, list):
        raise _not_objects(1)
    models = dict(known or {})
    ids: set[str] = set()
    for index, entry in enumerate(cast("list[Any]", entries)):
        reader = _EntryReader(index, entry, lines)
        model = reader.build_model(models)
        if model.id in ids:
            reader.fail("id", Text("id_of_one_entry"))
        ids.add(model.id)
        models[model.id] = model
    return MappingProxyType(models)


def _not_objects(line: int) -> ValueError:
    return ValueError(Text("not_list_of_objects", line=line))


class EntryError(ValueError):
    """A mistake in a model entry, with its place.

    Args:
        text: states the line, the entry, the key and what is allowed.
        index: of the entry, from 0.
        key: of the entry.
        allowed: what the key may have.
    """

    def __init__(self, text: Text, index: int, key: str, allowed: str) -> None:
        super().__init__(text)
        self.index: int = index
        self.key: str = key
        self.allowed: str = allowed


class _EntryReader:
    """Checks one entry and builds its model."""

    def __init__(self, index: int, entry: Any, lines: JsonLines) -> None:
        self._index = index
        self._lines = lines
        if not isinstance(entry, dict):
            raise _not_objects(lines.line_of(index))
        self._entry = cast("dict[str, Any]", entry)

    def fail(self, key: str, allowed: str, *, path: Sequence[str | int] = ()) -> NoReturn:
        """Raise the error for a key, with its line."""
        is_given = key in self._entry
        text = Text(
            "model_entry" if is_given else "model_entry_lacks",
            line=self._lines.line_of(self._index, key, *path),
            entry=self._name(),
            key=".".join([key, *map(str, path)]),
            given=_show(self._value_at(key, path)),
            allowed=allowed,
        )
        raise EntryError(text, self._index, key, allowed)

    def _name(self) -> str:
        model_id = self._entry.get("id")
        named = f" ({model_id})" if isinstance(model_id, str) and model_id.isprintable() else ""
        return f"{self._index + 1}{named}"

    def _value_at(self, key: str, path: Sequence[str | int]) -> Any:
        value: Any = self._entry.get(key)
        for part in path:
            value = value[part]
        return value

    def build_model(self, known: Mapping[str, Model]) -> Model:
        """Check every key, and fill what is not given from the model that it is ``like``."""
        for repeated in self._lines.repeated:
            if repeated[0] == self._index:
                self.fail(str(repeated[1]), Text("key_once"), path=repeated[2:])
        for key in self._entry:
            if key not in KEYS:
                self.fail(key, Text("keys_of_entry", keys=", ".join(KEYS)))
        for key in ("id", "family"):
            if key not in self._entry:
                self.fail(key, KEYS[key].allowed)
        for key, rule in KEYS.items():
            if key in self._entry:
                self._check(key, rule)
        family = Family(self._entry["family"])
        base = self._find_base(family, known)
        values = {key: self._given(key) for key in _PLAIN_KEYS if key in self._entry}
        self._check_family(family)
        self._settle_choices(values, base)
        self._settle_count(values, base)
        self._check_extra(family, values, base)
        self._check_prices(values)
        return self._assemble(family, values, base)

    def _check(self, key: str, rule: Rule) -> None:
        fault = rule.find_fault(self._entry[key])
        if fault is not None:
            self.fail(key, rule.allowed, path=fault)

    def _given(self, key: str) -> Any:
        value = self._entry[key]
        if isinstance(value, list):
            return tuple(cast("list[Any]", value))
        return MappingProxyType(cast("dict[str, Any]", value)) if isinstance(value, dict) else value

    def _find_base(self, family: Family, known: Mapping[str, Model]) -> Model:
        models = of_family(known, family)
        if "like" not in self._entry:
            nothing = Model(self._entry["id"], family, (), (), "", {})
            return known[models[0]] if models else nothing
        if self._entry["like"] not in models:
            self.fail("like", ", ".join(models))
        return known[self._entry["like"]]

    def _check_family(self, family: Family) -> None:
        for key, rule in KEYS.items():
            if rule.only in (None, family) or not self._entry.get(key):
                continue
            only = Text("evolink_only")
            self.fail(key, Text("only_false", reason=only) if rule.kind == "switch" else only)

    def _settle_choices(self, values: dict[str, Any], base: Model) -> None:
        """Check that a default is one of its values; else the first of the values is it."""
        for plural, default in (("sizes", "default_size"), ("qualities", "default_quality")):
            choices = values.setdefault(plural, getattr(base, plural))
            if plural == "sizes" and not choices:
                self.fail("sizes", KEYS["sizes"].allowed)
            if default in values and values[default] not in choices:
                self.fail(default, ", ".join(choices) or Text("none_of_empty", key=plural))
            inherited = values.get(default, getattr(base, default))
            values[default] = inherited if inherited in choices else next(iter(choices), "")

    def _settle_count(self, values: dict[str, Any], base: Model) -> None:
        sends_n = values.setdefault("sends_n", base.sends_n)
        if not sends_n and values.get("max_results", 1) != 1:
            self.fail("max_results", Text("one_without_n"))
        values["max_results"] = values.get("max_results", base.max_results) if sends_n else 1

    def _check_extra(self, family: Family, values: Mapping[str, Any], base: Model) -> None:
        own = set(_FIELD_ORDER[family]) - {"model"}
        if not values.get("output_formats", base.output_formats):
            own.discard("output_format")
        for name in values.get("extra", ()):
            if name in own or name in ("n", "stream", "callback_url"):
                self.fail("extra", Text("not_in_extra", fields=", ".join(sorted(own))), path=[name])

    def _check_prices(self, values: Mapping[str, Any]) -> None:
        prices = values.get("prices")
        if not isinstance(prices, Mapping):
            return
        tiers = values["qualities"] or values["sizes"]
        names = list(cast("Mapping[str, str]", prices))
        for name in names:
            if name not in (*tiers, "reference"):
                self.fail("prices", ", ".join([*tiers, "reference"]), path=[name])
        if names in ([], ["reference"]):
            self.fail("prices", KEYS["prices"].allowed)

    def _assemble(self, family: Family, values: dict[str, Any], base: Model) -> Model:
        filled: dict[str, Any] = {key: getattr(base, key) for key in _PLAIN_KEYS}
        given = self._entry.keys()
        # What the entry states itself has neither the sources nor the doubts of the other model.
        inherited = {key: why for key, why in filled["sources"].items() if key not in given}
        filled.update({"sources": inherited, **values})
        if "prices" not in values:
            filled["prices"] = None  # the price of another model is not this one's
        choices = {name: filled.get(plural, ()) for name, plural in CHOICES.items()}
        unused = {name for name, allowed in choices.items() if not allowed}
        unused |= set() if filled["sends_n"] else {"n"}
        order = [name for name in _FIELD_ORDER[family] if name not in unused]
        extra = [name for name in filled.get("extra", ()) if name not in order]
        return Model(
            id=self._entry["id"],
            family=family,
            fields=(*order, *extra),
            doubted=self._read_doubts(choices, base),
            **filled,
        )

    def _read_doubts(
        self, choices: Mapping[str, Sequence[str]], base: Model
    ) -> Mapping[str, Mapping[str, str]]:
        if "doubted" not in self._entry:
            inherited = base.doubted
            kept = {
                name: {value: why for value, why in doubts.items() if value in choices[name]}
                for name, doubts in inherited.items()
                if CHOICES[name] not in self._entry
            }
            return {name: doubts for name, doubts in kept.items() if doubts}
        for name, doubts in self._entry["doubted"].items():
            for value in doubts:
                if value not in choices[name]:
                    self.fail("doubted", ", ".join(choices[name]), path=[name, value])
        return {
            name: {value: _to_text(why) for value, why in doubts.items()}
            for name, doubts in self._entry["doubted"].items()
        }


def _to_text(given: str | Mapping[str, str]) -> str:
    return given if isinstance(given, str) else bilingual(given["en"], given["zh"])


def _show(value: Any) -> str:
    """Show a wrong value as JSON, shortened."""
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 80 else f"{text[:77]}..."
