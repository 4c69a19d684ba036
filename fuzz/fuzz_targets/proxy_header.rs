//! The PROXY header of a connection, and what stands behind it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokio::runtime::Builder;

/// Largest header (`gateway::proxy`).
const HEADER_MAX: usize = 536;

fuzz_target!(|data: &[u8]| {
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut rest = data;
        let outcome = gateway::proxy::source(&mut rest).await;
        let taken = data.len() - rest.len();
        assert!(taken <= HEADER_MAX);
        if outcome.is_ok() {
            let header = &data[..taken];
            assert!(header.starts_with(b"PROXY ") || header.starts_with(b"\r\n\r\n\0\r\nQUIT\n"));
            // What stands behind a header changes nothing of it.
            let mut alone = header;
            let again = gateway::proxy::source(&mut alone).await;
            assert_eq!(outcome.unwrap(), again.unwrap());
            assert!(alone.is_empty());
        }
    });
});
