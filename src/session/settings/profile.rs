//! Default degrees, from the widths of the layers.

use super::groups::ArchitectureOptions;
use crate::network::Connectivity;
use crate::topology::{paper_degrees, paper_density};
use crate::{Error, Result, Setting, paper};

/// Degrees in the paper's proportions, for layers of any width.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DegreeDefaults {
    /// Blocks of each layer, if given; otherwise as many as the paper's, or as the layer's narrower side has neurons.
    pub(super) blocks: Option<Vec<usize>>,
    /// Mean share of the weights that exist.
    pub(super) density: f64,
    /// Whether the user set the density.
    pub(super) is_requested: bool,
}

impl DegreeDefaults {
    /// The profile, if degrees follow from the widths.
    pub(super) fn new(options: &ArchitectureOptions, connectivity: &Connectivity) -> Result<Option<Self>> {
        let has_degrees =
            matches!(connectivity, Connectivity::SpatiallyCoupled { .. } | Connectivity::SoftBand { .. });
        if !has_degrees || options.degrees.is_some() {
            return Ok(None);
        }
        let density = options.density.unwrap_or_else(paper_density);
        if !(density > 0.0 && density <= 1.0) {
            let reason = format!("{density} is invalid, it must be above 0 and at most 1");
            return Err(Error::setting(Setting::Density, reason));
        }
        Ok(Some(Self {
            blocks: options.blocks.as_ref().map(|list| list.0.clone()),
            density,
            is_requested: options.density.is_some(),
        }))
    }

    /// Writes blocks and degrees for layers of these widths: one list if all are equal.
    pub(super) fn fill(&self, connectivity: &mut Connectivity, inputs: usize, hidden: &[usize]) {
        let (blocks, mut fields, degrees) = match connectivity {
            Connectivity::SpatiallyCoupled { blocks, receptive_fields, degrees } => {
                (blocks, Some(receptive_fields), degrees)
            }
            Connectivity::SoftBand { blocks, degrees, .. } => (blocks, None, degrees),
            _ => return,
        };
        let of_layer = |list: &[usize], layer: usize| list.get(layer).or(list.first()).copied();
        let (mut all_blocks, mut all_fields, mut all_degrees) = (Vec::new(), Vec::new(), Vec::new());
        for (layer, (width, outputs)) in [inputs].iter().chain(hidden).zip(hidden).enumerate() {
            let given = self.blocks.as_deref().and_then(|list| of_layer(list, layer));
            let count = given.unwrap_or(paper::DEGREES.len().min(*width).min(*outputs));
            let field = fields.as_ref().and_then(|list| of_layer(list, layer));
            // The network's builder refuses more blocks than neurons.
            all_degrees.push(paper_degrees((*width, *outputs), count.min(*outputs), field, self.density));
            all_fields.extend(field.map(|field| field.min(count)));
            all_blocks.push(count);
        }
        // The network's builder refuses given lists of a wrong length.
        if self.blocks.is_none() {
            *blocks = one_for_all(all_blocks);
            if let Some(fields) = fields.as_mut().filter(|fields| fits(fields, hidden.len())) {
                **fields = one_for_all(all_fields);
            }
        }
        *degrees = one_for_all(all_degrees);
    }
}

/// Whether a list of receptive fields fits this number of layers, with as many blocks as the paper's.
fn fits(fields: &[usize], layers: usize) -> bool {
    let length_fits = fields.len() == 1 || fields.len() == layers;
    length_fits && fields.iter().all(|field| (1..=paper::DEGREES.len()).contains(field))
}

/// A list by layer, or a single entry if all are equal.
pub(super) fn one_for_all<T: PartialEq>(mut list: Vec<T>) -> Vec<T> {
    if list.iter().all(|entry| *entry == list[0]) {
        list.truncate(1);
    }
    list
}
