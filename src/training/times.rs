//! Moments as text: RFC 3339 with whole seconds and a numeric offset, which the date parsers of most languages read.

use jiff::{Timestamp, Zoned};

/// This moment, as `2026-11-27T03:19:50+00:00`.
pub(crate) fn now() -> String {
    Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// A moment in seconds since 1970.
pub(crate) fn rfc3339(seconds: i64) -> Option<String> {
    let time = Timestamp::from_second(seconds).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string())
}

/// The same for people: `28 Nov 2026, 07:40 UTC`.
#[cfg(feature = "report")]
pub(crate) fn readable(seconds: i64) -> Option<String> {
    let time = Timestamp::from_second(seconds).ok()?;
    Some(time.strftime("%-d %b %Y, %H:%M UTC").to_string())
}

/// Seconds since 1970; runs of older versions have the name of a time zone behind the offset.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let zoned = || text.parse::<Zoned>().ok().map(|zoned| zoned.timestamp());
    text.parse::<Timestamp>().ok().or_else(zoned).map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_plain_rfc_3339_and_older_ones_are_read() {
        let now = now();
        let shape: String = now.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert!(["0000-00-00T00:00:00+00:00", "0000-00-00T00:00:00-00:00"].contains(&&*shape), "{now}");
        assert!((seconds(&now).unwrap() - Timestamp::now().as_second()).abs() < 60);
        for text in [
            "2026-11-27T03:19:50+00:00",
            "2026-11-27T03:19:50Z",
            "2026-11-27T03:19:50.740965998+00:00[Etc/UTC]",
            "2026-11-27T04:19:50+01:00[Europe/Berlin]",
        ] {
            assert_eq!(seconds(text), Some(1_795_749_590), "{text}");
        }
        assert_eq!(rfc3339(1_795_749_590).unwrap(), "2026-11-27T03:19:50+00:00");
        assert_eq!(seconds("yesterday"), None);
    }
}
