"""Times the forward pass of the paper's fully connected network in ONNX Runtime on the CPU.

Batches as they come, a single sample on one thread. Before timing, the logits are compared with numpy's in float64.
"""

import sys

from common import CLASSES, LAYERS, WIDTH, arguments, report, spread

ARGUMENTS = arguments(__doc__, "1,1024")

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

WIDTHS = [WIDTH] * (LAYERS + 1) + [CLASSES]
EDGES = sum(inputs * outputs for inputs, outputs in zip(WIDTHS, WIDTHS[1:]))


def weights():
    chance = numpy.random.default_rng(0)
    pairs = zip(WIDTHS, WIDTHS[1:])
    return [(chance.normal(0, 4 * (2 / (i + o)) ** 0.5, (o, i)).astype(numpy.float32),
             chance.normal(0, 0.1, o).astype(numpy.float32)) for i, o in pairs]


def model(layers):
    """Gemm and Sigmoid in turn; the last Gemm computes the logits."""
    nodes, values, name = [], [], "x"
    for index, (w, b) in enumerate(layers):
        values += [numpy_helper.from_array(w, f"w{index}"), numpy_helper.from_array(b, f"b{index}")]
        last = index == len(layers) - 1
        nodes.append(helper.make_node("Gemm", [name, f"w{index}", f"b{index}"], ["y" if last else f"z{index}"], transB=1))
        if not last:
            name = f"a{index}"
            nodes.append(helper.make_node("Sigmoid", [f"z{index}"], [name]))
    shape = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
    graph = helper.make_graph(nodes, "fc", [shape("x", WIDTH)], [shape("y", CLASSES)], values)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made.SerializeToString()


def session(content, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def check(content, layers):
    x = numpy.random.default_rng(1).random((37, WIDTH), numpy.float32)
    expected = x.astype(float)
    for index, (w, b) in enumerate(layers):
        expected = expected @ w.T.astype(float) + b
        if index < len(layers) - 1:
            expected = 1 / (1 + numpy.exp(-expected))
    error = numpy.abs(session(content, 1).run(None, {"x": x})[0] - expected).max()
    if not error < 1e-4:
        sys.exit(f"ONNX Runtime's logits are {error} away from numpy's")


def main():
    layers = weights()
    content = model(layers)
    check(content, layers)
    for batch in ARGUMENTS.batch:
        threads = 1 if batch == 1 else ARGUMENTS.threads
        run = session(content, threads)
        x = {"x": numpy.random.default_rng(2).random((batch, WIDTH), numpy.float32)}
        plural = "" if threads == 1 else "s"
        report(spread(lambda: run.run(None, x), ARGUMENTS.seconds), program="onnxruntime",
               version=onnxruntime.__version__, arch="fc", mode="inference", batch=batch, edges=EDGES,
               weight_bytes=4 * EDGES, device=f"{threads} thread{plural}")


main()
