//! Settings under a name.

use clap::ValueEnum;

/// A set of flags of `train`; whatever is typed beside it wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    /// The paper's recipe, with the usual choices where it is silent
    Paper,
    /// The most accurate recipe found for Fashion-MNIST; for pictures
    Tanner,
    /// Small tables: two hidden layers behind standardised features in a random forest's order
    Small,
}

impl Preset {
    /// The flags, as they would be typed.
    pub(super) fn flags(self) -> &'static str {
        match self {
            Self::Paper => {
                "--importance pca --order desc --arch sc --optimizer adam --lr 0.001 --schedule constant --gain 1 \
                 --l2 5e-5 --epochs 40"
            }
            Self::Tanner => {
                "--importance rf --arch sc --activation relu --optimizer adam --lr 0.004 --schedule cosine --l2 1e-5 \
                 --augment shift=1,flip --label-smoothing 0.1 --epochs 60"
            }
            Self::Small => {
                "--importance rf --trees 100 --standardize on --arch sc --hidden 256,128 --receptive-field 8 \
                 --density 1 --activation relu --optimizer adam --lr 0.005 --schedule cosine --l2 3e-3 \
                 --label-smoothing 0.05 --batch-size 16 --epochs 100"
            }
        }
    }
}
