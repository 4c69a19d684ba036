//! Everything a service's developers need: one ready configuration for each kind of client.
//!
//! In: a service's name, its secret, the addresses. Out: files with their whole content. Each is run against a server
//! by a test.

use std::collections::BTreeMap;

use kastellan_core::ports::Requester;
use kastellan_core::secret::Secret;

use crate::admin::api::Bundle;
use crate::run::Server;

/// Makes the files, with a fresh certificate.
pub async fn make(
    server: &Server,
    name: &str,
    secret: &Secret,
    by: &Requester,
) -> anyhow::Result<Bundle> {
    let certificate = server.issue_client_certificate(name, by).await?;
    let secret = String::from_utf8_lossy(secret.expose()).into_owned();
    let addresses = server.addresses();
    let facts = Facts {
        name,
        secret: &secret,
        kafka: addresses.kafka.as_deref(),
        mtls: addresses.kafka_mtls.as_deref(),
        ca: &certificate.ca_pem,
        client: &certificate.client_pem,
    };
    Ok(Bundle {
        name: name.to_owned(),
        files: files(&facts),
    })
}

struct Facts<'a> {
    name: &'a str,
    secret: &'a str,
    kafka: Option<&'a str>,
    mtls: Option<&'a str>,
    ca: &'a str,
    /// Key and chain, PEM.
    client: &'a str,
}

fn files(facts: &Facts<'_>) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut put = |name: &str, content: String| files.insert(name.to_owned(), content);
    put("ca.pem", facts.ca.to_owned());
    put("client.pem", facts.client.to_owned());
    if let Some(bootstrap) = facts.kafka {
        put("client.properties", java_scram(facts, bootstrap));
        put("librdkafka.conf", librdkafka(facts, bootstrap));
        put("kafka_python.py", kafka_python(facts, bootstrap));
        put("kafkajs.js", kafkajs(facts, bootstrap));
    }
    if let Some(bootstrap) = facts.mtls {
        put("client-mtls.properties", java_mtls(facts, bootstrap));
    }
    files
}

/// A PEM text on one line of a properties file.
fn one_line(pem: &str) -> String {
    pem.trim_end().replace('\n', "\\n")
}

/// A text inside double quotes, as JAAS, Python and JavaScript read it alike.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// A value of a Java properties file: backslashes count twice there.
fn property(text: &str) -> String {
    text.replace('\\', "\\\\")
}

fn java_scram(facts: &Facts<'_>, bootstrap: &str) -> String {
    let login = format!(
        "org.apache.kafka.common.security.scram.ScramLoginModule required username={} password={};",
        quoted(facts.name),
        quoted(facts.secret)
    );
    format!(
        "# Java clients and Kafka's tools: SCRAM over TLS. For example:\n\
         #   kafka-topics.sh --bootstrap-server {bootstrap} --command-config client.properties --list\n\
         bootstrap.servers={bootstrap}\n\
         security.protocol=SASL_SSL\n\
         sasl.mechanism=SCRAM-SHA-512\n\
         sasl.jaas.config={}\n\
         ssl.truststore.type=PEM\n\
         ssl.truststore.certificates={}\n",
        property(&login),
        one_line(facts.ca)
    )
}

fn java_mtls(facts: &Facts<'_>, bootstrap: &str) -> String {
    let (key, chain) = split_key(facts.client);
    format!(
        "# Java clients and Kafka's tools: client certificate.\n\
         bootstrap.servers={bootstrap}\n\
         security.protocol=SSL\n\
         ssl.keystore.type=PEM\n\
         ssl.keystore.key={}\n\
         ssl.keystore.certificate.chain={}\n\
         ssl.truststore.type=PEM\n\
         ssl.truststore.certificates={}\n",
        one_line(&key),
        one_line(&chain),
        one_line(facts.ca)
    )
}

