"""Build report.ttf.gz: python3 build.py FILES OUT.

FILES is the folder `files` of the npm package @fontsource/noto-sans-sc 5.3.0 (Noto Sans SC, SIL Open Font License 1.1), which
cuts the font into pieces by character range. The pieces of the regular weight are joined again for the characters that a report
is likely to hold: Latin letters, kana, GB 2312, and level 1 of Big5, as far as the package has them. Needs fonttools.
The result is renamed and keeps the licence (OFL.txt).
"""
import glob
import gzip
import io
import sys

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont


def wanted():
    codes = set()
    for first, last in [(0x20, 0x7E), (0xA0, 0x17F), (0x2010, 0x205F), (0x3000, 0x3017), (0x3041, 0x3096), (0x30A1, 0x30FE), (0xFF01, 0xFF5E)]:
        codes |= set(range(first, last + 1))
    codes |= {ord(c) for c in "←↑→↓✓✗■□●○★☆€￥™…×—≈≤≥〓"}
    for encoding, rows in (("gb2312", range(0xA1, 0xF8)), ("big5", range(0xA1, 0xC7))):
        for a in rows:
            for b in range(0x40, 0xFF):
                try:
                    codes.add(ord(bytes([a, b]).decode(encoding)))
                except (UnicodeDecodeError, TypeError):
                    pass
    return codes


def outline(font, name):
    recorded, pen = DecomposingRecordingPen(font.getGlyphSet()), TTGlyphPen(None)
    font.getGlyphSet()[name].draw(recorded)
    recorded.replay(pen)
    return pen.glyph()


def main(files, out):
    codes, glyphs, widths, cmap, latin = wanted(), {}, {}, {}, None
    for path in sorted(glob.glob(files + "/noto-sans-sc-*-400-normal.woff")):
        font = TTFont(path)
        if latin is None or "-latin-400-" in path:
            latin = font
        if ".notdef" not in glyphs:
            glyphs[".notdef"], widths[".notdef"] = outline(font, ".notdef"), font["hmtx"][".notdef"][0]
        for code, name in sorted(font.getBestCmap().items()):
            if code in codes and code not in cmap:
                cmap[code] = "u%04X" % code
                glyphs[cmap[code]], widths[cmap[code]] = outline(font, name), font["hmtx"][name][0]
    order = [".notdef"] + sorted(set(glyphs) - {".notdef"})
    b = FontBuilder(1000, isTTF=True)
    b.setupGlyphOrder(order)
    b.setupCharacterMap(cmap)
    b.setupGlyf(glyphs)
    b.setupHorizontalMetrics({n: (widths[n], getattr(glyphs[n], "xMin", 0) or 0) for n in order})
    b.setupHorizontalHeader(ascent=latin["hhea"].ascent, descent=latin["hhea"].descent)
    b.setupNameTable({
        "copyright": latin["name"].getDebugName(0), "familyName": "Heartmark Report", "styleName": "Regular",
        "uniqueFontIdentifier": "Heartmark Report, subset of Noto Sans SC", "fullName": "Heartmark Report", "psName": "HeartmarkReport-Regular",
        "version": "Version 1.0", "licenseDescription": "SIL Open Font License 1.1", "licenseInfoURL": "https://openfontlicense.org",
    })
    old = latin["OS/2"]
    b.setupOS2(sTypoAscender=old.sTypoAscender, sTypoDescender=old.sTypoDescender, usWinAscent=old.usWinAscent,
               usWinDescent=old.usWinDescent, fsType=0, sCapHeight=old.sCapHeight, sxHeight=old.sxHeight)
    b.setupPost(keepGlyphNames=False)
    b.font["head"].created = b.font["head"].modified = 0
    b.font.recalcTimestamp = False
    buffer = io.BytesIO()
    b.save(buffer)
    with open(out, "wb") as f:
        f.write(gzip.compress(buffer.getvalue(), 9, mtime=0))


main(*sys.argv[1:])
