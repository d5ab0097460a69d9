"""Times the paper's spatially-coupled network in SparseLab, which trains sparse layers on the CPU through PyTorch.

The edges are those of the network that tanner times. Before timing, losses and weights of three steps are compared with
the same network as masked dense layers in PyTorch. SGD with momentum and the paper's weight decay, float32.
"""

import sys
import warnings

from common import arguments, read_edges, report, spread

ARGUMENTS = arguments(__doc__, "128,1024,4096", edges=True)

import importlib.metadata

import numpy
import sparselab
import torch
from sparselab import layout
from torch import nn

from pytorch_common import (SPARSE_DECAY, device_facts, facts, masked_network, masks_and_weights, noise, sequence, sgd,
                            training_step)

# Both are about tensors that only the comparison below reads.
for message in ("Sparse CSR tensor support", "The given NumPy array is not writable"):
    warnings.filterwarnings("ignore", message=message)
LAYERS = read_edges(ARGUMENTS.edges)
EDGES = sum(len(layer[3]) for layer in LAYERS)
# SparseLab 0.2.2 caches transposes by the address of their matrix, so a matrix at the address of a freed one would get
# the wrong transpose. No matrix is freed.
KEPT = []


def sparse_layer(weights):
    """A `SparseLinear` with the graph of the weights instead of its random one."""
    outputs, inputs = weights.shape
    layer = sparselab.SparseLinear(inputs, outputs, sparsity=0.9)
    KEPT.append(layer._csr)
    # No spare capacity: the graph never changes. As in the layer itself, the values alias the buffer of the kernels.
    layer._csr = layout.from_dense(weights, padding_ratio=0.0)
    layer._values = nn.Parameter(torch.from_numpy(numpy.asarray(layer._csr.values)))
    nn.init.zeros_(layer.bias)
    KEPT.append(layer._csr)
    return layer


def network():
    """Sparse hidden layers, then the logits, which are fully connected, as a dense layer."""
    *hidden, (_, last) = masks_and_weights(LAYERS)
    logits = nn.Linear(last.shape[1], last.shape[0])
    with torch.no_grad():
        logits.weight.copy_(last)
        logits.bias.zero_()
    return sequence([sparse_layer(weights) for _, weights in hidden] + [logits])


def check():
    """Three steps against masked dense layers that start with the same weights."""
    ours, masked, batch = network(), masked_network(LAYERS), noise(37)
    steps = [training_step(model, sgd(model, SPARSE_DECAY), *batch) for model in (ours, masked)]
    losses = [[step().item() for _ in range(3)] for step in steps]
    first = layout.to_dense(ours[0]._csr)
    error = (first - masked[0].weight * masked[0].mask).abs().max().item()
    if not (max(abs(a - b) for a, b in zip(*losses)) < 1e-4 and error < 1e-5):
        sys.exit(f"SparseLab's losses {losses[0]} are not those of masked layers, {losses[1]}; weights differ by {error}")


def main():
    where = device_facts("cpu", ARGUMENTS.threads)
    check()
    for batch in ARGUMENTS.batch:
        model = network()
        step = training_step(model, sgd(model, SPARSE_DECAY), *noise(batch))
        # Values with their input, and start, length and capacity of each row.
        sizes = [8 * len(layer[3]) + 12 * layer[0] for layer in LAYERS[:-1]] + [4 * len(LAYERS[-1][3])]
        about = facts("sc", EDGES, batch=batch, weight_bytes=sum(sizes))
        about.update(program="sparselab", version=importlib.metadata.version("sparselab"))
        report(spread(step, ARGUMENTS.seconds), **about, **where)


main()
