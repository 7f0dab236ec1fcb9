"""Opening the bytes of a picture file of any allowed format; formats are known by their bytes, never by a name."""

from __future__ import annotations

from ..errors import MissingDependency, PictureError
from ..records import ImageRef
from .file import ImageLimits, PictureFile
from .pdf import PdfFile, looks_like_pdf
from .raster import RasterFile


def open_picture(ref: ImageRef, data: bytes, limits: ImageLimits) -> PictureFile:
    """Open the bytes of a file.

    Raises:
        PictureError: naming `ref`: no allowed format, a damaged header, an encrypted document, too many pixels, or a
            format whose extra is not installed.
    """
    try:
        if looks_like_pdf(data):
            return PdfFile(ref, data, limits)
        return RasterFile(ref, data, limits)
    except MissingDependency as error:
        raise PictureError(f"picture {ref}: {error}") from error
