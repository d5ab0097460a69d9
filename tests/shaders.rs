//! Shaders against the host, with no GPU: they parse and validate, translate to
//! every backend's language, and agree with the Rust side about struct layouts,
//! bindings, access, workgroup sizes and constants.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::offset_of;
use std::path::Path;

use naga::valid::{Capabilities, FunctionInfo, GlobalUse, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, StorageAccess, TypeInner};
use tanner::engine::gpu::shaders::{
    FOLD, SHADERS, SOFTMAX_WORKGROUP, STORAGE_BUFFERS, Shader, UNIFORMS, WORKGROUP,
};
use tanner::engine::gpu::uniforms::{
    ConnectionsUniform, DropoutUniform, LayerUniform, Metric, MicroBlockEnds, NetworkUniform, Quad,
    StepUniform, Tile,
};
use tanner::engine::penalty::{L_HALF_SMOOTHING, WEIGHT_ELIMINATION_SCALE};
use tanner::engine::{PenaltyRule, UpdateRule};
use tanner::network::Activation;
use tanner::network::drop_connect::NO_CONNECTION;

fn parse(shader: &Shader) -> (Module, ModuleInfo) {
    let module = naga::front::wgsl::parse_str(shader.source)
        .unwrap_or_else(|error| panic!("{}: {}", shader.stem, error.emit_to_string(shader.source)));
    // No capability beyond plain WGSL may be needed.
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}: {}", shader.stem, error.emit_to_string(shader.source)));
    (module, info)
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
    assert_eq!(stems, SHADERS.iter().map(|shader| shader.stem).collect(), "files and SHADERS differ");
    for shader in &SHADERS {
        assert!(shader.source.contains(&files[shader.stem]), "{} was built from another text", shader.stem);
    }
    for (stem, text) in folder("shaders/common") {
        assert!(SHADERS.iter().any(|shader| shader.source.contains(&text)), "no shader includes {stem}");
    }
}

