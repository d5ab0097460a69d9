//! The numbers of "Spatially-Coupled Neural Network Architectures" (Hasanzadeh, Janakiraman, Amalladinne and Narayanan).

/// Widths of the hidden layers.
pub const HIDDEN: [usize; 5] = [784; 5];
/// Out-degrees of the neurons of each block, from the most important inputs to the least.
pub const DEGREES: [usize; 8] = [98, 130, 98, 49, 20, 10, 10, 10];
/// Number of outputs that the degrees are meant for.
pub const OUTPUTS: usize = 784;
/// Input blocks that an output block sees.
pub const RECEPTIVE_FIELD: usize = 2;
/// Out-degree of the random sparse network.
pub const DEGREE: usize = 53;
/// Strength of the L2 penalty; the fully connected network has none.
pub const L2: f32 = 5e-5;
/// Softness of a band that reaches as far as the window: to the neighbouring blocks.
pub const SOFTNESS: f64 = 1.0;
