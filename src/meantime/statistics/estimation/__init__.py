"""What statistics share: which cells, pooled how, with what uncertainty."""
