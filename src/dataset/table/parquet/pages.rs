//! Pages of a column, refused if they would make the crate allocate memory for values that do not exist.
//!
//! The crate allocates as many values as a page claims to hold, before it checks them; if
//! the allocation fails, the program ends. So a page may not have more values than its column, and a dictionary not
//! more than bytes. The DELTA encodings of texts have counts within the data, which [`delta`] checks.

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

use super::delta;

/// The pages of a column in a group of this many rows.
pub(super) struct Pages {
    pub(super) inner: Box<dyn PageReader>,
    pub(super) rows: usize,
    /// Whether values may be missing.
    pub(super) optional: bool,
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
            let data = self.values(page).ok_or("a page of texts that is cut off".to_owned());
            data.and_then(|data| delta::check(encoding, data, self.rows)).map_err(ParquetError::General)?;
        }
        Ok(())
    }

    /// The values of a page, behind the levels that say which are missing.
    fn values<'a>(&self, page: &'a Page) -> Option<&'a [u8]> {
        match page {
            Page::DictionaryPage { buf, .. } => Some(buf),
            Page::DataPage { buf, .. } if !self.optional => Some(buf),
            Page::DataPage { buf, def_level_encoding: Encoding::RLE, .. } => {
                let (length, rest) = buf.split_first_chunk::<4>()?;
                rest.get(usize::try_from(u32::from_le_bytes(*length)).ok()?..)
            }
            Page::DataPage { .. } => None,
            Page::DataPageV2 { buf, def_levels_byte_len, rep_levels_byte_len, .. } => {
                let levels = def_levels_byte_len.checked_add(*rep_levels_byte_len)?;
                buf.get(usize::try_from(levels).ok()?..)
            }
        }
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
