//! The header of an array, and what its shape means.

use super::super::Read;
use super::element::{Element, Storage};

/// What a header says.
pub(super) struct Header {
    pub(super) storage: Storage,
    /// Whether the first axis runs fastest, as in the arrays of a data frame.
    pub(super) by_column: bool,
    pub(super) shape: Vec<usize>,
}

/// An array as a table.
pub(super) struct Layout {
    pub(super) rows: usize,
    pub(super) width: usize,
    /// Rows and columns of each sample, when it is a picture.
    pub(super) image_shape: Option<[usize; 2]>,
}

impl Header {
    pub(super) fn parse(header: &str) -> Read<Self> {
        let after = |key: &str| {
            let found =
                [format!("'{key}'"), format!("\"{key}\"")].iter().find_map(|key| header.split_once(key));
            let value = found.and_then(|(_, rest)| rest.trim_start().strip_prefix(':'));
            value.map(str::trim_start).ok_or_else(|| format!("the NPY header has no {key}"))
        };
        let descr = after("descr")?;
        let quoted = descr.strip_prefix(['\'', '"']).and_then(|rest| rest.split(['\'', '"']).next());
        let storage = storage(quoted.ok_or(
            "holds records (a structured array), expected plain numbers: save a table, such as \
             pandas.DataFrame(x).to_csv(\"x.csv\", index=False)",
        )?)?;
        let by_column = after("fortran_order")?.starts_with("True");
        let shape = after("shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let (shape, _) = shape.ok_or("the NPY header has no shape")?;
        let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
        let shape = lengths.map(str::parse).collect::<std::result::Result<Vec<usize>, _>>();
        let shape = shape.map_err(|_| "the NPY header has no shape of whole numbers")?;
        Ok(Self { storage, by_column, shape })
    }

    /// A row for each entry of the first axis.
    pub(super) fn layout(&self) -> Read<Layout> {
        let shape = &self.shape;
        let (rows, [height, width], is_picture) = match *shape.as_slice() {
            [rows, width] => (rows, [1, width], false),
            [rows, height, width] | [rows, 1, height, width] | [rows, height, width, 1] => {
                (rows, [height, width], true)
            }
            [_, colours @ (3 | 4), _, _] => return Err(coloured(shape, colours, 1)),
            [_, _, _, colours @ (3 | 4)] => return Err(coloured(shape, colours, 3)),
            [_] => {
                return Err(format!(
                    "holds a list of shape {shape:?}, expected [rows, columns]; a single column is x.reshape(-1, 1)"
                ));
            }
            _ => {
                return Err(format!(
                    "holds an array of shape {shape:?}, expected [rows, columns] or [pictures, rows, columns]; \
                     x.reshape(len(x), -1) makes a table"
                ));
            }
        };
        let pixels = height.checked_mul(width).ok_or("pictures that are too large")?;
        Ok(Layout { rows, width: pixels, image_shape: is_picture.then_some([height, width]) })
    }

    /// The column of a table at this place of a row of an array that is stored column by column.
    pub(super) fn column_at(&self, place: usize) -> usize {
        // The axes behind the first one: here the earlier run faster, in a row the later.
        let (mut rest, mut column, mut step) = (place, 0, self.shape[1..].iter().product::<usize>());
        for length in &self.shape[1..] {
            step /= length;
            column += rest % length * step;
            rest /= length;
        }
        column
    }
}

fn coloured(shape: &[usize], colours: usize, axis: usize) -> String {
    format!(
        "holds pictures of {colours} colours (shape {shape:?}), expected one number for each pixel: save grey ones, \
         x.mean(axis={axis}).astype(\"uint8\"), or all values as a table, x.reshape(len(x), -1)"
    )
}

fn storage(descr: &str) -> Read<Storage> {
    let (order, kind) = match descr.split_at_checked(1) {
        Some((order @ ("<" | ">" | "|" | "="), kind)) => (order, kind),
        _ => ("<", descr),
    };
    if kind.starts_with('O') {
        return Err(
            "holds Python objects: save texts as y.astype(str) and numbers as x.astype(\"float64\")".into()
        );
    }
    let element = Element::parse(kind).ok_or_else(|| {
        format!(
            "holds elements of type {descr:?}, expected bool, integers of 8 to 64 bits, float16, float32, float64 or, for \
             labels, texts: save x.astype(\"float64\")"
        )
    })?;
    Ok(Storage { element, big_endian: order == ">" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_arrays_stored_by_column_are_those_of_numpy() {
        // numpy.arange(24).reshape(1, 2, 3, 4, order="C")[0].flatten(order="F") % 24
        let header =
            Header::parse("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2, 3, 4), }").unwrap();
        let columns: Vec<usize> = (0..24).map(|place| header.column_at(place)).collect();
        let expected = [0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21, 2, 14, 6, 18, 10, 22, 3, 15, 7, 19, 11, 23];
        assert_eq!(columns, expected);
    }
}
