# ruff: noqa: RUF001 - letters of many scripts

import codecs
import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from recsys.data.reading import encodings
from recsys.data.reading.encodings import TextForm, text_form
from recsys.data.reading.lines import read_lines
from recsys.errors import DataError

GERMAN = "Größe,Übermaß\n1,Käse für öS 5\n2,„Spaß“ 20 °C – 5 €\n"
WESTERN = {
    "german": GERMAN,
    "portuguese": "descrição,ação\nsão,às\n",
    "french": "été,à la carte\nEncre créée,œuf\n",
    "spanish": "año,¿qué?\nniño,camión\n",
    "quotes": "a,b\nLevi’s,501\n",
}
OTHERS = {
    "cp949": "고객,상품\n김철수,빨간 티셔츠\n이영희,커피 머그\n",
    "shift_jis": "顧客,商品\nテスト,赤いシャツ\n山田,コーヒー\n",
    "euc_jp": "顧客,商品\nテスト,赤いシャツ\n山田,コーヒー\n",
    "gb18030": "客户,商品\n张三,红色衬衫\n李四,咖啡杯\n",
    "big5": "客戶,商品\n張三,紅色襯衫\n李四,咖啡杯\n",
    "cp1251": "клиент,товар\nиван,красная футболка\nпётр,кружка\n",
    "koi8-r": "клиент,товар\nиван,красная футболка\nпётр,кружка\n",
    "cp1253": "πελάτης,προϊόν\nγιάννης,κόκκινο\n",
    "cp1255": "שלום,עולם\nספר,כחול\n",
    "cp1256": "مرحبا,عالم\nكتاب,أزرق\n",
    "cp874": "ชื่อ,สินค้า\nราคา,สี\n",
}


def form_of(tmp_path: Path, content: bytes, encoding: str | None = None) -> TextForm:
    file = tmp_path / "in.csv"
    file.write_bytes(content)
    return text_form(file, encoding)


def text_of(file: Path, form: TextForm) -> str:
    return "".join(f"{line}\n" for lines, _ in read_lines(file, form) for line in lines)


@pytest.mark.parametrize("name", WESTERN)
@pytest.mark.parametrize("packed", [False, True])
def test_western_text_is_read_as_cp1252_and_said(tmp_path: Path, name: str, packed: bool) -> None:  # noqa: FBT001
    content = WESTERN[name].encode("cp1252")
    form = form_of(tmp_path, gzip.compress(content) if packed else content)
    assert form.encoding == "cp1252"
    assert "read as cp1252" in form.notes[0]
    assert text_of(tmp_path / "in.csv", form) == WESTERN[name]


@pytest.mark.parametrize("name", [*OTHERS, "cp850", "mac_roman"])
def test_what_cannot_be_told_is_asked_for(tmp_path: Path, name: str) -> None:
    content = OTHERS.get(name, GERMAN.replace("€", "E").replace("„Spaß“ 20 °C –", "x")).encode(
        name
    )
    with pytest.raises(DataError, match=name) as caught:
        form_of(tmp_path, content)
    assert "[events] encoding = " in str(caught.value)
    form = form_of(tmp_path, content, name)
    assert text_of(tmp_path / "in.csv", form).encode(name) == content


@pytest.mark.parametrize("name", ["utf-8", "utf-16", "utf-32"])
def test_a_mark_says_the_encoding(tmp_path: Path, name: str) -> None:
    mark = codecs.BOM_UTF8 if name == "utf-8" else b""
    form = form_of(tmp_path, mark + "größe\t한\n1\t2\n".encode(name))
    assert form.encoding == name
    assert form.notes == (() if name == "utf-8" else (f"is {name.upper()} text",))
    assert text_of(tmp_path / "in.csv", form) == "größe\t한\n1\t2\n"
    with pytest.raises(DataError, match=f"the mark of {name.upper()}, but encoding = 'cp1251'"):
        text_form(tmp_path / "in.csv", "cp1251")


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=name):
        form_of(tmp_path, "a,b\nö,1\n".encode(name))


def test_damaged_utf_8_stays_utf_8(tmp_path: Path) -> None:
    assert form_of(tmp_path, "größe,ö,한\n".encode() * 9 + b"\xff\xc3,x\n") == TextForm()
    assert form_of(tmp_path, b"a,b\n" * 99 + b"\xc7\xd1\xb1\xdb,x\n") == TextForm()
    assert form_of(tmp_path, "größe\n".encode(), "utf8").notes == ()


def test_only_so_many_bytes_are_looked_at(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(encodings, "SAMPLE_BYTES", 1)
    monkeypatch.setattr("recsys.data.reading.byte_source.read_chunks.__defaults__", (6,))
    assert form_of(tmp_path, "a,b\n1,한\n".encode()) == TextForm()
    assert form_of(tmp_path, "a,b\n1,Käse\n".encode("cp1252")) == TextForm()


def test_a_doubtful_setting_is_said(tmp_path: Path) -> None:
    form = form_of(tmp_path, "größe\n".encode(), "cp1252")
    assert "looks like UTF-8" in form.notes[0]
    assert form_of(tmp_path, GERMAN.encode("cp1252"), "cp1252").notes == ()
    assert form_of(tmp_path, b"a,b\n", "cp1252").notes == ()
    with pytest.raises(DataError, match="'base64' is none that is known"):
        form_of(tmp_path, b"a,b\n", "base64")


def test_line_ends_of_old_macs(tmp_path: Path) -> None:
    for content in (b"a,b\r1,2\r", "a,b\r1,2\r".encode("utf-16"), b"a,b\r1,2"):
        form = form_of(tmp_path, content)
        assert text_of(tmp_path / "in.csv", form) == "a,b\n1,2\n"


def test_zstd_in_another_encoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "in.csv.zst"
    with pa.CompressedOutputStream(str(file), "zstd") as target:
        target.write(GERMAN.encode("cp1252"))
    assert text_of(file, text_form(file)) == GERMAN
    monkeypatch.setattr(encodings, "can_unpack", lambda _: False)
    assert text_form(file) == TextForm()
    with pytest.raises(DataError, match="needs the package pyarrow"):
        text_form(file, "cp1252")


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"PK\x03\x04", "unzip it"),
        (b"PAR1", r"end in \.parquet"),
        (b"SQLite format 3\x00", "export the table"),
        (b"<!DOCTYPE html><html>", "a web page"),
    ],
)
def test_another_kind_of_file_is_named(tmp_path: Path, start: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        form_of(tmp_path, start + b"rest")
