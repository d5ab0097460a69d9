//! Which arrays of an archive are features and labels, to train and to test on.

use super::super::Read;
use super::super::columns::{ColumnRef, Columns, LabelNeed};
use super::super::texts::listed;
use super::Archive;

/// Usual names of features and of labels, without regard to case and separators; earlier ones win. `numpy.savez` calls arrays without
/// names `arr_0`, `arr_1`.
const FEATURES: [&str; 10] =
    ["x", "features", "data", "images", "imgs", "pictures", "samples", "inputs", "input", "arr0"];
const LABELS: [&str; 8] = ["y", "labels", "label", "targets", "target", "classes", "class", "arr1"];
/// Arrays that an error or a note lists.
const LISTED: usize = 12;

/// What precedes or follows the usual names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Nothing.
    Whole,
    Train,
    Test,
}

/// An array of an archive.
#[derive(Debug)]
pub(super) struct Member {
    /// The name of the file in the archive.
    pub(super) file: String,
    /// The name of the array.
    pub(super) name: String,
    /// `None` if the header cannot be read.
    shape: Option<Vec<usize>>,
}

/// Features and their labels.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) features: usize,
    pub(super) labels: Option<usize>,
}

/// The arrays to read.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) members: Vec<Member>,
    pub(super) table: Pair,
    pub(super) test: Option<Pair>,
    /// What the user should know of it.
    pub(super) notes: Vec<String>,
    /// Settings of `drop` that name columns.
    pub(super) drop: Vec<ColumnRef>,
}

impl Part {
    fn is(self, name: &str, base: &str) -> bool {
        let around = |words: &[&str]| {
            words.iter().any(|word| name == format!("{word}{base}") || name == format!("{base}{word}"))
        };
        match self {
            Self::Whole => name == base,
            Self::Train => around(&["train", "training"]),
            Self::Test => around(&["test", "testing"]),
        }
    }
}

impl Member {
    fn is_called(&self, name: &ColumnRef) -> bool {
        let name = name.to_string();
        name == self.name || name == self.file
    }

    fn rows(&self) -> Option<usize> {
        self.shape.as_ref()?.first().copied()
    }

    fn is_list(&self) -> bool {
        matches!(self.shape.as_deref(), Some([_] | [_, 1]))
    }

    fn is_table(&self) -> bool {
        self.shape.as_ref().is_some_and(|shape| shape.len() > 1) && !self.is_list()
    }

    fn shown(&self) -> String {
        let shape = self.shape.as_ref().map_or(String::new(), |shape| format!(" {shape:?}"));
        format!("{}{shape}", self.name)
    }
}

impl Choice {
    pub(super) fn new(archive: &mut Archive, columns: &Columns<'_>) -> Read<Self> {
        let members = members(archive)?;
        let (named, dropped, needs_labels) = match *columns {
            Columns::New { label, labelled, drop, .. } => (label, drop, labelled),
            Columns::Of { encoding, label } => {
                let is_column = encoding.label.as_ref().is_some_and(|label| label.position.is_some());
                (None, &[][..], label == LabelNeed::Required && !is_column)
            }
            Columns::Kept(_) => (None, &[][..], false),
        };
        let is_dropped = |member: &Member| dropped.iter().any(|name| member.is_called(name));
        let drop = dropped
            .iter()
            .filter(|name| !members.iter().any(|member| member.is_called(name)))
            .cloned()
            .collect();
        let finder = Finder {
            free: members.iter().map(|member| !is_dropped(member)).collect(),
            members: &members,
            labels: named.and_then(|name| members.iter().position(|member| member.is_called(name))),
        };
        let names_column = named.is_some() && finder.labels.is_none();
        let (table, part, mut notes) = finder.table(columns, names_column)?;
        // Labels of a separate file.
        let is_elsewhere = match columns {
            Columns::New { labelled, .. } => !labelled,
            Columns::Of { label, .. } => *label == LabelNeed::Ignored,
            Columns::Kept(_) => true,
        };
        let table = Pair { labels: table.labels.filter(|_| !is_elsewhere), ..table };
        let test = finder.test(part).filter(|test| test.features != table.features);
        if let (Some(label), Some(place)) = (named.filter(|_| names_column), table.labels) {
            return Err(format!(
                "`label` {label}: the labels are the array {}; to take a column instead, leave that array out with `drop`",
                members[place].name
            ));
        }
        for pair in [Some(&table), test.as_ref()].into_iter().flatten() {
            // An array of another kind, or a damaged one, says so.
            for member in
                [Some(pair.features), pair.labels].into_iter().flatten().map(|place| &members[place])
            {
                if member.shape.is_none() {
                    archive.open(&member.file, |_| Ok(()))?;
                }
            }
            if needs_labels && !names_column && pair.labels.is_none() {
                return Err(format!(
                    "there are no labels for {}; the arrays are {}: name those of the labels with `label`, or give a file of \
                     labels with `labels`",
                    members[pair.features].name,
                    finder.all()
                ));
            }
        }
        notes.extend(finder.unused(&table, test.as_ref()));
        Ok(Self { table, test, notes, drop, members })
    }
}

