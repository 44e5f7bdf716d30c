"""Memory for one decoded picture that numpy owns and Pillow decodes into.

Pillow asks for a picture's memory while it holds the interpreter's lock, and what is used again is
cleared then: at 4096 x 4096 no other thread runs for 40 ms, and neither does the event loop.
Numpy's memory is touched first by the decoder, which runs without the lock.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile


class PixelBuffer:
    """The pixels of a picture of Pillow's mode RGB, which takes four bytes a pixel.

    It has to be there before the picture is loaded. Whether Pillow takes it is Pillow's affair:
    versions before 12 do not, and some readers bring their own.
    """

    def __init__(self, image: ImageFile.ImageFile) -> None:
        width, height = image.size
        # Zeros cost no more, and what a file leaves out must not show what this process held.
        self._pixels = np.zeros((height, width, 4), np.uint8)
        shared = Image.frombuffer("RGBX", image.size, self._pixels, "raw", "RGBX", 0, 1)
        self._memory = image.im = shared.im

    def holds(self, image: ImageFile.ImageFile) -> bool:
        """Whether the loaded picture is on it."""
        return image.im is self._memory

    def rows(self, top: int, bottom: int) -> npt.NDArray[np.uint8]:
        """Rows as [h, W, 3], copied."""
        part = self._pixels[top:bottom]
        rgb = np.empty((*part.shape[:2], 3), np.uint8)
        for channel in range(3):  # numpy would copy the three together one pixel at a time
            rgb[..., channel] = part[..., channel]
        return rgb
