// One case: node cases.js NAME BUNDLE. Ends with status 0 when it went as it should.
const { Kafka, logLevel } = require('kafkajs')

const [, , name, bundle] = process.argv
const settings = { ...require(bundle), logLevel: logLevel.NOTHING, retry: { retries: 2, initialRetryTime: 100 } }

const cases = {
  async round_trip() {
    const kafka = new Kafka(settings)
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    await producer.send({ topic: 't', messages: [...Array(10).keys()].map((n) => ({ key: 'k', value: `${n}` })) })
    await producer.disconnect()
    const consumer = kafka.consumer({ groupId: 'g' })
    await consumer.connect()
    await consumer.subscribe({ topic: 't', fromBeginning: true })
    const seen = []
    await new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error(`only ${seen.length} messages`)), 30000)
      consumer.run({
        eachMessage: async ({ message }) => {
          seen.push(message.value.toString())
          if (seen.length === 10) resolve()
        },
      })
    })
    await consumer.disconnect()
    if (seen.join() !== [...Array(10).keys()].join()) throw new Error(seen.join())
  },

  async wrong_password() {
    const kafka = new Kafka({ ...settings, sasl: { ...settings.sasl, password: 'wrong' } })
    await expect('KafkaJSSASLAuthenticationError', kafka.producer().connect())
  },

  async no_rule() {
    const producer = new Kafka(settings).producer()
    await producer.connect()
    await producer.send({ topic: 't', messages: [{ value: 'x' }] })
    await expect('TOPIC_AUTHORIZATION_FAILED', producer.send({ topic: 'secret', messages: [{ value: 'x' }] }))
    await producer.disconnect()
  },
}

async function expect(wanted, work) {
  try {
    await work
  } catch (error) {
    const cause = error.cause || error
    if ([error.name, error.type, cause.name, cause.type].includes(wanted)) return
    throw error
  }
  throw new Error(`no ${wanted}`)
}

cases[name]().then(
  () => process.exit(0),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
