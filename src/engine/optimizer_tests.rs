use serde_json::json;

use super::*;

#[test]
fn a_kind_has_one_name_everywhere() {
    for kind in OptimizerKind::ALL {
        assert_eq!(kind.to_string().parse::<OptimizerKind>().unwrap(), kind);
        assert_eq!(serde_json::to_value(kind).unwrap(), json!(kind.name()));
        assert_eq!(kind.usual().kind(), kind);
    }
    let message = "adm".parse::<OptimizerKind>().unwrap_err().to_string();
    assert!(message.contains("\"adm\" is not one of") && message.contains("sgd, momentum"), "{message}");
}

/// Both get their names from one table.
#[cfg(feature = "cli")]
#[test]
fn the_command_line_has_the_same_names_in_the_same_order() {
    use clap::ValueEnum;

    assert_eq!(OptimizerKind::value_variants(), OptimizerKind::ALL);
    for kind in OptimizerKind::ALL {
        let value = kind.to_possible_value().unwrap();
        assert_eq!(value.get_name(), kind.name());
    }
}

#[test]
fn recorded_settings_read_back() {
    let adam = Optimizer::Adam { beta1: 0.5, beta2: 0.25, epsilon: 0.125 };
    for (optimizer, recorded) in [
        (Optimizer::Sgd, json!({ "name": "sgd" })),
        (
            Optimizer::Momentum { momentum: 0.5, nesterov: true },
            json!({ "name": "momentum", "momentum": 0.5, "nesterov": true }),
        ),
        (adam, json!({ "name": "adam", "beta1": 0.5, "beta2": 0.25, "epsilon": 0.125 })),
        (
            Optimizer::AdamW { beta1: 0.5, beta2: 0.25, epsilon: 0.125 },
            json!({ "name": "adamw", "beta1": 0.5, "beta2": 0.25, "epsilon": 0.125 }),
        ),
        (Optimizer::Lion { beta1: 0.5, beta2: 0.25 }, json!({ "name": "lion", "beta1": 0.5, "beta2": 0.25 })),
    ] {
        assert_eq!(serde_json::to_value(optimizer).unwrap(), recorded);
        assert_eq!(serde_json::from_value::<Optimizer>(recorded).unwrap(), optimizer);
    }
}

#[test]
fn options_replace_usual_values() {
    for kind in OptimizerKind::ALL {
        let usual = Optimizer::from_options(kind, &OptimizerOptions::default()).unwrap();
        assert_eq!(usual, kind.usual());
        // Every option that the rule has, with another value.
        let halved = |value: Option<f32>| value.map(|value| value / 2.0);
        let OptimizerOptions { momentum, beta1, beta2, epsilon } = usual.options();
        let options = OptimizerOptions {
            momentum: halved(momentum),
            beta1: halved(beta1),
            beta2: halved(beta2),
            epsilon: halved(epsilon),
        };
        let chosen = Optimizer::from_options(kind, &options).unwrap();
        assert_eq!((chosen.kind(), chosen.options()), (kind, options));
    }
}

#[test]
fn meaningless_options_or_values_out_of_range_are_refused() {
    let none = OptimizerOptions::default();
    let momentum = OptimizerOptions { momentum: Some(0.5), ..none };
    let refused = |kind, options| Optimizer::from_options(kind, &options).unwrap_err().to_string();
    for kind in [OptimizerKind::Sgd, OptimizerKind::Adam] {
        assert_eq!(
            refused(kind, momentum),
            "momentum: cannot be used with this `optimizer`, only with momentum and nesterov"
        );
    }
    for (options, message) in [
        (
            OptimizerOptions { beta1: Some(1.0), ..none },
            "adam-beta1: 1 is invalid, it must be at least 0 and",
        ),
        (OptimizerOptions { beta2: Some(-0.5), ..none }, "adam-beta2: -0.5 is invalid"),
        (OptimizerOptions { epsilon: Some(0.0), ..none }, "adam-epsilon: 0 is invalid, it must be above 0"),
        (OptimizerOptions { epsilon: Some(f32::NAN), ..none }, "adam-epsilon: NaN is invalid"),
    ] {
        let text = refused(OptimizerKind::Adam, options);
        assert!(text.starts_with(message), "{text}");
        let text = refused(OptimizerKind::Momentum, options);
        let owners = if options.epsilon.is_some() { "adam and adamw" } else { "adam, adamw and lion" };
        assert!(
            text.ends_with(&format!("cannot be used with this `optimizer`, only with {owners}")),
            "{text}"
        );
    }
}

/// Each decay is in one place of the rule, and biases have neither.
#[test]
fn decay_is_coupled_or_decoupled() {
    for kind in OptimizerKind::ALL {
        let rule = kind.usual().rule(0.1, 0, 0.25);
        let expected = if kind.decouples_decay() { [0.0, 0.5] } else { [0.5, 0.0] };
        assert_eq!([rule.decay, rule.decoupled_decay], expected, "{kind}");
        let rule = rule.without_decay();
        assert_eq!([rule.decay, rule.decoupled_decay], [0.0; 2], "{kind}");
    }
}
