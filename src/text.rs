//! Numbers as text, and suggestions for mistyped names.

/// Minimum similarity of a suggestion, by Jaro and Winkler's measure.
#[cfg(feature = "train")]
const SIMILAR: f64 = 0.8;

/// A number of epochs: `1 epoch`, `2 epochs`.
#[doc(hidden)]
#[must_use]
#[cfg_attr(not(feature = "report"), allow(unreachable_pub, reason = "reports hand it on"))]
#[cfg(feature = "train")]
pub fn epochs(count: usize) -> String {
    format!("{count} epoch{}", if count == 1 { "" } else { "s" })
}

/// A whole number in groups of three digits: `220,020`.
#[must_use]
#[cfg_attr(not(feature = "report"), allow(unreachable_pub, reason = "reports hand it on"))]
#[cfg(feature = "train")]
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A name as it can be typed in a command, in quotes where a shell needs them.
pub(crate) fn shell_word(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.,:/@%+=".contains(c);
    if !name.is_empty() && name.chars().all(is_plain) {
        return name.to_owned();
    }
    format!("'{}'", name.replace('\'', "'\\''"))
}

/// A number with at least this many digits: `54.32`, `0.001235`, `123457`.
#[must_use]
#[cfg_attr(not(feature = "report"), allow(unreachable_pub, dead_code, reason = "reports hand it on"))]
pub fn digits(value: f64, count: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs().log10().floor();
    if !(-5.0..15.0).contains(&size) {
        return format!("{value:.*e}", count.saturating_sub(1));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few decimals, at least 0")]
    let decimals = (count as f64 - 1.0 - size).max(0.0) as usize;
    format!("{value:.decimals$}")
}

/// A score with four decimals; one far from 1 with four digits: `0.9312`, `-2.500e20`.
#[must_use]
#[cfg_attr(not(feature = "report"), allow(unreachable_pub, dead_code, reason = "reports hand it on"))]
pub fn four_decimals(score: f64) -> String {
    if score.abs() < 1e6 { format!("{score:.4}") } else { format!("{score:.3e}") }
}

/// Bytes as hexadecimal digits, two for each, for digests.
#[cfg(feature = "train")]
pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The name that was probably meant: the most similar one, ignoring case, if any is similar.
#[cfg(feature = "train")]
pub(crate) fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let similarity = |name: &str| strsim::jaro_winkler(&typed.to_lowercase(), &name.to_lowercase());
    let best = names.map(|name| (similarity(name), name)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(similarity, _)| *similarity >= SIMILAR).map(|(_, name)| name)
}
