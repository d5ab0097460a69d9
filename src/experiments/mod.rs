//! Experiments on trained models: what can be taken away, and what matters where.
//!
//! [`mod@prune`] makes a trained network smaller, by blocks or by the size of its
//! weights; [`mod@layer_importance`] measures every block of every layer. What an experiment chooses by is a validation split, never the test
//! set. All of them work with any [`Engine`](crate::engine::Engine).

pub mod blocks;
pub mod layer_importance;
pub mod prune;
pub mod silence;
pub mod statistics;