/// The key and the certificates of one PEM text.
fn split_key(pem: &str) -> (String, String) {
    let (mut key, mut chain) = (String::new(), String::new());
    let mut in_key = false;
    for line in pem.lines() {
        if line.starts_with("-----BEGIN") {
            in_key = line.contains("PRIVATE KEY");
        }
        let target = if in_key { &mut key } else { &mut chain };
        target.push_str(line);
        target.push('\n');
    }
    (key, chain)
}

fn librdkafka(facts: &Facts<'_>, bootstrap: &str) -> String {
    format!(
        "# librdkafka (kcat -F librdkafka.conf ..., confluent-kafka): run from this folder.\n\
         bootstrap.servers={bootstrap}\n\
         security.protocol=SASL_SSL\n\
         sasl.mechanisms=SCRAM-SHA-512\n\
         sasl.username={}\n\
         sasl.password={}\n\
         ssl.ca.location=ca.pem\n",
        facts.name, facts.secret
    )
}

fn kafka_python(facts: &Facts<'_>, bootstrap: &str) -> String {
    format!(
        "\"\"\"kafka-python: KafkaProducer(**CONFIG), KafkaConsumer(\"topic\", **CONFIG). aiokafka takes CONFIG with an\n\
         ssl_context in place of ssl_cafile.\"\"\"\n\n\
         from pathlib import Path\n\n\
         CONFIG = {{\n    \
             \"bootstrap_servers\": {},\n    \
             \"security_protocol\": \"SASL_SSL\",\n    \
             \"sasl_mechanism\": \"SCRAM-SHA-512\",\n    \
             \"sasl_plain_username\": {},\n    \
             \"sasl_plain_password\": {},\n    \
             \"ssl_cafile\": str(Path(__file__).with_name(\"ca.pem\")),\n\
         }}\n",
        quoted(bootstrap),
        quoted(facts.name),
        quoted(facts.secret)
    )
}

fn kafkajs(facts: &Facts<'_>, bootstrap: &str) -> String {
    format!(
        "// kafkajs: const {{ Kafka }} = require('kafkajs'); const kafka = new Kafka(require('./kafkajs.js'))\n\
         const fs = require('fs')\n\
         const path = require('path')\n\n\
         module.exports = {{\n  \
           clientId: {name},\n  \
           brokers: [{bootstrap}],\n  \
           ssl: {{ ca: [fs.readFileSync(path.join(__dirname, 'ca.pem'), 'utf-8')] }},\n  \
           sasl: {{ mechanism: 'scram-sha-512', username: {name}, password: {secret} }},\n\
         }}\n",
        name = quoted(facts.name),
        bootstrap = quoted(bootstrap),
        secret = quoted(facts.secret)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: Facts<'static> = Facts {
        name: "orders",
        secret: "s3cret",
        kafka: Some("localhost:9094"),
        mtls: Some("localhost:9095"),
        ca: "-----BEGIN CERTIFICATE-----\nQ0E=\n-----END CERTIFICATE-----\n",
        client: "-----BEGIN PRIVATE KEY-----\nS0VZ\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nTEVBRg==\n-----END CERTIFICATE-----\n",
    };

    #[test]
    fn every_client_has_its_file() {
        let names: Vec<String> = files(&FACTS).into_keys().collect();
        assert_eq!(
            names,
            [
                "ca.pem",
                "client-mtls.properties",
                "client.pem",
                "client.properties",
                "kafka_python.py",
                "kafkajs.js",
                "librdkafka.conf",
            ]
        );
    }

    #[test]
    fn key_and_chain_are_told_apart() {
        let (key, chain) = split_key(FACTS.client);
        assert!(key.contains("S0VZ") && !key.contains("TEVBRg"));
        assert!(chain.contains("TEVBRg") && !chain.contains("S0VZ"));
    }

    #[test]
    fn odd_names_stay_inside_their_quotes() {
        let facts = Facts {
            name: "a\"b\\c",
            ..FACTS
        };
        assert!(java_scram(&facts, "h:1").contains(r#"username="a\\"b\\\\c""#));
        assert!(kafka_python(&facts, "h:1").contains(r#""a\"b\\c""#));
    }
}
