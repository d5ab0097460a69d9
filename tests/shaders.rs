//! Checks shaders without a GPU: they parse and validate, translate to
//! every backend's language, and agree with the Rust side about struct layouts,
//! bindings, access, workgroup sizes and constants.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::offset_of;
use std::path::Path;

use naga::valid::{Capabilities, FunctionInfo, GlobalUse, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, StorageAccess, TypeInner};
use tanner::engine::gpu::Share;
use tanner::engine::gpu::shaders::{FOLD, GATHERED, KERNELS, KernelSpec, LOGITS, STORAGE_BUFFERS, UNIFORMS};
use tanner::engine::gpu::uniforms::{
    ConnectionsUniform, DropoutUniform, EntryPair, LayerUniform, ListedBlock, Metric, MicroBlockPair,
    NetworkUniform, PartUniform, QUAD_VECTORS, Quad, StepUniform, TILE_VECTORS, Tile,
};
use tanner::engine::penalty::{L_HALF_SMOOTHING, WEIGHT_ELIMINATION_SCALE};
use tanner::engine::{LossKind, MAX_STATES, OptimizerKind, PenaltyRule, UpdateRule};
use tanner::network::Activation;
use tanner::network::drop_connect::NO_CONNECTION;

/// A shader for one share.
struct Variant {
    shader: &'static KernelSpec,
    share: Share,
    name: String,
    module: Module,
    info: ModuleInfo,
}

/// Every shader for each of its shares.
fn variants() -> Vec<Variant> {
    let all = KERNELS.iter().flat_map(|shader| shader.shares().iter().map(move |share| (shader, *share)));
    all.map(|(shader, share)| parse(shader, share)).collect()
}

fn parse(shader: &'static KernelSpec, share: Share) -> Variant {
    let (name, source) = (format!("{}, share {share}", shader.name), shader.source(share));
    let module = naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(&source)));
    // No capability beyond plain WGSL may be needed.
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(&source)));
    Variant { shader, share, name, module, info }
}

fn folder(path: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_eq!(path.file_name().unwrap(), "common", "no test covers {}", path.display());
            continue;
        }
        assert_eq!(path.extension().unwrap(), "wgsl", "no test covers {}", path.display());
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        files.insert(stem, std::fs::read_to_string(&path).unwrap());
    }
    files
}

#[test]
fn every_file_is_covered() {
    let files = folder("shaders");
    let stems: BTreeSet<_> = files.keys().map(String::as_str).collect();
    assert_eq!(stems, KERNELS.iter().map(|shader| shader.name).collect(), "files and KERNELS differ");
    let sources: Vec<(&KernelSpec, String)> = KERNELS
        .iter()
        .flat_map(|shader| shader.shares().iter().map(move |share| (shader, shader.source(*share))))
        .collect();
    for (shader, source) in &sources {
        assert!(source.contains(&files[shader.name]), "{} was built from another text", shader.name);
    }
    for (stem, text) in folder("shaders/common") {
        assert!(sources.iter().any(|(_, source)| source.contains(&text)), "no shader includes {stem}");
    }
}

#[test]
fn every_kernel_opens_with_its_description() {
    for (stem, text) in folder("shaders") {
        let lines: Vec<_> = text.lines().take(5).collect();
        assert!(lines.iter().all(|line| line.starts_with("// ")), "{stem} does not open with five comments");
        let twin = format!("// Twin: src/engine/reference/{stem}.rs.");
        assert_eq!(lines[4], twin, "{stem}");
        assert!(text.lines().nth(5).is_some_and(str::is_empty), "{stem} opens with more than five comments");
    }
}

#[test]
fn shaders_translate_to_every_language() {
    for Variant { name, module, info, .. } in variants() {
        let spirv = naga::back::spv::write_vec(&module, &info, &naga::back::spv::Options::default(), None);
        assert!(spirv.is_ok_and(|words| words.len() > 100), "{name}: SPIR-V");
        let options = naga::back::msl::Options::default();
        let msl = naga::back::msl::write_string(&module, &info, &options, &Default::default());
        let (msl, translation) = msl.unwrap_or_else(|error| panic!("{name}: MSL: {error}"));
        assert!(msl.contains("kernel void"), "{name}: MSL");
        assert!(translation.entry_point_names.iter().all(Result::is_ok), "{name}: MSL entry points");
        let (mut hlsl, options) = (String::new(), naga::back::hlsl::Options::default());
        let reflection = naga::back::hlsl::Writer::new(&mut hlsl, &options, &Default::default())
            .write(&module, &info, None)
            .unwrap_or_else(|error| panic!("{name}: HLSL: {error}"));
        assert!(hlsl.contains("numthreads"), "{name}: HLSL");
        assert!(reflection.entry_point_names.iter().all(Result::is_ok), "{name}: HLSL entry points");
    }
}

