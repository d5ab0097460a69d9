"""Checks that the program trains exactly the edges of graphs that scipy wrote.

graphs.py PROGRAMS, a folder with `tanner`.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import scipy.sparse as sp

DATA = pathlib.Path(__file__).resolve().parents[2] / "data" / "fashion-mnist"
WIDTHS = [784, 60, 40, 10]
SHORT = f"--data {DATA} --train-limit 200 --epochs 1 --backend cpu --threads 2"


def tanner(program, folder, line):
    """Runs one command line in `folder`; returns its exit code and stderr."""
    ended = subprocess.run([program, *line.split()], cwd=folder, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stderr


def must(program, folder, line):
    """Runs a command line that has to succeed."""
    code, said = tanner(program, folder, line)
    if code != 0:
        sys.exit(f"tanner {line}\n{said}")


def edges(matrix):
    """Output and input of each stored entry, in order."""
    matrix = sp.coo_array(matrix)
    return sorted(zip(matrix.row.tolist(), matrix.col.tolist(), strict=True))


def unsorted(matrix):
    """The same matrix with the indices of each row backwards."""
    matrix = matrix.copy()
    for row in range(matrix.shape[0]):
        entries = slice(matrix.indptr[row], matrix.indptr[row + 1])
        matrix.indices[entries] = matrix.indices[entries][::-1]
        matrix.data[entries] = matrix.data[entries][::-1]
    return matrix


def with_index(matrix, kind):
    """The same matrix with indices of another type."""
    return sp.csr_array((matrix.data, matrix.indices.astype(kind), matrix.indptr.astype(kind)), matrix.shape)


def zeros(matrix):
    """The same matrix whose stored values are 0."""
    return sp.csr_array((np.zeros(matrix.nnz), matrix.indices, matrix.indptr), matrix.shape)


FORMS = {
    "csr-bool": lambda mask: sp.csr_array(mask),
    "csr-matrix-float32": lambda mask: sp.csr_matrix(mask.astype(np.float32)),
    "csr-int64": lambda mask: with_index(sp.csr_array(mask), np.int64),
    "csr-unsorted": lambda mask: unsorted(sp.csr_array(mask)),
    "csr-zeros": lambda mask: zeros(sp.csr_array(mask)),
    "csc": lambda mask: sp.csc_array(mask.astype(np.int8)),
    "coo": lambda mask: sp.coo_array(mask),
}
REFUSED = {
    "bsr": lambda mask: sp.bsr_array(mask.astype(np.float32)),
    "dia": lambda mask: sp.dia_array(np.eye(*mask.shape, dtype=np.float32)),
    "transposed": lambda mask: sp.csr_array(mask.T),
}


def main():
    """Trains over each form and compares; refuses the others."""
    program = pathlib.Path(sys.argv[1]).resolve() / "tanner"
    rng = np.random.default_rng(0)
    sides = list(zip(WIDTHS[1:], WIDTHS, strict=False))
    masks = [rng.random(side) < 0.2 for side in sides]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for form, make in FORMS.items():
            files = [f"{form}-{number}.npz" for number in range(len(masks))]
            for file, mask in zip(files, masks, strict=True):
                sp.save_npz(folder / file, make(mask), compressed=form != "coo")
            must(program, folder, f"{SHORT} --edges {','.join(files)} --out {form}")
            must(program, folder, f"export --model {form} --csr {form}-csr")
            for number, mask in enumerate(masks, 1):
                trained = sp.load_npz(folder / f"{form}-csr" / f"layer{number}.npz")
                assert edges(trained) == edges(mask) and trained.shape == mask.shape, f"{form}, layer {number}"
        arrays = {
            f"layer{number}.{key}": getattr(sp.csr_array(mask), key)
            for number, mask in enumerate(masks, 1)
            for key in ("indptr", "indices", "shape")
        }
        np.savez(folder / "all.npz", **arrays)
        must(program, folder, f"{SHORT} --edges all.npz --out all")
        models = [(folder / run / "model.safetensors").read_bytes() for run in (*FORMS, "all")]
        assert all(model == models[0] for model in models), "the same graph gives other models"
        for form, make in REFUSED.items():
            sp.save_npz(folder / "refused.npz", make(masks[0]))
            line = f"{SHORT} --edges refused.npz,csc-1.npz,csc-2.npz --out refused"
            code, said = tanner(program, folder, line)
            assert code == 1 and said.startswith("error: --edges: ") and said.count("\n") == 1, (form, said)
        # The run folder keeps the same edges.
        kept = np.load(folder / "csc" / "edges.npz")
        arrays = [kept[f"layer1.{key}"] for key in ("indices", "indptr")]
        assert edges(sp.csr_array((np.ones(len(arrays[0])), *arrays), sides[0])) == edges(masks[0])
    print(f"{len(FORMS) + 1} forms of a graph: all edges as scipy wrote them; {len(REFUSED)} refused")


if __name__ == "__main__":
    main()
