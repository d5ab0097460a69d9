use std::sync::Arc;

use super::*;
use crate::Settings;
use crate::network::{Activation, Layer};
use crate::report::connectivity::blend;
use crate::report::style;
use crate::topology::{Partition, fully_connected};

/// Four pixels in a row, a layer with a neuron at each pixel, a layer of two neurons without places, then logits.
fn small() -> (OnPicture, Network) {
    let part = |width| Partition::whole(width).unwrap();
    let first = Topology::from_edges(part(4), part(4), &[(0, 0), (3, 0), (1, 1), (2, 2), (3, 3)]).unwrap();
    let second = Topology::from_edges(part(4), part(2), &[(0, 0), (3, 0), (1, 1)]).unwrap();
    let all = [first, second, fully_connected(2, 3).unwrap()];
    let layer = |topology| Layer {
        topology: Arc::new(topology),
        activation: Activation::Identity,
        keep_probability: 1.0,
    };
    let network = Network::new(all.map(layer).into()).unwrap();
    let grids = ["1x4", "1x1"].map(|text| text.parse().unwrap());
    (OnPicture::new([1, 4], (0..4).collect(), &grids, &network).unwrap(), network)
}

const EDGE: image::Rgb<u8> = style::EDGE.rgb();
const NO_EDGE: image::Rgb<u8> = style::NO_EDGE.rgb();

#[test]
fn distances_and_pixels_are_those_of_the_edges() {
    let (picture, network) = small();
    let fields = picture.fields(&network);
    // One of five edges is three pixels long. Neuron 0 sees two pixels, the others one.
    let first =
        ReceptiveFields { mean_distance: Some(0.6), largest_distance: Some(3.0), pixels_seen: Some(1.25) };
    // The grid belongs to another layer, so there are no places. The neurons see {0, 3} and {1}.
    let second = ReceptiveFields { pixels_seen: Some(1.5), ..ReceptiveFields::default() };
    assert_eq!(fields, [first, second]);
    let text = picture.table(&network).to_string();
    assert!(["0.6", "3.0", "1.2", "1.5"].iter().all(|number| text.contains(number)), "{text}");
}

#[test]
fn inputs_may_come_in_any_order_and_in_maps() {
    let (_, network) = small();
    let paths = |shape, features| {
        let picture = OnPicture::new(shape, features, &[], &network).unwrap();
        picture.paths(&hidden(&network), 0)
    };
    // Through neurons 0 and 3: input 0 once, input 3 twice.
    assert_eq!(paths([1, 4], vec![0, 1, 2, 3]), [1.0, 0.0, 0.0, 2.0]);
    assert_eq!(paths([2, 2], vec![3, 1, 2, 0]), [2.0, 0.0, 0.0, 1.0]);
    // Two maps of two pixels.
    assert_eq!(paths([1, 2], vec![0, 1, 2, 3]), [1.0, 2.0]);
    for (shape, features) in [([1, 3], vec![0, 1, 2, 3]), ([0, 4], vec![0, 1, 2, 3]), ([1, 4], vec![0; 3])] {
        assert!(OnPicture::new(shape, features, &[], &network).is_none(), "{shape:?}");
    }
}

#[test]
fn the_sheet_shows_paths() {
    let (picture, network) = small();
    let sheet = image::load_from_memory(&picture.sheet(&network).unwrap()).unwrap().to_rgb8();
    // Pixels are 28 wide. There is room for 8 neurons, but there are fewer.
    assert_eq!(sheet.dimensions(), (16 + 8 * (112 + 16), 16 + 2 * (28 + 16)));
    let at = |layer: u32, neuron: u32, pixel: u32| {
        *sheet.get_pixel(16 + neuron * 128 + pixel * 28 + 14, 16 + layer * 44 + 14)
    };
    let paths = |layer, neuron| [0, 1, 2, 3].map(|pixel| at(layer, neuron, pixel));
    assert_eq!(paths(0, 0), [EDGE, NO_EDGE, NO_EDGE, EDGE]);
    assert_eq!(paths(0, 1), [NO_EDGE, EDGE, NO_EDGE, NO_EDGE]);
    let once = blend(NO_EDGE, EDGE, 2f64.ln() / 3f64.ln());
    assert_eq!(paths(1, 0), [once, NO_EDGE, NO_EDGE, EDGE]);
    // The place of neuron 1 of the first layer.
    assert_eq!(sheet.get_pixel(16 + 128 + 28, 16).0, [213, 94, 0]);
    assert_ne!(sheet.get_pixel(16 + 128, 16).0, [213, 94, 0]);
}

#[test]
fn a_window_is_kept_and_every_neuron_sees_its_fan_in() {
    let toml = "arch = \"sc2d\"\nfalloff = \"window\"\ngrain = \"1\"\nreach = 3\nfan-in = [12, 16]";
    let settings = Settings::from_toml(toml).unwrap();
    let shape = crate::session::settings::InputShape { features: 256, picture: Some([16, 16]) };
    let architecture = settings.resolve().unwrap().architecture.fit_to(shape, 10).unwrap();
    let network = architecture.build(3).unwrap();
    let picture = OnPicture::of_architecture(&architecture, &network).unwrap();
    let fields = picture.fields(&network);
    assert_eq!(fields[0].pixels_seen, Some(12.0));
    assert!(fields[1].pixels_seen.unwrap() > 20.0, "{fields:?}");
    for field in &fields {
        let (mean, largest) = (field.mean_distance.unwrap(), field.largest_distance.unwrap());
        assert!(mean > 1.0 && mean < largest && largest <= 3.0 * 2f64.sqrt(), "{fields:?}");
    }
    let paper = Architecture::paper(784, 10);
    assert!(OnPicture::of_architecture(&paper, &paper.build(0).unwrap()).is_none());
}
