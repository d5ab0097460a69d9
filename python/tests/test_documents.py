"""The code in Python of the documents runs, block after block of a page."""

import contextlib
import io
import pathlib
import re

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs/guide/src/python.md", ROOT / "python/README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks(page, tmp_path, monkeypatch):
    pandas = pytest.importorskip("pandas")
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True)
    flowers = pandas.DataFrame(X, columns=["sepal_length", "sepal_width", "petal_length", "petal_width"])
    flowers.head(9).to_csv(tmp_path / "new.csv", index=False)
    flowers.assign(species=np.array(["setosa", "versicolor", "virginica"])[y]).to_csv(tmp_path / "flowers.csv", index=False)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.S)
    assert len(blocks) >= 2
    names = {"__name__": "page"}
    with contextlib.redirect_stdout(io.StringIO()):
        for block in blocks:
            exec(compile(block, str(page), "exec"), names)


def test_docstrings():
    import doctest

    import tanner._estimators
    import tanner._models

    for module in (tanner._models, tanner._estimators):
        result = doctest.testmod(module)
        assert result.attempted > 0 and result.failed == 0
