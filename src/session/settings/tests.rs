//! Flags as typed, and the resulting settings.

use clap::Parser;

use super::*;
use crate::dataset::Augmentation;
use crate::engine::{Optimizer, Penalties};
use crate::importance::{ImportanceSettings, Order};
use crate::network::{Activation, Architecture, Connectivity, Initialisation, Scheme};
use crate::session::{EngineRequest, KernelsRequest};
use crate::topology::DegreeDistribution;
use crate::training::{Recipe, Rewire, Rewiring};

#[derive(Parser)]
#[command(args_override_self = true)]
struct Line {
    #[command(flatten)]
    settings: Settings,
}

fn typed(line: &str) -> Settings {
    let words = std::iter::once("tanner").chain(line.split_whitespace());
    Line::try_parse_from(words).unwrap_or_else(|error| panic!("{line:?}: {error}")).settings
}

fn settings(line: &str) -> Result<RunSettings> {
    typed(line).resolve()
}

fn refused(line: &str) -> (Setting, String) {
    match settings(line) {
        Err(Error::Setting { setting, reason }) => (setting, reason),
        other => panic!("{line:?} gave {other:?}"),
    }
}

#[test]
fn nothing_typed_means_the_papers_network_and_the_best_recipe() {
    let settings = settings("").unwrap();
    assert_eq!(settings.architecture.fit_to(784, 10).unwrap(), Architecture::paper(784, 10));
    assert_eq!(settings.recipe, Recipe::default());
    assert_eq!(settings.importance, ImportanceSettings::new(Importance::Pca));
    assert_eq!(settings.engine, EngineRequest::Auto { threads: None, kernels: KernelsRequest::default() });
    assert_eq!((settings.out, settings.train_limit), (None, None));
    assert!(settings.augmentation.is_none());
}

#[test]
fn every_flag_reaches_its_setting() {
    let settings = settings(
        "--importance none --order desc --arch sc --blocks 4 --receptive-field 3 --degrees 9,8,7,6/5 \
         --hidden 64,32 --activation tanh --dropout 0.25 --l2 1e-3 --l1 1e-4 --l1-input 2e-4 --l-half 3e-4 \
         --weight-elimination 5e-4 --group-lasso 6e-4 --dropconnect 0.2 --label-smoothing 0.1 --optimizer nesterov --lr 0.5 \
         --momentum 0.8 --schedule step:10:0.1 --init he --gain 2 --epochs 7 --batch-size 64 --seed 9 \
         --backend cpu --threads 3 --data d --train-limit 100 --out o --augment shift=2,flip --rewire rigl --rewire-every 2 --rewire-end 0.5",
    )
    .unwrap();
    assert_eq!(settings.importance.importance, Importance::None);
    assert_eq!(settings.architecture.hidden, [64, 32]);
    assert_eq!(
        settings.architecture.fit_to(784, 10).unwrap().connectivity,
        Connectivity::SpatiallyCoupled {
            blocks: vec![4],
            receptive_fields: vec![3],
            degrees: vec![vec![9, 8, 7, 6], vec![5]]
        }
    );
    assert_eq!(settings.architecture.activation(), Activation::Tanh);
    assert_eq!(settings.architecture.keep_probability(), 0.75);
    assert_eq!(
        settings.recipe,
        Recipe {
            epochs: 7,
            batch_size: 64,
            learning_rate: 0.5,
            schedule: "step:10:0.1".parse().unwrap(),
            optimizer: Optimizer::Momentum { momentum: 0.8, nesterov: true },
            penalties: Penalties {
                l2: 1e-3,
                l1: 1e-4,
                l1_input: Some(2e-4),
                l_half: 3e-4,
                weight_elimination: 5e-4,
                group_lasso: 6e-4,
            },
            loss: crate::engine::LossRule::CROSS_ENTROPY,
            label_smoothing: 0.1,
            drop_connect: 0.2,
            rewire: Some(Rewiring { every: 2, end: 0.5, ..Rewiring::new(Rewire::Rigl) }),
            initialisation: Initialisation { scheme: Scheme::He, gain: 2.0 },
            seed: 9,
        }
    );
    assert_eq!(settings.engine, EngineRequest::Cpu { threads: Some(3) });
    assert_eq!((settings.data.path, settings.out), ("d".into(), Some("o".into())));
    assert_eq!(settings.train_limit, Some(100));
    assert_eq!(settings.augmentation, Augmentation { shift: 2, flip: true });
}

