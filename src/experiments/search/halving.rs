//! Successive halving (Jamieson and Talwalkar, 2016): many candidates train for few epochs, the best third of them for three
//! times as many, and so on.
//!
//! A bracket has `3^(rungs - 1)` candidates; a search has as many brackets as its budget allows, each with new candidates.
//! Unlike in the paper, a candidate of the next rung trains from the start, so that its learning rate falls to the end within
//! the epochs of its rung.

/// One of this many candidates of a rung reaches the next one.
const KEPT: usize = 3;
/// Maximum number of rungs.
const MAX_RUNGS: usize = 3;

/// The epochs of each rung; the last one has all.
pub(super) fn rungs(epochs: usize) -> Vec<usize> {
    let mut rungs = vec![epochs];
    while rungs.len() < MAX_RUNGS {
        let fewer = epochs as f64 / KEPT.pow(u32::try_from(rungs.len()).unwrap_or(0)) as f64;
        if fewer < 1.0 {
            break;
        }
        #[expect(clippy::cast_possible_truncation, reason = "below the number of epochs")]
        rungs.push(fewer.round() as usize);
    }
    rungs.dedup();
    rungs.reverse();
    rungs
}

/// Candidates of a bracket.
pub(super) fn bracket_size(rungs: usize) -> usize {
    KEPT.pow(u32::try_from(rungs.saturating_sub(1)).unwrap_or(0))
}

/// How many of these candidates reach the next rung.
pub(super) fn promoted(candidates: usize) -> usize {
    candidates.div_ceil(KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_have_thirds_of_the_epochs() {
        for (epochs, expected) in
            [(100, vec![11, 33, 100]), (30, vec![3, 10, 30]), (4, vec![1, 4]), (2, vec![2]), (1, vec![1])]
        {
            assert_eq!(rungs(epochs), expected);
        }
        assert_eq!([1, 2, 3].map(bracket_size), [1, 3, 9]);
        assert_eq!([9, 4, 3, 1, 0].map(promoted), [3, 2, 1, 1, 0]);
    }
}
