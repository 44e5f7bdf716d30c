"""Models files with one mistake each, and what must be said of it."""

from __future__ import annotations

FIRST = '[\n {"id": "Seedream-5.5", "family": "evolink"},\n'
"""The start of a file: its first entry, which is right."""

BROKEN: dict[str, tuple[str, int, str, str]] = {
    # the second entry of a file, from its line 3: its line, key, and what is allowed
    "unknown key": ('{"id": "x", "family": "evolink",\n"sises": []}', 4, "sises", "sizes"),
    "key twice": ('{"id": "x", "family": "evolink",\n"id": "y"}', 4, "id", "each key once"),
    "id missing": ('{"family": "evolink"}', 3, "id", "a text"),
    "id of another entry": (
        '{"id": "Seedream-5.5", "family": "evolink"}', 3, "id", "no other entry"),
    "id with a blank": ('{"id": " x", "family": "evolink"}', 3, "id", "without blanks"),
    "family": ('{"id": "x",\n\n"family": "lingya"}', 5, "family", "preferential, evolink"),
    "like": ('{"id": "x", "family": "evolink",\n"like": "Seedream-77"}', 4, "like",
             "Seedream-4.0, Seedream-5.5"),
    "sizes empty": ('{"id": "x", "family": "evolink", "sizes":\n[]}', 3, "sizes", "a list"),
    "size not a text": ('{"id": "x", "family": "evolink", "sizes": ["1:1",\n2]}', 4, "sizes.1",
                        "different texts"),
    "size twice": ('{"id": "x", "family": "evolink", "sizes": ["1:1",\n"1:1"]}', 4, "sizes.1",
                   "different texts"),
    "default size": ('{"id": "x", "family": "evolink", "sizes": ["1:1"],\n"default_size": "2:1"}',
                     4, "default_size", "1:1"),
    "qualities of preferential": ('{"id": "x", "family": "preferential",\n"qualities": ["1K"]}',
                                  4, "qualities", "only for the family evolink"),
    "default quality": ('{"id": "x", "family": "evolink",\n"default_quality": "9K"}', 4,
                        "default_quality", "1K, 2K, 4K"),
    "output format": ('{"id": "x", "family": "evolink",\n"output_formats": ["tiff"]}', 4,
                      "output_formats.0", "png, jpeg, webp"),
    "too many references": ('{"id": "x", "family": "evolink",\n"max_references": 15}', 4,
                            "max_references", "from 0 to 14"),
    "results as a text": ('{"id": "x", "family": "evolink",\n"max_results": "4"}', 4,
                          "max_results", "from 1 to 15"),
    "results without n": ('{"id": "x", "family": "evolink", "sends_n": false,\n"max_results": 4}',
                          4, "max_results", "1, because"),
    "sends_n as a number": ('{"id": "x", "family": "evolink",\n"sends_n": 1}', 4, "sends_n",
                            "true or false"),
    "n in extra": ('{"id": "x", "family": "evolink", "extra": {\n"n": 4}}', 4, "extra.n",
                   "fields other than"),
    "extra not finite": ('{"id": "x", "family": "evolink", "extra": {\n"a": NaN}}', 4, "extra.a",
                         "JSON values"),
    "alpha": ('{"id": "x", "family": "evolink",\n"alpha": "yes"}', 4, "alpha", "true or false"),
    "price as a float": ('{"id": "x", "family": "evolink",\n"prices": 0.2}', 4, "prices",
                         "in quotes"),
    "price of another tier": ('{"id": "x", "family": "evolink", "prices": {\n"9K": "1"}}', 4,
                              "prices.9K", "1K, 2K, 4K, reference"),
    "price of references alone": ('{"id": "x", "family": "evolink",\n"prices": {"reference": "1"}}',
                                  4, "prices", "in quotes"),
    "default of no tiers": (
        '{"id": "x", "family": "evolink", "qualities": [],\n"default_quality": "1K"}', 4,
        "default_quality", "qualities is empty"),
    "doubt of an unknown value": (
        '{"id": "x", "family": "evolink", "doubted": {"quality": {\n"9K": "why"}}}', 4,
        "doubted.quality.9K", "1K, 2K, 4K"),
    "source": ('{"id": "x", "family": "evolink", "sources": {\n"sizes": 1}}', 4, "sources.sizes",
               "an object of texts"),
}  # fmt: skip


def write_broken(entry: str) -> str:
    """Build the file whose second entry, from line 3, is this one."""
    return f"{FIRST} {entry}\n]"
