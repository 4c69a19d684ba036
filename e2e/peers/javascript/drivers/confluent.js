// @confluentinc/kafka-javascript: librdkafka behind an interface like that of kafkajs. It offers no call for settings or
// rules. Errors that belong to no call, and a refused login for the first 30 seconds, are told to its logger only.
const { bootstrap, installed, until } = require('../common')
const { AdminClient, CODES, KafkaJS } = installed('@confluentinc/kafka-javascript')

const { ErrorCodes } = KafkaJS
const text = (bytes) => (bytes === null || bytes === undefined ? null : bytes.toString())

function settings(client, changes = {}) {
  const out = { 'bootstrap.servers': bootstrap, 'security.protocol': client.protocol, log_level: 3 }
  if (client.tls) out['ssl.ca.location'] = client.files.ca
  if (client.cert) Object.assign(out, { 'ssl.certificate.location': client.files.pem, 'ssl.key.location': client.files.pem })
  if (client.sasl) {
    Object.assign(out, {
      'sasl.mechanism': client.mechanism, 'sasl.username': client.username, 'sasl.password': client.password,
    })
  }
  return { ...out, ...changes }
}

const kafka = (client, changes) => new KafkaJS.Kafka(settings(client, changes))

/** The librdkafka code of an error, under the protocol's name. */
function says(error, word) {
  const code = {
    SASL_AUTHENTICATION_FAILED: ErrorCodes.ERR__AUTHENTICATION,
    UNSUPPORTED_VERSION: ErrorCodes.ERR__UNSUPPORTED_FEATURE,
  }[word]
  return error.code === (code ?? ErrorCodes[`ERR_${word}`])
}

/** A logger, and the first error that it was told of. */
function watched() {
  let failed = null
  const logger = {
    namespace: () => logger,
    setLogLevel() {},
    info() {},
    debug() {},
    warn() {},
    error(message) {
      console.error(message)
      for (const [code, words] of [
        [ErrorCodes.ERR__AUTHENTICATION, /Authentication failed/i],
        [ErrorCodes.ERR_GROUP_AUTHORIZATION_FAILED, /Group authorization failed/],
        [ErrorCodes.ERR__UNSUPPORTED_FEATURE, /Required feature not supported/],
      ]) {
        if (!failed && words.test(message)) failed = Object.assign(new Error(message), { code })
      }
    },
  }
  return { logger, error: () => failed }
}

async function admin(client) {
  const one = kafka(client).admin()
  await one.connect()
  const offsets = async (topic, time) => {
    if (typeof time === 'number') return (await one.fetchTopicOffsetsByTimestamp(topic, time))[0].offset
    return (await one.fetchTopicOffsets(topic))[0][time === 'earliest' ? 'low' : 'high']
  }
  const topics = () => one.listTopics()
  return {
    topics,
    async createTopic(topic, partitions, configs) {
      const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
      const made = await one.createTopics({
        topics: [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }],
      })
      if (!made) throw Object.assign(new Error('the topic was there'), { code: ErrorCodes.ERR_TOPIC_ALREADY_EXISTS })
    },
    async partitions(topic) {
      if (!(await topics()).includes(topic)) return 0
      const [found] = await one.fetchTopicMetadata({ topics: [topic] })
      return found.partitions.filter(({ leader }) => leader >= 0).length
    },
    grow(topic, count) {
      const client_ = AdminClient.create(settings(client))
      return new Promise((resolve, reject) =>
        client_.createPartitions(topic, count, 5000, (error) => {
          client_.disconnect()
          if (error) reject(error)
          else resolve()
        }),
      )
    },
    deleteTopic: (topic) => one.deleteTopics({ topics: [topic] }),
    async deleteRecords(topic, offset) {
      await one.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] })
    },
    groups: async () => (await one.listGroups()).groups.map(({ groupId }) => groupId),
    async group(group) {
      const [found] = (await one.describeGroups([group])).groups
      const state = Object.keys(KafkaJS.ConsumerGroupStates).find((key) => KafkaJS.ConsumerGroupStates[key] === found.state)
      return [state, found.members.length]
    },
    async committed(group, topic) {
      const [found] = await one.fetchOffsets({ groupId: group, topics: [topic] })
      return Number(found.partitions[0].offset)
    },
    async deleteGroup(group) {
      try {
        await one.deleteGroups([group])
      } catch (error) {
        throw error.groups ? error.groups[0].error : error
      }
    },
    offset: async (topic, time) => Number(await offsets(topic, time)),
    close: () => one.disconnect(),
  }
}

async function producer(client, { codec = 'none', idempotent = false, transactional }) {
  const { logger, error } = watched()
  const one = kafka(client).producer({
    kafkaJS: { logger },
    'compression.type': codec,
    'enable.idempotence': idempotent || Boolean(transactional),
    'linger.ms': 20,
    ...(transactional ? { 'transactional.id': transactional } : {}),
  })
  let connecting = true
  const told = until(30, 'an error or a connection', () => !connecting || error()).then(() => {
    if (connecting) throw error()
  })
  await Promise.race([one.connect().finally(() => (connecting = false)), told])
  if (transactional) await one.transaction()
  return {
    async send(topic, messages) {
      const timed = messages.map((message) =>
        message.timestamp ? { ...message, timestamp: String(message.timestamp) } : message,
      )
      await one.send({ topic, messages: timed })
    },
    close: () => one.disconnect(),
  }
}

async function consumer(client, { group, topic, protocol }) {
  const read = []
  const { logger, error } = watched()
  const one = kafka(client).consumer({
    kafkaJS: { logger },
    'group.id': group,
    'auto.offset.reset': 'earliest',
    'enable.auto.commit': false,
    ...(protocol ? { 'group.protocol': protocol } : { 'session.timeout.ms': 10000, 'heartbeat.interval.ms': 500 }),
  })
  await one.connect()
  await one.subscribe({ topics: [topic] })
  await one.run({
    eachMessage: async ({ partition, message }) => {
      const headers = Object.entries(message.headers || {}).map(([key, value]) => [key, text(value)])
      read.push({
        key: text(message.key), value: text(message.value), headers: Object.fromEntries(headers), partition,
        offset: Number(message.offset),
      })
    },
  })
  return {
    read,
    error,
    assigned: () => one.assignment().length,
    commit: (topic, partition, offset) => one.commitOffsets([{ topic, partition, offset: String(offset) }]),
    seek: async (topic, partition, offset) => one.seek({ topic, partition, offset: String(offset) }),
    close: () => one.disconnect(),
  }
}

module.exports = {
  codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  offers: ['admin_records', 'kip848_refused'],
  says, admin, producer, consumer,
}
