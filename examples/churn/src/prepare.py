"""Clean the raw table and split it into customers to train on and customers to judge on."""

import csv
import hashlib
from pathlib import Path

from customers import CATEGORIES, NUMBERS

RAW = Path("data/telco-churn.csv")
PREPARED = Path("data/prepared")

# The split is frozen: no parameter moves it, and new customers never move old ones to the other side. If the split moved, a
# model could be judged on rows that it was trained on.
SPLIT = "telco-72"
TEST_SHARE = 5  # one in five


def is_test(customer_id: str) -> bool:
    digest = hashlib.sha256(f"{SPLIT}:{customer_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % TEST_SHARE == 0


def clean(row: dict[str, str]) -> dict[str, str]:
    # 11 customers in their first month have no total yet, because nothing was charged.
    total = row["total_charges"] or ("0" if row["tenure"] == "0" else "")
    if not total:
        raise SystemExit(f"customer {row['rownames']} has no total_charges after {row['tenure']} months")
    kept = {name: row[name] for name in NUMBERS + CATEGORIES} | {"total_charges": total}
    return {"customer_id": row["rownames"], "churned": str(int(row["churn"] == "Yes"))} | kept


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    with RAW.open(encoding="utf-8", newline="") as file:
        rows = [clean(row) for row in csv.DictReader(file)]
    test = [row for row in rows if is_test(row["customer_id"])]
    train = [row for row in rows if not is_test(row["customer_id"])]
    PREPARED.mkdir(parents=True, exist_ok=True)
    write_rows(PREPARED / "train.csv", train)
    write_rows(PREPARED / "test.csv", test)
    print(f"{len(train)} customers to train on, {len(test)} to judge on")


if __name__ == "__main__":
    main()