#[test]
fn importance_follows_its_flags_and_the_seed_of_the_run() {
    let importance = |line| settings(line).unwrap().importance;
    let usual = ImportanceSettings::new;
    assert_eq!(importance("--pca"), usual(Importance::Pca));
    assert_eq!(importance("--rf"), usual(Importance::RandomForest));
    assert_eq!(importance("--importance rf"), importance("--rf"));
    assert_eq!(importance("--rf --trees 7").trees, 7);
    assert_eq!(importance("--importance random --seed 9").seed, 9);
    assert_eq!(importance("--importance variance --order asc").order, Order::Ascending);
    let standardize = |line| importance(line).standardize;
    assert_eq!(["--rf", "--pca", "--importance none"].map(standardize), [true, false, false]);
    assert_eq!(["--rf --standardize off", "--pca --standardize"].map(standardize), [false, true]);
}

#[test]
fn defaults_follow_architecture_activation_and_optimiser() {
    let recipe = |line| settings(line).unwrap().recipe;
    assert_eq!(recipe("--arch rsp").penalties, Penalties::l2(5e-5));
    assert_eq!(recipe("--arch fc").penalties, Penalties::default());
    assert_eq!(recipe("--l1 1e-5").penalties, Penalties { l1: 1e-5, l1_input: None, ..Penalties::l2(5e-5) });
    assert_eq!(recipe("--optimizer adam").learning_rate, 0.001);
    assert_eq!(recipe("--optimizer adam --lr 0.01").learning_rate, 0.01);
    assert_eq!(recipe("--activation relu").initialisation.gain, std::f32::consts::SQRT_2);
    let rsp = |line| settings(line).unwrap().architecture.fit_to(784, 10).unwrap().connectivity;
    let regular = |degree| vec![DegreeDistribution::Regular(degree)];
    assert_eq!(rsp("--arch rsp"), Connectivity::RandomSparse { degrees: regular(53) });
    assert_eq!(rsp("--arch rsp --degree 7"), Connectivity::RandomSparse { degrees: regular(7) });
    let text = "--arch rsp --degree-distribution uniform:1-5/poisson:3";
    let degrees = vec![DegreeDistribution::Uniform(1, 5), DegreeDistribution::Poisson(3.0)];
    assert_eq!(rsp(text), Connectivity::RandomSparse { degrees });
}

#[test]
fn a_narrow_network_gets_the_budget_of_the_coupled_one() {
    let fitted = |line, inputs| settings(line).unwrap().architecture.fit_to(inputs, 10);
    let paper = fitted("--arch narrow", 784).unwrap();
    assert_eq!(paper, Architecture::paper(784, 10).narrowed_to(220_020).unwrap());
    let typed = fitted("--arch narrow --budget 100000 --hidden 1,1", 784).unwrap();
    assert_eq!(typed, Architecture { hidden: vec![1; 2], ..paper.clone() }.narrowed_to(100_000).unwrap());
    // 16 x 10 edges and 2 x 16 x 10 more, then 16 x 10 logits; 48 + 10 biases.
    let small = fitted("--arch narrow --blocks 2 --degrees 10,10 --hidden 32,16 --receptive-field 1", 16);
    assert_eq!(small.unwrap_err().to_string().matches("a degree of 10").count(), 1);
    let small = fitted("--arch narrow --blocks 2 --degrees 8,12 --hidden 32,16", 16).unwrap();
    assert_eq!(small.connectivity, Connectivity::Narrow { budget: 16 * 10 + 32 * 10 + 160 + 58 });
    let message = fitted("--arch narrow --budget 100", 784).unwrap_err();
    assert!(message.to_string().contains("a budget of 100 parameters is impossible"));
}

