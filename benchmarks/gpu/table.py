"""The JSON lines of a results folder as a table in Markdown: one row a shape or model, one column a contender."""

import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
rows: dict[str, dict[str, float]] = {}
for file in sorted(folder.glob("*.jsonl")):
    for line in file.read_text().splitlines():
        if line.startswith("{") and "by" in (entry := json.loads(line)):
            what = {key: value for key, value in entry.items() if key not in ("by", "us", "ms", "tflops", "gbps", "peak_mib")}
            label = " ".join(str(value) for value in what.values())
            rows.setdefault(label, {})[entry["by"]] = entry.get("us", 1000 * entry.get("ms", 0))
contenders = sorted({by for row in rows.values() for by in row})
lines = ["Microseconds.", "", "| what | " + " | ".join(contenders) + " |", "|---" * (1 + len(contenders)) + "|"]
for label, row in rows.items():
    lines.append(f"| {label} | " + " | ".join(f"{row[by]:.1f}" if by in row else "" for by in contenders) + " |")
(folder / "table.md").write_text("\n".join(lines) + "\n")
print("\n".join(lines))
