//! Explain: which clause a failure breaks, and why.

pub(crate) mod causes;
pub(crate) mod diagnose;
pub(crate) mod hang;
pub(crate) mod hidden;
pub(crate) mod serial;
pub(crate) mod shrink;
