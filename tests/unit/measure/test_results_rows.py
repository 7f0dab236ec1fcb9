"""Pins the rows of what is measured: one result file, its rows; a file that is not there, none."""

from __future__ import annotations

from measure.results_rows import ROWS, measured_rows

SOAK = {"loads": {"scripted": {"queries": 400}, "local": {"queries": 40}}, "broken": []}
PLANS = {
    "settings": {"queries": 75},
    "plans": {
        "reference(50,20,10)": {"hit@1": [0.9, 0.8, 0.95], "policy_rounds": 12.44},
        "blocks(50,20)": {"hit@1": [0.88, 0.79, 0.94], "policy_rounds": 6.04},
    },
}


def test_rows_are_those_of_the_files_that_are_there_in_the_order_of_the_table() -> None:
    assert measured_rows({"plans": PLANS, "demo": {}, "engine_soak": SOAK}) == [
        (
            "440 queries of many callers over one engine, some cancelled or late: broken promises",
            "0",
            "`engine_soak.json`",
        ),
        (
            "50 candidates by the plan `reference(50,20,10)`, 75 queries: hit@1; in a row",
            "0.900 [0.800, 0.950]; 12.4 rounds of turns",
            "`plans.json`",
        ),
        (
            "50 candidates by the plan `blocks(50,20)`, 75 queries: hit@1; in a row",
            "0.880 [0.790, 0.940]; 6.0 rounds of turns",
            "`plans.json`",
        ),
    ]
    assert measured_rows({}) == []
    assert next(iter(ROWS)) == "documents"
