"""Every detector effect by a closed formula from published figures: the baseline of what is learned."""
