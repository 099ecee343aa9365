"""Receiver heads: attention heads that look back at few sentences, and the sentences that they look back at."""

from antidistill.anchors.receiver_heads.heads import Receivers
from antidistill.anchors.receiver_heads.options import VARIANTS, Options
from antidistill.anchors.receiver_heads.profile import Profile, profile
from antidistill.anchors.receiver_heads.scorer import ReceiverHeads

__all__ = ["VARIANTS", "Options", "Profile", "ReceiverHeads", "Receivers", "profile"]
