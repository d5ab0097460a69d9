//! Pictures moved and mirrored: at random in training, in every way where predictions are averaged.

use std::fmt;
use std::str::FromStr;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Error, Result, Setting, threads};

/// The setting, for messages.
const SETTING: Setting = Setting::Augment;
/// Maximum shift, more than any useful one.
const MAX_SHIFT: usize = 8;

/// Random changes of a picture; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Augmentation {
    /// Pixels by which a picture may move in each direction, filled up with 0; 0 disables shifts.
    pub shift: usize,
    /// Whether to mirror half of the pictures, at random, left to right.
    pub flip: bool,
}

/// One way to change pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct View {
    step: Move,
    columns: usize,
}

impl View {
    /// The changed pictures, `[sample][pixel]`.
    pub(crate) fn of(self, features: &[f32], pixels: usize) -> Vec<f32> {
        let mut seen = vec![0.0; features.len()];
        let pictures = seen.par_chunks_mut(pixels).zip(features.par_chunks(pixels));
        threads::run(|| pictures.for_each(|(to, from)| self.step.apply(from, to, self.columns)));
        seen
    }
}

/// The change of one picture: mirrored, then moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) flip: bool,
    /// Pixels to the right.
    pub(super) right: isize,
    /// Pixels downwards.
    pub(super) down: isize,
}

impl Augmentation {
    /// Every view of a picture that predictions are averaged over: unchanged and shifted by up to `shift` pixels along a side,
    /// each also mirrored with `flip`.
    ///
    /// # Errors
    /// [`Error::Setting`] when samples are not pictures, or too small for the shift.
    pub(crate) fn views(&self, shape: Option<[usize; 2]>) -> Result<Vec<View>> {
        let refuse = |reason: String| Err(Error::setting(Setting::Average, reason));
        let Some([rows, columns]) = shape else {
            return refuse(
                "the model was not trained on pictures, and only pictures can be moved or mirrored".into(),
            );
        };
        if self.shift >= rows.min(columns) {
            return refuse(format!(
                "a shift of {} is invalid, it must be below the shorter side of {rows} x {columns} pixels",
                self.shift
            ));
        }
        let steps =
            (1..).take(self.shift).flat_map(|step: isize| [(step, 0), (-step, 0), (0, step), (0, -step)]);
        let flips: &[bool] = if self.flip { &[false, true] } else { &[false] };
        let places = [(0, 0)].into_iter().chain(steps);
        let views =
            places.flat_map(|(right, down)| flips.iter().map(move |flip| Move { flip: *flip, right, down }));
        Ok(views.map(|step| View { step, columns }).collect())
    }
}

impl Move {
    /// Moves one picture with rows of `columns` pixels; `to` holds zeros.
    pub(super) fn apply(self, from: &[f32], to: &mut [f32], columns: usize) {
        let rows = from.len() / columns;
        // Place of the part that stays in the picture, before and after.
        let (from_row, to_row, kept_rows) = overlap(self.down, rows);
        let (from_column, to_column, kept_columns) = overlap(self.right, columns);
        for row in 0..kept_rows {
            let from = &from[(from_row + row) * columns..][..columns];
            let to = &mut to[(to_row + row) * columns + to_column..][..kept_columns];
            if self.flip {
                let mirrored = from.iter().rev().skip(from_column);
                to.iter_mut().zip(mirrored).for_each(|(to, from)| *to = *from);
            } else {
                to.copy_from_slice(&from[from_column..][..kept_columns]);
            }
        }
    }
}

/// First place before, first place after, and length of what stays in `0..side` when it moves by `step`.
fn overlap(step: isize, side: usize) -> (usize, usize, usize) {
    let length = side.saturating_sub(step.unsigned_abs());
    let (before, after) = if step < 0 { (step.unsigned_abs(), 0) } else { (0, step.unsigned_abs()) };
    (before, after, length)
}

pub(super) fn refuse<T>(reason: String) -> Result<T> {
    Err(Error::Setting { setting: SETTING, reason })
}

impl FromStr for Augmentation {
    type Err = Error;

    /// Reads `none`, or `shift=N` and `flip` in any order with a comma between.
    fn from_str(text: &str) -> Result<Self> {
        let mut read = Self::default();
        if text == "none" {
            return Ok(read);
        }
        for part in text.split(',').map(str::trim) {
            let (name, value) =
                part.split_once('=').map_or((part, None), |(name, value)| (name, Some(value)));
            match (name, value) {
                ("flip", None) if !read.flip => read.flip = true,
                ("shift", Some(value)) if read.shift == 0 => {
                    let shift = value.parse().ok().filter(|shift| (1..=MAX_SHIFT).contains(shift));
                    let Some(shift) = shift else {
                        return refuse(format!("a shift of {value} is invalid, it must be 1 to {MAX_SHIFT}"));
                    };
                    read.shift = shift;
                }
                ("flip" | "shift", _) => {
                    return refuse(format!(
                        "{part:?} in {text:?}: write shift=N and flip, each at most once"
                    ));
                }
                _ => {
                    return refuse(format!(
                        "{part:?} is not known; write shift=N, flip, shift=N,flip or none"
                    ));
                }
            }
        }
        Ok(read)
    }
}

impl fmt::Display for Augmentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match (self.shift, self.flip) {
            (0, false) => "none".to_owned(),
            (0, true) => "flip".to_owned(),
            (shift, false) => format!("shift={shift}"),
            (shift, true) => format!("shift={shift},flip"),
        })
    }
}
