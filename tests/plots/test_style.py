import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from skyquilt.plots.style import figure_style, new_figure, save


def make_figure():
    figure = new_figure(8.5, 5.0)
    figure.add_subplot(title="flux [ph cm$^{-2}$]").plot([1, 2])
    return figure


@pytest.mark.parametrize("ending", [".png", ".pdf"])
def test_figure_written_twice_has_the_same_bytes(tmp_path, ending):
    first, second = (save(make_figure(), tmp_path / f"{name}{ending}") for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert b"CreationDate" not in first.read_bytes()


def test_figure_with_other_settings_of_the_user_has_the_same_bytes(tmp_path):
    @figure_style()
    def write(name):
        return save(make_figure(), tmp_path / name).read_bytes()

    plain = write("a.png")
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red", "axes.grid": True}):
        assert write("b.png") == plain


def test_pdf_embeds_truetype_fonts(tmp_path):
    content = save(make_figure(), tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


def test_png_has_200_dots_per_inch(tmp_path):
    content = save(make_figure(), tmp_path / "a.png").read_bytes()
    # width in the IHDR chunk
    assert int.from_bytes(content[16:20], "big") == pytest.approx(8.5 / 2.54 * 200, abs=1)


def test_style_is_gone_after_use():
    before = dict(mpl.rcParams)
    with figure_style():
        assert mpl.rcParams["pdf.fonttype"] == 42
    assert dict(mpl.rcParams) == before


def test_save_of_unknown_ending_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a.jpg: allowed are the endings .png, .pdf"):
        save(Figure(), tmp_path / "a.jpg")
    assert not list(tmp_path.iterdir())


def test_options_of_fonts_are_as_before_when_a_figure_is_written(tmp_path):
    from fontTools.subset import Options

    before = list(Options._drop_tables_default)
    figure = new_figure(4, 3)
    figure.text(0.5, 0.5, "fi AV")
    save(figure, tmp_path / "text.pdf")
    assert Options._drop_tables_default == before


def test_fonts_of_a_pdf_have_no_tables_for_layout(tmp_path, monkeypatch):
    from fontTools.ttLib import TTFont

    embedded = []
    written = TTFont.save
    monkeypatch.setattr(
        TTFont,
        "save",
        lambda font, *args, **options: (
            embedded.append(set(font.keys())),
            written(font, *args, **options),
        ),
    )
    figure = new_figure(4, 3)
    figure.text(0.5, 0.5, "fi AV")
    save(figure, tmp_path / "text.pdf")
    assert embedded
    assert all("glyf" in tables and not tables & {"GPOS", "GSUB", "MATH"} for tables in embedded)
