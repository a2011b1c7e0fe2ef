"""What the first bytes of a file say it is, whatever its name says.

Nothing is unpacked or converted here: a file that isn't what its name says is refused by ``sources.py``, with the words
of this module.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

HEAD_BYTES = 64 * 1024
"""How much of a file is looked at."""

_SAVE_SHEET = "save its sheet as CSV (UTF-8)"
_UNPACK = "unpack it"
_AS_PARQUET = "save the table as CSV or Parquet"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file is, as ``gzip``, and what to do with it, as ``call it .csv.gz``."""

    what: str
    next_step: str
    is_workbook: bool = False


_SIGNATURES = (
    (b"\x1f\x8b", Contents("gzip", "call it .csv.gz")),
    (b"\x28\xb5\x2f\xfd", Contents("zstd", "call it .csv.zst")),
    (b"PAR1", Contents("Parquet", "call it .parquet")),
    (b"PK\x05\x06", Contents("an empty zip", _UNPACK)),
    (b"BZh", Contents("bzip2", _UNPACK)),
    (b"\xfd7zXZ\x00", Contents("xz", _UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", Contents("7-Zip", _UNPACK)),
    (b"Rar!\x1a\x07", Contents("RAR", _UNPACK)),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Contents("an old Excel workbook (.xls)", _SAVE_SHEET)),
    (b"%PDF-", Contents("PDF", "look for the table as CSV, or copy it into a spreadsheet")),
    (b"{\\rtf", Contents("RTF", "copy the table into a spreadsheet")),
    (b"SQLite format 3\x00", Contents("an SQLite database", _AS_PARQUET)),
    (b"ARROW1", Contents("Arrow (Feather)", _AS_PARQUET)),
    (b"FEA1", Contents("Feather", _AS_PARQUET)),
    (b"$FL", Contents("SPSS", _AS_PARQUET)),
    (b"<stata_dta>", Contents("Stata", _AS_PARQUET)),
    (b"version https://git-lfs", Contents("a Git LFS pointer and not the file itself", "fetch it with `git lfs pull`")),
)
_JSON = re.compile(rb"[\[{]\s*[\"\[{\]}]")
_HTML = re.compile(rb"<(!doctype\s+html|html|head|body|table|script|meta)\b", re.IGNORECASE)
_XML = re.compile(rb"<(\?xml|!--|[a-z][\w.:-]*[\s/>])", re.IGNORECASE)
_TEXTS = (
    (_JSON, Contents("JSON", "save it as CSV, one estimate a row")),
    (_HTML, Contents("HTML, a web page", "download the data itself, or save the table as CSV (UTF-8)")),
    (_XML, Contents("XML", "save the table as CSV (UTF-8)")),
)
_BOMS = (
    # UTF-32 first: its mark begins like that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)  # fmt: skip


def contents_of(head: bytes) -> Contents | None:
    """Return what a file is that isn't CSV text; None where its first bytes may be CSV.

    >>> contents_of(b'[{"year": 2019}]')
    Contents(what='JSON', next_step='save it as CSV, one estimate a row', is_workbook=False)
    """
    if head.startswith(b"PK\x03\x04"):
        return _of_zip(head)
    if head[257:262] == b"ustar":
        return Contents("a tar archive", _UNPACK)
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    by_signature = (contents for signature, contents in _SIGNATURES if head.startswith(signature))
    by_text = (contents for pattern, contents in _TEXTS if pattern.match(text))
    return next(by_signature, None) or next(by_text, None)


def byte_order_mark(head: bytes) -> str:
    """Return the encoding that a byte order mark states; empty where there is none."""
    return next((encoding for mark, encoding in _BOMS if head.startswith(mark)), "")


def _of_zip(head: bytes) -> Contents:
    if b"[Content_Types].xml" in head or b"xl/" in head or b"_rels/.rels" in head:
        return Contents("an Excel workbook (.xlsx, a kind of zip)", _SAVE_SHEET, is_workbook=True)
    if b"vnd.oasis.opendocument" in head:
        return Contents("an OpenDocument spreadsheet (a kind of zip)", _SAVE_SHEET, is_workbook=True)
    return Contents("a zip or Excel file", f"call it .zip when it holds one CSV; a workbook: {_SAVE_SHEET}")


def unmarked_utf_16(head: bytes) -> str:
    """Return which UTF-16 this is, without a byte order mark, when two of five of its characters are Latin."""
    pairs = len(head) // 2
    for encoding, zeros in (("utf-16-le", head[1::2].count(0)), ("utf-16-be", head[0::2].count(0))):
        if pairs >= 8 and zeros > 0.4 * pairs and head.count(0) < 1.2 * zeros:
            return encoding
    return ""
