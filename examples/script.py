"""Make one image and save it: ``python script.py "A cat on the grass"``."""

from __future__ import annotations

import sys

from seedream_api import Request, SeedreamError
from seedream_api.sync import Session, generate


def main(prompt: str) -> int:
    request = Request(model="Seedream-4.5", prompt=prompt, size="16:9", quality="2K")
    try:
        with Session() as session:
            result = generate(request, session)
            for image in result.images:
                print(image.save("out"))
    except SeedreamError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{result.origin.value}: {result.charged_images} image(s) charged")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if sys.argv[1:] else "A cat on the grass"))
