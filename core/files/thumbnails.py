"""Small pictures of images: upright, on white, with nothing else of what the image carries (place, camera, author)."""

import io
from typing import IO

from PIL import Image, ImageOps

#: The longer side, in pixels.
LONGEST_SIDE = 240
#: Larger images are left without: unpacked they would take hundreds of megabytes.
MOST_PIXELS = 50_000_000
FORMATS = ("PNG", "JPEG", "WEBP")


class NoThumbnail(Exception):
    """The image is too large, broken or something else; its message says what."""


def make_thumbnail(content: IO[bytes]) -> bytes:
    """A JPEG of at most :data:`LONGEST_SIDE`. Raises :class:`NoThumbnail`."""
    try:
        with Image.open(content, formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:  # known before anything is unpacked
                raise NoThumbnail(f"{image.width} x {image.height} pixels")
            image.draft("RGB", (LONGEST_SIDE * 2, LONGEST_SIDE * 2))
            image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            return _as_jpeg(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NoThumbnail(str(error)) from error
    except (
        OSError,
        SyntaxError,
        ValueError,
        IndexError,
        KeyError,
        EOFError,
    ) as error:  # what Pillow has for broken ones
        raise NoThumbnail(repr(error)) from error


def _as_jpeg(image: Image.Image) -> bytes:
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    page = Image.new("RGB", upright.size, "white")
    page.paste(upright, mask=upright)
    target = io.BytesIO()
    page.save(target, "JPEG", quality=80)
    return target.getvalue()
