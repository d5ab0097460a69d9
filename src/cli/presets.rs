//! Settings under a name.

use clap::ValueEnum;

/// A set of flags of `train`; whatever is typed beside it wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    /// The paper's recipe, with the usual choices where it is silent
    Paper,
    /// The most accurate recipe found for Fashion-MNIST; for pictures
    Tanner,
    /// Small tables: two narrow layers, standardised features
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
                "--importance variance --standardize on --arch sc --hidden 128,128 --density 0.2 --activation relu \
                 --optimizer adam --lr 0.003 --schedule cosine --l2 1e-4 --batch-size 32 --epochs 60"
            }
        }
    }
}
