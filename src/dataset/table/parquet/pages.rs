//! Pages of a column, refused if they would make the crate allocate memory for values that do not exist.
//!
//! The crate allocates as many values as a page claims to hold, before it checks them; if
//! the allocation fails, the program ends. So a page may not have more values than its column, and a dictionary not
//! more than bytes. The DELTA encodings of texts have counts within the data, which cannot be checked from
//! outside: they are refused. Few writers use them by default, and none if a dictionary is enough, as it is for
//! categories and labels.

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

/// The pages of a column in a group of this many rows.
pub(super) struct Pages {
    pub(super) inner: Box<dyn PageReader>,
    pub(super) rows: usize,
}

impl Pages {
    fn check(&self, page: &Page) -> Result<()> {
        let (values, most) = match page {
            Page::DictionaryPage { buf, num_values, .. } => (*num_values, buf.len()),
            Page::DataPage { num_values, .. } | Page::DataPageV2 { num_values, .. } => {
                (*num_values, self.rows)
            }
        };
        if usize::try_from(values).map_or(true, |values| values > most) {
            return Err(ParquetError::General(format!("a page of {values} values, {most} are possible")));
        }
        let encoding = page.encoding();
        if matches!(encoding, Encoding::DELTA_LENGTH_BYTE_ARRAY | Encoding::DELTA_BYTE_ARRAY) {
            let reason =
                format!("texts in the encoding {encoding} are not read; write them with a dictionary");
            return Err(ParquetError::General(reason));
        }
        Ok(())
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.inner.get_next_page()?;
        page.as_ref().map_or(Ok(()), |page| self.check(page))?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.inner.at_record_boundary()
    }
}
