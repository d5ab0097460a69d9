//! The kinds of importance and order.

use crate::named::named;

named! {
    /// The kind of importance.
    #[non_exhaustive]
    pub enum Importance {
        /// Principal components in the order of the variance that they explain.
        Pca = "pca",
        /// Raw features in the order of their mean decrease in Gini impurity in a random forest.
        RandomForest = "rf",
        /// Raw features in the order of their variance, a control.
        Variance = "variance",
        /// Raw features in an order drawn at random, a control.
        Random = "random",
        /// Raw features in their order.
        None = "none",
    }
}

impl Importance {
    /// Whether it orders raw features, not components, by a score of each.
    #[must_use]
    pub(crate) fn scores_features(self) -> bool {
        matches!(self, Self::RandomForest | Self::Random | Self::Variance)
    }

    /// Whether features are standardised by default.
    ///
    /// Pixels that pass unrotated keep their large means, which push sigmoids to
    /// one side; principal components have mean 0 and carry their scale on purpose.
    #[must_use]
    pub(crate) fn standardizes(self) -> bool {
        self.scores_features()
    }
}

named! {
    /// The direction of the order.
    pub enum Order {
        /// Most important first.
        Descending = "desc",
        /// Least important first: exactly the reverse of [`Order::Descending`].
        Ascending = "asc",
        /// By the places of pixels, patch by patch of a [`Grid`](crate::topology::Grid), regardless of importance.
        Place = "place",
    }
}
