"""The report: one HTML file that shows what a defense changed and how visible it is, without any network."""

from antidistill.report.frontier import Frontier, payoffs_of, read_frontier
from antidistill.report.material import Options
from antidistill.report.page import build
from antidistill.report.recorded import Recorded, read_ledger

__all__ = ["Frontier", "Options", "Recorded", "build", "payoffs_of", "read_frontier", "read_ledger"]
