"""Small files written by the reference implementations, for the tests of FileFormats.

safetensors 0.4 or later, torch 2, numpy 1.26 or later
"""
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).resolve().parents[2] / "Tests/FileFormatsTests/Fixtures"
here.mkdir(parents=True, exist_ok=True)

values = torch.arange(24, dtype=torch.float64).reshape(2, 3, 4) / 8 - 1.25
save_file(
    {
        "f32": values.float(),
        "f16": values.half(),
        "bf16": values.bfloat16(),
        "f64": values,
        "i64": torch.tensor([-1, 0, 1 << 40]),
    },
    here / "reference.safetensors",
    metadata={"format": "pt"},
)

array = values.numpy()
np.save(here / "f4.npy", array.astype("<f4"))
np.save(here / "f8-fortran.npy", np.asfortranarray(array))
np.save(here / "f2.npy", array.astype("<f2"))
with open(here / "v2.npy", "wb") as file:
    np.lib.format.write_array(file, array.astype("<f4"), version=(2, 0))

# Spreadsheets: one by openpyxl 3.1, and one as Japanese Excel writes it, with furigana in its texts.
import datetime
import zipfile

import openpyxl

book = openpyxl.Workbook()
hidden = book.active
hidden.title = "hidden"
hidden["A1"] = "no"
hidden.sheet_state = "hidden"
sheet = book.create_sheet("文")
rows = [
    ["id", "text", "frequency", "date", "flag"],
    [1, "白い犬が走る。", 0.1 + 0.2, datetime.date(2024, 2, 29), True],
    [2, "two\nlines & <tags>", 12345678.5, datetime.datetime(2001, 12, 31, 23, 59, 59), False],
    [None, None, None, None, None],
    [4, " spaces ", -3, datetime.time(9, 30), None],
]
for row in rows:
    sheet.append(row)
other = book.create_sheet("third")
other["B2"] = "=1+1"
other["C5"] = "far"
book.active = 1
book.save(here / "openpyxl.xlsx")

main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
relations = "http://schemas.openxmlformats.org/package/2006/relationships"
office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
parts = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "_rels/.rels": f'<Relationships xmlns="{relations}"><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="Sheet1" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{relations}"><Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{office}/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>',
    "xl/sharedStrings.xml": f'<sst xmlns="{main}"><si><t>東京へ行く</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><rPh sb="3" eb="4"><t>イ</t></rPh>'
    '<phoneticPr fontId="1"/></si><si><r><t xml:space="preserve">赤い </t></r><r><rPr><b/></rPr><t>花</t></r><rPh sb="3" eb="4"><t>ハナ</t></rPh></si>'
    "<si><t>line_x000D_end _x005F_x000D_</t></si></sst>",
    "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2" t="s"><v>1</v></c></row>'
    '<row r="4"><c r="A4" t="inlineStr"><is><t>中に</t><rPh sb="0" eb="1"><t>ナカ</t></rPh></is></c></row><row r="5"><c t="s"><v>2</v></c></row><row r="9"><c r="C9"/></row>'
    "</sheetData></worksheet>",
}
with zipfile.ZipFile(here / "furigana.xlsx", "w", zipfile.ZIP_DEFLATED) as file:
    for name, text in parts.items():
        file.writestr(zipfile.ZipInfo(name), '<?xml version="1.0" encoding="UTF-8"?>' + text, zipfile.ZIP_DEFLATED)

# MATLAB's arrays: version 5 with and without packing by SciPy 1.17; version 7.3 is HDF5 with the axes turned round, behind 512 bytes of its own.
import h5py
import scipy.io

signal = np.arange(24, dtype=float).reshape(2, 3, 4) / 8 - 1
members = {"signal": signal, "short": signal.astype("i2"), "single": signal[0].astype("f4"), "name": "text", "complex": signal[0] * 1j, "cells": np.array([1, "a"], dtype=object)}
scipy.io.savemat(here / "plain.mat", members)
scipy.io.savemat(here / "packed.mat", members, do_compression=True)
with h5py.File(here.parents[1] / "ProgramTests/Fixtures/v73.mat", "w", userblock_size=512) as file:
    file.create_dataset("signal", data=signal.T).attrs["MATLAB_class"] = np.bytes_("double")
