"""What a picture's own header says, read by us before any decoder sees the bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mninfer.errors import InputError

__all__ = ["Format", "Header", "damaged", "unsupported"]


class Format(StrEnum):
    """The kinds of picture that can be decoded, given an OpenCV that was built with them."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    BMP = "BMP"
    TIFF = "TIFF"
    GIF = "GIF"
    AVIF = "AVIF"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A picture that is whole as far as its structure tells; ``width`` and ``height`` are as stored.

    ``payload`` is what the decoder gets: the file, or a copy without what only confuses decoders. Of what is decoded
    ``crop`` (x, y, width, height) is the picture, before it is turned by ``orientation``, EXIF's 1..8. ``num_channels``
    and ``bytes_per_sample`` are those of the decoded array before it becomes uint8 RGB; ``decoder_bytes`` is what the
    decoder holds besides. ``check_data`` is for checks that take time: they wait until the size is known to be allowed.
    """

    format: Format
    width: int
    height: int
    payload: bytes
    crop: tuple[int, int, int, int] | None = None
    orientation: int = 1
    num_channels: int = 3
    bytes_per_sample: int = 1
    has_alpha: bool = False
    is_premultiplied: bool = False
    is_cmyk: bool = False
    transparent_gray: int | None = None
    decoder_bytes: int = 0
    check_data: Callable[[], None] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) as stored."""
        return self.width, self.height

    @property
    def oriented_size(self) -> tuple[int, int]:
        """(width, height) as meant to be seen: orientations 5 to 8 lie on their side."""
        width, height = self.crop[2:] if self.crop else self.size
        return (height, width) if self.orientation >= 5 else (width, height)

    def working_bytes(self, reduction: int) -> int:
        """The most memory held at once, but for the file: while decoding, converting to 8-bit RGB, or turning."""
        num_pixels = -(-self.width // reduction) * -(-self.height // reduction)
        decoded = self.num_channels * self.bytes_per_sample
        as_8_bits = self.num_channels if self.bytes_per_sample > 1 else 0
        as_rgb = 0 if self.num_channels == 3 else 3
        masked = 0 if self.transparent_gray is None else 8  # its colour, alpha and both together
        steps = (
            self.decoder_bytes + num_pixels * decoded,
            num_pixels * (decoded + as_8_bits + as_rgb + masked),
            num_pixels * (3 if self.orientation == 1 and not self.crop else 6),
        )
        return max(steps)


def damaged(form: Format, how: str) -> InputError:
    """The error for a file that is not what its writer wrote, or was cut off."""
    return InputError(f"damaged {form}: {how}", hints="copy or download the picture again")


def unsupported(form: Format, what: str) -> InputError:
    """The error for a sound file of a kind that is not decoded."""
    return InputError(f"{form} {what} is not supported", hints="save it as an ordinary 8-bit JPEG or PNG")
