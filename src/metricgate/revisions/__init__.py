"""Git: the checkout, its history, which revision is the baseline."""
