"""The code of a part, read from a photograph of it: QR Code, Data Matrix and Code 128 (ISO/IEC 18004, 16022, 15417), as zxing-cpp finds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, Problem, Text


@dataclass(frozen=True, slots=True)
class Code:
    """A code that was found: its text, the kind of symbol, and its place (left, top, right, bottom in pixels)."""

    text: str
    symbol: str
    place: tuple[int, int, int, int]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"text": self.text, "symbol": self.symbol, "place": list(self.place)}


def read_codes(pixels: NDArray[np.uint8], most_characters: int = 100) -> list[Code]:
    """Return the codes in an image (height × width × 3), from left to right.

    A code of other characters than letters, digits, signs and spaces, or longer than the bound, names no part and is left out.
    """
    import zxingcpp

    wanted = (zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.MicroQRCode, zxingcpp.BarcodeFormat.DataMatrix, zxingcpp.BarcodeFormat.Code128)  # fmt: skip
    grey = (pixels.astype(np.uint16) @ np.array([77, 150, 29], dtype=np.uint16) >> 8).astype(np.uint8)
    found = []
    for one in zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(wanted)):
        text = one.text.strip()
        if is_code(text, most_characters):
            corners = [one.position.top_left, one.position.top_right, one.position.bottom_left, one.position.bottom_right]  # fmt: skip
            across, down = [corner.x for corner in corners], [corner.y for corner in corners]
            found.append(Code(text, str(one.format), (min(across), min(down), max(across), max(down))))
    return sorted(found, key=lambda one: (one.place[0], one.place[1], one.text))


def is_code(text: str, most_characters: int = 100) -> bool:
    """Return whether a text can be the code of a part.

    Examples
    --------
    >>> is_code("BX-0001"), is_code(""), is_code("a\\nb"), is_code("x" * 101)
    (True, False, False, False)
    """
    return 0 < len(text) <= most_characters and text == text.strip() and all(category(one)[0] != "C" for one in text)


def the_code(given: str, found: Sequence[Code], most_characters: int) -> str:
    """Return the code of a part: the one typed, else the only one in the photograph.

    Raises
    ------
    FaultyData
        None is given and none, or several, are found; or what is given cannot be a code.
    """
    if given.strip():
        if not is_code(given.strip(), most_characters):
            raise FaultyData([_fault("code", f"“{given[:40]}”不能作零件码。", f"'{given[:40]}' cannot be the code of a part.", f"一行文字, 至多 {most_characters} 个字符。", f"One line of text, at most {most_characters} characters.")])  # fmt: skip
        return given.strip()
    texts = sorted({one.text for one in found})
    if not texts:
        raise FaultyData([_fault("no_code", "没有给出零件码, 图中也没有读到。", "No part code was given, and none is in the picture.", "请拍清二维码, 或手工输入。", "Take the code again, closer, or type it in.")])  # fmt: skip
    if len(texts) > 1:
        listed = ", ".join(texts[:8])
        raise FaultyData([_fault("codes", f"图中有多个码: {listed}。", f"Several codes are in the picture: {listed}.", "请选一个。", "Choose one.")])  # fmt: skip
    return texts[0]


def _fault(code: str, zh: str, en: str, mend_zh: str, mend_en: str) -> Problem:
    return Problem(f"inspect.{code}", Text(zh, en), Text(mend_zh, mend_en), column="part_code")
