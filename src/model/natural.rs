//! The order of names as people count: `Flow 12` before `Flow 108`. Pure; used wherever a list is in
//! order of names.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::str::Chars;

/// Compares two names: numbers in them by their value, letters without regard to case. Only names
/// that are alike in that are told apart by their characters, so that the order is total.
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.chars().peekable(), b.chars().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, y) = (number(&mut left), number(&mut right));
                // Without leading zeros the longer number is the greater one.
                x.len().cmp(&y.len()).then_with(|| x.cmp(&y))
            }
            (Some(x), Some(y)) => {
                let order = x.to_lowercase().cmp(y.to_lowercase());
                left.next();
                right.next();
                order
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// A name in a list that is in order of names: compares as [`natural_order`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByName(pub String);

impl Ord for ByName {
    fn cmp(&self, other: &Self) -> Ordering {
        natural_order(&self.0, &other.0)
    }
}

impl PartialOrd for ByName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Takes the digits that stand here; without leading zeros.
fn number(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut digits = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        if !(digits.is_empty() && digit == '0') {
            digits.push(digit);
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(names: &str) -> String {
        let mut names: Vec<&str> = names.split(", ").collect();
        names.sort_by(|a, b| natural_order(a, b));
        names.join(", ")
    }

    #[test]
    fn numbers_in_names_are_ordered_by_their_value() {
        let names = "Flow 108, Flow 12, flow 2, Flow 2b, Flow";
        assert_eq!(sorted(names), "Flow, flow 2, Flow 2b, Flow 12, Flow 108");
        assert_eq!(sorted("v1.10, v1.9, v1.9.1"), "v1.9, v1.9.1, v1.10");
        let long = "x99999999999999999999999, x100000000000000000000000";
        assert_eq!(sorted(long), long);
    }

    #[test]
    fn case_matters_last_and_zeros_in_front_after_it() {
        assert_eq!(
            sorted("beta, Alpha, alpha, Beta"),
            "Alpha, alpha, Beta, beta"
        );
        assert_eq!(sorted("a1, a01, a001, a2"), "a001, a01, a1, a2");
        assert_eq!(natural_order("a", "a"), Ordering::Equal);
    }

    #[test]
    fn the_order_is_total_for_any_three_names() {
        let names = [
            "", "0", "00", "1", "a", "A", "a0", "a00", "a1b", "a01B", "ä", "10", "9", "ß", "SS",
        ];
        for a in names {
            for b in names {
                assert_eq!(
                    natural_order(a, b),
                    natural_order(b, a).reverse(),
                    "{a} {b}"
                );
                for c in names {
                    if natural_order(a, b).is_le() && natural_order(b, c).is_le() {
                        assert!(natural_order(a, c).is_le(), "{a} {b} {c}");
                    }
                }
            }
        }
    }
}