/// Bytes of the workgroup variables that an entry point uses.
fn workgroup_bytes(module: &Module, uses: &FunctionInfo) -> u32 {
    let variables = module.global_variables.iter();
    let used = variables
        .filter(|(handle, global)| global.space == AddressSpace::WorkGroup && !uses[*handle].is_empty());
    used.map(|(_, global)| module.types[global.ty].inner.size(module.to_ctx())).sum()
}

#[test]
fn entry_points_have_the_bindings_of_the_table() {
    for Variant { shader, share, name, module, info } in variants() {
        let names: Vec<_> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, [shader.name], "{name}");
        assert_eq!(module.entry_points[0].workgroup_size, [shader.workgroup(share), 1, 1], "{name}");
        let uses = info.get_entry_point(0);
        assert_eq!(workgroup_bytes(&module, uses), shader.workgroup_bytes(share), "{name}");
        let mut found = Vec::new();
        for (handle, global) in module.global_variables.iter() {
            let Some(place) = &global.binding else { continue };
            let AddressSpace::Storage { access } = global.space else { continue };
            let binding = global.name.clone().unwrap();
            assert_eq!(place.group, 1, "{name}: {binding}");
            assert!(!uses[handle].is_empty(), "{name}: {binding} is declared and not used");
            let writable = access.contains(StorageAccess::STORE);
            let writes = uses[handle].contains(GlobalUse::WRITE);
            assert_eq!(writable, writes, "{name}: {binding} is declared with more access than it needs");
            found.push((place.binding, binding, writable));
        }
        found.sort();
        let table = (0..).zip(shader.bindings).map(|(number, b)| (number, b.name.to_owned(), b.writable));
        assert_eq!(found, table.collect::<Vec<_>>(), "{name}");
        assert!(shader.bindings.len() <= STORAGE_BUFFERS as usize, "{name}");
    }
    // The minimum that WebGPU guarantees.
    assert_eq!(STORAGE_BUFFERS, wgpu::Limits::default().max_storage_buffers_per_shader_stage);
}

#[test]
fn uniforms_have_the_offsets_of_the_table() {
    for Variant { name, module, .. } in variants() {
        let uniforms = module.global_variables.iter().filter(|(_, g)| g.space == AddressSpace::Uniform);
        let mut found: Vec<_> = uniforms
            .map(|(_, global)| {
                let place = global.binding.as_ref().unwrap();
                assert_eq!(place.group, 0, "{name}");
                (place.binding, global.name.clone().unwrap())
            })
            .collect();
        found.sort();
        let table = UNIFORMS.map(|(binding, name, ..)| (binding, name.to_owned()));
        assert_eq!(found, table, "{name}");
    }
}

/// Name in WGSL, size, and the offset of each member.
type StructLayout = (&'static str, usize, Vec<(&'static str, usize)>);

macro_rules! layout {
    ($wgsl:literal, $rust:ty, $($member:literal => $offset:expr),+ $(,)?) => {
        ($wgsl, size_of::<$rust>(), vec![$(($member, $offset)),+])
    };
}

macro_rules! same_names {
    ($wgsl:literal, $rust:ty, $($member:ident),+ $(,)?) => {
        ($wgsl, size_of::<$rust>(), vec![$((stringify!($member), offset_of!($rust, $member))),+])
    };
}

