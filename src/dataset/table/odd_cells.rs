//! Cells of a column of numbers that are no numbers.

/// Different numbers of a column whose numbers may be codes of categories.
#[cfg(feature = "train")]
pub(crate) const FEW: usize = 32;
/// Different texts that are kept as examples.
#[cfg(feature = "train")]
const EXAMPLES: usize = 8;
/// Characters of an example.
#[cfg(feature = "train")]
const LONGEST: usize = 40;

/// Cells of a column of numbers that are no numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OddCells {
    pub(crate) rows: usize,
    /// The line of the first one.
    pub(crate) line: u64,
    /// The first different texts.
    pub(crate) texts: Vec<String>,
    /// Whether there are more texts.
    pub(crate) has_more: bool,
}

#[cfg(feature = "train")]
impl OddCells {
    pub(crate) fn add(&mut self, field: &[u8], line: impl FnOnce() -> u64) {
        if self.rows == 0 {
            self.line = line();
        }
        self.rows += 1;
        if self.has_more {
            return;
        }
        let text: String = String::from_utf8_lossy(field.trim_ascii()).chars().take(LONGEST).collect();
        self.take(text);
    }

    fn take(&mut self, text: String) {
        if self.texts.contains(&text) {
        } else if self.texts.len() < EXAMPLES {
            self.texts.push(text);
        } else {
            self.has_more = true;
        }
    }

    /// Adds those of later rows.
    pub(crate) fn append(&mut self, later: &Self) {
        if self.rows == 0 {
            self.line = later.line;
        }
        self.rows += later.rows;
        later.texts.iter().for_each(|text| self.take(text.clone()));
        self.has_more |= later.has_more;
    }

    /// Whether a column of these texts and of some numbers is one of texts: there are no numbers, or few different ones
    /// that may be codes, like the texts. Otherwise, single texts among numbers are mistakes.
    pub(crate) fn make_texts(&self, numbers: usize, different_numbers: usize) -> bool {
        if self.rows == 0 || numbers == 0 {
            return self.rows > 0;
        }
        if different_numbers > FEW {
            return self.rows > numbers;
        }
        let is_repeated = !self.has_more && self.rows >= 5 && self.rows >= 3 * self.texts.len();
        10 * self.rows >= self.rows + numbers || is_repeated
    }
}
