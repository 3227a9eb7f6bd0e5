"""Pictures as they are sent: drawn anew, so that nothing a file hides goes out, and no larger than phones show."""

import io
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
        picture = _redrawn(content, FORMATS[content_type])
    except UnreadablePicture:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError) as error:
        raise UnreadablePicture(
            "It cannot be read as a picture. Open it in a picture program and save it anew."
        ) from error
    if len(picture.content) > PICTURE_BYTES:
        raise UnreadablePicture("Drawn for phones it is larger than 5 MB. Make it smaller or shorter and add it again.")
    return picture


def _redrawn(content: bytes, kind: str) -> Picture:
    with Image.open(io.BytesIO(content), formats=[kind]) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise _too_large()
        frames = getattr(opened, "n_frames", 1)
        if opened.width * opened.height * frames > MOST_PIXELS:
            raise _too_large()
        target = io.BytesIO()
        if frames > 1:
            drawn, pauses = [], []
            for frame in ImageSequence.Iterator(opened):
                drawn.append(_bare(_small(frame.convert("RGBA"))))
                pauses.append(max(int(frame.info.get("duration", 100)), 20))
            first = drawn[0]
            first.save(
                target, "GIF", save_all=True, append_images=drawn[1:], duration=pauses, loop=0, disposal=2, comment=b""
            )
        else:
            first = _small(ImageOps.exif_transpose(opened))
            transparent = first.info.get("transparency")
            first = _bare(first.convert("RGB") if kind == "JPEG" else first)
            notes = {} if transparent is None or kind == "JPEG" else {"transparency": transparent}
            first.save(target, kind, optimize=True, **({"quality": 85} if kind == "JPEG" else notes))
    return Picture(target.getvalue(), first.width, first.height)


def _too_large() -> UnreadablePicture:
    return UnreadablePicture("It has far too many pixels for a phone. Make it smaller and add it again.")


def _bare(image: Image.Image) -> Image.Image:
    """The pixels alone, without what the file said beside them."""
    bare = Image.new(image.mode, image.size)
    if image.palette is not None:
        bare.putpalette(image.palette)
    bare.paste(image)
    return bare


def _small(image: Image.Image) -> Image.Image:
    found = image.copy()
    found.thumbnail((LONGEST_EDGE, LONGEST_EDGE))
    return found