fn regularisation_layouts() -> Vec<StructLayout> {
    let reserved = offset_of!(PenaltyRule, reserved);
    vec![
        layout!(
            "PenaltyRule",
            PenaltyRule,
            "on" => offset_of!(PenaltyRule, on),
            "l1" => offset_of!(PenaltyRule, l1),
            "l1_input" => offset_of!(PenaltyRule, l1_input),
            "l_half" => offset_of!(PenaltyRule, l_half),
            "weight_elimination" => offset_of!(PenaltyRule, weight_elimination),
            "group_lasso" => offset_of!(PenaltyRule, group_lasso),
            "reserved_0" => reserved,
            "reserved_1" => reserved + 4,
        ),
        layout!(
            "Connections",
            ConnectionsUniform,
            "key_0" => offset_of!(ConnectionsUniform, key),
            "key_1" => offset_of!(ConnectionsUniform, key) + 4,
            "threshold" => offset_of!(ConnectionsUniform, threshold),
            "scale" => offset_of!(ConnectionsUniform, scale),
        ),
    ]
}

fn layouts() -> Vec<StructLayout> {
    vec![
        same_names!(
            "Network",
            NetworkUniform,
            stride,
            rows,
            features,
            classes,
            logits_row,
            values,
            first_entry,
            first_bias,
            micro_block_pairs,
            entry_pairs,
            label_words,
        ),
        layout!(
            "UpdateRule",
            UpdateRule,
            "kind" => offset_of!(UpdateRule, kind),
            "states" => offset_of!(UpdateRule, states),
            "learning_rate" => offset_of!(UpdateRule, learning_rate),
            "decay" => offset_of!(UpdateRule, decay),
            "decoupled_decay" => offset_of!(UpdateRule, decoupled_decay),
            "first" => offset_of!(UpdateRule, first),
            "second" => offset_of!(UpdateRule, second),
            "epsilon" => offset_of!(UpdateRule, epsilon),
            "first_correction" => offset_of!(UpdateRule, first_correction),
            "second_correction" => offset_of!(UpdateRule, second_correction),
            "reserved_0" => offset_of!(UpdateRule, reserved),
            "reserved_1" => offset_of!(UpdateRule, reserved) + 4,
        ),
        layout!(
            "Step",
            StepUniform,
            "samples" => offset_of!(StepUniform, samples),
            "columns" => offset_of!(StepUniform, columns),
            "first_sample" => offset_of!(StepUniform, first_sample),
            "metrics_slot" => offset_of!(StepUniform, metrics_slot),
            "training" => offset_of!(StepUniform, training),
            "label_smoothing" => offset_of!(StepUniform, label_smoothing),
            "loss" => offset_of!(StepUniform, loss),
            "loss_delta" => offset_of!(StepUniform, loss_delta),
            "rule" => offset_of!(StepUniform, rule),
            "penalties" => offset_of!(StepUniform, penalties),
            "connections" => offset_of!(StepUniform, connections),
        ),
        same_names!("Layer", LayerUniform, first_quad, quads, activation, first_row),
        layout!(
            "Dropout",
            DropoutUniform,
            "key_0" => offset_of!(DropoutUniform, key),
            "key_1" => offset_of!(DropoutUniform, key) + 4,
            "threshold" => offset_of!(DropoutUniform, threshold),
            "keep_probability" => offset_of!(DropoutUniform, keep_probability),
        ),
        same_names!("Metric", Metric, loss, correct, squared, absolute),
        layout!(
            "Part",
            PartUniform,
            "first_group" => offset_of!(PartUniform, first_group),
            "reserved_0" => offset_of!(PartUniform, reserved),
            "reserved_1" => offset_of!(PartUniform, reserved) + 4,
            "reserved_2" => offset_of!(PartUniform, reserved) + 8,
        ),
    ]
}

fn table_layouts() -> Vec<StructLayout> {
    vec![
        same_names!(
            "Quad",
            Quad,
            row,
            lanes,
            place,
            first_tile,
            end_tile,
            first_block,
            end_block,
            first_entry,
            end_entry
        ),
        same_names!("ListedBlock", ListedBlock, slot, at),
        same_names!("Tile", Tile, first_block, quad_step, block_step, blocks, row, last_row),
        layout!(
            "MicroBlocks",
            MicroBlockPair,
            "output_row" => offset_of!(MicroBlockPair, output_row),
            "masks" => offset_of!(MicroBlockPair, masks),
            "input_row" => offset_of!(MicroBlockPair, inputs),
            "next_input_row" => offset_of!(MicroBlockPair, inputs) + 4,
            "place" => offset_of!(MicroBlockPair, places),
            "next_place" => offset_of!(MicroBlockPair, places) + 4,
            "reserved_0" => offset_of!(MicroBlockPair, reserved),
            "reserved_1" => offset_of!(MicroBlockPair, reserved) + 4,
        ),
        layout!(
            "Entries",
            EntryPair,
            "inputs" => offset_of!(EntryPair, inputs),
            "next_inputs" => offset_of!(EntryPair, next_inputs),
            "output_row" => offset_of!(EntryPair, output_row),
            "masks" => offset_of!(EntryPair, masks),
            "place" => offset_of!(EntryPair, places),
            "next_place" => offset_of!(EntryPair, places) + 4,
        ),
    ]
}

