"""Pictures as they are sent: drawn anew, so that nothing a file hides goes out, and no larger than phones show."""

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, ImageSequence

PICTURE_BYTES = 5 * 1024 * 1024
"""The most that a picture may have (product.md, composer)."""

MOST_PICTURES = 10
LONGEST_EDGE = 2048
MOST_PIXELS = 40_000_000
"""Of all frames together: what takes more memory than that is no picture but a trap."""

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF"}


class UnreadablePicture(ValueError):
    """It is no picture that can be sent; the words say why."""


@dataclass(frozen=True, slots=True)
class Picture:
    content: bytes
    width: int
    height: int


def redraw(content: bytes, *, content_type: str) -> Picture:
    """Decode a picture and encode it again in its own format, turned upright, without any of its notes.

    Raises UnreadablePicture.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow only warns of a picture that is too large
            return _redrawn(content, FORMATS[content_type])
    except (OSError, ValueError, SyntaxError, EOFError, Warning, MemoryError, Image.DecompressionBombError) as error:
        if isinstance(error, UnreadablePicture):
            raise
        raise UnreadablePicture(
            "It cannot be read as a picture. Open it in a picture program and save it anew."
        ) from error


def _redrawn(content: bytes, kind: str) -> Picture:
    with Image.open(io.BytesIO(content), formats=[kind]) as opened:
        frames = getattr(opened, "n_frames", 1)
        if opened.width * opened.height * frames > MOST_PIXELS:
            raise UnreadablePicture("It has far too many pixels for a phone. Make it smaller and add it again.")
        target = io.BytesIO()
        if kind == "GIF" and frames > 1:
            drawn = [_small(frame.convert("RGBA")) for frame in ImageSequence.Iterator(opened)]
            first, rest = drawn[0], drawn[1:]
            pause = max(int(opened.info.get("duration", 100)), 20)
            first.save(target, "GIF", save_all=True, append_images=rest, duration=pause, loop=0, disposal=2)
        else:
            first = _small(ImageOps.exif_transpose(opened))
            if kind == "JPEG":
                first = first.convert("RGB")
                first.save(target, "JPEG", quality=85, optimize=True)
            else:
                bare = Image.new(first.mode, first.size)
                if first.palette is not None:
                    bare.putpalette(first.palette)
                bare.paste(first)
                transparent = first.info.get("transparency")
                notes = {} if transparent is None else {"transparency": transparent}
                bare.save(target, kind, optimize=True, **notes)
    return Picture(target.getvalue(), first.width, first.height)


def _small(image: Image.Image) -> Image.Image:
    found = image.copy()
    found.thumbnail((LONGEST_EDGE, LONGEST_EDGE))
    return found
