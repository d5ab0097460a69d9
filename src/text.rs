//! Numbers as people read them.

/// A whole number in groups of three digits: `220,020`.
#[must_use]
#[cfg_attr(not(feature = "report"), allow(unreachable_pub, reason = "reports hand it on"))]
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
