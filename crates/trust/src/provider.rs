//! The one cryptographic provider of the process.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

/// Makes aws-lc the process's provider. Called first thing; again does nothing.
pub fn install() {
    let _ = aws_lc_rs::default_provider().install_default();
}

/// The provider itself, for configurations that name it.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
