//! High availability: several JobManagers of which one leads, and jobs that outlive it.
//!
//! Everything is in one directory that all processes reach, an object store or a shared file system; no further service
//! is needed.
//!
//! ```text
//! <high-availability.storageDir>/<cluster id>/
//!     leader/<generation>            who leads: created if absent, by exactly one
//!     beat/<generation>              rewritten by it while it lives
//!     jobs/<job>/plan                the encoded job graph
//!     jobs/<job>/job                 what else is known of the job; with it the job is accepted
//!     jobs/<job>/latest/<generation> the last completed checkpoint, as this leader knows it
//!     jobs/<job>/ended               how the job ended, and what people may ask of it then; with it the job is over
//! ```
//!
//! * [`Lease`] is the leader's object: conditional writes make every generation exactly one JobManager's, and a later
//!   generation deposes all earlier ones. [`Leadership`] wins and keeps it.
//! * [`Records`] are the jobs. What the world can see of a checkpoint, its commit, happens after its record was written
//!   *and* the leader saw that no later generation had begun by then. A new leader reads the records after its own
//!   generation has begun. So it starts from every checkpoint that was committed, whatever a leader does that does not
//!   know yet that it was deposed: what that one still writes is never looked at.
//!
//! Where Kubernetes is to elect, a Lease there settles who may begin a term ([`ElectedBy`]); what counts stays in storage.
//!
//! What this is not: consensus. It relies on the store's create-if-absent and on reads that see the last write.

mod election;
mod kubernetes;
mod lease;
mod options;
mod probe;
mod records;

pub use election::{Election, Leadership, Step};
pub use kubernetes::KubernetesOptions;
pub(crate) use lease::DEPOSED;
pub use lease::{Candidate, Holder, Lease, StorageLease};
pub use options::{ElectedBy, HaOptions};
pub use records::{JobRecord, Latest, Records};

#[cfg(test)]
mod tests;
