# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""The rows of a measurement: their numbers, ratios and goals."""

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


def make_row(measure, unit, ours=None, peer=None, peer_name=None, goal=None, **more):
    row = {"measure": measure, "unit": unit, "better": "higher" if unit in HIGHER_IS_BETTER else "lower"}
    row.update(ours=None, peer=None, peer_name=peer_name, ratio=None, goal=goal, met=None)
    for side, value in (("ours", ours), ("peer", peer)):
        if isinstance(value, Rounds):
            row[side], row[side + "_range"] = value.value, value.range
        elif value is not None:
            row[side] = float(value)
    if peer is not None:
        row["ratio"], row["ratio_range"] = ratio_of(ours, peer)
    judge(row)
    row.update(more)
    return row


def key_of(row):
    return row["measure"], row["peer_name"]
