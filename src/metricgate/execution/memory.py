"""A process that was killed: SIGKILL that nobody sent is the kernel's answer to a lack of memory."""

KILLED = (-9, 137)  # as Python counts a signal, and as a shell does
EXPECTED = "a process that fits into the memory of this machine."
FIX = "run on a machine with more memory, or let it use less: smaller batches, fewer workers, data read in pieces."


def describe_kill(returncode: int) -> str:
    """Return what an exit code says of a lack of memory; empty where it says nothing."""
    return f"killed, most often for lack of memory (exit code {returncode})" if returncode in KILLED else ""
