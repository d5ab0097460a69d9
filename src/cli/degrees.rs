//! Degrees where none were typed: the paper's profile, for layers of any width.

use tanner::Result;
use tanner::model::Arch;
use tanner::network::Connectivity;
use tanner::topology::{paper_degrees, paper_density};

use super::args::ArchitectureArgs;
use super::settings::refuse;

/// Number of the paper's blocks.
pub(super) const PAPER_BLOCKS: usize = 8;

/// Degrees like the paper's, for layers of any width.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Profile {
    /// Blocks of each layer; as many as the paper's, or as its narrower side has neurons, where none were typed.
    blocks: Option<Vec<usize>>,
    /// Mean share of the weights that exist.
    density: f64,
}

impl Profile {
    /// Whether degrees follow from the widths, and how.
    pub(super) fn new(args: &ArchitectureArgs, arch: Arch) -> Result<Option<Self>> {
        let has_degrees =
            matches!(arch, Arch::Sc | Arch::Band) || (arch == Arch::Narrow && args.budget.is_none());
        if !has_degrees || args.degrees.is_some() {
            return Ok(None);
        }
        let density = args.density.unwrap_or_else(paper_density);
        if !(density > 0.0 && density <= 1.0) {
            return refuse("--density", format!("{density} is impossible, it must be above 0 and at most 1"));
        }
        Ok(Some(Self { blocks: args.blocks.as_ref().map(|list| list.0.clone()), density }))
    }

    /// Writes blocks and degrees for layers of these widths: one list where they are the same for all.
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
            let typed = self.blocks.as_deref().and_then(|list| of_layer(list, layer));
            let count = typed.unwrap_or(PAPER_BLOCKS.min(*width).min(*outputs));
            let field = fields.as_ref().and_then(|list| of_layer(list, layer));
            // More blocks than neurons are refused where the network is built.
            all_degrees.push(paper_degrees(*outputs, count.min(*outputs), field, self.density));
            all_fields.extend(field.map(|field| field.min(count)));
            all_blocks.push(count);
        }
        // Typed lists, of a wrong length perhaps, are refused where the network is built.
        if self.blocks.is_none() {
            *blocks = one_for_all(all_blocks);
            if let Some(fields) = fields.as_mut().filter(|fields| fits(fields, hidden.len())) {
                **fields = one_for_all(all_fields);
            }
        }
        *degrees = one_for_all(all_degrees);
    }
}

/// Whether a list of receptive fields could be one of so many layers of as many blocks as the paper's.
fn fits(fields: &[usize], layers: usize) -> bool {
    let length_fits = fields.len() == 1 || fields.len() == layers;
    length_fits && fields.iter().all(|field| (1..=PAPER_BLOCKS).contains(field))
}

/// A list by layer, or its one entry where all are the same.
pub(super) fn one_for_all<T: PartialEq>(mut list: Vec<T>) -> Vec<T> {
    if list.iter().all(|entry| *entry == list[0]) {
        list.truncate(1);
    }
    list
}
