"""Times the paper's spatially-coupled network in PyTorch the usual way: dense layers whose weights are masked.

The edges are those of the network that tanner times. Before timing: after three steps no weight outside the mask may
have moved. SGD with momentum and the paper's weight decay, float32, on the CPU and, where there is one, a CUDA device.
"""

import sys

from common import arguments, read_edges, report, spread

ARGUMENTS = arguments(__doc__, "128,1024,4096", edges=True)

import torch

from pytorch_common import SPARSE_DECAY, device_facts, facts, masked_network, noise, sgd, training_step

LAYERS = read_edges(ARGUMENTS.edges)
EDGES = sum(len(layer[3]) for layer in LAYERS)


def check():
    """Whether the network has the edges of the file, and keeps them."""
    model = masked_network(LAYERS)
    step = training_step(model, sgd(model, SPARSE_DECAY), *noise(32))
    losses = [step().item() for _ in range(3)]
    alive = sum(int((layer.weight != 0).sum()) for layer in model if hasattr(layer, "mask"))
    if alive != EDGES or not all(loss == loss for loss in losses):
        sys.exit(f"the masked network has {alive} weights in place of {EDGES}, or no loss: {losses}")


def main():
    check()
    for device in ["cpu"] + ["cuda"] * torch.cuda.is_available():
        where = device_facts(device, ARGUMENTS.threads)
        for batch in ARGUMENTS.batch:
            model = masked_network(LAYERS).to(device)
            step = training_step(model, sgd(model, SPARSE_DECAY), *noise(batch, device))
            dense = sum(layer.weight.numel() for layer in model if hasattr(layer, "mask"))
            wait, most = (torch.cuda.synchronize, 64) if device == "cuda" else (lambda: None, 8)
            # Weight and mask.
            about = facts("sc", EDGES, variant="masked dense", batch=batch, weight_bytes=8 * dense)
            report(spread(step, ARGUMENTS.seconds, wait, most), **about, **where)


main()
