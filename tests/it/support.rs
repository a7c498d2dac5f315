//! What several test files need.

use handmill::runtime::control::Setup;
use handmill::share::table::TableReader;

/// Control as in production; tables of others are read by the real binary, not by this test.
pub fn control() -> Setup {
    Setup {
        reader: TableReader::of_program(env!("CARGO_BIN_EXE_handmill")),
        ..Setup::default()
    }
}
