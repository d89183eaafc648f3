"""A proof to deploy by: which file was judged, and whether a signed statement says that exactly this file passed."""
