use super::super::args::Command;
use super::super::gpu_kernels::KernelsArg;
use super::super::usage;
use super::*;
use tanner::engine::Penalties;
use tanner::importance::{Importance, Order};

fn settings(line: &str) -> Result<TrainSettings> {
    let words: Vec<_> = std::iter::once("tanner").chain(line.split_whitespace()).map(Into::into).collect();
    match usage::parse(&words) {
        Ok(Command::Train(args)) => TrainSettings::new(&args),
        other => panic!("{line:?} gave {other:?}"),
    }
}

fn refused(line: &str) -> String {
    match settings(line) {
        Err(error) => error.to_string(),
        Ok(settings) => panic!("{line:?} gave {settings:?}"),
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
         --backend cpu --threads 3 --data d --train-limit 100 --out o --augment shift=2,flip",
    )
    .unwrap();
    assert_eq!(settings.importance.importance, Importance::None);
    assert_eq!(settings.architecture.hidden, [64, 32]);
    assert_eq!(
        settings.architecture.connectivity,
        Connectivity::SpatiallyCoupled {
            blocks: vec![4],
            receptive_fields: vec![3],
            degrees: vec![vec![9, 8, 7, 6], vec![5]]
        }
    );
    assert_eq!(settings.architecture.activation, Activation::Tanh);
    assert_eq!(settings.architecture.keep_probability, 0.75);
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
            label_smoothing: 0.1,
            drop_connect: 0.2,
            initialisation: Initialisation { scheme: Scheme::He, gain: 2.0 },
            seed: 9,
        }
    );
    assert_eq!(settings.engine, EngineRequest::Cpu { threads: Some(3) });
    assert_eq!((settings.data, settings.out), ("d".into(), Some("o".into())));
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
    let rsp = |line| settings(line).unwrap().architecture.connectivity;
    let regular = |degree| vec![DegreeDistribution::Regular(degree)];
    assert_eq!(rsp("--arch rsp"), Connectivity::RandomSparse { degrees: regular(53) });
    assert_eq!(rsp("--arch rsp --degree 7"), Connectivity::RandomSparse { degrees: regular(7) });
    let text = "--arch rsp --degree-distribution uniform:1-5/poisson:3";
    let degrees = vec![DegreeDistribution::Uniform(1, 5), DegreeDistribution::Poisson(3.0)];
    assert_eq!(rsp(text), Connectivity::RandomSparse { degrees });
}

#[test]
fn a_narrow_network_gets_the_budget_of_the_coupled_one_beside_it() {
    let fitted = |line, inputs| settings(line).unwrap().architecture.fit_to(inputs, 10);
    let paper = fitted("--arch narrow", 784).unwrap();
    assert_eq!(paper, Architecture::paper(784, 10).narrowed_to(220_020).unwrap());
    let typed = fitted("--arch narrow --budget 100000 --hidden 1,1", 784).unwrap();
    assert_eq!(typed, Architecture { hidden: vec![1; 2], ..paper.clone() }.narrowed_to(100_000).unwrap());
    // 16 x 10 edges and 2 x 16 x 10 more, then 16 x 10 logits; 48 + 10 biases.
    let small = fitted("--arch narrow --blocks 2 --degrees 10,10 --hidden 32,16 --receptive-field 1", 16);
    assert_eq!(small.unwrap_err().root_cause().to_string().matches("a degree of 10").count(), 1);
    let small = fitted("--arch narrow --blocks 2 --degrees 8,12 --hidden 32,16", 16).unwrap();
    assert_eq!(small.connectivity, Connectivity::Narrow { budget: 16 * 10 + 32 * 10 + 160 + 58 });
    let message = fitted("--arch narrow --budget 100", 784).unwrap_err();
    assert!(message.root_cause().to_string().contains("a budget of 100 parameters is impossible"));
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
    let typed = |typed| KernelsRequest { typed: Some(typed), recorded: None };
    let kernels = typed(KernelsArg::Auto);
    assert_eq!(engine("--gpu-kernels auto"), EngineRequest::Auto { threads: None, kernels });
    let text = "dense=never,forward=8,logits=32,backward-input=4,backward-weight=1";
    let kernels = typed(KernelsArg::Given(text.parse().unwrap()));
    let line = format!("--backend gpu --gpu-kernels {text}");
    assert_eq!(engine(&line), EngineRequest::Gpu { adapter: None, kernels });
    assert_eq!(engine("--backend reference"), EngineRequest::Reference);
    for (typed, part) in [("wild", "neither auto nor default"), ("forward=8", "dense=.. is missing")] {
        let message = typed.parse::<KernelsArg>().unwrap_err().to_string();
        assert!(message.starts_with("--gpu-kernels: ") && message.contains(part), "{message}");
    }
}

