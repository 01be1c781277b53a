# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""The rows of a measurement: their numbers, ratios and goals, and those of a base."""

import re
import statistics

HIGHER_IS_BETTER = ("1/s", "Mpps", "Gbit/s")
GROUPS = 5  # of rounds, for the spread of the best one


class Failure(Exception):
    """A measurement failed; the text says why."""


class Rounds:
    """The numbers of one label, one per round, and the one that stands for all of them."""

    def __init__(self, numbers, value=None):
        self.numbers = numbers
        self.is_best = value is not None
        self.value = value if self.is_best else statistics.median(numbers)
        self.range = [min(numbers), max(numbers)]

    def best(self, pick):
        """Keep only the best round: min or max. Its spread is that of the best of each fifth."""
        groups = [self.numbers[i::GROUPS] for i in range(min(GROUPS, len(self.numbers)))]
        return Rounds([pick(group) for group in groups], pick(self.numbers))

    def __sub__(self, other):
        return Rounds([x - y for x, y in zip(self.numbers, other.numbers)], self.value - other.value)

    def times(self, factor):
        return Rounds([x * factor for x in self.numbers], self.value * factor if self.is_best else None)


def ratio_of(ours, peer):
    """
    (ratio, range) of Rounds or numbers: round by round if both have as many, because the speed of a
    machine changes from minute to minute; else the widest range that is possible.
    """
    sides = [side if isinstance(side, Rounds) else Rounds([side]) for side in (ours, peer)]
    if not all(sides[1].numbers) or not sides[1].value:
        return None, None
    if len(sides[0].numbers) == len(sides[1].numbers):
        ratios = [x / y for x, y in zip(sides[0].numbers, sides[1].numbers)]
    else:
        ratios = [x / y for x in sides[0].range for y in sides[1].range]
    if not sides[0].is_best and len(sides[0].numbers) == len(sides[1].numbers):
        return statistics.median(ratios), [min(ratios), max(ratios)]
    return sides[0].value / sides[1].value, [min(ratios), max(ratios)]


def parse_goal(goal):
    """Split "ratio <= 2.2" into its three parts."""
    what, sign, bound = re.fullmatch(r"(ours|ratio) (<=|>=) ([0-9.]+)", goal).groups()
    return what, sign, float(bound)


def judge(row):
    """Set "met" of a row that has a goal and the number that it is about."""
    if not row["goal"]:
        return
    what, sign, bound = parse_goal(row["goal"])
    if row[what] is not None:
        row["met"] = row[what] <= bound if sign == "<=" else row[what] >= bound


def make_row(measure, unit, ours=None, peer=None, peer_name=None, goal=None, base=None, **more):
    row = {"measure": measure, "unit": unit, "better": "higher" if unit in HIGHER_IS_BETTER else "lower"}
    row.update(ours=None, peer=None, peer_name=peer_name, ratio=None, goal=goal, met=None)
    for side, value in (("ours", ours), ("peer", peer), ("base", base)):
        if isinstance(value, Rounds):
            row[side], row[side + "_range"] = value.value, value.range
        elif value is not None:
            row[side] = float(value)
    if peer is not None:
        row["ratio"], row["ratio_range"] = ratio_of(ours, peer)
    if base is not None:
        row["base_ratio"], row["base_ratio_range"] = ratio_of(ours, base)
    judge(row)
    row.update(more)
    return row


# --- several runs, and those of a base


def key_of(row):
    return row["measure"], row["peer_name"]


def name_fully(rows):
    """Replace "same" and "same, ..." as the name of a row, which old commits have."""
    measure = ""
    for row in rows:
        if row["measure"].startswith("same"):
            row["measure"] = measure + row["measure"][4:]
        else:
            measure = row["measure"]
    return rows


def by_key(runs):
    """The rows of each name that have numbers, one per run; None for a run without."""
    found = {}
    for i, rows in enumerate(runs):
        for row in rows:
            if row["ours"] is not None:
                found.setdefault(key_of(row), [None] * len(runs))[i] = row
    return found


def pool(rows):
    """One row of those of several runs: medians, and the ranges of all."""
    pooled = dict(rows[-1])
    for field in ("ours", "peer", "ratio"):
        numbers = [row[field] for row in rows if row.get(field) is not None]
        if numbers:
            pooled[field] = statistics.median(numbers)
            ends = [row.get(field + "_range") or [row[field]] * 2 for row in rows if row.get(field) is not None]
            pooled[field + "_range"] = [min(low for low, _ in ends), max(high for _, high in ends)]
    judge(pooled)
    return pooled


def compare(row, pairs):
    """Add to a row of ours the base's number and the ratio to it: (ours, base) of each pair of runs."""
    if pairs:
        row["base"] = statistics.median(y for _, y in pairs)
        row["base_range"] = [min(y for _, y in pairs), max(y for _, y in pairs)]
        row["base_ratio"], row["base_ratio_range"] = ratio_of(*(Rounds(list(side)) for side in zip(*pairs)))
    elif row["ours"] is not None:
        row["base_note"] = "new"


def merge(ours, base):
    """
    The rows of our runs, pooled, each with its ratio to the base, the median of those of the pairs.
    ours and base: the rows of each run, as many of each. Rows are the same if measure and peer_name
    are; those of one side only are "new" or "gone".
    """
    mine, theirs = by_key(ours), by_key(base)
    merged = []
    for row in ours[-1]:
        key = key_of(row)
        row = pool([r for r in mine[key] if r]) if key in mine else dict(row)
        pairs = zip(mine.get(key, []), theirs.pop(key, []))
        compare(row, [(x["ours"], y["ours"]) for x, y in pairs if x and y])
        merged.append(row)
    for rows in theirs.values():
        row = pool([r for r in rows if r])
        gone = make_row(row["measure"], row["unit"], peer_name=row["peer_name"])
        merged.append(gone | {"base": row["ours"], "base_note": "gone"})
    return merged
