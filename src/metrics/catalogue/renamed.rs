//! Metrics that were renamed.

/// A metric whose name changed and whose meaning and unit did not.
#[derive(Clone, Copy, Debug)]
pub struct Renamed {
    /// Its former name.
    pub old: &'static str,
    /// Its name in the catalogue.
    pub new: &'static str,
    /// The first version of the exporter that uses it.
    pub since: &'static str,
}

/// Every metric renamed after a release. An entry stays for as long as `docs/stability.md` promises.
pub const RENAMED: &[Renamed] = &[];
