//! One network trained by several processes: each computes the gradients of its part of every batch, and all apply their sum.
//!
//! Every process, a *rank*, has the same graph, so only one number for each weight and bias travels, in canonical order. A [`Link`]
//! carries bytes between ranks. [`sum()`] adds arrays over all ranks in an order that depends on nothing but their number, so the
//! same number of ranks gives the same bits. [`SharedEngine`] is an [`Engine`](crate::engine::Engine) that works on its part.

mod shared_engine;
mod sum;

use crate::Result;

pub use shared_engine::SharedEngine;
pub use sum::{bytes_of_sum, sum};

/// What connects the ranks.
pub trait Link: Send {
    /// The number of this rank, from 0.
    fn rank(&self) -> usize;

    /// The number of ranks.
    fn size(&self) -> usize;

    /// Sends bytes to another rank, and receives those that it sends, which are as many as there is room for.
    ///
    /// # Errors
    /// When the other rank is gone.
    fn exchange(&mut self, partner: usize, send: &[u8], receive: &mut [u8]) -> Result<()>;
}
