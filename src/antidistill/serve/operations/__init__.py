"""What running the server needs: metrics, spans, logs, request ids, admission and draining, limits, retries."""

from antidistill.serve.operations.admission import Gate
from antidistill.serve.operations.limits import HoldWatch, Stall, StallWatch, read_body
from antidistill.serve.operations.logs import configure_logs, log
from antidistill.serve.operations.metrics import Metrics, forget_process
from antidistill.serve.operations.request_ids import request_id
from antidistill.serve.operations.retries import attempt
from antidistill.serve.operations.spans import Span, Spans

__all__ = [
    "Gate",
    "HoldWatch",
    "Metrics",
    "Span",
    "Spans",
    "Stall",
    "StallWatch",
    "attempt",
    "configure_logs",
    "forget_process",
    "log",
    "read_body",
    "request_id",
]
