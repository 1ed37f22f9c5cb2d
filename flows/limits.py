"""What one report may cost: wall time, processor time, memory, pages. Held by the process that reads it."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path

from extractors.errors import LimitExceeded

_MB = 1 << 20
# How a library says that it got no memory: C++, OpenCV, onnxruntime, Python's threads.
_NO_MEMORY = ("bad_alloc", "Insufficient memory", "Failed to allocate memory", "can't start new thread")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for one report.

    A worker that has loaded all its models holds some 700 MB of data (400 MB where nothing is scanned), which count
    towards ``memory_mb``. A scanned page takes some 8 s of one processor, and 60 of a file are read at most.
    ``seconds`` is larger than ``cpu_seconds``: that the machine is busy is not the file's fault.
    """

    seconds: float = 900.0
    cpu_seconds: float = 600.0
    memory_mb: int = 3000
    pages: int = 500


DEFAULT_LIMITS = Limits()


def hold_memory(limits: Limits) -> None:
    """Bounds the memory of this process for good; what asks for more fails in it, as a MemoryError or its like.

    RLIMIT_DATA and not RLIMIT_AS: onnxruntime and OpenCV map far more addresses than they ever touch, and the files
    of their code count there. Outside Linux the kernel holds a process to neither.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = limits.memory_mb * _MB
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
    # A file that crashes its process must not fill the disk too.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def hold_time(limits: Limits) -> None:
    """Gives this process ``cpu_seconds`` more from now on; the kernel ends it (SIGXCPU) when they are used up."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + limits.cpu_seconds) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def check_pages(path: Path, limits: Limits) -> None:
    """Refuses a PDF file of too many pages before it is read.

    Raises:
        LimitExceeded: it has more than ``limits.pages``.
    """
    # Imported here, in the worker: the command line must not load it for every use.
    import pypdfium2

    try:
        with path.open("rb") as stream:
            if b"%PDF-" not in stream.read(1024):
                return
        document = pypdfium2.PdfDocument(path)
    except (OSError, pypdfium2.PdfiumError):
        # Whoever reads it says what is wrong with it.
        return
    try:
        pages = len(document)
    finally:
        document.close()
    if pages > limits.pages:
        raise LimitExceeded(path, f"{pages} pages; at most {limits.pages} are read")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception, or one that it came from, says that memory ran out."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or any(words in str(seen) for words in _NO_MEMORY):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
