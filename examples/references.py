"""Upload a reference image once, and use it in ten requests that run at the same time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from PIL import Image

from seedream_api import Request, Result, Session, generate

SEASONS = ("spring", "summer", "autumn", "winter", "rain", "snow", "fog", "dusk", "dawn", "noon")


async def paint(file: Path) -> list[Result]:
    async with Session() as session:
        references = await session.upload(file)
        requests = [
            Request(model="Seedream-4.5", prompt=f"The same place, {season}", references=references)
            for season in SEASONS
        ]
        # At most SEEDREAM_MAX_SUBMITS of them are sent at once; the others wait their turn.
        return await asyncio.gather(*(generate(request, session) for request in requests))


def main() -> None:
    file = Path("place.png")
    if not file.exists():
        Image.linear_gradient("L").convert("RGB").save(file)
    for result in asyncio.run(paint(file)):
        print(result.images[0].save("out"))


if __name__ == "__main__":
    main()
