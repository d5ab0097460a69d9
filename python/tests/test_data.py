"""Arrays, frames and sparse matrices."""

import tracemalloc
import warnings

import numpy as np
import pytest
from conftest import same_bits
from scipy import sparse

import tanner
from tanner import TannerClassifier, TannerRegressor, TannerWarning


def test_types_of_numbers_train_the_same(flowers):
    X, y = flowers
    X = X.astype(np.float32)
    model = TannerClassifier(epochs=2).fit(X, y).model_
    order = np.asfortranarray(X)
    for other in (X.astype(np.float64), order, X[:, ::-1][:, ::-1], X.tolist(), sparse.csr_matrix(X), sparse.csc_array(X)):
        same_bits(TannerClassifier(epochs=2).fit(other, y).model_, model)
    whole = np.round(10 * X).astype(np.int64)
    same_bits(TannerClassifier(epochs=2).fit(whole, y).model_, TannerClassifier(epochs=2).fit(whole.astype(np.float32), y).model_)


def test_float64_keeps_differences_that_float32_loses():
    rng = np.random.default_rng(0)
    times = 1.7e12 + rng.integers(0, 2, 200) * 8.0
    X = np.column_stack([times, rng.normal(size=200)])
    y = (times > 1.7e12).astype(int)
    assert len(np.unique(times.astype(np.float32))) == 1
    assert TannerClassifier(epochs=20).fit(X, y).score(X, y) == 1.0


def test_sparse_matrices_are_predicted_in_blocks(flowers):
    X, y = flowers
    fitted = TannerClassifier(epochs=2).fit(sparse.csr_matrix(X.astype(np.float32)), y)
    many = np.tile(X.astype(np.float32), (60, 1))  # more than a block
    np.testing.assert_allclose(fitted.predict_proba(sparse.csr_matrix(many)), fitted.predict_proba(many), atol=1e-7)


def test_float32_is_not_copied_by_python():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 100)).astype(np.float32)
    y = (X[:, 0] > 0).astype(np.int64)
    network = TannerClassifier(epochs=1, hidden=[4], preset="none", importance="none", arch="fc")

    def copied(array):
        tracemalloc.start()
        network.fit(array, y).predict(array)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak / X.nbytes

    network.fit(X, y)
    # Labels, and the finite check of scikit-learn.
    assert copied(X) < 0.25
    assert copied(np.asfortranarray(X)) > 0.9


def test_missing_values_are_refused_or_filled(flowers):
    X, y = flowers
    X = X.copy()
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN: give impute='median'"):
        TannerClassifier().fit(X, y)
    with pytest.raises(ValueError, match=r"row 3, column 1: the value is missing.* leave the column out \(numpy.delete\(X, \[1\], axis=1\)\)"):
        tanner.train({}, (X, y))
    fitted = TannerClassifier(impute="median", epochs=5).fit(X, y)
    filled = X.copy()
    filled[3, 1] = np.float32(np.nanmedian(np.delete(X[:, 1], 3).astype(np.float32)))
    np.testing.assert_array_equal(fitted.predict_proba(X)[3], fitted.predict_proba(filled)[3])
    with pytest.raises(ValueError, match="impute"):
        TannerClassifier(impute="guess").fit(X, y)


def test_infinities_are_refused(flowers):
    X, y = flowers
    for value in (np.inf, -np.inf, 1e300):
        broken = X.copy()
        broken[7, 2] = value
        with pytest.raises(ValueError, match="row 7, column 2|infinity"):
            tanner.train({}, (broken, y))
        with pytest.raises(ValueError):
            TannerClassifier().fit(broken, y)