#[test]
fn a_soft_band_takes_the_degrees_of_a_coupled_network() {
    let band = |line| settings(line).unwrap().architecture.fit_to(784, 10).unwrap().connectivity;
    let soft = |blocks, degrees, softness| Connectivity::SoftBand {
        blocks: vec![blocks],
        degrees: vec![degrees],
        softness,
    };
    assert_eq!(band("--arch band"), soft(8, vec![98, 130, 98, 49, 20, 10, 10, 10], 1.0));
    let line = "--arch band --blocks 4 --degrees 9,8,7,6 --softness 0.25";
    assert_eq!(band(line), soft(4, vec![9, 8, 7, 6], 0.25));
    // One number is the degree of all blocks.
    assert_eq!(band("--arch band --degrees 53"), soft(8, vec![53], 1.0));
}

#[test]
fn one_degree_is_that_of_all_blocks() {
    let architecture = settings("--degrees 53").unwrap().architecture.fit_to(784, 10).unwrap();
    assert_eq!(architecture.parameter_count().unwrap(), 5 * (41_552 + 784) + 7_850);
    // Block 0 feeds one output block, of 98 neurons.
    let fitted = |line| settings(line).unwrap().architecture.fit_to(784, 10).unwrap();
    assert!(fitted("--degrees 98").parameter_count().is_ok());
    let message = fitted("--degrees 99").parameter_count().unwrap_err().to_string();
    assert!(message.contains("layer 1: block 0: a degree of 99 is impossible"), "{message}");
}

#[test]
fn the_engine_request_follows_backend_and_adapter() {
    let engine = |line| settings(line).unwrap().engine;
    let kernels = KernelsRequest::default();
    let gpu = |adapter: Option<&str>| EngineRequest::Gpu {
        adapter: adapter.map(Into::into),
        kernels: KernelsRequest::default(),
    };
    assert_eq!(engine("--backend gpu"), gpu(None));
    assert_eq!(engine("--backend gpu --adapter llvm"), gpu(Some("llvm")));
    assert_eq!(engine("--adapter llvm"), gpu(Some("llvm")));
    assert_eq!(engine("--threads 2"), EngineRequest::Auto { threads: Some(2), kernels });
    let typed = |typed| KernelsRequest { asked: Some(typed), recorded: None };
    let kernels = typed(KernelChoice::Auto);
    assert_eq!(engine("--gpu-kernels auto"), EngineRequest::Auto { threads: None, kernels });
    let text = "dense=never,forward=8,logits=32,backward-input=4,backward-weight=1";
    let kernels = typed(KernelChoice::Given(text.parse().unwrap()));
    let line = format!("--backend gpu --gpu-kernels {text}");
    assert_eq!(engine(&line), EngineRequest::Gpu { adapter: None, kernels });
    assert_eq!(engine("--backend reference"), EngineRequest::Reference);
    for (typed, part) in [("wild", "neither auto nor default"), ("forward=8", "dense=.. is missing")] {
        let message = typed.parse::<KernelChoice>().unwrap_err().to_string();
        assert!(message.starts_with("gpu-kernels: ") && message.contains(part), "{message}");
    }
}

