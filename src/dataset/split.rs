//! Splits samples off a data set, so that choices need not use the test set.
//!
//! [`Dataset::holdout`] is the only way in which this crate makes a validation
//! split: training with a held-out part and a later search on that part take the
//! same samples, because both ask for the same [`Holdout`] with the same seed.

use rand::RngExt;

use super::{Dataset, Holdout, Targets, Task, retain_rows};
use crate::Result;
use crate::random::{Purpose, generator};

impl Dataset {
    /// Splits samples off, class by class in proportion, and returns (the rest, the held-out part). A single target of
    /// regression is split by tenths of its range of values in the same way, several targets at random.
    ///
    /// The held-out samples of a class depend only on the seed; both
    /// parts keep the order, the class count and the image shape of the whole.
    /// Classes share the requested number by the method of largest remainders, so
    /// each has its exact proportion rounded up or down.
    ///
    /// # Errors
    /// [`Error::Dataset`](crate::Error::Dataset) when nothing would be held out or nothing would be left.
    pub fn holdout(&self, holdout: Holdout, seed: u64) -> Result<(Self, Self)> {
        let held_out = marks(&self.targets, holdout, seed, Purpose::Split)?;
        Ok((self.select(&held_out, false), self.select(&held_out, true)))
    }

    /// As [`Dataset::holdout`], without copying the rest.
    ///
    /// # Errors
    /// As [`Dataset::holdout`].
    pub(crate) fn into_holdout(self, holdout: Holdout, seed: u64) -> Result<(Self, Self)> {
        let held_out = marks(&self.targets, holdout, seed, Purpose::Split)?;
        Ok(self.into_parts(&held_out))
    }

    /// Splits the samples into (unmarked, marked); both must be non-empty.
    pub(crate) fn into_parts(mut self, marks: &[bool]) -> (Self, Self) {
        let marked = self.select(marks, true);
        self.retain(|sample| !marks[sample]);
        (self, marked)
    }

    /// The samples of a range, at least one, in their order.
    pub(crate) fn of_range(&self, range: std::ops::Range<usize>) -> Self {
        let marks: Vec<bool> = (0..self.samples()).map(|sample| range.contains(&sample)).collect();
        self.select(&marks, true)
    }

    /// The samples whose mark is `wanted`, at least one.
    fn select(&self, marks: &[bool], wanted: bool) -> Self {
        let is_chosen = |sample: usize| marks[sample] == wanted;
        let count = marks.iter().filter(|mark| **mark == wanted).count();
        let mut features = Vec::with_capacity(count * self.feature_count());
        for sample in (0..self.samples()).filter(|sample| is_chosen(*sample)) {
            features.extend_from_slice(self.sample(sample));
        }
        let weights = self.weights.clone().map(|mut weights| {
            retain_rows(&mut weights, 1, is_chosen);
            weights
        });
        // A part of consistent samples is consistent.
        Self { features, targets: self.targets.select(is_chosen), weights, ..*self }
    }
}

/// Marks the samples that are held out: in proportion from each class, or from each part of the range of a target
/// that is predicted alone; of several labels in proportion from the samples that have the same rare one; otherwise at random. Folds
/// are in proportion from classes and labels only.
pub(crate) fn marks(targets: &Targets, holdout: Holdout, seed: u64, purpose: Purpose) -> Result<Vec<bool>> {
    let is_fold = matches!(holdout, Holdout::Fold { .. });
    match targets {
        Targets::Classes { labels, count } => stratified_marks(labels, *count, holdout, seed, purpose),
        Targets::Numbers { task: Task::Regression, values, count: 1 } if !is_fold => {
            stratified_marks(&quantiles(values), QUANTILES, holdout, seed, purpose)
        }
        Targets::Numbers { task: Task::MultiLabel, values, count } => {
            stratified_marks(&rarest(values, *count), count + 1, holdout, seed, purpose)
        }
        Targets::Numbers { .. } => stratified_marks(&vec![0; targets.samples()], 1, holdout, seed, purpose),
    }
}

/// Of each sample the label whose rarer value it has, of several the rarest one; without any, the number of labels.
fn rarest(values: &[f32], count: usize) -> Vec<u32> {
    let samples = values.len() / count;
    let ones: Vec<usize> = (0..count)
        .map(|label| values.iter().skip(label).step_by(count).filter(|value| **value == 1.0).count())
        .collect();
    let is_rare = |label: usize, value: f32| (value == 1.0) == (2 * ones[label] <= samples);
    let times = |label: &usize| ones[*label].min(samples - ones[*label]);
    let of = |row: &[f32]| {
        let label = (0..count).filter(|label| is_rare(*label, row[*label])).min_by_key(times);
        u32::try_from(label.unwrap_or(count)).expect("there are few labels")
    };
    values.chunks_exact(count).map(of).collect()
}

/// Parts of the range of a target.
const QUANTILES: usize = 10;

