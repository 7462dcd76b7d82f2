"""Curves: what was measured at each size, how steep it is, and how steep it should be."""

import math

# How steep a curve is on two logarithmic axes: 0 is flat, 1 is linear.
FLAT = ("flat", -math.inf, 0.2)
LINEAR = ("linear", 0.75, 1.2)
AT_MOST_LINEAR = ("at most linear", -math.inf, 1.2)
NOT_FALLING = ("does not fall", -0.15, math.inf)


class Curve:
    def __init__(self, family, name, x_name, y_name, expected):
        self.family, self.name, self.x_name, self.y_name = family, name, x_name, y_name
        self.expected = expected
        self.points = []  # (x, y, foreign)

    def add(self, x, y, foreign):
        self.points.append((x, y, foreign))

    def slope(self):
        """Fitted by least squares over the upper two decades: what is fixed would hide the growth below."""
        points = [(x, y) for x, y, _ in self.points if x > 0 and y > 0]
        if not points:
            return None
        top = max(x for x, _ in points)
        logs = [(math.log10(x), math.log10(y)) for x, y in points if x >= top / 101]
        mean_x = sum(x for x, _ in logs) / len(logs)
        mean_y = sum(y for _, y in logs) / len(logs)
        spread = sum((x - mean_x) ** 2 for x, _ in logs)
        if spread == 0:
            return None
        return sum((x - mean_x) * (y - mean_y) for x, y in logs) / spread

    def holds(self):
        slope = self.slope()
        _, low, high = self.expected
        return slope is not None and low <= slope <= high


class Curves:
    """All curves of a run, by family: a family is one picture."""

    def __init__(self):
        self.all = []

    def curve(self, family, name, x_name, y_name, expected):
        for curve in self.all:
            if (curve.family, curve.name) == (family, name):
                return curve
        self.all.append(Curve(family, name, x_name, y_name, expected))
        return self.all[-1]

    def families(self):
        return list(dict.fromkeys(curve.family for curve in self.all))

    def disturbed(self, limit):
        return [(curve, point) for curve in self.all for point in curve.points if point[2] > limit]
