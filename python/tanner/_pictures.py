"""Pictures of networks and runs: in notebooks without other packages, otherwise with matplotlib."""

from __future__ import annotations

import base64
import html
import struct
import zlib

import numpy as np

# Dots on each side of a picture of a layer.
DOTS = 160


def density(layer, most=DOTS):
    """The share of the possible edges that exist in each part of a layer, [outputs, inputs] of at most `most` parts a side."""
    rows, columns = layer._native.rows()
    outputs, inputs = layer.outputs, layer.inputs
    height, width = min(outputs, most), min(inputs, most)
    output = np.repeat(np.arange(outputs), np.diff(rows.astype(np.int64)))
    place = (output * height // outputs) * width + columns.astype(np.int64) * width // inputs
    counts = np.bincount(place, minlength=height * width).reshape(height, width)
    sizes = np.outer(
        np.bincount(np.arange(outputs) * height // outputs), np.bincount(np.arange(inputs) * width // inputs)
    )
    return counts / sizes


def png(grey):
    """A PNG file of bytes [rows, columns], 0 being black."""
    height, width = grey.shape
    lines = np.column_stack([np.zeros(height, dtype=np.uint8), grey.astype(np.uint8)]).tobytes()

    def chunk(kind, content):
        data = kind + content
        return struct.pack(">I", len(content)) + data + struct.pack(">I", zlib.crc32(data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def connectivity_html(layers):
    """A picture of each layer: a dark dot is a weight, or many; inputs from left to right, outputs from top to bottom."""
    pictures = []
    for number, layer in enumerate(layers, 1):
        share = density(layer)
        grey = np.round(255 * (1 - share / max(share.max(), 1e-12))).clip(0, 255)
        source = base64.b64encode(png(grey)).decode()
        text = html.escape(f"layer {number}: {layer.inputs} to {layer.outputs}, {layer.edges:,} weights")
        pictures.append(
            f'<figure style="display:inline-block;margin:4px"><img style="image-rendering:pixelated;width:120px;height:120px;'
            f'border:1px solid #999" alt="{text}" src="data:image/png;base64,{source}">'
            f'<figcaption style="font-size:smaller">{text}</figcaption></figure>'
        )
    return f"<div>{''.join(pictures)}</div>"


def history_html(history):
    """The curves of the losses as a drawing."""
    series = [(name, [epoch[name] for epoch in history]) for name in ("train_loss", "score_loss") if _has(history, name)]
    series = [(name, values) for name, values in series if np.isfinite(values).all()]
    if not series or len(history) < 2:
        return ""
    low = min(min(values) for _, values in series)
    high = max(max(values) for _, values in series)
    scale = (high - low) or 1.0
    colours = {"train_loss": "#1f77b4", "score_loss": "#d62728"}
    lines, legend = [], []
    for name, values in series:
        points = " ".join(
            f"{10 + 280 * place / (len(values) - 1):.1f},{110 - 100 * (value - low) / scale:.1f}"
            for place, value in enumerate(values)
        )
        lines.append(f'<polyline fill="none" stroke="{colours[name]}" points="{points}"/>')
        legend.append(f'<span style="color:{colours[name]}">{name} {values[-1]:.4f}</span>')
    return (
        f'<div><svg width="300" height="120" style="border:1px solid #999">{"".join(lines)}</svg>'
        f'<div style="font-size:smaller">{len(history)} epochs: {", ".join(legend)}</div></div>'
    )


def _has(history, name):
    return all(name in epoch for epoch in history)


def _pyplot():
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError("plots need matplotlib: pip install matplotlib") from None
    return pyplot


def plot_topology(layers, axes=None):
    """Draws a picture of each layer with matplotlib; returns the figure."""
    if axes is None:
        figure, axes = _pyplot().subplots(1, len(layers), figsize=(2.6 * len(layers), 2.8), squeeze=False)
        axes = axes[0]
    axes = np.atleast_1d(axes)
    if len(axes) < len(layers):
        raise ValueError(f"{len(axes)} axes, but the network has {len(layers)} layers")
    for number, (axis, layer) in enumerate(zip(axes, layers), 1):
        extent = (0, layer.inputs, layer.outputs, 0)
        axis.imshow(density(layer, 4 * DOTS), cmap="Greys", aspect="auto", interpolation="nearest", extent=extent, vmin=0)
        axis.set(title=f"layer {number}: {100 * layer.density:.3g} %", xlabel="input", ylabel="output")
    figure = axes[0].figure
    figure.tight_layout()
    return figure


def plot_history(history, axes=None):
    """Draws loss and score over the epochs with matplotlib; returns the figure."""
    epochs = [epoch["epoch"] for epoch in history]
    metric = "rmse" if history and "train_rmse" in history[0] else "accuracy"
    if axes is None:
        _, axes = _pyplot().subplots(1, 2, figsize=(9, 3.2))
    axes = np.atleast_1d(axes)
    if len(axes) != 2:
        raise ValueError(f"{len(axes)} axes, expected 2: of the loss and of the {metric}")
    train_metric = next((name for name in (history[0] if history else {}) if name.startswith("train_") and name != "train_loss"), "")
    for axis, names, label in ((axes[0], ("train_loss", "score_loss"), "loss"), (axes[1], (train_metric, "score"), metric)):
        for name in names:
            if name and _has(history, name):
                axis.plot(epochs, [epoch[name] for epoch in history], label=name)
        axis.set(xlabel="epoch", ylabel=label)
        axis.legend()
    figure = axes[0].figure
    figure.tight_layout()
    return figure
