"""Match the items of a later response to the images of a row: links change, images must not.

A task that is polled again lists the same images with other signatures, sometimes in another order,
sometimes more or fewer of them. An item whose link is recognised belongs to its image; the other
items fill what is missing, so that no image is fetched twice and none is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import SplitResult, parse_qsl, urlsplit

from ..service.result_items import ResultItem
from .records import ImageRecord

Key = Callable[[str], object]


def match_items(
    known: Iterable[ImageRecord], items: Iterable[ResultItem], contents: Mapping[int, str]
) -> dict[int, ResultItem]:
    """Give every new item its position; an item that adds nothing gets none.

    Args:
        known: the images of the row so far.
        contents: the SHA-256 of items that contain their bytes, by the item's position.
    """
    return _Matching(known, items, contents).match()


class _Matching:
    def __init__(
        self, known: Iterable[ImageRecord], items: Iterable[ResultItem], contents: Mapping[int, str]
    ) -> None:
        self.known = {image.position: image for image in known}
        self.left = sorted(items, key=lambda item: item.position)
        self.contents = contents
        self.count = len(self.left)
        self.placed: dict[int, ResultItem] = {}

    def match(self) -> dict[int, ResultItem]:
        if not self.known:
            return {item.position: item for item in self.left}
        keys = self._keys()
        self._match_contents()
        for key in keys:
            self._match_urls(key)
        self._drop_repeated(keys[0])
        self._fill_unmade()
        if not self.placed:
            self._keep_positions()
        made = [item for item in self.left if _is_made(item)]
        self._fill(made, self._open(lambda image: image.is_missing))
        links = [item for item in self.left if item.url and item.position not in self.contents]
        self._fill(links, self._open(lambda image: image.was_made))
        made = [item for item in self.left if _is_made(item)]
        self._fill(made, self._open(lambda image: not image.was_made))
        self._add()
        return self.placed

    def _place(self, position: int, item: ResultItem) -> None:
        self.placed[position] = item
        self.left.remove(item)

    def _open(self, is_wanted: Callable[[ImageRecord], bool]) -> list[int]:
        """List the positions without a matched item, in order."""
        return [
            position
            for position, image in sorted(self.known.items())
            if position not in self.placed and is_wanted(image)
        ]

    def _fill_unmade(self) -> None:
        """Place items without an image; they never replace a known link."""
        failed = [item for item in self.left if not _is_made(item) and item.error is not None]
        self._fill(failed, self._open(lambda image: not image.was_made))
        unmade = [item for item in self.left if not _is_made(item)]
        self._fill(unmade, self._open(lambda image: image.is_missing and image.url is None))

    def _fill(self, items: Iterable[ResultItem], positions: list[int]) -> None:
        for item, position in zip(list(items), positions, strict=False):
            self._place(position, item)

    # --- matching -------------------------------------------------------------------------------

    def _keys(self) -> list[Key]:
        """Choose what identifies a link, from the whole URL to its file name.

        Where paths do not distinguish the images, the parameters with equal values in both
        responses do.
        """
        old = [image.url for image in self.known.values() if image.url]
        new = [item.url for item in self.left if item.url]
        if len({_place_of(url) for url in old}) == len(old) > 1 or (
            len({_place_of(url) for url in new}) == len(new)
        ):
            return [_place_of, _path_of, _file_of]
        values = [{pair for url in urls for pair in _parameters(url)} for urls in (old, new)]
        names = {name for name, _ in values[0] & values[1]}

        def by_parameters(url: str) -> object:
            stable = tuple(pair for pair in _parameters(url) if pair[0] in names)
            return _place_of(url), stable

        return [by_parameters]

    def _match_contents(self) -> None:
        positions = {image.sha256: image.position for image in self.known.values() if image.sha256}
        for item in list(self.left):
            position = positions.get(self.contents.get(item.position, ""))
            if position is not None and position not in self.placed:
                self._place(position, item)

    def _match_urls(self, key: Key) -> None:
        open_urls = {place: self.known[place].url for place in self._open(lambda image: True)}
        old = {place: key(url) for place, url in open_urls.items() if url}
        new = [(item, key(item.url)) for item in self.left if item.url]
        old_counts, new_counts = Counter(old.values()), Counter(each for _, each in new)
        items = {each: item for item, each in new if new_counts[each] == 1}
        for position, each in old.items():
            if old_counts[each] == 1 and each in items:
                self._place(position, items[each])

    def _drop_repeated(self, key: Key) -> None:
        """Drop links to images whose position is known already."""
        urls = [image.url for image in self.known.values()]
        urls += [item.url for item in self.placed.values()]
        known = {key(url) for url in urls if url}
        seen: set[object] = set()
        for item in list(self.left):
            if item.url is None or item.position in self.contents:
                continue
            if key(item.url) in known | seen:
                self.left.remove(item)
                self.count -= 1
            seen.add(key(item.url))

    # --- the rest -------------------------------------------------------------------------------

    def _keep_positions(self) -> None:
        """Keep the order of the response where no item is recognised."""
        for item in list(self.left):
            image = self.known.get(item.position)
            is_new = image is not None and (image.is_missing or item.position not in self.contents)
            if is_new and _is_made(item) and item.position not in self.placed:
                self._place(item.position, item)

    def _add(self) -> None:
        """Add positions where the response has more items than the row has images."""
        following = max(self.known) + 1
        for item in list(self.left)[: max(0, self.count - len(self.known))]:
            self._place(following, item)
            following += 1


def _is_made(item: ResultItem) -> bool:
    return item.url is not None or item.data is not None


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", url, "", "")


def _place_of(url: str) -> object:
    parts = _split(url)
    return parts.scheme, parts.netloc.rpartition("@")[2].lower(), parts.path


def _path_of(url: str) -> object:
    return _split(url).path


def _file_of(url: str) -> object:
    return _split(url).path.rpartition("/")[2]


def _parameters(url: str) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(sorted(parse_qsl(_split(url).query, keep_blank_values=True)))
    except ValueError:
        return ()
