"""The recogniser on pictures drawn here: lone digits, candidates, batches, and what it must not touch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from extractors.ocr import Gray, read_lines, read_values

FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf")
HAN_FONT = Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc")
needs_font = pytest.mark.skipif(not FONT.is_file(), reason="no fonts-dejavu-core on this machine")


def picture(text: str, path: Path = FONT, size: int = 26) -> Gray:
    font = ImageFont.truetype(str(path), size)
    width = round(font.getlength(text)) + 30
    image = Image.new("L", (width, round(size * 1.3)), 255)
    ImageDraw.Draw(image).text((width / 2, size * 0.65), text, font=font, fill=15, anchor="mm")
    return np.asarray(image)


@needs_font
def test_lone_digits_survive() -> None:
    readings = read_values([picture(digit) for digit in "0123456789"])
    assert [reading.values[0][0] for reading in readings] == list("0123456789")


@needs_font
@pytest.mark.parametrize("text", ["10", "1,204", "12.50", "-3", "+17", "888888"])
def test_a_value_is_read_with_a_probability(text: str) -> None:
    (reading,) = read_values([picture(text)])
    assert reading.values[0][0] == text
    assert 0.5 < sum(chance for _, chance in reading.values) <= 1.0001


@needs_font
def test_a_doubtful_digit_has_candidates_in_order() -> None:
    blurred = np.asarray(Image.fromarray(picture("8")).resize((5, 6)).resize((56, 34)))
    (reading,) = read_values([blurred])
    chances = [chance for _, chance in reading.values]
    assert len(chances) >= 2
    assert chances == sorted(chances, reverse=True)


@needs_font
def test_a_reading_does_not_depend_on_its_company() -> None:
    alone = read_lines([picture("Disclosure 2024")])[0].text
    company = [picture("x" * count) for count in (1, 5, 30, 60)]
    assert read_lines([*company, picture("Disclosure 2024")])[-1].text == alone == "Disclosure 2024"


@pytest.mark.skipif(not HAN_FONT.is_file(), reason="no fonts-noto-cjk on this machine")
def test_places_of_characters_lie_where_they_stand() -> None:
    (line,) = read_lines([picture("政府信息公开", HAN_FONT)])
    assert line.text == "政府信息公开"
    middles = [(15 + 26 * (index + 0.5)) / (156 + 30) for index in range(6)]
    assert line.places == pytest.approx(middles, abs=0.06)


def test_nothing_is_read_from_nothing() -> None:
    assert read_lines([]) == []
    assert read_values([]) == []


def test_the_engine_prints_nothing_and_asks_no_network() -> None:
    """Every connection raises in the child, and its standard error stays empty."""
    code = (
        "import socket\n"
        "def refuse(*args, **kwargs): raise AssertionError('network')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "import numpy as np\n"
        "from extractors.ocr import read_values\n"
        "read_values([np.full((40, 60), 255, np.uint8)])\n"
        "import sys\n"
        "assert 'rapidocr' not in sys.modules\n"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=root, capture_output=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
