//! Lists on the command line: commas within one list, slashes between lists.

use std::fmt;

/// One number, or one for each layer: `8`, `8,8,4`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List(pub(crate) Vec<usize>);

/// One list, or one for each layer: `98,130,98`, `98,130/98,49`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lists(pub(crate) Vec<Vec<usize>>);

pub(crate) fn list(text: &str) -> Result<List, String> {
    let number = |entry: &str| {
        let entry = entry.trim();
        entry.parse().map_err(|_| format!("{entry:?} is not a whole number; write 8 or 8,8,4"))
    };
    text.split(',').map(number).collect::<Result<_, _>>().map(List)
}

pub(crate) fn lists(text: &str) -> Result<Lists, String> {
    text.split('/').map(|part| list(part).map(|list| list.0)).collect::<Result<_, _>>().map(Lists)
}

/// As [`list`], or `none` for an empty one.
pub(crate) fn widths(text: &str) -> Result<List, String> {
    if text == "none" { Ok(List(Vec::new())) } else { list(text) }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&numbers.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        assert_eq!(list("8").unwrap().0, [8]);
        assert_eq!(list("8, 8,4").unwrap().0, [8, 8, 4]);
        assert_eq!(lists("1,2/3").unwrap().0, [vec![1, 2], vec![3]]);
        assert_eq!(widths("none").unwrap().0, Vec::<usize>::new());
        assert_eq!(list("8,8,4").unwrap().to_string(), "8,8,4");
        for text in ["", "8,", "8,,4", "-1", "8.5", "eight", "99999999999999999999999"] {
            assert!(list(text).is_err(), "{text}");
            assert!(lists(text).is_err(), "{text}");
        }
    }
}