def test_unknown_categories_are_warned_of(flowers):
    pandas = pytest.importorskip("pandas")
    X, y = flowers
    frame = pandas.DataFrame({"petal": X[:, 2], "kind": np.array(["a", "b"])[(X[:, 0] > 5.8).astype(int)]})
    fitted = TannerClassifier(epochs=5).fit(frame, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.predict(frame)
    with pytest.warns(TannerWarning, match="do not occur in the training rows.*\"z\""):
        fitted.predict(frame.assign(kind=["z"] + list(frame.kind[1:])))
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(frame[["kind", "petal"]])
    with pytest.raises(ValueError, match="held texts in training"):
        fitted.model_.predict(frame[["petal", "kind"]].assign(kind=1.0).to_numpy())
    with pytest.raises(ValueError, match="'kind' is missing"):
        fitted.model_.predict(frame[["petal"]])
    with pytest.raises(ValueError, match="is not a number"):
        fitted.model_.predict(frame.assign(petal="long"))
    many = frame.assign(kind=[f"text {row}" for row in range(len(frame))])
    with pytest.raises(ValueError, match=r"leave it out \(X.drop\(columns=\['kind'\]\)\).* max_categories"):
        TannerClassifier().fit(many, y)
    many.loc[3, "petal"] = None
    with pytest.raises(ValueError, match=r"what helps: X.drop\(columns=\['kind'\]\), impute='median'$"):
        TannerClassifier().fit(many, y)
    TannerClassifier(max_categories=200, impute="median", epochs=1).fit(many, y)


def test_texts_of_any_kind_survive(flowers):
    pandas = pytest.importorskip("pandas")
    _, y = flowers
    texts = np.array(['a "quoted" text', "two, parts", "two\nlines", "ünï", "'", "#x", " blank "], dtype=object)
    frame = pandas.DataFrame({"text, of a kind": texts[np.arange(150) % 7], "number": y})
    fitted = TannerClassifier(epochs=1).fit(frame, y)
    column = fitted.model_.info["data"]["encoding"]["columns"][0]
    assert column["name"] == "text, of a kind"
    assert set(column["categories"]) == {text.strip().replace("\n", " ") for text in texts}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.predict(frame)


def test_shapes_are_checked(flowers):
    X, y = flowers
    for call, reason in [
        (lambda: tanner.train({}, (X[:, 0], y)), "1 dimensions"),
        (lambda: tanner.train({}, (X, y[:9])), "150 samples do not fit"),
        (lambda: tanner.train({}, (X, np.zeros(150))), "at least 2"),
        (lambda: tanner.train({"epochs": 1}, (X, y)).model.predict(X[:, :2]), "2 columns, but the model takes 4"),
        (lambda: tanner.train({}, (X, y), sample_weight=-np.ones(150)), "sample_weight"),
        (lambda: tanner.train({}, (X, y), eval_set=(X, y + 7)), "not a class"),
        (lambda: TannerRegressor().fit(X, np.full(150, 1e300)), "too large for float32"),
    ]:
        with pytest.raises(ValueError, match=reason):
            call()
    with pytest.raises(ValueError, match=r"give X.reshape\(len\(X\), -1\) with picture=\(8, 8\)"):
        TannerClassifier().fit(np.zeros((20, 8, 8)), [0, 1] * 10)
    with pytest.raises(TypeError, match="expected numbers"):
        tanner.train({}, (np.array([["a"], ["b"]]), [0, 1]))


def test_pictures_may_have_three_dimensions(flowers):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (60, 8, 8)).astype(np.uint8)
    y = np.arange(60) % 2
    run = tanner.train({"picture": "8x8", "epochs": 1}, (X, y))
    assert run.model.image_shape == (8, 8) and run.model.predict(X).shape == (60,)


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_declared_categories_are_no_numbers(package, flowers):
    frames = pytest.importorskip(package)
    X, y = flowers
    codes = [None if row == 7 else str(101 + 7 * (value > 5.8) + 1 * (value < 5)) for row, value in enumerate(X[:, 0])]
    if package == "pandas":
        declared = frames.DataFrame({"code": frames.Categorical(codes), "petal": X[:, 2]})
        texts = frames.DataFrame({"code": codes, "petal": X[:, 2]})
    else:
        declared = frames.DataFrame({"code": frames.Series(codes, dtype=frames.Categorical), "petal": X[:, 2]})
        texts = frames.DataFrame({"code": codes, "petal": X[:, 2]})
    fitted = TannerClassifier(epochs=3, impute="median").fit(declared, y)
    as_numbers = TannerClassifier(epochs=3, impute="median").fit(texts, y)
    categories = [
        [column.get("categories") for column in one.model_.info["data"]["encoding"]["columns"]] for one in (fitted, as_numbers)
    ]
    assert categories == [[["101", "102", "108"], None], [None, None]]
    # The same categories in another order, or as texts.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(fitted.predict_proba(declared)[::-1], fitted.predict_proba(declared[::-1]))
        np.testing.assert_array_equal(fitted.predict_proba(declared), fitted.predict_proba(texts))
    with pytest.raises(ValueError, match="'?\"?code\"?'?.*the value is missing"):
        TannerClassifier(epochs=3).fit(declared, y)


