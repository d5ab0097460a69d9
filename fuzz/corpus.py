"""Writes a corpus of small valid files for every fuzz target.

    python3 fuzz/corpus.py fuzz/corpus target/release/tanner

Needs numpy and pyarrow, and a built tanner for models and checkpoints. The first
byte of a table's file chooses how it is read (fuzz_targets/table.rs).
"""

import gzip
import io
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

# Bit 0: the label is the last column; bit 1: no label; bits 6 and 7: missing values refused, mean, median, zero.
OPTIONS = [0, 1, 2, 64, 129, 192, 66]

CSV = {
    "numbers": "a,b,label\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n",
    "no-header": "1;2;0\n3;4;1\n1;1;0\n2;2;1\n",
    "texts": "name\tsize\tclass\nred\t1.5\tA\nblue\t2e3\tB\nred\t-1\tA\nblue\t0\tB\n",
    "quotes": '"a ""x""","b\nc",y\r\n"1","2",p\r\n"3","4",q\r\n1,1,p\r\n2,2,q\r\n',
    "missing": "a,b,y\n1,,p\nNA,2,q\n?,nan,p\n4,5,q\n",
    "mark": "\ufeffa,b\n1,0\n2,1\n3,0\n4,1\n",
    "text-late": "a,b,y\n" + "1,2,p\n3,4,q\n" * 510 + "x,2,q\n",
    "large": "a,y\n1e38,0\n-2.5,1\n1e39,0\n",
}
SETTINGS = {
    "flags": 'pca = true\narch = "sc"\nhidden = [784, 400]\ndegrees = [[98, 130], [60, 40]]\nlr = 0.05\n',
    "syntax": "# x\nbatch_size = 64\n\"quoted key\" = 'lit'\nx = \"\"\"multi\nline\"\"\"\nf = [1e3, inf, nan, 0x1F]\n",
    "tables": "[t]\na.b = 1\nd = 2020-01-01T00:00:00Z\n",
    "nested": "a = {b = 1}\nb = [[[1]]]\n",
}
RUNS = {
    "fc": ["--arch", "fc", "--hidden", "4", "--pca"],
    "sc": ["--arch", "sc", "--hidden", "8,8", "--blocks", "2", "--degrees", "4,4"],
    "rsp": ["--arch", "rsp", "--hidden", "4", "--degree", "2", "--importance", "variance"],
    "band": ["--arch", "band", "--hidden", "8", "--blocks", "2", "--degrees", "3,2"],
    "rf": ["--hidden", "none", "--rf", "--trees", "5"],
    "sgd": ["--arch", "fc", "--hidden", "4", "--importance", "none", "--standardize", "on", "--optimizer", "sgd"],
    "reference": ["--arch", "fc", "--hidden", "4", "--optimizer", "adam", "--backend", "reference"],
}


def saved(save, *arrays, **named):
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


def edges():
    """Graphs in the forms of scipy, whose arrays these are."""
    rows = {"indptr": [0, 2, 2, 5], "indices": [3, 0, 1, 2, 4]}
    above = {"indptr": [0, 1, 3], "indices": [2, 0, 1], "shape": [2, 3]}
    columns = {"indptr": [0, 1, 2, 3, 4, 5], "indices": [0, 2, 2, 0, 2], "shape": [3, 5], "format": b"csc"}
    pairs = {"row": [0, 0, 2], "col": [3, 0, 1], "shape": [3, 5], "format": b"coo", "data": [0.0, 1.0, 1.0]}
    both = {f"layer{n}.{k}": v for n, one in ((1, rows | {"shape": [3, 5]}), (2, above)) for k, v in one.items()}
    for name, arrays in {"csr": rows | {"shape": [3, 5]}, "csc": columns, "coo": pairs, "both": both}.items():
        yield name, b"\0" + saved(np.savez_compressed, **arrays)


def idx():
    images = struct.pack(">IIII", 0x803, 3, 4, 5) + bytes(range(60))
    labels = struct.pack(">II", 0x801, 3) + b"\0\1\2"
    for name, content in {"images": images, "labels": labels}.items():
        yield name, content
        yield f"{name}.gz", gzip.compress(content, mtime=0)
        yield f"{name}-2.gz", gzip.compress(content[:9], mtime=0) + gzip.compress(content[9:], mtime=0)


