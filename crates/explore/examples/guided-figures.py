#!/usr/bin/env python3
"""Compares the two ways of `guided`'s output: runs and seconds to the first failure.

Medians, the ratio of means with its bootstrapped interval (10,000 draws), and the two-sided rank test of Mann and Whitney
(normal approximation with ties). A spell that was cut is left out of the ranks; the means count its runs and not a failure.
"""
import json, math, random, statistics, sys

def rank_test(a, b):
    all_ = sorted([(x, 0) for x in a] + [(x, 1) for x in b])
    ranks, i, ties = {0: 0.0, 1: 0.0}, 0, 0
    while i < len(all_):
        j = i
        while j < len(all_) and all_[j][0] == all_[i][0]:
            j += 1
        for k in range(i, j):
            ranks[all_[k][1]] += (i + j + 1) / 2
        ties += (j - i) ** 3 - (j - i)
        i = j
    n, m = len(a), len(b)
    u = ranks[0] - n * (n + 1) / 2
    sigma = math.sqrt(n * m / 12 * ((n + m + 1) - ties / ((n + m) * (n + m - 1))))
    z = (u - n * m / 2) / sigma if sigma else 0.0
    return math.erfc(abs(z) / math.sqrt(2)), u / (n * m)

spells = [json.loads(line) for path in sys.argv[1:] for line in open(path) if line.startswith("{")]
for what in ("runs", "wall_s"):
    whole = {way: [s[what] for s in spells if s["way"] == way and not s["cut"]] for way in ("random", "guided")}
    cut = {way: sum(s[what] for s in spells if s["way"] == way and s["cut"]) for way in whole}
    if min(map(len, whole.values())) < 2:
        print(what, {way: len(v) for way, v in whole.items()}, "too few")
        continue
    mean = lambda v, rest: (sum(v) + rest) / len(v)
    ratio = mean(whole["random"], cut["random"]) / mean(whole["guided"], cut["guided"])
    random.seed(1)
    draws = sorted(
        mean(random.choices(whole["random"], k=len(whole["random"])), cut["random"])
        / mean(random.choices(whole["guided"], k=len(whole["guided"])), cut["guided"])
        for _ in range(10_000)
    )
    p, share = rank_test(whole["random"], whole["guided"])
    for way, v in whole.items():
        print(f"{what} {way}: {len(v)} failures, median {statistics.median(v):.4g}, mean {mean(v, cut[way]):.4g}")
    print(f"{what} random/guided {ratio:.2f} (95 %: {draws[250]:.2f} to {draws[9750]:.2f}); rank test p = {p:.3f}, "
          f"P(random takes more) = {share:.2f}")