def test_one_small_row_is_nothing_unusual():
    rng = np.random.default_rng(0)
    X = np.abs(rng.normal(size=(200, 3))) * [1000, 10, 1]
    y = (X[:, 0] > 700).astype(int)
    fitted = TannerClassifier(epochs=3).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.predict(X[:1] / 1000)
    with pytest.warns(TannerWarning, match="is their unit another"):
        fitted.predict(X[:50] / 1000)


def test_numbers_to_predict_keep_their_names(flowers):
    pandas = pytest.importorskip("pandas")
    X, _ = flowers
    frame = pandas.DataFrame(X, columns=["a", "b", "width", "length"])
    fitted = TannerRegressor(epochs=2, warm_start=True).fit(frame[["a", "b"]], frame[["width", "length"]])
    assert fitted.model_.class_names == ["width", "length"]
    fitted.fit(frame[["a", "b"]], frame[["width", "length"]].to_numpy(), eval_set=(frame[["a", "b"]], frame[["width", "length"]]))
    assert fitted.model_.class_names == ["width", "length"]
    assert TannerRegressor(epochs=2).fit(frame[["a"]], frame["width"]).model_.class_names == ["width"]
    assert TannerRegressor(epochs=2).fit(X[:, :2], X[:, 2:]).model_.class_names == ["label0", "label1"]
    run = tanner.train({"epochs": 2}, (frame[["a", "b"]], frame["width"]))
    again = tanner.train({"epochs": 1}, (frame[["a", "b"]], X[:, 2]), start=run.model)
    assert again.model.class_names == ["width"] and again.model.epochs == 3
    both = pandas.DataFrame({"tall": (X[:, 0] > 6).astype(int), "wide": (X[:, 1] > 3).astype(int)})
    assert TannerClassifier(epochs=2).fit(X, both).model_.class_names == ["tall", "wide"]


def test_missing_texts_and_texts_like_their_column_are_read(flowers):
    """What would be an empty line or a second header in a file."""
    pandas = pytest.importorskip("pandas")
    y = np.arange(120) % 3
    for cells in ([None, "A"] * 60, ["A", None] * 60, [""] + ["A", "B"] * 59 + ["A"], ["cabin", "other"] * 60):
        frame = pandas.DataFrame({"cabin": cells, "x": np.arange(120.0)})
        fitted = TannerClassifier(impute="mean", epochs=1).fit(frame, y, eval_set=(frame[:1], y[:1]))
        assert fitted.predict(frame[:1]).shape == (1,)
        np.testing.assert_array_equal(fitted.predict_proba(frame[:9]), fitted.predict_proba(frame)[:9])
    named = pandas.DataFrame({"": ["a", "b"] * 60, " ": ["c", "d", "e"] * 40})
    assert TannerClassifier(epochs=1).fit(named, y).predict(named).shape == (120,)
    with pytest.raises(ValueError, match="row 1, column \"cabin\": the value is missing.*impute='mean', 'median' or 'zero'"):
        TannerClassifier().fit(pandas.DataFrame({"cabin": ["A", None] * 60}), y)


