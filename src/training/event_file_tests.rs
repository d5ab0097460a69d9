use super::*;

#[test]
fn checksums_are_those_of_the_standard() {
    // RFC 3720, B.4, and the check value of CRC-32C.
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    let rising: Vec<u8> = (0..32).collect();
    assert_eq!(crc32c(&rising), 0x46dd_794e);
    // 0xe3069283 rotated to the right by 15 bits is 0x2507c60d.
    assert_eq!(masked(0xe306_9283), 0x2507_c60d_u32.wrapping_add(0xa282_ead8));
}

/// The first bytes of any file written by TensorFlow: a length of 24, and its masked checksum.
#[test]
fn a_record_is_framed_as_tensorflow_does_it() {
    let record = record(&[0; 24]);
    assert_eq!(record.len(), 8 + 4 + 24 + 4);
    assert_eq!(record[..12], [24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22]);
}

#[test]
fn every_value_is_in_one_bucket() {
    let histogram = Histogram::of(&[-1.0, -0.5, 0.0, 0.9, 1.0], 4).unwrap();
    assert_eq!(histogram.limits, [-0.5, 0.0, 0.5, 1.0]);
    assert_eq!(histogram.counts, [1.0, 1.0, 1.0, 2.0]);
    assert_eq!((histogram.min, histogram.max, histogram.count), (-1.0, 1.0, 5.0));
    let same = Histogram::of(&[0.25; 7], 3).unwrap();
    assert_eq!((same.counts.iter().sum::<f64>(), same.limits[2]), (7.0, 0.25));
    assert_eq!(Histogram::of(&[], 3), None);
}

/// Parses a file, record by record, and checks both sums of each.
fn records(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut records) = (bytes, Vec::new());
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    while !rest.is_empty() {
        let length = usize::try_from(u64::from_le_bytes(rest[..8].try_into().unwrap())).unwrap();
        assert_eq!(number(&rest[8..12]), masked(crc32c(&rest[..8])));
        let data = &rest[12..12 + length];
        assert_eq!(number(&rest[12 + length..16 + length]), masked(crc32c(data)));
        records.push(data.to_vec());
        rest = &rest[16 + length..];
    }
    records
}

#[test]
fn a_file_holds_whole_records_and_a_new_one_gets_a_later_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut events = EventFile::create(folder.path()).unwrap();
    let histogram = Histogram::of(&[1.0, 2.0], 2).unwrap();
    let values = [
        ("loss/train".to_owned(), SummaryValue::Scalar(0.5)),
        ("weights/layer 1".to_owned(), SummaryValue::Histogram(histogram)),
    ];
    events.summaries(1, &values).unwrap();
    let records = records(&std::fs::read(&events.path).unwrap());
    assert_eq!(records.len(), 3);
    let holds = |record: &[u8], part: &[u8]| record.windows(part.len()).any(|window| window == part);
    assert!(holds(&records[0], b"brain.Event:2") && holds(&records[2], b"weights/layer 1"));
    // Summary (5), its value (1): the tag (1) and a float (2) of 0.5.
    assert!(holds(&records[1], b"\x2a\x13\x0a\x11\x0a\x0aloss/train\x15\x00\x00\x00\x3f"));
    let mut second = EventFile::create(folder.path()).unwrap();
    second.restart(2).unwrap();
    assert!(second.path > events.path);
}

#[test]
fn a_folder_that_is_not_there_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let error = EventFile::create(&folder.path().join("missing")).unwrap_err().to_string();
    assert!(error.contains("missing"), "{error}");
}
