"""Names and shapes of tensors as a short text."""


def packed(shapes: dict) -> str:
    """A line a tensor, in the order of their names: how many characters it shares with the name before, the rest of the
    name, its shape. tests/support/packed_names.h reads it."""
    lines, last = [], ""
    for name, shape in sorted(shapes.items()):
        common = next((i for i, (a, b) in enumerate(zip(name, last)) if a != b), min(len(name), len(last)))
        lines.append(f"{common} {name[common:]} {','.join(map(str, shape))}")
        last = name
    return "\n".join(lines)
