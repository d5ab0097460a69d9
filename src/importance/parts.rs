//! Validates the parts of a preprocessing, which may come from a file.

use super::{Importance, Order, Standardisation, Transform};
use crate::{Error, Result};

fn refuse(reason: impl Into<String>) -> Result<()> {
    Err(Error::Importance(reason.into()))
}

/// Refuses an order without anything to order.
pub(super) fn check_combination(importance: Importance, order: Order) -> Result<()> {
    if importance == Importance::None && order == Order::Ascending {
        return Err(Error::Importance(
            "order `asc` cannot be used with importance `none`, use `desc` or choose an importance such as `pca`"
                .to_owned(),
        ));
    }
    if importance == Importance::Pca && order == Order::Place {
        return Err(Error::Importance(
            "order `place` cannot be used with importance `pca`, whose components are not pixels".to_owned(),
        ));
    }
    Ok(())
}

/// Refuses parts that no fit could produce.
pub(super) fn check(
    importance: Importance,
    order: Order,
    standardisation: Option<&Standardisation>,
    transform: &Transform,
) -> Result<()> {
    check_combination(importance, order)?;
    let features = transform.input_features();
    match (importance, transform) {
        (Importance::None, Transform::Permutation { order: permutation, importance })
            if order == Order::Place =>
        {
            check_permutation(order, permutation, importance)?;
        }
        (Importance::None, Transform::Identity { features: 1.. }) if order != Order::Place => {}
        (Importance::None, Transform::Identity { features: 0 }) => {
            return refuse("identity of 0 features, at least 1 is needed");
        }
        (Importance::Pca, Transform::Rotation { mean, rotation, explained_variance }) => {
            check_rotation(order, mean, rotation, explained_variance)?;
        }
        (kind, Transform::Permutation { order: permutation, importance }) if kind.scores_features() => {
            check_permutation(order, permutation, importance)?;
        }
        (kind, other) => {
            let found = match other {
                Transform::Identity { .. } => "the identity",
                Transform::Rotation { .. } => "a rotation",
                Transform::Permutation { .. } => "a permutation",
            };
            return refuse(format!("{found} does not belong to importance `{kind}`"));
        }
    }
    match standardisation {
        Some(fitted) if fitted.features() != features || u32::try_from(features).is_err() => {
            refuse(format!("a standardisation of {} features does not fit {features}", fitted.features()))
        }
        _ => Ok(()),
    }
}

/// The first value that is not in `order` before its neighbour.
fn first_out_of_order(order: Order, values: &[f32]) -> Option<usize> {
    values.windows(2).position(|pair| match order {
        Order::Descending => pair[0] < pair[1],
        Order::Ascending => pair[0] > pair[1],
        Order::Place => false,
    })
}

fn check_permutation(order: Order, permutation: &[u32], importance: &[f32]) -> Result<()> {
    let fail = |reason: String| refuse(format!("permutation: {reason}"));
    let features = permutation.len();
    if features == 0 || importance.len() != features {
        return fail(format!(
            "{features} features with {} importances, at least 1 and as many",
            importance.len()
        ));
    }
    let mut seen = vec![false; features];
    for &feature in permutation {
        match seen.get_mut(feature as usize) {
            Some(seen) if !*seen => *seen = true,
            Some(_) => return fail(format!("feature {feature} appears twice")),
            None => return fail(format!("feature {feature} of {features} does not exist")),
        }
    }
    if let Some(position) = importance.iter().position(|value| !(value.is_finite() && *value >= 0.0)) {
        return fail(format!("the importance {} is invalid, it must be at least 0", importance[position]));
    }
    if let Some(position) = first_out_of_order(order, importance) {
        let (here, next) = (importance[position], importance[position + 1]);
        return fail(format!("importance {here} at {position} before {next} is not in order `{order}`"));
    }
    Ok(())
}

fn check_rotation(order: Order, mean: &[f32], rotation: &[f32], variance: &[f32]) -> Result<()> {
    let fail = |reason: String| refuse(format!("rotation: {reason}"));
    let (features, components) = (mean.len(), variance.len());
    if features == 0 || components == 0 || components > features {
        return fail(format!(
            "{components} components of {features} features, at least 1 and at most as many"
        ));
    }
    if components.checked_mul(features) != Some(rotation.len()) {
        let given = rotation.len();
        return fail(format!("{given} numbers do not fit {components} components of {features} features"));
    }
    if ![mean, rotation, variance].iter().all(|part| part.iter().all(|value| value.is_finite())) {
        return fail("a number is not finite".to_owned());
    }
    if let Some(component) = variance.iter().position(|&value| value < 0.0) {
        return fail(format!("component {component} has the negative variance {}", variance[component]));
    }
    if let Some(component) = first_out_of_order(order, variance) {
        let (here, next) = (variance[component], variance[component + 1]);
        return fail(format!(
            "variance {here} of component {component} before {next} is not in order `{order}`"
        ));
    }
    Ok(())
}
