use super::*;
use crate::topology::Partition;

fn topology(widths: [usize; 2], edges: &[(u32, u32)]) -> Topology {
    let [inputs, outputs] = widths.map(|width| Partition::whole(width).unwrap());
    Topology::from_edges(inputs, outputs, edges).unwrap()
}

#[test]
fn written_values_read_back() {
    let layers = [topology([5, 3], &[(0, 2), (4, 0), (1, 2)]), topology([3, 2], &[(0, 0), (2, 0), (2, 1)])];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edges.npz");
    std::fs::write(&path, to_npz(&layers).unwrap()).unwrap();
    let ends = EndWidths { features: 5, classes: 2 };
    assert_eq!(read(std::slice::from_ref(&path), Some(ends)).unwrap(), layers);
    assert_eq!(read(std::slice::from_ref(&path), None).unwrap(), layers);
    for ends in [EndWidths { features: 6, ..ends }, EndWidths { classes: 3, ..ends }] {
        assert!(read(std::slice::from_ref(&path), Some(ends)).is_err(), "{ends:?}");
    }
    assert!(read(&[path.clone(), path], None).is_err());
    assert!(read(&[], None).is_err());
}

#[test]
fn digests_tell_graphs_apart() {
    let all = [
        topology([5, 3], &[(0, 2), (4, 0), (1, 2)]),
        topology([5, 3], &[(0, 2), (4, 0), (1, 1)]),
        topology([6, 3], &[(0, 2), (4, 0), (1, 2)]),
        topology([5, 4], &[(0, 2), (4, 0), (1, 2)]),
    ];
    for (place, one) in all.iter().enumerate() {
        for (other, there) in all.iter().enumerate() {
            assert_eq!(digest([one]) == digest([there]), place == other, "{place}, {other}");
        }
    }
    assert_ne!(digest([&all[0], &all[1]]), digest([&all[1], &all[0]]));
}

#[test]
fn neurons_that_only_a_shape_declares_are_refused() {
    let coo = |outputs: &str| {
        let array = |kind: &str, shape: &[usize], data: &[u8]| {
            [crate::npy::header(kind, shape), data.to_vec()].concat()
        };
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let widths = [outputs.parse::<u64>().unwrap(), 5].map(u64::to_le_bytes).concat();
        for (name, bytes) in [
            ("row", array("<u8", &[1], &[0; 8])),
            ("col", array("<u8", &[1], &[0; 8])),
            ("shape", array("<u8", &[2], &widths)),
            ("format", array("|S3", &[], b"coo")),
        ] {
            archive.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
            std::io::Write::write_all(&mut archive, &bytes).unwrap();
        }
        let bytes = archive.finish().unwrap().into_inner();
        read_archive(Source::from_bytes("coo", bytes), None).map(|layers| layers[0].outputs().width())
    };
    assert_eq!(coo("65536").unwrap(), 65_536);
    let message = coo("67108867").unwrap_err().to_string();
    assert_eq!(message, "coo: a side of 67108867 neurons with 1 edges, the limit is 65536 neurons");
}

/// Damaged archives never make a reader panic; what it reads is a valid graph.
#[test]
fn damaged_archives_are_refused_or_read() {
    let layers = [topology([5, 3], &[(0, 2), (4, 0), (1, 2)]), topology([3, 2], &[(0, 0), (2, 0), (2, 1)])];
    let whole = to_npz(&layers).unwrap();
    for place in 0..whole.len() {
        for flip in [1, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[place] ^= flip;
            if let Ok(matrices) = GraphMatrix::all_of(Source::from_bytes("damaged", bytes), "damaged")
                && check_widths(&matrices, Some(EndWidths { features: 5, classes: 2 })).is_ok()
            {
                let read: Result<Vec<_>> = matrices.into_iter().map(GraphMatrix::into_topology).collect();
                assert!(read.is_err() || read.is_ok_and(|read| read == layers), "byte {place} ^ {flip}");
            }
        }
        let cut = Source::from_bytes("cut", whole[..place].to_vec());
        assert!(GraphMatrix::all_of(cut, "cut").is_err(), "{place} bytes");
    }
}