/// The file of the labels in an archive of labels.
pub(super) fn labels(archive: &mut Archive) -> Read<String> {
    let members = members(archive)?;
    let finder = Finder { free: vec![true; members.len()], members: &members, labels: None };
    let found = finder.find(&LABELS, Part::Whole).or_else(|| finder.only(Member::is_list));
    match found {
        Some(place) => Ok(members[place].file.clone()),
        None => Err(format!("which array holds the labels is not clear: {}; call it y", finder.all())),
    }
}

fn members(archive: &mut Archive) -> Read<Vec<Member>> {
    let mut members: Vec<Member> = Vec::new();
    for file in archive.names() {
        let name = file.strip_suffix(".npy").unwrap_or(&file).to_owned();
        if members.iter().any(|other| other.name == name) {
            return Err(format!("two arrays are called {name:?}: save each once"));
        }
        let shape = archive.open(&file, |array| Ok(array.shape().to_vec())).ok();
        members.push(Member { file, name, shape });
    }
    let has = |name: &str| members.iter().any(|member| member.name == name);
    let is_sparse = (has("indices") && has("indptr")) || (has("row") && has("col"));
    if is_sparse && has("data") && has("shape") {
        return Err(
            "holds a sparse matrix of scipy, expected plain arrays: save numpy.savez(\"t.npz\", x=x.toarray(), y=y)".into()
        );
    }
    Ok(members)
}

/// Finds arrays by their names and shapes.
struct Finder<'a> {
    members: &'a [Member],
    /// Arrays that were not dropped.
    free: Vec<bool>,
    /// The labels, if their array was named.
    labels: Option<usize>,
}