#[test]
fn what_does_not_fit_is_refused_by_its_flag() {
    for (line, start) in [
        ("--train-limit 0", "--train-limit: 0 "),
        ("--importance none --order asc", "--order: asc "),
        ("--arch fc --blocks 8", "--blocks: has no meaning with --arch fc"),
        ("--arch fc --degrees 1,2", "--degrees: has no meaning with --arch fc"),
        ("--arch rsp --receptive-field 2", "--receptive-field: has no meaning with --arch rsp"),
        ("--degree 53", "--degree: has no meaning with --arch sc, it belongs to --arch rsp"),
        ("--degree-distribution regular:3", "--degree-distribution: has no meaning"),
        ("--arch rsp --degree-distribution wide", "topology: degree distribution \"wide\""),
        ("--budget 9", "--budget: has no meaning with --arch sc, it belongs to --arch narrow"),
        ("--softness 1", "--softness: has no meaning with --arch sc, it belongs to --arch band"),
        ("--arch band --receptive-field 2", "--receptive-field: has no meaning with --arch band"),
        ("--arch band --softness 0", "--softness: 0 is impossible"),
        ("--arch band --softness nan", "--softness: NaN is impossible"),
        ("--arch narrow --softness 1", "--softness: has no meaning with --arch narrow"),
        ("--arch narrow --degree 53", "--degree: has no meaning with --arch narrow"),
        ("--arch narrow --budget 9 --blocks 8", "--blocks: has no meaning with --budget"),
        ("--arch narrow --hidden none", "--hidden: none is impossible with --arch narrow"),
        ("--blocks 0", "--blocks: 0 is impossible"),
        ("--density 0", "--density: 0 is impossible"),
        ("--density NaN", "--density: NaN is impossible"),
        ("--arch rsp --density 0.1", "--density: has no meaning with --arch rsp"),
        ("--hidden 784,0", "--hidden: a width of 0 "),
        ("--dropout 1", "--dropout: 1 "),
        ("--dropout -0.1", "--dropout: -0.1 "),
        ("--dropout nan", "--dropout: NaN "),
        ("--optimizer adam --momentum 0.9", "--momentum: has no meaning"),
        ("--optimizer sgd --momentum 0.9", "--momentum: has no meaning"),
        ("--momentum 1", "--momentum: 1 "),
        ("--lr nan", "--lr: NaN "),
        ("--lr -1", "--lr: -1.0 "),
        ("--l2 -1", "--l2: -1 "),
        ("--l1 -1", "--l1: -1 "),
        ("--l1 nan", "--l1: NaN "),
        ("--l1-input inf", "--l1-input: inf "),
        ("--l-half -0.001", "--l-half: -0.001 "),
        ("--weight-elimination nan", "--weight-elimination: NaN "),
        ("--group-lasso inf", "--group-lasso: inf "),
        ("--dropconnect 1", "--dropconnect: 1 "),
        ("--dropconnect -0.5", "--dropconnect: -0.5 "),
        ("--dropconnect nan", "--dropconnect: NaN "),
        ("--label-smoothing 1", "--label-smoothing: 1 "),
        ("--label-smoothing -0.1", "--label-smoothing: -0.1 "),
        ("--label-smoothing nan", "--label-smoothing: NaN "),
        ("--gain 0", "--gain: 0 "),
        ("--epochs 0", "--epochs: 0 "),
        ("--batch-size 0", "--batch-size: 0 "),
        ("--threads 0", "--threads: 0 "),
        ("--threads 100000", "--threads: 100000 "),
        ("--backend gpu --threads 2", "--threads: has no meaning"),
        ("--backend reference --threads 2", "--threads: has no meaning"),
        ("--adapter x --threads 2", "--threads: has no meaning"),
        ("--backend cpu --adapter x", "--adapter: has no meaning"),
        ("--backend cpu --gpu-kernels auto", "--gpu-kernels: has no meaning"),
    ] {
        let message = refused(line);
        assert!(message.starts_with(start), "{line:?}: {message:?} does not start with {start:?}");
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
    assert_eq!(degrees[0], [114, 74, 15, 10]);
    assert_eq!(degrees[1], degrees[2]);
    let message = built("--blocks 1000000000000", 784).build(0).unwrap_err().to_string();
    assert!(message.contains("1000000000000 blocks"), "{message}");
    let four = built("--blocks 4 --hidden 784", 784).connectivity;
    let Connectivity::SpatiallyCoupled { blocks, degrees, .. } = four else { panic!("as above") };
    assert_eq!((blocks, degrees), (vec![4], vec![vec![114, 74, 15, 10]]));
}
