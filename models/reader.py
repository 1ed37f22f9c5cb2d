"""A report read with the trained model: what commands and workers call."""

from __future__ import annotations

import json
import os
from pathlib import Path

from extractors.extract import EXTRACTOR_VERSION, extract_with_text
from extractors.report import Report
from models.tagger import WEIGHTS, ModelError, load_tagger

# The directory of the model to use instead of the shipped one; worker processes inherit it.
VARIABLE = "GONGKAI_MODEL"


def model_directory() -> Path:
    """Where the model to use lies."""
    return Path(os.environ.get(VARIABLE) or WEIGHTS)


def read_report(path: Path) -> Report:
    """The record of the report in ``path``, its prose read by the model in use.

    Raises:
        ExtractionError: the file cannot be read, or is no annual report.
        ModelError: the model cannot be loaded.
    """
    return read_with_text(path)[0]


def read_with_text(path: Path) -> tuple[Report, str]:
    """The record of the report in ``path``, and the text to which its offsets refer.

    Raises:
        ExtractionError: the file cannot be read, or is no annual report.
        ModelError: the model cannot be loaded.
    """
    return extract_with_text(path, load_tagger(model_directory()))


def reader_version() -> str:
    """What a stored record depends on: the extractor's version and the model's id.

    Raises:
        ModelError: there is no model to read with.
    """
    card = model_directory() / "model.json"
    try:
        return f"{EXTRACTOR_VERSION}+{json.loads(card.read_text(encoding='utf-8'))['id']}"
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{card.parent}: no model ({error})") from error