/// Structs that no buffer holds.
const IN_REGISTERS: [&str; 9] =
    ["Updated", "Sums", "Pair", "Place", "Owner", "Block", "Column", "Samples", "ValueAndSlope"];

#[test]
fn structs_have_the_same_layout_on_both_sides() {
    let layouts: BTreeMap<_, _> = layouts()
        .into_iter()
        .chain(table_layouts())
        .chain(regularisation_layouts())
        .map(|(name, size, members)| (name, (size, members)))
        .collect();
    let mut seen = BTreeSet::new();
    for Variant { name: variant, module, .. } in variants() {
        for (_, ty) in module.types.iter() {
            let (TypeInner::Struct { members, span }, Some(name)) = (&ty.inner, &ty.name) else { continue };
            if IN_REGISTERS.contains(&name.as_str()) {
                continue;
            }
            let (size, expected) =
                layouts.get(name.as_str()).unwrap_or_else(|| panic!("no test covers struct {name}"));
            let found: Vec<_> = members
                .iter()
                .map(|member| (member.name.as_deref().unwrap(), member.offset as usize))
                .collect();
            assert_eq!((*span as usize, &found), (*size, expected), "{variant}: struct {name}");
            seen.insert(name.clone());
        }
    }
    assert_eq!(seen, layouts.keys().map(|name| (*name).to_owned()).collect(), "structs no shader has");
}

/// Constants that are the same for every share, floats by their bits.
fn constants() -> BTreeMap<String, u32> {
    let numbers = [
        ("FOLD", FOLD),
        ("NO_LABEL", u32::MAX),
        ("QUAD_VECTORS", QUAD_VECTORS),
        ("TILE_VECTORS", TILE_VECTORS),
        ("STATES", u32::try_from(MAX_STATES).unwrap()),
        ("NO_CONNECTION", NO_CONNECTION),
        ("L_HALF_SMOOTHING", L_HALF_SMOOTHING.to_bits()),
        ("WEIGHT_ELIMINATION_SCALE", WEIGHT_ELIMINATION_SCALE.to_bits()),
    ];
    let optimizers = OptimizerKind::ALL.map(|kind| (kind.name(), kind as u32));
    let activations = Activation::ALL.map(|activation| (activation.name(), activation.code()));
    let losses = LossKind::ALL.map(|kind| (kind.name(), kind as u32));
    let all = numbers.into_iter().chain(optimizers).chain(activations).chain(losses);
    all.map(|(name, value)| (name.to_uppercase().replace('-', "_"), value)).collect()
}

/// Constants that follow from shader and share.
fn constants_of(shader: &KernelSpec, share: Share) -> BTreeMap<&'static str, u32> {
    let (workgroup, items) = (shader.workgroup(share), shader.items(share));
    let mut all = BTreeMap::from([
        ("WORKGROUP", workgroup),
        ("SHARE", share.get()),
        ("MOST_LANE_BITS", items.ilog2().min(5)),
        ("ITEMS", items),
        ("SUMS_ROW", workgroup + 1),
    ]);
    match shader.name {
        "gather" => {
            all.extend([("FEATURES", GATHERED[0]), ("COLUMNS", GATHERED[1]), ("ROW", GATHERED[1] + 1)]);
        }
        "softmax_cross_entropy" | "separable_loss" => {
            let columns = share.columns();
            let slices = share.get().min(16);
            all.extend([
                ("COLUMNS", columns),
                ("QUADS", items / columns),
                ("SLICES", slices),
                ("LOGITS", LOGITS),
            ]);
        }
        "backward_weight" => all.extend([("MICRO_BLOCK", 0), ("ENTRY", 1), ("BIASES", 2)]),
        _ => {}
    }
    all
}

