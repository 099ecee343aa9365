"""Attention in blocks: what a fused kernel returns, and sums of the weights over sentences, without an L x L matrix."""