/// The number of the part of the range that each value is in; the parts hold about as many values each.
fn quantiles(values: &[f32]) -> Vec<u32> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    // The same value is always in the same part.
    let part = |value: &f32| {
        let below = sorted.partition_point(|other| other.total_cmp(value).is_lt());
        u32::try_from(QUANTILES * below / sorted.len()).expect("there are few parts")
    };
    values.iter().map(part).collect()
}

/// Marks the samples that are held out: of each class its proportion, drawn from the seed's stream of this purpose.
fn stratified_marks(
    labels: &[u32],
    class_count: usize,
    holdout: Holdout,
    seed: u64,
    purpose: Purpose,
) -> Result<Vec<bool>> {
    let count = holdout.count_of(labels.len())?;
    let mut members = vec![Vec::new(); class_count];
    for (sample, label) in labels.iter().enumerate() {
        members[*label as usize].push(sample);
    }
    let mut held_out = vec![false; labels.len()];
    let mut rng = generator(seed, purpose);
    if let Holdout::Fold { fold, folds } = holdout {
        deal(&mut members, &mut rng);
        // Like cards: one class after the other, each continuing with the next fold.
        members.iter().flatten().skip(fold).step_by(folds).for_each(|sample| held_out[*sample] = true);
        return Ok(held_out);
    }
    let sizes: Vec<usize> = members.iter().map(Vec::len).collect();
    for (class, share) in members.iter_mut().zip(proportional(count, &sizes)) {
        // The first places of a Fisher-Yates shuffle.
        for place in 0..share {
            let pick = rng.random_range(place..class.len());
            class.swap(place, pick);
            held_out[class[place]] = true;
        }
    }
    Ok(held_out)
}

/// Shuffles every class (Fisher and Yates), the same for all folds of a seed.
fn deal(members: &mut [Vec<usize>], rng: &mut impl RngExt) {
    for class in members {
        for last in (1..class.len()).rev() {
            class.swap(last, rng.random_range(0..=last));
        }
    }
}

