"""The progress of a run in terminals and notebooks."""

from __future__ import annotations

import sys


class Progress:
    """A bar of tqdm over the epochs if that is installed, otherwise a line for each epoch."""

    def __init__(self, verbose):
        self.verbose = verbose
        self.bar = None

    def note(self, text):
        """A line on what the run is doing."""
        if self.verbose > 1:
            self._print(text)

    def epoch(self, metrics, planned):
        """An epoch has ended."""
        if not self.verbose:
            return
        shown = {name: metrics[name] for name in ("train_loss", "score_loss", "score") if name in metrics}
        if self.bar is None:
            self.bar = _bar(planned)
        if self.bar is False:
            values = ", ".join(f"{name} {value:.4f}" for name, value in shown.items())
            self._print(f"epoch {metrics['epoch']} of {planned}: {values}, {metrics['seconds']:.2f} s")
            return
        self.bar.set_postfix({name: f"{value:.4f}" for name, value in shown.items()}, refresh=False)
        self.bar.update(1)

    def close(self):
        if self.bar is not None and self.bar is not False:
            self.bar.close()

    def _print(self, text):
        if self.bar is not None and self.bar is not False:
            self.bar.write(text)
        else:
            print(text, file=sys.stderr)


def _bar(planned):
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return False
    return tqdm(total=planned, unit="epoch")