#[test]
fn misfits_are_refused_by_name() {
    for (line, setting, start) in [
        ("--train-limit 0", Setting::TrainLimit, "0 "),
        ("--importance none --order asc", Setting::Order, "asc "),
        ("--arch fc --blocks 8", Setting::Blocks, "cannot be used with `arch` fc"),
        ("--arch fc --degrees 1,2", Setting::Degrees, "cannot be used with `arch` fc"),
        ("--arch rsp --receptive-field 2", Setting::ReceptiveField, "cannot be used with `arch` rsp"),
        ("--degree 53", Setting::Degree, "cannot be used with `arch` sc, only with `arch` rsp"),
        ("--degree-distribution regular:3", Setting::DegreeDistribution, "cannot be used"),
        ("--budget 9", Setting::Budget, "cannot be used with `arch` sc, only with `arch` narrow"),
        ("--softness 1", Setting::Softness, "cannot be used with `arch` sc, only with `arch` band"),
        ("--arch band --receptive-field 2", Setting::ReceptiveField, "cannot be used with `arch` band"),
        ("--arch band --softness 0", Setting::Softness, "0 is invalid"),
        ("--arch band --softness nan", Setting::Softness, "NaN is invalid"),
        ("--arch narrow --softness 1", Setting::Softness, "cannot be used with `arch` narrow"),
        ("--arch narrow --degree 53", Setting::Degree, "cannot be used with `arch` narrow"),
        ("--arch narrow --budget 9 --blocks 8", Setting::Blocks, "cannot be used with `budget`"),
        ("--arch narrow --hidden none", Setting::Hidden, "must not be none with `arch` narrow"),
        ("--blocks 0", Setting::Blocks, "0 is invalid"),
        ("--density 0", Setting::Density, "0 is invalid"),
        ("--density NaN", Setting::Density, "NaN is invalid"),
        ("--arch rsp --density 0.1", Setting::Density, "cannot be used with `arch` rsp"),
        ("--hidden 784,0", Setting::Hidden, "a width of 0 "),
        ("--dropout 1", Setting::Dropout, "1 "),
        ("--dropout -0.1", Setting::Dropout, "-0.1 "),
        ("--dropout nan", Setting::Dropout, "NaN "),
        ("--optimizer adam --momentum 0.9", Setting::Momentum, "cannot be used"),
        ("--optimizer sgd --momentum 0.9", Setting::Momentum, "cannot be used"),
        ("--momentum 1", Setting::Momentum, "1 "),
        ("--lr nan", Setting::Lr, "NaN "),
        ("--lr -1", Setting::Lr, "-1.0 "),
        ("--l2 -1", Setting::L2, "-1 "),
        ("--l1 -1", Setting::L1, "-1 "),
        ("--l1 nan", Setting::L1, "NaN "),
        ("--l1-input inf", Setting::L1Input, "inf "),
        ("--l-half -0.001", Setting::LHalf, "-0.001 "),
        ("--weight-elimination nan", Setting::WeightElimination, "NaN "),
        ("--group-lasso inf", Setting::GroupLasso, "inf "),
        ("--dropconnect 1", Setting::Dropconnect, "1 "),
        ("--rewire set --rewire-fraction 0", Setting::RewireFraction, "0 is invalid"),
        ("--rewire set --rewire-fraction 1.5", Setting::RewireFraction, "1.5 is invalid"),
        ("--rewire set --rewire-every 0", Setting::RewireEvery, "0 is invalid"),
        ("--rewire set --rewire-end nan", Setting::RewireEnd, "NaN is invalid"),
        ("--rewire-end 0.5", Setting::RewireEnd, "needs `rewire`"),
        ("--arch fc --rewire rigl", Setting::Rewire, "rigl cannot be used with `arch` fc"),
        ("--dropconnect -0.5", Setting::Dropconnect, "-0.5 "),
        ("--dropconnect nan", Setting::Dropconnect, "NaN "),
        ("--label-smoothing 1", Setting::LabelSmoothing, "1 "),
        ("--label-smoothing -0.1", Setting::LabelSmoothing, "-0.1 "),
        ("--label-smoothing nan", Setting::LabelSmoothing, "NaN "),
        ("--gain 0", Setting::Gain, "0 "),
        ("--epochs 0", Setting::Epochs, "0 "),
        ("--batch-size 0", Setting::BatchSize, "0 "),
        ("--threads 0", Setting::Threads, "0 "),
        ("--threads 100000", Setting::Threads, "100000 "),
        ("--backend gpu --threads 2", Setting::Threads, "cannot be used"),
        ("--backend reference --threads 2", Setting::Threads, "cannot be used"),
        ("--adapter x --threads 2", Setting::Threads, "cannot be used"),
        ("--backend cpu --adapter x", Setting::Adapter, "cannot be used"),
        ("--backend cpu --gpu-kernels auto", Setting::GpuKernels, "cannot be used"),
    ] {
        let (refused, reason) = refused(line);
        assert_eq!(refused, setting, "{line:?}");
        assert!(reason.starts_with(start), "{line:?}: {reason:?} does not start with {start:?}");
    }
}

