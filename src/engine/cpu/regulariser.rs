//! What regularisation computes once per step, before the gradients: factors of groups, masked weights.

use rayon::prelude::*;

use super::drop_connect::drop_connect;
use super::group_norm::group_factor;
use super::penalty::{Connections, Regularisation};
use super::recorder::StageRecorder;
use super::step::PIECE;
use crate::engine::EngineSettings;
use crate::engine::layout::{NetworkLayout, PackedValues};
use crate::engine::packed_edges::{InputGroups, PackedConnections};
use crate::engine::profile::Stage;
use crate::network::Network;
use crate::network::drop_connect::ConnectionMask;

/// Tables and results, each empty if the settings have no use for it.
pub(super) struct Regulariser {
    settings: EngineSettings,
    inputs: usize,
    groups: InputGroups,
    group_factors: Vec<f32>,
    connections: PackedConnections,
    mask: Option<ConnectionMask>,
    masked: PackedValues,
}

impl Regulariser {
    pub(super) fn new(network: &Network, layout: &NetworkLayout, settings: EngineSettings) -> Self {
        let (groups, drops) = (settings.penalties.group_lasso > 0.0, settings.drop_connect > 0.0);
        let room = |len: usize| if drops { vec![0.0; len] } else { Vec::new() };
        Self {
            settings,
            inputs: network.inputs(),
            groups: if groups { layout.input_groups(network) } else { InputGroups::default() },
            group_factors: Vec::new(),
            connections: if drops { layout.connections(network) } else { PackedConnections::default() },
            mask: None,
            masked: PackedValues { dense: room(layout.dense_len()), sparse: room(layout.sparse_len()) },
        }
    }

    /// Frees all tables.
    pub(super) fn release(&mut self) {
        (self.groups, self.group_factors, self.connections, self.masked) = Default::default();
    }

    /// Whether there is anything to [`Regulariser::prepare`].
    pub(super) fn prepares(&self) -> bool {
        self.settings.penalties.group_lasso > 0.0 || self.settings.drop_connect > 0.0
    }

    /// Computes what a step needs; runs on the threads of the caller's pool.
    pub(super) fn prepare<R: StageRecorder>(&mut self, step: u64, values: &PackedValues, recorder: &R) {
        let strength = self.settings.penalties.group_lasso;
        let groups = 0..self.groups.start.len().saturating_sub(1);
        let factors = groups.into_par_iter().with_min_len(16);
        let factors = factors.map(|input| {
            recorder.time(Stage::GroupFactors, || group_factor(&self.groups, values, strength, input))
        });
        factors.collect_into_vec(&mut self.group_factors);
        self.mask = self.settings.connection_mask(step);
        if let Some(mask) = self.mask {
            let parts = [
                (Stage::MaskDense, &self.connections.dense, &values.dense, &mut self.masked.dense),
                (Stage::MaskSparse, &self.connections.sparse, &values.sparse, &mut self.masked.sparse),
            ];
            for (stage, connections, values, masked) in parts {
                let pieces = masked.par_chunks_mut(PIECE).zip(values.par_chunks(PIECE));
                pieces.zip(connections.par_chunks(PIECE)).for_each(|((masked, values), connections)| {
                    recorder.time(stage, || drop_connect(mask, connections, values, masked));
                });
            }
        }
    }

    /// The masked weights of the prepared step, if it has a mask.
    pub(super) fn masked(&self) -> Option<&PackedValues> {
        self.mask.map(|_| &self.masked)
    }

    /// The regularisation of dense and of sparse values in the prepared step; `None` if it does nothing.
    pub(super) fn regularisations(&self) -> Option<[Regularisation<'_>; 2]> {
        let penalties = self.settings.penalties.rule();
        let some = penalties.on != 0 || self.mask.is_some();
        some.then(|| {
            [&self.connections.dense, &self.connections.sparse].map(|numbers| Regularisation {
                penalties,
                inputs: self.inputs,
                group_factors: &self.group_factors,
                connections: self.mask.map(|mask| Connections { mask, numbers }),
            })
        })
    }
}