impl Finder<'_> {
    fn find(&self, usual: &[&str], part: Part) -> Option<usize> {
        usual.iter().find_map(|base| {
            let is = |member: &Member| {
                let mut name = member.name.to_ascii_lowercase();
                name.retain(|letter| !matches!(letter, '_' | '-' | '.' | ' '));
                part.is(&name, base)
            };
            (0..self.members.len()).find(|place| self.free[*place] && is(&self.members[*place]))
        })
    }

    /// The features to train on or to predict, their labels, and notes about a choice that was not obvious.
    fn table(&self, columns: &Columns<'_>, names_column: bool) -> Read<(Pair, Part, Vec<String>)> {
        let by_name = |part| self.find(&FEATURES, part).filter(|place| Some(*place) != self.labels);
        let [alone, train, test] = [Part::Whole, Part::Train, Part::Test].map(by_name);
        let is_known = !matches!(columns, Columns::New { .. });
        let (features, part) = match (alone, train, test) {
            (Some(alone), Some(train), _) => {
                let [alone, train] = [alone, train].map(|place| self.members[place].shown());
                return Err(format!("holds both {alone} and {train}: leave one out with `drop`"));
            }
            (Some(features), None, _) => (features, Part::Whole),
            (None, Some(features), _) => (features, Part::Train),
            (None, None, Some(features)) if is_known => (features, Part::Test),
            (None, None, _) => return self.by_shape(is_known),
        };
        let rows = self.members[features].rows();
        let by_name = self.labels.or_else(|| self.find(&LABELS, part));
        let mut notes = Vec::new();
        let labels = by_name.or_else(|| {
            let labels = self.only(|member| member.is_list() && member.rows() == rows)?;
            notes.push(format!("labels are the array {}, the only list as long", self.members[labels].name));
            Some(labels).filter(|_| !names_column)
        });
        if labels.is_none() {
            notes.clear();
        }
        Ok((Pair { features, labels }, part, notes))
    }

    /// The only array that can be features, and the only one that can be its labels.
    fn by_shape(&self, is_known: bool) -> Read<(Pair, Part, Vec<String>)> {
        let named = self.labels.and_then(|place| self.members[place].rows());
        let fits = |member: &Member| named.is_none_or(|rows| member.rows() == Some(rows));
        let features = self.only(|member| member.is_table() && fits(member));
        let rows = features.and_then(|place| self.members[place].rows());
        let labels = self.labels.or_else(|| self.only(|member| member.is_list() && member.rows() == rows));
        match (features, labels) {
            (Some(features), Some(_)) | (Some(features), None) if labels.is_some() || is_known => {
                let called = |place: usize| &self.members[place].name;
                let of = labels.map_or(String::new(), |labels| format!(", labels {}", called(labels)));
                let note = format!("features are the array {}{of}: the others do not fit", called(features));
                let notes = if self.members.len() > 1 + usize::from(labels.is_some()) {
                    vec![note]
                } else {
                    Vec::new()
                };
                Ok((Pair { features, labels }, Part::Whole, notes))
            }
            _ if self.members.is_empty() => Err("holds no arrays".into()),
            _ => Err(format!(
                "which arrays are features and labels is not clear: {}; call them x and y (or x_train, y_train, x_test, \
                 y_test), or name the labels with `label` and leave other arrays out with `drop`",
                self.all()
            )),
        }
    }

    /// The features to test on.
    fn test(&self, part: Part) -> Option<Pair> {
        let features = self.find(&FEATURES, Part::Test).filter(|_| part != Part::Test)?;
        // Of labels whose array was named, those of the same name but for the part.
        let twin = |place: usize| {
            let name = self.members[place].name.replace("train", "test");
            self.members.iter().position(|member| member.name == name).filter(|twin| *twin != place)
        };
        let labels = self.labels.map_or_else(|| self.find(&LABELS, Part::Test), twin);
        Some(Pair { features, labels })
    }

    /// The only free array of a kind.
    fn only(&self, is: impl Fn(&Member) -> bool) -> Option<usize> {
        let fits =
            |place: &usize| self.free[*place] && Some(*place) != self.labels && is(&self.members[*place]);
        let mut places = (0..self.members.len()).filter(fits);
        places.next().filter(|_| places.next().is_none())
    }

    /// Reports the arrays that nothing is done with.
    fn unused(&self, table: &Pair, test: Option<&Pair>) -> Option<String> {
        let pairs = [Some(table), test];
        let is_used = |place: usize| {
            let is_of = |pair: &&Pair| pair.features == place || pair.labels == Some(place);
            pairs.iter().flatten().any(is_of)
        };
        let unused = (0..self.members.len()).filter(|place| self.free[*place] && !is_used(*place));
        let names: Vec<String> = unused.map(|place| self.members[place].shown()).collect();
        let is_validation = names.iter().any(|name| name.to_ascii_lowercase().contains("val"));
        let remedy = if is_validation { "; `validation` holds rows of the training set out" } else { "" };
        (!names.is_empty()).then(|| format!("arrays that are not used: {}{remedy}", listed(names, LISTED)))
    }

    fn all(&self) -> String {
        listed(self.members.iter().map(Member::shown), LISTED)
    }
}