#[test]
fn constants_are_those_of_the_host() {
    let same = constants();
    let mut known: BTreeSet<String> = same.keys().cloned().collect();
    let mut seen = BTreeSet::new();
    for Variant { shader, share, name: variant, module, .. } in variants() {
        let of_share = constants_of(shader, share);
        known.extend(of_share.keys().map(|name| (*name).to_owned()));
        for (_, constant) in module.constants.iter() {
            let Some(name) = &constant.name else { continue };
            let value = match module.global_expressions[constant.init] {
                naga::Expression::Literal(naga::Literal::U32(value)) => value,
                naga::Expression::Literal(naga::Literal::F32(value)) => value.to_bits(),
                _ => panic!("{variant}: {name} is no u32 or f32"),
            };
            let expected = same.get(name.as_str()).or_else(|| of_share.get(name.as_str()));
            assert_eq!(Some(&value), expected, "{variant}: {name}");
            seen.insert(name.clone());
        }
    }
    assert_eq!(seen, known, "constants no shader has");
}

/// The values that the cases of every switch in a function name, without the default.
fn cases(module: &Module, function: &str) -> Vec<BTreeSet<u32>> {
    let (_, function) =
        module.functions.iter().find(|(_, of)| of.name.as_deref() == Some(function)).expect("a function");
    let switches = function.body.iter().filter_map(|statement| match statement {
        naga::Statement::Switch { cases, .. } => Some(cases.iter().filter_map(|case| match case.value {
            naga::SwitchValue::U32(value) => Some(value),
            naga::SwitchValue::I32(_) | naga::SwitchValue::Default => None,
        })),
        _ => None,
    });
    switches.map(Iterator::collect).collect()
}

/// WGSL does not require a case for each variant of the host's enum; unknown codes become NaN.
#[test]
fn every_variant_has_a_case() {
    let optimizers: BTreeSet<u32> = OptimizerKind::ALL.map(|kind| kind as u32).into();
    let activations: BTreeSet<u32> = Activation::ALL.map(Activation::code).into();
    let losses = LossKind::ALL.into_iter().filter(|kind| *kind != LossKind::CrossEntropy);
    let losses: BTreeSet<u32> = losses.map(|kind| kind as u32).collect();
    assert_eq!((optimizers.len(), activations.len()), (OptimizerKind::ALL.len(), Activation::ALL.len()));
    for (stem, function, expected) in [
        ("backward_weight", "updated", &optimizers),
        ("forward", "activate", &activations),
        ("softmax_cross_entropy", "activate", &activations),
        ("separable_loss", "value_and_slope", &losses),
        ("backward_input", "slope", &activations),
    ] {
        for variant in variants().into_iter().filter(|variant| variant.shader.name == stem) {
            let found = cases(&variant.module, function);
            assert_eq!(found, std::slice::from_ref(expected), "{}: cases of {function}", variant.name);
        }
    }
}

/// Assumptions of the shaders: whole workgroups of items, each quad of logits by a whole row of columns.
#[test]
fn shares_fill_their_workgroups() {
    for shader in &KERNELS {
        for share in shader.shares().iter().copied() {
            let (workgroup, items, columns) = (shader.workgroup(share), shader.items(share), share.columns());
            let name = format!("{} with a share of {share}", shader.name);
            assert_eq!(workgroup, share.get() * items, "{name}");
            // No more than every adapter has, and a whole cache line of columns.
            assert!((64..=256).contains(&workgroup) && items >= 8, "{name}");
            assert_eq!([1, 2, 3, 8, 9, 1000].map(|wide| shader.lane_bits(share, wide)), {
                let most = items.ilog2().min(5);
                [0, 1, 2, 3, 4, 10].map(|bits| most.min(bits))
            });
            if matches!(shader.name, "softmax_cross_entropy" | "separable_loss") {
                assert!(items >= columns && items.is_multiple_of(columns), "{name}");
                assert!(share.get().min(16) * columns <= workgroup, "{name}: slices of columns");
            }
        }
    }
}
