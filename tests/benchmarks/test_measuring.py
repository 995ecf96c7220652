import sys

import pytest
from measuring import (
    Cost,
    at_least,
    below,
    median_cost,
    print_table,
    replace_table,
    run_process,
    speedup,
)


@pytest.mark.parametrize(("value", "is_met"), [(39.9, False), (40.0, True)])
def test_at_least_says_whether_the_limit_is_reached(value, is_met):
    assert at_least("ratio", value, 40).is_met is is_met


@pytest.mark.parametrize(("value", "is_met"), [(2.99, True), (3.0, False)])
def test_below_says_whether_the_limit_is_kept(value, is_met):
    assert below("wall", value, 3, "{:.2f} s").is_met is is_met


def test_median_cost_takes_each_quantity_alone():
    costs = [Cost(1, 9, 5), Cost(2, 7, 6), Cost(3, 8, 4)]
    assert median_cost(costs) == Cost(2, 8, 5)


def test_speedup_is_of_medians_and_of_the_fastest_runs():
    _, medians, fastest = speedup("thread", [2.0, 4.0, 9.0], [1.0, 2.0, 2.5])
    assert medians.value == "2.00"
    assert medians.is_met
    assert fastest.value == "2.00"


def test_run_process_counts_the_cpu_of_children():
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    cost = run_process([sys.executable, "-c", code])
    assert cost.cpu >= 0.3


def test_run_process_counts_the_memory_of_the_command_and_not_of_this_process():
    ballast = bytearray(300_000_000)
    cost = run_process([sys.executable, "-I", "-S", "-c", "b = bytearray(100_000_000)"])
    assert len(ballast) > 0
    assert 100 < cost.peak_mb < 200


def test_run_process_when_the_command_fails_shows_its_output():
    with pytest.raises(RuntimeError, match="no such day"):
        run_process([sys.executable, "-c", "raise SystemExit('no such day')"])


def test_print_table_tells_missed_targets_and_the_machine(capsys):
    print_table([below("wall", 2, 3, "{:.0f} s"), below("memory", 4, 3, "{:.0f} MB")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "| wall | 2 s | < 3 s | 0.67 of it | met |"
    assert lines[3].endswith("| **missed** |")
    assert "cores, Python" in lines[-1]


def test_print_table_replaces_the_table_of_its_name_on_a_page(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- one -->\nold\n<!-- end of one -->\nb <!-- two --><!-- end of two -->")
    print_table([below("wall", 2, 3, "{:.0f} s")], page, "one")
    text = page.read_text()
    assert capsys.readouterr().out.strip() in text
    assert "old" not in text
    assert text.startswith("a\n<!-- one -->\n\n| figure")
    assert text.endswith("\n\n<!-- end of one -->\nb <!-- two --><!-- end of two -->")


def test_replace_table_when_the_page_has_no_place_names_it():
    with pytest.raises(ValueError, match="no place for 'one'"):
        replace_table("<!-- two --> <!-- end of two -->", "one", "table")
