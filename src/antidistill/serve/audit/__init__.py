"""The audit log: an append-only record of what was done with each request, without its text. See docs/operations.md."""

from antidistill.serve.audit.log import AuditLog, AuditText
from antidistill.serve.audit.verify import Problem, Verdict, verify

__all__ = ["AuditLog", "AuditText", "Problem", "Verdict", "verify"]
