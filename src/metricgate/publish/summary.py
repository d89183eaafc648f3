"""The job summary: a file the runner uploads, if it is not longer than 1 MiB."""

from pathlib import Path

MAX_BYTES = 1024 * 1024


def append_summary(file: Path, markdown: str) -> None:
    """Append to the file at GITHUB_STEP_SUMMARY.

    The view keeps to the limit by leaving out sections; what is over it all the same would not be shown at all, so it
    is cut at a line.
    """
    room = MAX_BYTES - (file.stat().st_size if file.exists() else 0)
    text = _cut_at_line(markdown.rstrip("\n") + "\n", room)
    with file.open("a", encoding="utf-8", newline="\n") as stream:
        stream.write(text)


def _cut_at_line(text: str, room: int) -> str:
    data = text.encode("utf-8")
    if len(data) <= room:
        return text
    note = "\n\n(The job summary is full; the report folder has everything.)\n"
    head = data[: max(0, room - len(note.encode("utf-8")))].decode("utf-8", errors="ignore")
    return head[: head.rfind("\n") + 1] + note if len(note.encode("utf-8")) <= room else ""
