"""Git and DVC: which revision is the baseline, and both revisions' snapshots."""
