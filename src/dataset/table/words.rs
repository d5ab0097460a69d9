//! Words among numbers that mean a missing value.

/// Words that are counted.
const MOST: usize = 4;

/// The words of a column, with the number of their cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MissingWords(Vec<(String, usize)>);

impl MissingWords {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds cells of a word; only the first few words are kept.
    pub(crate) fn add(&mut self, word: &str, cells: usize) {
        if let Some((_, count)) = self.0.iter_mut().find(|(known, _)| known == word) {
            *count += cells;
        } else if self.0.len() < MOST {
            self.0.push((word.to_owned(), cells));
        }
    }

    /// Adds those of later rows.
    #[cfg(feature = "train")]
    pub(crate) fn append(&mut self, later: &Self) {
        later.0.iter().for_each(|(word, cells)| self.add(word, *cells));
    }

    /// The words and the number of their cells.
    pub(crate) fn list(&self) -> &[(String, usize)] {
        &self.0
    }
}
