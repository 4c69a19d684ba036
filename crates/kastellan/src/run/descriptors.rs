//! How many connections the open-file limit allows.
//!
//! In: what was configured, and the limit of this process. Out: a number of connections, or why the configured one does
//! not fit. The soft limit is raised as far as it is needed.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Connections when nothing is configured and the limit allows them.
const DEFAULT: u64 = 10_000;
/// With fewer there is no use in starting.
const LEAST: u64 = 64;

/// What stands behind the gateway, and so what a connection costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// A descriptor for each connection; the log keeps files open.
    EmbeddedLog,
    /// A second one, to the cluster.
    Cluster,
}

impl Behind {
    pub fn of(is_cluster: bool) -> Self {
        if is_cluster {
            Self::Cluster
        } else {
            Self::EmbeddedLog
        }
    }

    /// Descriptors for so many connections.
    fn needs(self, connections: u64) -> u64 {
        match self {
            Self::EmbeddedLog => connections.saturating_add(1_024),
            Self::Cluster => connections.saturating_mul(2).saturating_add(256),
        }
    }

    /// Connections for so many descriptors.
    fn affords(self, descriptors: u64) -> u64 {
        match self {
            Self::EmbeddedLog => descriptors.saturating_sub(1_024),
            Self::Cluster => descriptors.saturating_sub(256) / 2,
        }
    }
}

/// The connections there may be, with the descriptors for them.
pub fn settle(configured: Option<u64>, behind: Behind) -> Result<u64, String> {
    let limit = getrlimit(Resource::Nofile);
    let connections = within(configured, behind, limit.maximum)?;
    let needed = behind.needs(connections);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(connections);
    }
    let raised = Rlimit {
        current: Some(needed),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised)
        .map_err(|error| format!("{needed} open files cannot be had: {error}"))?;
    Ok(connections)
}

/// `most`: the hard limit; `None`: there is none.
fn within(configured: Option<u64>, behind: Behind, most: Option<u64>) -> Result<u64, String> {
    let wanted = configured.unwrap_or(DEFAULT);
    let Some(most) = most.filter(|most| *most < behind.needs(wanted)) else {
        return Ok(wanted);
    };
    if configured.is_some() {
        let (needed, fits) = (behind.needs(wanted), behind.affords(most));
        return Err(format!(
            "{most} open files are allowed, but gateway.limits.max_connections = {wanted} needs {needed}\nnext: raise the limit (ulimit -Hn {needed}), or set max_connections to {fits} or less"
        ));
    }
    let connections = behind.affords(most);
    if connections < LEAST {
        let needed = behind.needs(LEAST);
        return Err(format!(
            "{most} open files are allowed, which is too few to serve anybody\nnext: raise the limit (ulimit -Hn {needed} or more)"
        ));
    }
    Ok(connections)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Behind; 2] = [Behind::EmbeddedLog, Behind::Cluster];

    #[test]
    fn connections_follow_the_limit_when_nobody_says_otherwise() {
        for behind in BOTH {
            assert_eq!(within(None, behind, None), Ok(10_000));
            assert_eq!(within(None, behind, Some(1 << 20)), Ok(10_000));
            let fitted = within(None, behind, Some(4_096)).unwrap();
            assert!(behind.needs(fitted) <= 4_096 && behind.needs(fitted + 1) > 4_096);
            assert!(
                within(None, behind, Some(200))
                    .unwrap_err()
                    .contains("next:")
            );
        }
    }

    #[test]
    fn number_that_was_asked_for_is_kept_or_refused() {
        for behind in BOTH {
            let needed = behind.needs(5_000);
            assert_eq!(within(Some(5_000), behind, Some(needed)), Ok(5_000));
            assert_eq!(within(Some(1), behind, Some(needed)), Ok(1));
            let told = within(Some(5_000), behind, Some(needed - 1)).unwrap_err();
            assert!(
                told.contains("max_connections = 5000") && told.contains("next:"),
                "{told}"
            );
        }
    }
}
