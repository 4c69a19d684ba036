//! Certificates of other people's CAs: roots, intermediates, leaves, revocation lists.

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber,
};
use time::{Duration, OffsetDateTime};

use super::now;

pub struct Issued {
    pub certificate: Certificate,
    params: CertificateParams,
    key: KeyPair,
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let random = trust::random::bytes::<8>().expect("the system has randomness");
    let mut serial = vec![1];
    serial.extend_from_slice(&random);
    params.serial_number = Some(SerialNumber::from(serial));
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Issued {
    pub fn root(name: &str) -> Self {
        let (params, key) = (authority(name), KeyPair::generate().expect("a key"));
        let certificate = params.self_signed(&key).expect("a root");
        Self {
            certificate,
            params,
            key,
        }
    }

    fn issue(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().expect("a key");
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        Self {
            certificate,
            params,
            key,
        }
    }

    pub fn intermediate(&self, name: &str) -> Self {
        self.issue(authority(name))
    }

    pub fn server(&self, name: &str, usage: Option<ExtendedKeyUsagePurpose>) -> Self {
        let mut params = params("server");
        let name = name.try_into().expect("a DNS name");
        params.subject_alt_names = vec![rcgen::SanType::DnsName(name)];
        params.extended_key_usages = vec![usage.unwrap_or(ExtendedKeyUsagePurpose::ServerAuth)];
        self.issue(params)
    }

    pub fn client(&self, name: &str) -> Self {
        let mut params = params(name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params)
    }

    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// The list of what this CA revoked. PEM.
    pub fn revocation_list(&self, revoked: &[&Issued]) -> String {
        let at = OffsetDateTime::from_unix_timestamp(now().millis() / 1_000).expect("a date");
        let revoked_certs = revoked
            .iter()
            .filter_map(|one| one.params.serial_number.clone())
            .map(|serial_number| RevokedCertParams {
                serial_number,
                revocation_time: at,
                reason_code: None,
                invalidity_date: None,
            })
            .collect();
        let params = CertificateRevocationListParams {
            this_update: at - Duration::minutes(1),
            next_update: at + Duration::days(1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let issuer = Issuer::from_params(&self.params, &self.key);
        let list = params.signed_by(&issuer).expect("a list");
        list.pem().expect("PEM")
    }
}
