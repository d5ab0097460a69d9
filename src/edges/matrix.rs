//! One layer as scipy writes it.

use crate::dataset::table::{Archive, Read, Source};
use crate::error::one_line;
use crate::host;
use crate::topology::{MAX_WIDTH, Partition, Topology};
use crate::{Error, Result};

/// The graph of one layer, before its neighbours are checked.
#[derive(Debug)]
pub(super) struct GraphMatrix {
    /// The file, and which of its matrices.
    pub(super) name: String,
    pub(super) outputs: usize,
    pub(super) inputs: usize,
    /// Output and input of each edge, in canonical order.
    edges: Vec<(u32, u32)>,
}

impl GraphMatrix {
    /// All matrices of an archive.
    ///
    /// # Errors
    /// The reason, without the name of the archive.
    pub(super) fn all_of(source: Source, name: &str) -> Read<Vec<Self>> {
        let mut archive = Archive::new(source)?;
        let names = archive.names();
        if is_there(&names, "", "indices") || is_there(&names, "", "row") {
            return Ok(vec![Self::read(&mut archive, &names, ("", name.to_owned()))?]);
        }
        let mut all = Vec::new();
        for number in 1.. {
            let prefix = format!("layer{number}.");
            if !is_there(&names, &prefix, "indices") {
                break;
            }
            let read = Self::read(&mut archive, &names, (&prefix, format!("{name}, layer {number}")));
            all.push(read.map_err(|reason| format!("layer {number}: {reason}"))?);
        }
        if names.is_empty() {
            return Err("holds no arrays: save each layer with scipy.sparse.save_npz".to_owned());
        }
        if all.is_empty() {
            return Err(format!(
                "holds neither indptr and indices nor layer1.indptr and layer1.indices, but {}: save each layer with \
                 scipy.sparse.save_npz",
                names.join(", ")
            ));
        }
        Ok(all)
    }

    fn read(archive: &mut Archive, names: &[String], (prefix, name): (&str, String)) -> Read<Self> {
        let array = |what: &str| format!("{prefix}{what}.npy");
        let form = match is_there(names, prefix, "format") {
            true => archive.open(&array("format"), |array| array.alone())?,
            false => "csr".to_owned(),
        };
        if !is_there(names, prefix, "shape") {
            return Err("has no array shape, which says how many outputs and inputs there are".into());
        }
        let shape = archive.open(&array("shape"), |array| array.indices())?;
        let [outputs, inputs] = shape[..] else {
            return Err(format!("has the shape {shape:?}, expected [outputs, inputs]"));
        };
        let (outputs, inputs) = (outputs as usize, inputs as usize);
        if let Some(width) = [outputs, inputs].into_iter().find(|width| !(1..=MAX_WIDTH).contains(width)) {
            return Err(format!("has a side of {width} neurons, it must be 1 to {MAX_WIDTH}"));
        }
        let mut get = |what: &str| archive.open(&array(what), |array| array.indices());
        let mut edges = match form.as_str() {
            "csr" => pairs(&get("indptr")?, &get("indices")?, outputs)?,
            "csc" => {
                let mut edges = pairs(&get("indptr")?, &get("indices")?, inputs)?;
                edges.iter_mut().for_each(|(output, input)| std::mem::swap(output, input));
                edges
            }
            "coo" => {
                let (rows, columns) = (get("row")?, get("col")?);
                if rows.len() != columns.len() {
                    return Err(format!("{} rows do not fit {} columns", rows.len(), columns.len()));
                }
                rows.into_iter().zip(columns).collect()
            }
            other => {
                let other = one_line(other);
                return Err(format!(
                    "has the format {other:?}, expected csr, csc or coo: save matrix.tocsr()"
                ));
            }
        };
        if is_there(names, prefix, "data") {
            let count = archive.open(&array("data"), |array| Ok(array.shape().to_vec()))?;
            if count != [edges.len()] {
                return Err(format!("data of shape {count:?} do not fit {} indices", edges.len()));
            }
        }
        edges.sort_unstable();
        check(&edges, outputs, inputs)?;
        Ok(Self { name, outputs, inputs, edges })
    }

    pub(super) fn edge_count(&self) -> usize {
        self.edges.len()
    }

    /// The graph, without blocks, like a random sparse one.
    pub(super) fn into_topology(self) -> Result<Topology> {
        let Self { name, outputs, inputs, edges } = self;
        host::require("the graph", 4.0 * (2 * inputs + outputs + 3 * edges.len()) as f64)?;
        let mut row_start = vec![0; outputs + 1];
        for (output, _) in &edges {
            row_start[*output as usize + 1] += 1;
        }
        for output in 0..outputs {
            row_start[output + 1] += row_start[output];
        }
        let sources = edges.into_iter().map(|(_, input)| input).collect();
        let graph =
            Topology::from_rows(Partition::whole(inputs)?, Partition::whole(outputs)?, row_start, sources);
        graph.map_err(|error| match error {
            Error::Topology(reason) => Error::table(name, &reason),
            other => other,
        })
    }
}

/// Whether an archive has an array.
fn is_there(names: &[String], prefix: &str, what: &str) -> bool {
    names
        .iter()
        .any(|name| name.strip_suffix(".npy").and_then(|name| name.strip_prefix(prefix)) == Some(what))
}

/// Major and minor index of each entry of a compressed matrix with this number of major ones.
fn pairs(starts: &[u32], indices: &[u32], majors: usize) -> Read<Vec<(u32, u32)>> {
    if starts.len() != majors + 1 {
        return Err(format!("indptr has {} entries, expected {} by its shape", starts.len(), majors + 1));
    }
    if starts[0] != 0 || starts[majors] as usize != indices.len() {
        let (first, last, count) = (starts[0], starts[majors], indices.len());
        return Err(format!(
            "indptr goes from {first} to {last}, expected 0 to {count}, the number of indices"
        ));
    }
    let mut all = Vec::new();
    host::reserve(&mut all, indices.len(), "the graph").map_err(|error| error.to_string())?;
    for (major, bounds) in (0..).zip(starts.windows(2)) {
        // Places beyond the end come from bounds that decrease later.
        let Some(entries) = indices.get(bounds[0] as usize..bounds[1] as usize) else {
            return Err(format!(
                "indptr falls or goes too far behind entry {major}: {}, {}",
                bounds[0], bounds[1]
            ));
        };
        all.extend(entries.iter().map(|minor| (major, *minor)));
    }
    Ok(all)
}

/// Refuses ends out of range, duplicate edges, and layers without edges.
fn check(edges: &[(u32, u32)], outputs: usize, inputs: usize) -> Read<()> {
    let is_outside = |(output, input): &&(u32, u32)| *output as usize >= outputs || *input as usize >= inputs;
    if let Some((output, input)) = edges.iter().find(is_outside) {
        return Err(format!(
            "an edge from input {input} to output {output}, the shape is {outputs} outputs by {inputs} inputs"
        ));
    }
    if let Some(pair) = edges.windows(2).find(|pair| pair[0] == pair[1]) {
        let (output, input) = pair[0];
        return Err(format!(
            "the edge from input {input} to output {output} appears twice: call matrix.sum_duplicates() before it is saved"
        ));
    }
    if edges.is_empty() {
        return Err("a layer without any edge".into());
    }
    Ok(())
}
