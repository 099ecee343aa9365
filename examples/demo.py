"""`make demo`: guards the example traces two ways, prints what a detector sees, and writes report.html."""

import json
import shutil
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from antidistill.cli.main import run

METHODS = {"traceguard": ["--set", "k=20"], "branches": ["--set", "share=0.15"]}
TRACES = Path(__file__).with_name("traces.jsonl")
FOLDER = Path("demo")


def call(*arguments: str | Path) -> None:
    """Runs one command of the command line; stops where it fails."""
    code = run([str(argument) for argument in arguments])
    if code:
        raise SystemExit(code)


def guard_and_detect(method: str, options: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Summary of the guarding and what the detectors say of it."""
    guarded = FOLDER / f"{method}.jsonl"
    summary, detection = FOLDER / f"{method}.summary.json", FOLDER / f"{method}.detection.json"
    ledger, key = FOLDER / f"{method}.ledger.jsonl", FOLDER / "key"
    call(
        "guard", TRACES, guarded, "--method", method, *options, "--key-file", key, "--ledger", ledger, "--json", summary
    )
    call("detect", TRACES, guarded, "--no-models", "--json", detection)
    call("restore", guarded, ledger, FOLDER / f"{method}.restored.jsonl", "--key-file", key)
    if (FOLDER / f"{method}.restored.jsonl").read_bytes() != TRACES.read_bytes():
        raise SystemExit(f"{method}: the ledger did not give the originals back")
    return json.loads(summary.read_bytes()), json.loads(detection.read_bytes())


def shown(estimate: dict[str, float]) -> str:
    """A value with its interval."""
    return f"{estimate['value']:.2f} [{estimate['low']:.2f}, {estimate['high']:.2f}]"


def main() -> None:
    """Both methods, one table, one report."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    (FOLDER / "key").write_bytes(b"the demo's key is no secret")
    table = Table(
        "method",
        "removed share",
        "best detector",
        "AUROC [95 %]",
        "marker rate AUROC",
        title="The example traces, guarded",
    )
    for method, options in METHODS.items():
        summary, detection = guard_and_detect(method, options)
        best = detection["unpaired"]["best"]
        found = [shown(detection["unpaired"][name]["auroc"]) for name in (best, "marker-rate")]
        table.add_row(method, f"{summary['removed_share']:.1%}", best, *found)
    call("report", TRACES, FOLDER / "branches.jsonl", "--detection", FOLDER / "branches.detection.json",
         "--ledger", FOLDER / "branches.ledger.jsonl", "-o", "report.html")  # fmt: skip
    Console().print(table)
    Console().print("0.5 = a detector that sees one trace cannot tell; 1 = it always can. Now open report.html.")


if __name__ == "__main__":
    main()
