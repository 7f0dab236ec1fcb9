"""Opening the bytes of a picture file of any allowed format; formats are known by their bytes, never by a name."""

from __future__ import annotations

from ..errors import MissingDependency, PictureError
from ..records import ImageRef
from .file import ImageLimits, PictureFile
from .pdf import PdfFile, looks_like_pdf
from .raster import RasterFile
from .reading import FileBytes


def open_picture(ref: ImageRef, file: FileBytes, limits: ImageLimits) -> PictureFile:
    """Open the bytes of a file.

    Raises:
        PictureError: naming `ref`: no allowed format, a damaged header, an encrypted document, too many pixels, or a
            format whose extra is not installed.
    """
    try:
        if looks_like_pdf(file.data):
            return PdfFile(ref, file, limits)
        return RasterFile(ref, file.data, limits)
    except MissingDependency as error:
        raise PictureError(ref, str(error)) from error
