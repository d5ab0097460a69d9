//! What a user chooses: the kind of importance and the order, each with one spelling.

use crate::named::named;

named! {
    /// How the importance of the features is found.
    #[non_exhaustive]
    pub enum Importance {
        /// Principal components in the order of the variance that they explain.
        Pca = "pca",
        /// Raw features in the order of their mean decrease in Gini impurity in a random forest.
        RandomForest = "rf",
        /// Raw features in the order of their variance, a control.
        Variance = "variance",
        /// Raw features in an order drawn by chance, a control.
        Random = "random",
        /// Raw features in the order in which they come.
        None = "none",
    }
}

impl Importance {
    /// Whether it orders raw features, as opposed to components of them, by a score of each.
    #[must_use]
    pub(crate) fn scores_features(self) -> bool {
        matches!(self, Self::RandomForest | Self::Random | Self::Variance)
    }

    /// Whether features are standardised where nothing else is said.
    ///
    /// Pixels that pass unrotated keep their large means, which push sigmoids to
    /// one side; principal components have mean 0 and carry their scale on purpose.
    #[must_use]
    pub(crate) fn standardizes(self) -> bool {
        self.scores_features()
    }
}

named! {
    /// Which end of the order comes first.
    pub enum Order {
        /// Most important first.
        Descending = "desc",
        /// Least important first: exactly the reverse of [`Order::Descending`].
        Ascending = "asc",
        /// Where pixels are, patch by patch of a [`Grid`](crate::topology::Grid), whatever their importance.
        Place = "place",
    }
}