/// Data of any width train without further flags, and the paper's widths have the paper's degrees.
#[test]
fn degrees_follow_the_widths() {
    let built = |line: &str, inputs| settings(line).unwrap().architecture.fit_to(inputs, 3).unwrap();
    for inputs in 1..20 {
        for line in
            ["", "--hidden 5,30", "--arch band --hidden 7", "--density 0.4 --hidden 16,16", "--hidden none"]
        {
            let architecture = built(line, inputs);
            assert!(architecture.build(0).is_ok(), "{line} {inputs}: {architecture:?}");
        }
    }
    let Connectivity::SpatiallyCoupled { blocks, degrees, .. } =
        built("--hidden 784,392,392", 4).connectivity
    else {
        panic!("no spatially-coupled network")
    };
    assert_eq!(blocks, [4, 8, 8]);
    // The last block of outputs sees only one input, which must reach all of them.
    assert_eq!(degrees[0], [114, 196, 196, 392]);
    assert_eq!(degrees[1], degrees[2]);
    let message = built("--blocks 1000000000000", 784).build(0).unwrap_err().to_string();
    assert!(message.contains("1000000000000 blocks"), "{message}");
    let four = built("--blocks 4 --hidden 784", 784).connectivity;
    let Connectivity::SpatiallyCoupled { blocks, degrees, .. } = four else { panic!("as above") };
    assert_eq!((blocks, degrees), (vec![4], vec![vec![114, 74, 15, 10]]));
}

#[test]
fn flags_are_the_settings_that_they_were_made_from() {
    for line in [
        "",
        "--pca --order asc --lr 0.1 --l2 1e-5 --momentum 0.8 --seed 18446744073709551615",
        "--hidden none --arch fc --dropout 0.25 --tensorboard",
        "--degrees 9,8,7,6/5 --blocks 4 --receptive-field 3,2 --hidden 64,32 --standardize off",
        "--data t.csv --drop a,b --drop c --delimiter tab --label -1 --test 0.25 --validation 100 --patience 3",
        "--arch rsp --degree-distribution uniform:1-5/poisson:3 --augment shift=2,flip --schedule step:3:0.5",
        "--backend gpu --gpu-kernels dense=never,forward=8,logits=32,backward-input=4,backward-weight=1",
    ] {
        let settings = typed(line);
        let again = typed(&settings.to_flags().join(" "));
        assert_eq!(again, settings, "{line}");
        let json = serde_json::json!({ "settings": settings });
        let text = serde_json::to_string(&json).unwrap();
        let read = Settings::from_config(&serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(read, settings, "{line}: {text}");
    }
    assert_eq!(typed("--drop a,b --drop c").to_flags(), ["--drop=a,b,c"]);
}

#[test]
fn higher_layers_win_and_remove_dependent_settings() {
    let over = |high: &str, low: &str| typed(high).over(typed(low)).to_flags().join(" ");
    assert_eq!(over("--epochs 7", "--epochs 3 --lr 0.5"), "--epochs=7 --lr=0.5");
    let low = "--pca --arch sc --blocks 4 --degrees 4,3,2,1 --momentum 0.5 --threads 2";
    assert_eq!(
        over("--arch rsp --rf --optimizer adam", low),
        "--arch=rsp --importance=rf --optimizer=adam --threads=2"
    );
    assert_eq!(over("--density 0.5", "--degrees 5 --gain 2"), "--density=0.5 --gain=2.0");
    assert_eq!(over("--from m", "--pca --arch fc --init he --epochs 3"), "--epochs=3 --from=m");
    assert_eq!(over("--rf", "--importance none --trees 5"), "--importance=rf");
    assert_eq!(over("--backend cpu", "--adapter x"), "--backend=cpu");
    // Repeating a choice removes nothing.
    let all = "--arch=sc --density=0.5 --importance=rf --lr=0.3 --optimizer=adam --trees=5";
    assert_eq!(over("--arch sc --rf --optimizer adam", all), all);
}

mod files;
mod presets;
