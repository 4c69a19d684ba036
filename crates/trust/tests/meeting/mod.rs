//! One handshake over loopback, seen from both sides.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConfig, ServerConnection,
    StreamOwned, SupportedProtocolVersion,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use trust::provider::provider;

use super::common::{House, chain};

/// Each side gives up on a silent peer after this.
const PATIENCE: Duration = Duration::from_secs(10);

fn roots(house: &House) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_file(house.ca.certificate_path()).expect("the CA is PEM");
    roots.add(ca).expect("the CA can be trusted");
    roots
}

/// A client that trusts this CA and shows what it is given: key and certificate in PEM.
pub fn peer(
    house: &House,
    shown: Option<&str>,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .expect("the provider knows the version")
        .with_root_certificates(roots(house));
    Arc::new(match shown {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let chain = chain(pem);
            let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).expect("a key in PEM");
            builder
                .with_client_auth_cert(chain, key)
                .expect("key and certificate belong together")
        }
    })
}

/// What the server saw of a peer that got through.
#[derive(Debug)]
pub struct Met {
    pub shown: Option<Vec<CertificateDer<'static>>>,
    pub kind: HandshakeKind,
}

/// One connection: handshake, one byte there, one byte back. Fails if either side does.
pub fn meet(server: Arc<ServerConfig>, client: Arc<ClientConfig>) -> io::Result<Met> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let served = std::thread::spawn(move || serve(listener.accept()?.0, server));
    let asked = ask(TcpStream::connect(address)?, client);
    let met = served.join().expect("the server does not panic")?;
    asked.map(|()| met)
}

fn serve(socket: TcpStream, config: Arc<ServerConfig>) -> io::Result<Met> {
    socket.set_read_timeout(Some(PATIENCE))?;
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, socket);
    let mut byte = [0];
    let read = stream.read_exact(&mut byte);
    // The alert that tells the client why is sent before the socket closes.
    let _ = stream.flush();
    read?;
    stream.write_all(&byte)?;
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(Met {
        shown: stream
            .conn
            .peer_certificates()
            .map(|chain| chain.iter().map(|one| one.clone().into_owned()).collect()),
        kind: stream.conn.handshake_kind().expect("the handshake is over"),
    })
}

fn ask(socket: TcpStream, config: Arc<ClientConfig>) -> io::Result<()> {
    socket.set_read_timeout(Some(PATIENCE))?;
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, socket);
    stream.write_all(&[7])?;
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    // Reads to the end, so that session tickets are taken too.
    stream.read_to_end(&mut Vec::new()).map(|_| ())
}