#[test]
fn every_kernel_says_what_it_does() {
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
    for shader in &SHADERS {
        let (module, info) = parse(shader);
        let spirv = naga::back::spv::write_vec(&module, &info, &naga::back::spv::Options::default(), None);
        assert!(spirv.is_ok_and(|words| words.len() > 100), "{}: SPIR-V", shader.stem);
        let options = naga::back::msl::Options::default();
        let msl = naga::back::msl::write_string(&module, &info, &options, &Default::default());
        let (msl, translation) = msl.unwrap_or_else(|error| panic!("{}: MSL: {error}", shader.stem));
        assert!(msl.contains("kernel void"), "{}: MSL", shader.stem);
        assert!(translation.entry_point_names.iter().all(Result::is_ok), "{}: MSL entry points", shader.stem);
        let (mut hlsl, options) = (String::new(), naga::back::hlsl::Options::default());
        let reflection = naga::back::hlsl::Writer::new(&mut hlsl, &options, &Default::default())
            .write(&module, &info, None)
            .unwrap_or_else(|error| panic!("{}: HLSL: {error}", shader.stem));
        assert!(hlsl.contains("numthreads"), "{}: HLSL", shader.stem);
        assert!(reflection.entry_point_names.iter().all(Result::is_ok), "{}: HLSL entry points", shader.stem);
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
fn entry_points_bind_what_the_table_says() {
    for shader in &SHADERS {
        let (module, info) = parse(shader);
        let names: Vec<_> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
        let expected: Vec<_> = shader.entry_points.iter().map(|entry| entry.name).collect();
        assert_eq!(names, expected, "{}", shader.stem);
        for (index, entry) in shader.entry_points.iter().enumerate() {
            assert_eq!(module.entry_points[index].workgroup_size, [entry.workgroup, 1, 1], "{}", entry.name);
            let uses = info.get_entry_point(index);
            assert_eq!(workgroup_bytes(&module, uses), entry.workgroup_bytes, "{}", entry.name);
            let mut found = Vec::new();
            for (handle, global) in module.global_variables.iter() {
                let Some(place) = &global.binding else { continue };
                let AddressSpace::Storage { access } = global.space else { continue };
                assert_eq!(place.group, 1, "{}: {:?}", entry.name, global.name);
                if uses[handle].is_empty() {
                    continue;
                }
                let writable = access.contains(StorageAccess::STORE);
                assert_eq!(
                    writable,
                    uses[handle].contains(GlobalUse::WRITE),
                    "{}: {:?} is declared with more access than it needs",
                    entry.name,
                    global.name
                );
                found.push((place.binding, global.name.clone().unwrap(), writable));
            }
            found.sort();
            let table = entry.bindings.iter().map(|b| (b.binding, b.name.to_owned(), b.writable));
            assert_eq!(found, table.collect::<Vec<_>>(), "{}", entry.name);
            assert!(entry.bindings.len() <= STORAGE_BUFFERS as usize, "{}", entry.name);
        }
    }
}

#[test]
fn uniforms_stand_where_the_table_says() {
    for shader in &SHADERS {
        let (module, _) = parse(shader);
        let uniforms = module.global_variables.iter().filter(|(_, g)| g.space == AddressSpace::Uniform);
        let mut found: Vec<_> = uniforms
            .map(|(_, global)| {
                let place = global.binding.as_ref().unwrap();
                assert_eq!(place.group, 0, "{}", shader.stem);
                (place.binding, global.name.clone().unwrap())
            })
            .collect();
        found.sort();
        let table = UNIFORMS.map(|(binding, name, _)| (binding, name.to_owned()));
        assert_eq!(found, table, "{}", shader.stem);
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
    let reserved = offset_of!(StepUniform, reserved);
    vec![
        same_names!(
            "Network",
            NetworkUniform,
            stride,
            rows,
            features,
            classes,
            logits_row,
            micro_blocks,
            sparse_values,
            first_bias,
        ),
        same_names!(
            "UpdateRule",
            UpdateRule,
            kind,
            learning_rate,
            decay,
            first,
            second,
            epsilon,
            first_correction,
            second_correction,
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
            "reserved_0" => reserved,
            "reserved_1" => reserved + 4,
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
        same_names!("Quad", Quad, row, lanes, place, first_tile, end_tile),
        same_names!("Tile", Tile, first_block, quad_step, block_step, blocks, row, last_row),
        same_names!("MicroBlock", MicroBlockEnds, output_row, input_row, mask),
        same_names!("Metric", Metric, loss, correct),
    ]
}

#[test]
fn structs_have_the_same_layout_on_both_sides() {
    let layouts: BTreeMap<_, _> = layouts()
        .into_iter()
        .chain(regularisation_layouts())
        .map(|(name, size, members)| (name, (size, members)))
        .collect();
    let mut seen = BTreeSet::new();
    for shader in &SHADERS {
        let (module, _) = parse(shader);
        for (_, ty) in module.types.iter() {
            let (TypeInner::Struct { members, span }, Some(name)) = (&ty.inner, &ty.name) else { continue };
            // Lives in registers only.
            if name == "Updated" {
                continue;
            }
            let (size, expected) =
                layouts.get(name.as_str()).unwrap_or_else(|| panic!("no test covers struct {name}"));
            let found: Vec<_> = members
                .iter()
                .map(|member| (member.name.as_deref().unwrap(), member.offset as usize))
                .collect();
            assert_eq!((*span as usize, &found), (*size, expected), "{}: struct {name}", shader.stem);
            seen.insert(name.clone());
        }
    }
    assert_eq!(seen, layouts.keys().map(|name| (*name).to_owned()).collect(), "structs no shader has");
}

#[test]
fn constants_are_those_of_the_host() {
    let expected: BTreeMap<&str, u32> = [
        ("WORKGROUP", WORKGROUP),
        ("FOLD", FOLD),
        ("SOFTMAX_WORKGROUP", SOFTMAX_WORKGROUP),
        ("NO_LABEL", u32::MAX),
        ("SIGMOID", Activation::Sigmoid.code()),
        ("RELU", Activation::Relu.code()),
        ("TANH", Activation::Tanh.code()),
        ("MOMENTUM", 1),
        ("NESTEROV", 2),
        ("ADAM", 3),
        ("NO_CONNECTION", NO_CONNECTION),
        ("L_HALF_SMOOTHING", L_HALF_SMOOTHING.to_bits()),
        ("WEIGHT_ELIMINATION_SCALE", WEIGHT_ELIMINATION_SCALE.to_bits()),
    ]
    .into();
    let mut seen = BTreeSet::new();
    for shader in &SHADERS {
        let (module, _) = parse(shader);
        for (_, constant) in module.constants.iter() {
            let Some(name) = &constant.name else { continue };
            let value = match module.global_expressions[constant.init] {
                naga::Expression::Literal(naga::Literal::U32(value)) => value,
                naga::Expression::Literal(naga::Literal::F32(value)) => value.to_bits(),
                _ => panic!("{}: {name} is no u32 or f32", shader.stem),
            };
            assert_eq!(Some(&value), expected.get(name.as_str()), "{}: {name}", shader.stem);
            seen.insert(name.clone());
        }
    }
    assert_eq!(seen.len(), expected.len(), "constants no shader has");
    let kind = |optimizer: tanner::engine::Optimizer| optimizer.rule(0.1, 0, 0.0).kind;
    use tanner::engine::Optimizer;
    assert_eq!(kind(Optimizer::Sgd), 0);
    assert_eq!(kind(Optimizer::Momentum { momentum: 0.9, nesterov: false }), 1);
    assert_eq!(kind(Optimizer::Momentum { momentum: 0.9, nesterov: true }), 2);
    assert_eq!(kind(Optimizer::ADAM), 3);
}