def test_declared_categories_may_be_called_like_missing_values(flowers):
    pandas = pytest.importorskip("pandas")
    countries = pandas.Categorical(["NA", "DE", "nan"] * 40)
    frame = pandas.DataFrame({"country": countries, "x": 1.0})
    y = np.arange(120) % 3
    fitted = TannerClassifier(epochs=30).fit(frame, y)
    assert fitted.model_.info["data"]["encoding"]["columns"][0]["categories"] == ["DE", "NA", "nan"]
    assert fitted.score(frame, y) == 1.0
    with pytest.raises(ValueError, match="a text of 2000 bytes, at most 1024"):
        TannerClassifier().fit(pandas.DataFrame({"c": pandas.Categorical(["a" * 2000, "b"] * 60)}), y)


def test_numbers_and_booleans_stand_for_categories(flowers):
    pandas = pytest.importorskip("pandas")
    X, y = flowers
    large, size = X[:, 2] > 2, (X[:, 2] > 2).astype(int) + (X[:, 2] > 5)
    fitted = TannerClassifier(epochs=20).fit(pandas.DataFrame({"large": large, "size": pandas.Categorical(size)}), y)
    expected = fitted.predict_proba(pandas.DataFrame({"large": large, "size": pandas.Categorical(size)}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for frame in ({"large": large.astype(int), "size": size}, {"large": large.astype(float), "size": size.astype(float)}):
            np.testing.assert_array_equal(fitted.predict_proba(pandas.DataFrame(frame)), expected)
            np.testing.assert_array_equal(fitted.model_.predict_proba(pandas.DataFrame(frame)), expected)


def test_labels_of_another_shape_or_with_other_names_are_refused(flowers):
    pandas = pytest.importorskip("pandas")
    X, y = flowers
    onehot = np.eye(3, dtype=int)[y]
    two = pandas.DataFrame({"a": 9 * X[:, 0], "b": X[:, 1]})
    model = TannerClassifier(epochs=1).fit(X, y).model_
    several = TannerClassifier(epochs=1, warm_start=True).fit(X, onehot)
    numbers = TannerRegressor(epochs=1, warm_start=True).fit(X, two)
    for call, reason in [
        (lambda: TannerClassifier(epochs=1).fit(X, y, eval_set=(X, onehot)), r"eval_set: y has the shape \(150, 3\), in training"),
        (lambda: TannerClassifier(epochs=1).fit(X, onehot, eval_set=(X, y)), r"eval_set: y has the shape \(150,\), in training"),
        (lambda: tanner.train({"epochs": 1}, (X, y), eval_set=(X, onehot)), "expected the label of each sample"),
        (lambda: several.fit(X, y), "warm_start continues is one of multilabel"),
        (lambda: model.prune(X, onehot), "labels have 2 dimensions"),
        (lambda: model.permutation_importance(X, onehot), "labels have 2 dimensions"),
        (lambda: TannerRegressor(epochs=1).fit(X, two, eval_set=(X, two[["b", "a"]])), r"eval_set: the columns of y are \['b', 'a'\]"),
        (lambda: numbers.fit(X, two[["b", "a"]]), "y: the columns of y are"),
        (lambda: numbers.model_.permutation_importance(X, two[["b", "a"]]), "labels: the columns of y are"),
        (lambda: tanner.train({"epochs": 1}, (X, two), eval_set=(X, two[["b", "a"]])), "eval_set: the columns of y are"),
        (lambda: TannerClassifier().fit(X, y, eval_set=()), "eval_set: expected a pair"),
    ]:
        with pytest.raises(ValueError, match=reason):
            call()


def test_numbers_that_float32_does_not_tell_apart_are_told(flowers):
    X, _ = flowers
    for scale in (10, 1):
        with pytest.raises(ValueError, match=r"float32 has steps of 128: subtract 17000000\d\d from them"):
            TannerRegressor(epochs=1).fit(X, 1.7e9 + scale * X[:, 0])
    TannerRegressor(epochs=1).fit(X, 1.7e9 + 128 * np.round(X[:, 0]))
    with pytest.raises(ValueError, match="too small for float32"):
        TannerRegressor(epochs=1).fit(X, 1e-300 * X[:, 0])