/// Distributes `count` over groups in proportion to their sizes: whole parts first, the
/// rest to the largest remainders, the first of equals before the others.
fn proportional(count: usize, sizes: &[usize]) -> Vec<usize> {
    let all = sizes.iter().sum::<usize>() as u128;
    let exact = |size: &usize| count as u128 * *size as u128;
    let whole = |size: &usize| usize::try_from(exact(size) / all).expect("no share is above its group");
    let mut shares: Vec<usize> = sizes.iter().map(whole).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|group| std::cmp::Reverse(exact(&sizes[*group]) % all));
    let left = count - shares.iter().sum::<usize>();
    for group in &order[..left] {
        shares[*group] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One feature, the sample's number; classes of these sizes, mixed.
    fn data(sizes: &[u32]) -> Dataset {
        let rounds = 0..*sizes.iter().max().unwrap();
        let labels: Vec<u32> = rounds
            .flat_map(|round| (0..).zip(sizes).filter(move |(_, size)| round < **size))
            .map(|(c, _)| c)
            .collect();
        let features = (0..labels.len()).map(|sample| sample as f32).collect();
        Dataset::new(features, 1, labels, sizes.len()).unwrap()
    }

    /// The numbers of a part's samples in the whole.
    #[expect(clippy::cast_possible_truncation, reason = "small whole numbers")]
    fn numbers(part: &Dataset) -> Vec<usize> {
        part.features().iter().map(|feature| *feature as usize).collect()
    }

    fn per_class(data: &Dataset) -> Vec<usize> {
        (0..data.class_count()).map(|c| data.labels().iter().filter(|l| **l as usize == c).count()).collect()
    }

    /// Every sample is in one fold, folds differ by one sample at most, and so do the samples of each class in them.
    #[test]
    fn folds_are_disjoint_complete_and_stratified() {
        for (sizes, folds) in [(vec![60, 31, 9], 5), (vec![7, 2], 4), (vec![1, 10], 3), (vec![5, 5], 10)] {
            let whole = data(&sizes);
            let (mut seen, all) = (vec![0; whole.samples()], whole.samples());
            for fold in 0..folds {
                let holdout = Holdout::Fold { fold, folds };
                let (rest, held) = whole.holdout(holdout, 3).unwrap();
                assert_eq!(held.samples(), holdout.count_of(all).unwrap(), "{sizes:?}");
                assert_eq!(rest.samples() + held.samples(), all);
                assert!(held.samples() == all / folds || held.samples() == all.div_ceil(folds));
                for (of_class, size) in per_class(&held).into_iter().zip(&sizes) {
                    let size = *size as usize;
                    assert!(of_class == size / folds || of_class == size.div_ceil(folds), "{sizes:?}");
                }
                numbers(&held).into_iter().for_each(|sample| seen[sample] += 1);
                assert!(folds != 5 || held != whole.holdout(holdout, 4).unwrap().1, "the seed has no effect");
            }
            assert!(seen.iter().all(|times| *times == 1), "{sizes:?}: {seen:?}");
        }
        let more_than_samples = data(&[2, 2]).holdout(Holdout::Fold { fold: 0, folds: 5 }, 0);
        assert!(more_than_samples.unwrap_err().to_string().contains("fold-0-of-5 of 4 samples"));
    }

    #[test]
    fn every_sample_is_in_one_part_in_order_and_classes_keep_their_proportions() {
        let whole = data(&[60, 30, 10]);
        let (rest, held) = whole.holdout(Holdout::Count(20), 3).unwrap();
        assert_eq!((per_class(&rest), per_class(&held)), (vec![48, 24, 8], vec![12, 6, 2]));
        for part in [&rest, &held] {
            let numbers = numbers(part);
            assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "the order changed");
            assert!(numbers.iter().zip(part.labels()).all(|(n, label)| whole.labels()[*n] == *label));
        }
        let mut all = [numbers(&rest), numbers(&held)].concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn the_seed_decides_and_a_share_is_a_count() {
        let whole = data(&[50, 50]);
        let held = |holdout, seed| whole.holdout(holdout, seed).unwrap().1;
        assert_eq!(held(Holdout::Count(10), 1), held(Holdout::Share(0.1), 1));
        assert_ne!(held(Holdout::Count(10), 1), held(Holdout::Count(10), 2));
    }

    /// Every sample must be as likely as any other of its class.
    #[test]
    fn no_place_is_favoured() {
        let whole = data(&[10, 10]);
        let mut times = [0; 20];
        for seed in 0..2000 {
            for sample in numbers(&whole.holdout(Holdout::Count(6), seed).unwrap().1) {
                times[sample] += 1;
            }
        }
        // 600 expected of each; 5 standard deviations are 102.
        assert!(times.iter().all(|count| (498..=702).contains(count)), "{times:?}");
    }

    #[test]
    fn remainders_go_to_the_largest_fractions() {
        // Exact shares 3.5, 2.3, 1.2: the first is rounded up.
        assert_eq!(proportional(7, &[35, 23, 12]), [4, 2, 1]);
        assert_eq!(proportional(1, &[1, 1, 1]), [1, 0, 0]);
        assert_eq!(proportional(5, &[0, 5, 1]), [0, 4, 1]);
        assert_eq!(proportional(3, &[1 << 60, 1 << 60, 1 << 60]), [1, 1, 1]);
    }

    #[test]
    fn parting_in_place_gives_the_same_parts() {
        let whole = data(&[7, 5, 2]);
        let parts = whole.holdout(Holdout::Count(5), 9).unwrap();
        assert_eq!(whole.into_holdout(Holdout::Count(5), 9).unwrap(), parts);
    }

    /// A rare label is in as many folds as it has samples, and never held out as a whole.
    #[test]
    fn rare_labels_are_spread() {
        let mut values = vec![0.0; 2 * 120];
        (0..120).for_each(|sample| values[2 * sample + 1] = f32::from(u8::from(sample % 3 > 0)));
        [17, 64].into_iter().for_each(|sample| values[2 * sample] = 1.0);
        let targets = Targets::Numbers { task: Task::MultiLabel, values, count: 2 };
        let rare = |holdout, seed| {
            let marks = marks(&targets, holdout, seed, Purpose::TestSplit).unwrap();
            [17, 64].into_iter().filter(|sample| marks[*sample]).count()
        };
        for seed in 0..20 {
            assert!(rare(Holdout::Share(0.2), seed) < 2);
            assert!((0..5).all(|fold| rare(Holdout::Fold { fold, folds: 5 }, seed) < 2));
        }
    }

    /// The samples of a seed must never change: pruning must find those that training held out.
    #[test]
    fn the_split_is_pinned() {
        let (_, held) = data(&[10, 10]).holdout(Holdout::Count(6), 0).unwrap();
        assert_eq!(numbers(&held), [2, 9, 13, 16, 17, 18]);
    }

    #[test]
    fn pictures_remain_pictures() {
        let data =
            Dataset::new(vec![0.0; 16], 4, vec![0, 1, 0, 1], 2).unwrap().with_image_shape([2, 2]).unwrap();
        let (rest, held) = data.holdout(Holdout::Count(2), 0).unwrap();
        assert_eq!((rest.image_shape(), held.image_shape()), (Some([2, 2]), Some([2, 2])));
    }

    #[test]
    fn nothing_held_out_and_nothing_left_are_refused() {
        let whole = data(&[5, 5]);
        for holdout in [Holdout::Count(0), Holdout::Count(10), Holdout::Share(0.01), Holdout::Share(f64::NAN)]
        {
            let message = whole.holdout(holdout, 0).unwrap_err().to_string();
            assert!(message.contains("of 10 samples is impossible"), "{message}");
        }
        whole.holdout(Holdout::Count(9), 0).unwrap();
    }
}
