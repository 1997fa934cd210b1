"""A workbook with what trips readers: names in two rows with merged cells, formulas without stored results, an error, further sheets.

openpyxl 3.1.5 (it stores formulas without their results)
"""
import pathlib

import openpyxl

here = pathlib.Path(__file__).resolve().parents[2] / "Tests/FileFormatsTests/Fixtures"
book = openpyxl.Workbook()
sheet = book.active
sheet.title = "実験"
sheet.append(["番号", "文", "容認度", None])
sheet.append([None, None, "前", "後"])
sheet.merge_cells("A1:A2")
sheet.merge_cells("B1:B2")
sheet.merge_cells("C1:D1")
sheet.append([1, "犬が走る", 4, "=C3+1"])
sheet.append([2, "犬が泳ぐ", 2, "=C4+1"])
sheet.append([3, "猫が鳴く", 5, "#N/A"])
sheet["D5"].data_type = "e"
other = book.create_sheet("予備調査")
other.append(["題: 予備調査"])
other.append(["番号", "文"])
other.append([1, "雪が降る"])
book.save(here / "traps.xlsx")
