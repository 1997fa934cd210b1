#!/usr/bin/env python3
"""Writes Datasets/stimuli.xlsx from Datasets/stimuli.tsv, as people keep such tables.  Standard library only; equal input, equal bytes."""

import pathlib
import zipfile
from xml.sax.saxutils import escape

DATASETS = pathlib.Path(__file__).resolve().parents[2] / "Datasets"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def cell(place, text):
    if text.isdigit():
        return f'<c r="{place}"><v>{text}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def parts(rows):
    lines = "".join(f'<row r="{r}">' + "".join(cell("ABC"[c] + str(r), text) for c, text in enumerate(row)) + "</row>" for r, row in enumerate(rows, 1))
    yield "[Content_Types].xml", (
        f'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{CONTENT}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{CONTENT}.worksheet+xml"/></Types>')
    yield "_rels/.rels", f'<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    yield "xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="stimuli" sheetId="1" r:id="rId1"/></sheets></workbook>'
    yield "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    yield "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{MAIN}"><cols><col min="3" max="3" width="44" customWidth="1"/></cols><sheetData>{lines}</sheetData></worksheet>'


def main():
    rows = [line.split("\t") for line in (DATASETS / "stimuli.tsv").read_text(encoding="utf-8").splitlines()]
    with zipfile.ZipFile(DATASETS / "stimuli.xlsx", "w") as archive:
        for name, text in parts(rows):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, HEAD + text)


if __name__ == "__main__":
    main()
