//! A state as two hashes, and the set of those that were seen.

use super::*;

/// Two independent hashes of the whole state. Among ten million states the odds that any two share both are below
/// one in 10^24.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Print(pub(super) u64, pub(super) u64);

impl Hasher for Print {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }
    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
        self.1 = (self.1.rotate_left(23) ^ value).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

impl Print {
    pub(super) fn new() -> Self {
        Self(0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344)
    }

    pub(super) fn whole(self) -> u128 {
        let mix = |x: u64| {
            let x = (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
            x ^ (x >> 32)
        };
        u128::from(mix(self.0)) << 64 | u128::from(mix(self.1))
    }
}

/// A print is a hash already.
#[derive(Default)]
pub(super) struct Taken(pub(super) u64);

impl Hasher for Taken {
    fn write(&mut self, _: &[u8]) {
        unreachable!("prints are numbers")
    }
    fn write_u128(&mut self, value: u128) {
        self.0 = value as u64;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}
