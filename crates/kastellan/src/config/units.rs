//! Sizes and durations as people write them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Bytes. Written `64KiB`, `100MiB`, `1GiB` or plainly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

const SIZES: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];
const DURATIONS: [(&str, u64); 5] = [
    ("ms", 1),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
];

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = SIZES
            .iter()
            .find_map(|(word, unit)| text.strip_suffix(word).map(|number| (number, *unit)))
            .unwrap_or((text, 1));
        number
            .trim()
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(unit))
            .map(ByteSize)
            .ok_or_else(|| {
                format!("{text:?} is not a size; write 64KiB, 100MiB or a number of bytes")
            })
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, unit) = SIZES
            .iter()
            .find(|(_, unit)| self.0 >= *unit && self.0.is_multiple_of(*unit))
            .copied()
            .unwrap_or(("B", 1));
        write!(f, "{}{word}", self.0 / unit)
    }
}

pub fn parse_duration(text: &str) -> Result<Duration, String> {
    DURATIONS
        .iter()
        .find_map(|(word, unit)| text.strip_suffix(word).map(|number| (number, *unit)))
        .and_then(|(number, unit)| number.trim().parse::<u64>().ok()?.checked_mul(unit))
        .map(Duration::from_millis)
        .ok_or_else(|| format!("{text:?} is not a duration; write 200ms, 30s, 10m, 12h or 7d"))
}

/// The shortest exact spelling.
pub fn show_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut units = DURATIONS;
    units.sort_by_key(|(_, unit)| std::cmp::Reverse(*unit));
    let (word, unit) = units
        .into_iter()
        .find(|(_, unit)| millis >= *unit && millis % unit == 0)
        .unwrap_or(("ms", 1));
    format!("{}{word}", millis / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_as_they_are_read() {
        for text in ["0B", "1B", "64KiB", "100MiB", "3GiB", "1000B"] {
            assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), text);
        }
        for text in ["", "KiB", "-1", "1.5MiB", "99999999999GiB"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_shown_as_they_are_read() {
        for text in ["200ms", "30s", "10m", "12h", "7d"] {
            assert_eq!(show_duration(parse_duration(text).unwrap()), text);
        }
        for text in ["", "s", "30", "1.5s", "-1s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
