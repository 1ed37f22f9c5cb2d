"""What stops a whole file: the exception tree, each branch with its exit code and a stable code.

::

    ExtractionError            10  extraction_failed
    ├── UnreadableFile         11  unreadable      missing, no permission, not a regular file
    ├── EmptyFile              12  empty           no bytes, or no text and no image
    ├── UnsupportedFormat      13  unsupported     neither PDF, HTML, text nor Word
    ├── DamagedFile            14  damaged         truncated or broken inside
    ├── EncryptedFile          15  encrypted       needs a password
    ├── NotAReport             16  not_a_report    an error page, or a document of another kind
    ├── LimitExceeded          17  limit           too many pages, too large, too slow
    └── MissingProgram         18  missing_program a converter that is not installed

What cannot be read *inside* a report is a :class:`extractors.report.Problem`, never an exception.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class ExtractionError(Exception):
    """A file that yields no record; the message says what can be done about it."""

    exit_code: ClassVar[int] = 10
    code: ClassVar[str] = "extraction_failed"

    def __init__(self, path: Path | str, reason: str, page: int | None = None) -> None:
        self.path = str(path)
        self.reason = reason
        self.page = page
        place = f"{self.path}, page {page}" if page is not None else self.path
        super().__init__(f"{place}: {reason}")

    def __reduce__(self) -> tuple[type[ExtractionError], tuple[str, str, int | None]]:
        # Exceptions cross process borders; the default pickling would pass the joined message.
        return (type(self), (self.path, self.reason, self.page))


class UnreadableFile(ExtractionError):
    """The file is missing, is not a regular file, or may not be read."""

    exit_code = 11
    code = "unreadable"


class EmptyFile(ExtractionError):
    """The file holds nothing: no bytes, or neither text nor an image."""

    exit_code = 12
    code = "empty"


class UnsupportedFormat(ExtractionError):
    """The bytes are of a kind that no reader takes."""

    exit_code = 13
    code = "unsupported"


class DamagedFile(ExtractionError):
    """The bytes announce a kind that they then break."""

    exit_code = 14
    code = "damaged"


class EncryptedFile(ExtractionError):
    """The file opens only with a password."""

    exit_code = 15
    code = "encrypted"


class NotAReport(ExtractionError):
    """The document is readable and is not an annual report on information disclosure."""

    exit_code = 16
    code = "not_a_report"


class LimitExceeded(ExtractionError):
    """The document is larger, longer or slower than the stated bounds."""

    exit_code = 17
    code = "limit"


class MissingProgram(ExtractionError):
    """The format needs a program that is not installed."""

    exit_code = 18
    code = "missing_program"
