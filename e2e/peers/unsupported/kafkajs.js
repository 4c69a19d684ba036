// A transactional producer where there are no transactions: node kafkajs.js SETTINGS, run where kafkajs is installed.
const fs = require('fs')
const { Kafka, logLevel } = require(require.resolve('kafkajs', { paths: [process.cwd()] }))

const { brokers, ca, mechanism, username, password, id } = JSON.parse(process.argv[2])
const kafka = new Kafka({
  brokers, ssl: { ca: [fs.readFileSync(ca, 'utf-8')] }, sasl: { mechanism, username, password }, logLevel: logLevel.NOTHING,
})

async function main() {
  const producer = kafka.producer({ transactionalId: id, idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const began = Date.now()
  const error = await producer.transaction().then(() => undefined, (error) => error)
  const took = Date.now() - began
  await producer.disconnect()
  const said = `${error && error.type} ${error && error.name} ${error && error.message}`
  // What the broker said does not reach the application: kafkajs calls every refused coordinator so.
  if (!/TRANSACTIONAL_ID_AUTHORIZATION_FAILED|KafkaJSGroupCoordinatorNotFound/.test(said)) throw new Error(`not that error: ${said}`)
  if (took > 5000) throw new Error(`only after ${took} ms: ${said}`)
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1) })