def npy():
    for kind in ["|b1", "|i1", "|u1", "<i2", ">i4", "<u8", "<f4", ">f8", "<f8"]:
        yield kind.strip("|").replace("<", "le-").replace(">", "be-"), saved(np.save, (np.arange(18) % 4 % 2).reshape(6, 3).astype(kind))
    yield "pictures", saved(np.save, np.arange(60, dtype="u1").reshape(3, 4, 5))
    yield "missing", saved(np.save, np.array([[1, np.nan, 0], [2, 3, 1], [1, 2, 0], [4, 3, 1]], "f4"))
    yield "fortran", saved(np.save, np.asfortranarray(np.ones((3, 2))))


def npz():
    x, y = np.linspace(-1, 1, 24, dtype="f4").reshape(8, 3), np.arange(8) % 3
    texts = np.array(["a", "bb", "c"])[y]
    yield "pair", saved(np.savez, x=x, y=y)
    yield "texts", saved(np.savez_compressed, X=x, y=texts)
    yield "alone", saved(np.savez, data=np.c_[x, y])
    yield "test-set", saved(np.savez_compressed, x_train=x, y_train=y, x_test=x[:2], y_test=y[:2])
    yield "pictures", saved(np.savez, x=np.arange(32, dtype="u1").reshape(8, 2, 2), labels=texts.astype("S2"))


def parquet():
    labels = ["p", "q"] * 2
    tables = {
        "numbers": pa.table({"a": [1.0, 2, 3, 4], "b": pa.array([1, 2, None, 4], pa.int32()), "y": labels}),
        "kinds": pa.table({
            "text": ["x", "yy", None, "x"],
            "unsigned": pa.array([1, 2, 3, 200], pa.uint8()),
            "long": pa.array([1, -2, 3, 4], pa.int64()),
            "single": pa.array([1.5, 2, 3, 4], pa.float32()),
            "flag": [True, False, True, True],
            "date": pa.array([0, 1, 2, 3], pa.date32()),
            "class": [0, 1, 0, 1],
        }),
        "lists": pa.table({"a": [[1], [2, 3]], "y": [0, 1]}),
        "repeated": pa.table({"a": [1.0] * 3000, "y": ["p", "q", "q"] * 1000}),
    }
    for name, table in tables.items():
        for compression in ["none", "snappy", "gzip", "zstd", "lz4"]:
            for version, dictionary in [("1.0", True), ("2.0", False)]:
                yield f"{name}-{compression}-{version[0]}", saved(
                    lambda file: pq.write_table(
                        table,
                        file,
                        compression=compression,
                        data_page_version=version,
                        use_dictionary=dictionary,
                        store_schema=False,
                        row_group_size=2000,
                    )
                )
    encodings = {"a": "BYTE_STREAM_SPLIT", "b": "DELTA_BINARY_PACKED", "y": "DELTA_BYTE_ARRAY"}
    yield "encodings", saved(
        lambda file: pq.write_table(
            tables["numbers"], file, compression="none", column_encoding=encodings, use_dictionary=False, store_schema=False
        )
    )


def runs(out, tanner):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        table = folder / "table.csv"
        rows = "".join(f"{['red', 'blue', 'green'][i % 3]},{i * 7 % 11},{i * 5 % 13},{i % 2}\n" for i in range(40))
        table.write_text("colour,size,age,class\n" + rows)
        for name, flags in RUNS.items():
            run = folder / name
            backend = [] if "--backend" in flags else ["--backend", "cpu"]
            always = ["--data", table, "--epochs", "2", "--checkpoint-every", "1", "--quiet", "--out", run]
            subprocess.run([tanner, *always, *backend, *flags], check=True)
            for target in ["model", "checkpoint"]:
                write(out / target / name, (run / f"{target}.safetensors").read_bytes())
        pruned = ["--method", "magnitude", "--sparsity", "0.3", "--backend", "cpu", "--quiet", "--out", folder / "pruned"]
        subprocess.run([tanner, "prune", "--model", folder / "sc/model.safetensors", "--data", table, *pruned], check=True)
        write(out / "model/pruned", (folder / "pruned/model.safetensors").read_bytes())


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def main():
    out, tanner = pathlib.Path(sys.argv[1]), sys.argv[2]
    for name, content in idx():
        write(out / "idx" / name, content)
    for name, text in SETTINGS.items():
        write(out / "settings" / name, text.encode())
    tables = {"csv": [(name, text.encode()) for name, text in CSV.items()], "npy": npy(), "npz": npz(), "parquet": parquet()}
    for target, files in tables.items():
        for place, (name, content) in enumerate(files):
            for option in {0, 64, OPTIONS[place % len(OPTIONS)]}:
                write(out / target / f"{name}-{option}", bytes([option]) + content)
    for name, content in edges():
        write(out / "edges" / name, content)
    runs(out, tanner)


if __name__ == "__main__":
    main()
