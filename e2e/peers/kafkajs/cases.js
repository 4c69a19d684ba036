// One case: node cases.js NAME BUNDLE [CHANGES], changes as JSON. Ends with status 0 when it went as it should;
// `refused` prints the client's error and what caused it.
const fs = require('fs')
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = require('kafkajs')
const SnappyCodec = require('kafkajs-snappy')
const lz4 = require('lz4js')
const xxh32 = require('lz4js/xxh32')
const { ZstdCodec } = require('zstd-codec')

const [, , name, bundle, changes = '{}'] = process.argv
const { ca, certificate, password, username, mechanism, brokers, topic = 't' } = JSON.parse(changes)
const settings = { ...require(bundle), logLevel: logLevel.NOTHING, retry: { retries: 2, initialRetryTime: 100 } }
if (brokers) settings.brokers = [brokers]
if (ca) settings.ssl = { ...settings.ssl, ca: [fs.readFileSync(ca, 'utf-8')] }
if (password) settings.sasl = { ...settings.sasl, password }
if (username) settings.sasl = { ...settings.sasl, username }
if (mechanism) settings.sasl = { ...settings.sasl, mechanism }
// An empty name: the listener for certificates, without one.
if (certificate !== undefined) delete settings.sasl
if (certificate) {
  const pem = fs.readFileSync(certificate, 'utf-8')
  settings.ssl = { ...settings.ssl, key: pem, cert: pem.slice(pem.indexOf('-----BEGIN CERTIFICATE')) }
}

// kafkajs has gzip of its own; the others are plug-ins.
const zstd = new Promise((resolve) => ZstdCodec.run((made) => resolve(new made.Simple())))
CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  // lz4js says that blocks depend on each other, which Kafka does not take; with one block none does.
  compress: async (encoder) => {
    const frame = Buffer.from(lz4.compress(encoder.buffer))
    frame[4] |= 0x20
    frame[6] = (xxh32.hash(0, frame, 4, 2) >>> 8) & 0xff
    return frame
  },
  decompress: async (bytes) => Buffer.from(lz4.decompress(bytes)),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async (encoder) => Buffer.from((await zstd).compress(encoder.buffer)),
  decompress: async (bytes) => Buffer.from((await zstd).decompress(bytes)),
})

const numbers = (count) => [...Array(count).keys()].map(String)

async function until(what, probe) {
  for (let end = Date.now() + 25000; !(await probe()); ) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function consumed(count) {
  const consumer = new Kafka(settings).consumer({ groupId: 'g', maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const seen = []
  await consumer.run({ eachMessage: async ({ message }) => void seen.push(message.value.toString()) })
  await until(`${count} messages`, () => seen.length >= count)
  await consumer.disconnect()
  return seen
}

const cases = {
  async round_trip() {
    const producer = new Kafka(settings).producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    for (const value of numbers(20)) await producer.send({ topic, messages: [{ key: 'k', value }] })
    await producer.disconnect()
    same(numbers(20), await consumed(20))
  },

  async codecs() {
    const producer = new Kafka(settings).producer()
    await producer.connect()
    const value = 'x'.repeat(1000)
    const types = ['None', 'GZIP', 'Snappy', 'LZ4', 'ZSTD']
    for (const type of types) {
      await producer.send({ topic, compression: CompressionTypes[type], messages: [{ value: type + value }, { value }] })
    }
    await producer.disconnect()
    same(types.flatMap((type) => [type + value, value]), await consumed(10))
  },

  async produce() {
    const producer = new Kafka(settings).producer()
    await producer.connect()
    await producer.send({ topic, messages: [{ value: 'x' }] })
    await producer.disconnect()
  },

  async group() {
    const admin = new Kafka(settings).admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic, numPartitions: 4 }] })
    await admin.disconnect()
    const seen = {}
    const members = [0, 1].map(() => {
      const consumer = new Kafka(settings).consumer({
        groupId: 'g', heartbeatInterval: 200, sessionTimeout: 6000, maxWaitTimeInMs: 100,
      })
      const member = { consumer, owned: -1, read: 0 }
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        member.owned = (payload.memberAssignment[topic] || []).length
      })
      member.start = async () => {
        await consumer.connect()
        await consumer.subscribe({ topic, fromBeginning: true })
        await consumer.run({
          eachMessage: async ({ message }) => {
            member.read += 1
            seen[message.value] = (seen[message.value] || 0) + 1
          },
        })
      }
      return member
    })
    const [first, second] = members
    await first.start()
    await until('four partitions', () => first.owned === 4)
    await second.start()
    await until('two partitions each', () => first.owned === 2 && second.owned === 2)
    const producer = new Kafka(settings).producer()
    await producer.connect()
    await producer.send({ topic, messages: numbers(100).map((value) => ({ key: value, value })) })
    await until('100 messages', () => first.read + second.read === 100)
    if (!first.read || !second.read) throw new Error('one member read everything')
    await second.consumer.disconnect()
    await until('all four again', () => first.owned === 4)
    await producer.send({ topic, messages: numbers(200).slice(100).map((value) => ({ key: value, value })) })
    await until('200 messages', () => first.read + second.read === 200)
    await first.consumer.disconnect()
    await producer.disconnect()
    same(numbers(200).map(() => 1), numbers(200).map((value) => seen[value]))
  },

  async admin() {
    const admin = new Kafka(settings).admin()
    await admin.connect()
    same([true], [await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] })])
    same([false], [await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] })])
    await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })
    const found = await admin.fetchTopicMetadata({ topics: [topic] })
    same([3], [found.topics[0].partitions.length])
    await admin.deleteTopics({ topics: [topic] })
    same([false], [(await admin.listTopics()).includes(topic)])
    await admin.disconnect()
  },

  async times() {
    const kafka = new Kafka(settings)
    const producer = kafka.producer()
    await producer.connect()
    const start = Date.now() - 60000
    for (const n of numbers(10)) {
      await producer.send({ topic, messages: [{ value: n, timestamp: `${start + Number(n) * 1000}` }] })
    }
    await producer.disconnect()
    const admin = kafka.admin()
    await admin.connect()
    const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, start + 4500)
    same(['5'], offsets.map(({ offset }) => offset))
    const ends = await admin.fetchTopicOffsets(topic)
    same(['0', '10'], [ends[0].low, ends[0].high])
    await admin.disconnect()
  },

  async refused() {
    const producer = new Kafka(settings).producer()
    try {
      await producer.connect()
      await producer.send({ topic, messages: [{ value: 'x' }] })
    } catch (error) {
      for (let one = error; one; one = one.cause) console.log(one.name, one.type || one.code || '', one.message)
      return
    }
    throw new Error('it was not refused')
  },

  async refused_group() {
    const consumer = new Kafka(settings).consumer({ groupId: 'secret', retry: { retries: 0 } })
    await consumer.connect()
    await consumer.subscribe({ topic })
    const crash = new Promise((resolve) => consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error)))
    await consumer.run({ eachMessage: async () => {} })
    for (let one = await crash; one; one = one.cause) console.log(one.name, one.type || '', one.message)
  },
}

function same(wanted, found) {
  if (JSON.stringify(wanted) !== JSON.stringify(found)) throw new Error(`${JSON.stringify(found)}, not ${wanted}`)
}

cases[name]().then(
  () => process.exit(0),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
