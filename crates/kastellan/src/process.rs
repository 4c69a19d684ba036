//! What the process asks of the kernel before it has any secret.
//!
//! No core dump, and nobody of the same user looks into its memory (`prctl(2)`, `PR_SET_DUMPABLE`; `core(5)`). Small
//! pages: the allocator asks for huge ones, which makes a small server ten times as large.

use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Call it first. An error means that secrets could reach a core dump.
pub fn protect() -> io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // Only costs memory where the kernel does not know it.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    Ok(())
}

#[cfg(test)]
mod tests {
    use rustix::process::{dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn there_is_no_core_dump_and_no_way_back() {
        protect().unwrap();
        protect().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    }
}
