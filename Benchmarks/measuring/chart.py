"""Line charts on two logarithmic axes, as SVG that stays readable on light and dark pages."""

import math
from html import escape

COLOURS = ["#d1495b", "#30638e", "#5b8c5a", "#edae49", "#8f5d9f", "#00a6b2", "#7f7f7f", "#b5651d"]
WIDTH, HEIGHT = 790, 440
LEFT, RIGHT, TOP, BOTTOM = 76, 200, 48, 56


def short(value):
    """A number as a person would write it beside an axis: 1, 20, 3k, 40M, 0.5."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size * 0.9995:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def _decades(low, high):
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**exponent for exponent in range(first, max(last, first + 1) + 1)]


def line_chart(title, x_label, y_label, series, x_ticks=None):
    """`series` is a list of (name, [(x, y), …]); values that are not positive cannot be shown and are left out."""
    series = [(name, [(x, y) for x, y in points if x > 0 and y > 0]) for name, points in series]
    series = [(name, points) for name, points in series if points]
    if not series:
        return None
    xs = [x for _, points in series for x, _ in points]
    ys = [y for _, points in series for _, y in points]
    y_ticks = _decades(min(ys), max(ys))
    x_ticks = x_ticks or _decades(min(xs), max(xs))
    x_low, x_high = math.log10(min(x_ticks[0], min(xs))), math.log10(max(x_ticks[-1], max(xs)))
    y_low, y_high = math.log10(y_ticks[0]), math.log10(y_ticks[-1])

    def place(x, y):
        across = (math.log10(x) - x_low) / ((x_high - x_low) or 1)
        up = (math.log10(y) - y_low) / ((y_high - y_low) or 1)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="26" font-size="15" font-weight="600" fill="#222">{escape(title)}</text>',
    ]
    out += _grid(place, x_ticks, y_ticks, x_low, y_low)
    out += _axis_labels(x_label, y_label)
    for index, (name, points) in enumerate(series):
        out += _line(name, points, COLOURS[index % len(COLOURS)], place, index >= len(COLOURS))
    out += _legend([name for name, _ in series])
    return "\n".join(out + ["</svg>", ""])


def _grid(place, x_ticks, y_ticks, x_low, y_low):
    out = []
    for x in x_ticks:
        across, _ = place(x, 10**y_low)
        out.append(f'<line x1="{across:.1f}" y1="{TOP}" x2="{across:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#e6e6e6"/>')
        out.append(
            f'<text x="{across:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#555">{short(x)}</text>')
    for y in y_ticks:
        _, down = place(10**x_low, y)
        out.append(f'<line x1="{LEFT}" y1="{down:.1f}" x2="{WIDTH - RIGHT}" y2="{down:.1f}" stroke="#e6e6e6"/>')
        out.append(f'<text x="{LEFT - 8}" y="{down + 4:.1f}" text-anchor="end" fill="#555">{short(y)}</text>')
    return out


def _axis_labels(x_label, y_label):
    middle, centre = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    return [
        f'<text x="{middle}" y="{HEIGHT - 14}" text-anchor="middle" fill="#222">{escape(x_label)}</text>',
        f'<text transform="translate(18 {centre}) rotate(-90)" text-anchor="middle" fill="#222">{escape(y_label)}</text>',
    ]


def _line(name, points, colour, place, is_dashed):
    placed = [place(x, y) for x, y in sorted(points)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    dashes = ' stroke-dasharray="5 3"' if is_dashed else ""
    out = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>']
    for (x, y), (was_x, was_y) in zip(placed, sorted(points)):
        told = escape(f"{name}: {short(was_y)} at {short(was_x)}")
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"><title>{told}</title></circle>')
    return out


def _legend(names):
    out, x = [], WIDTH - RIGHT + 16
    for index, name in enumerate(names):
        y = TOP + 8 + index * 20
        colour = COLOURS[index % len(COLOURS)]
        out.append(f'<line x1="{x}" y1="{y}" x2="{x + 18}" y2="{y}" stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="{x + 24}" y="{y + 4}" fill="#222">{escape(name)}</text>')
    return out
